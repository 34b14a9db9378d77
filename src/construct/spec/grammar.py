"""The grammar of formulas: a text becomes a tree, and is never run.

    sum     := product (("+" | "-") product)*
    product := signed (("*" | "/") signed)*
    signed  := ("+" | "-") signed | power
    power   := atom [("^" | "**") signed]          to the right: 2^3^2 is 2^9
    atom    := number | "pi" | "x[" i "]" | "x[" p "," i "]"
             | function "(" sum ("," sum)* ")" | "(" sum ")"

A power is a whole number. Texts, nesting, numbers and degrees have limits, so that no text
takes long to read, nor its formula to evaluate.
"""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from construct.errors import ConstructError, shown
from construct.rational import MOST_DIGITS, Rational, rational
from construct.spec.expression import (
    OF_ONE,
    OF_SEVERAL,
    Call,
    Entry,
    Expression,
    Number,
    Pi,
    degree,
    number,
    power,
    product,
    quotient,
    total,
)
from construct.spec.tasks import MOST_POSITION

MOST_CHARACTERS, MOST_DEPTH, MOST_POWER, MOST_DEGREE = 10_000, 40, 100, 256

KNOWN = f"x[i], x[p, i], pi, {', '.join((*OF_ONE, *OF_SEVERAL))}"

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>\*\*|.)|$)",
    re.DOTALL | re.ASCII,
)


@dataclass(frozen=True)
class Token:
    """A number, a name or a sign, and its character in the text, from 1; "" at the end."""

    kind: str
    text: str
    at: int


def parse(text: Any, what: str, *, d: int, n: int | None = None) -> Expression:
    """The tree of a text.

    Args:
        what: what messages call it.
        d: entries of an input.
        n: tokens of an example, n-1 of them inputs; any number where it is left out.

    Raises:
        ConstructError: naming the character at which the text is no formula.
    """
    if not isinstance(text, str) or not text.strip():
        raise ConstructError(f"{what} is {shown(text)}; write a formula such as 'x[1]^2 + 1'.")
    if len(text) > MOST_CHARACTERS:
        raise ConstructError(
            f"{what} has {len(text)} characters; a formula may have {MOST_CHARACTERS}: write a "
            "shorter one."
        )
    return _Parser(text, what, d, n).formula()


class _Parser:
    """One pass over the tokens of a text, from left to right."""

    def __init__(self, text: str, what: str, d: int, n: int | None) -> None:
        self.text, self.what, self.d, self.n = text, what, d, n
        self.depth = 0
        self.tokens: list[Token] = []
        for found in _TOKEN.finditer(text):
            kind = found.lastgroup or "end"
            at = found.start(kind) if found.lastgroup else len(text)
            self.tokens.append(Token(kind, found[kind] if found.lastgroup else "", at + 1))
            if kind == "end":
                break
        self.place = 0

    def formula(self) -> Expression:
        tree = self.sum()
        if self.now.kind != "end":
            self.refuse(
                f"has {shown(self.now.text)}", "write an operator (+ - * / ^) there, or end"
            )
        if degree(tree) > MOST_DEGREE:
            raise ConstructError(
                f"{self.what} has the degree {degree(tree)}; it may be {MOST_DEGREE}: write a "
                "formula of lower powers."
            )
        return tree

    @property
    def now(self) -> Token:
        """The token that is read next."""
        return self.tokens[self.place]

    def take(self, *signs: str) -> Token | None:
        """The next token, if it is one of these signs."""
        token = self.now
        if token.kind != "sign" or token.text not in signs:
            return None
        self.place += 1
        return token

    def need(self, sign: str, remedy: str) -> None:
        if not self.take(sign):
            found = shown(self.now.text) if self.now.text else "its end"
            self.refuse(f"has {found} in place of {sign!r}", remedy)

    def refuse(self, problem: str, remedy: str, token: Token | None = None) -> NoReturn:
        at = (token or self.now).at
        near = (
            self.text if len(self.text) <= 60 else f"... {self.text[max(at - 21, 0) : at + 20]} ..."
        )
        raise ConstructError(f"{self.what} {problem} at character {at} of {near!r}; {remedy}.")

    def sum(self) -> Expression:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            self.refuse(f"is nested more than {MOST_DEPTH} deep", "write it flatter")
        terms = [self.product()]
        while sign := self.take("+", "-"):
            term = self.product()
            terms.append(term if sign.text == "+" else product([Number(-1), term]))
        self.depth -= 1
        return self.short(total(terms))

    def product(self) -> Expression:
        above: list[Expression] = [self.signed()]
        below: list[Expression] = []
        while sign := self.take("*", "/"):
            factor = self.signed()
            if sign.text == "/" and factor == Number(0):
                self.refuse("divides by 0", "divide by something else", sign)
            (above if sign.text == "*" else below).append(factor)
        tree = product(above)
        return self.short(quotient(tree, product(below)) if below else tree)

    def signed(self) -> Expression:
        negative, start = False, self.place
        while sign := self.take("+", "-"):
            negative ^= sign.text == "-"
        if self.place - start > MOST_DEPTH:
            self.refuse(f"has more than {MOST_DEPTH} signs in a row", "write one")
        tree = self.power()
        return product([Number(-1), tree]) if negative else tree

    def power(self) -> Expression:
        base = self.atom()
        sign = self.take("^", "**")
        if sign is None:
            return base
        self.depth += 1
        if self.depth > MOST_DEPTH:
            self.refuse(f"is nested more than {MOST_DEPTH} deep", "write it flatter")
        exponent = self.signed()
        self.depth -= 1
        if not isinstance(exponent, Number) or not isinstance(exponent.value, int):
            self.refuse(
                "has a power that is no whole number",
                "write whole powers, sqrt(...) for a root, exp(...) for others",
                sign,
            )
        if abs(exponent.value) > MOST_POWER:
            self.refuse(f"has a power beyond {MOST_POWER}", "write a smaller one", sign)
        if base == Number(0) and exponent.value < 0:
            self.refuse("divides by 0", "write a power of at least 0", sign)
        return self.short(power(base, exponent.value))

    def atom(self) -> Expression:
        token = self.now
        self.place += token.kind != "end"
        if token.kind == "number":
            return number(rational(token.text, f"a number of {self.what}"))
        if token.kind == "name":
            return self.named(token)
        if token.text == "(":
            tree = self.sum()
            self.need(")", "close the parenthesis")
            return tree
        self.place -= token.kind != "end"
        found = shown(token.text) if token.text else "its end"
        self.refuse(
            f"has {found} where a number, x[...], a function or a parenthesis must stand",
            "write one",
            token,
        )

    def named(self, token: Token) -> Expression:
        if token.text == "pi":
            return Pi()
        if token.text == "x":
            return self.entry(token)
        if token.text not in (*OF_ONE, *OF_SEVERAL):
            self.refuse(f"has the unknown name {shown(token.text)}", f"known are {KNOWN}", token)
        several = token.text in OF_SEVERAL
        wanted = "two arguments or more" if several else "one argument"
        remedy = f"{token.text} takes {wanted} in parentheses"
        self.need("(", remedy)
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.need(")", remedy)
        if (len(arguments) > 1) != several:
            self.refuse(f"gives {token.text} {len(arguments)} arguments", remedy, token)
        return Call(token.text, tuple(arguments))

    def entry(self, token: Token) -> Expression:
        remedy = "write x[i] or x[p, i]: entry i of the input at position p, both from 1"
        self.need("[", remedy)
        numbers = [self.index(remedy)]
        if self.take(","):
            numbers.append(self.index(remedy))
        self.need("]", remedy)
        position, index = numbers if len(numbers) == 2 else (1, numbers[0])
        if not 1 <= index <= self.d:
            self.refuse(
                f"reads entry {shown(index)}", f"an input has {self.d} entries, from 1", token
            )
        if position < 1 or (self.n is not None and position >= self.n):
            least = "" if self.n is None else f" to {self.n - 1} (n = {self.n})"
            self.refuse(f"reads position {shown(position)}", f"positions go from 1{least}", token)
        if position > MOST_POSITION:
            self.refuse(f"reads position {shown(position)}", "positions go up to 10^9", token)
        return Entry(position, index)

    def index(self, remedy: str) -> int:
        token = self.now
        if token.kind != "number" or not token.text.isdecimal() or len(token.text) > 12:
            self.refuse(f"has {shown(token.text) if token.text else 'its end'}", remedy)
        self.place += 1
        return int(token.text)

    def short(self, tree: Expression) -> Expression:
        """The tree, whose number is not too long."""
        value: Rational | None = tree.value if isinstance(tree, Number) else None
        if value is not None and max(abs(value.numerator), value.denominator) >= _END:
            self.refuse(f"has a number of more than {MOST_DIGITS} digits that ends", "round it")
        return tree


_END = 10**MOST_DIGITS
