"""Checks of the arguments of public functions: a wrong type is told in one sentence.

@checked(prompt=instance(Prompt, "a construct.Prompt"), m=whole(1))
def f(prompt: Prompt, m: int) -> ...
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from construct.errors import ConstructError, shown

# A rule takes a value and its name, and raises ConstructError.
Rule = Callable[[Any, str], None]
Function = TypeVar("Function", bound=Callable)

# Messages print whole numbers, and Python prints some thousand digits at most.
MOST = 10**1000


def checked(**rules: Rule) -> Callable[[Function], Function]:
    """Decorate a function: each argument is checked by the rule under its name."""

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        names = tuple(signature.parameters)
        most = sum(p.kind is not p.KEYWORD_ONLY for p in signature.parameters.values())
        needed = {n for n, p in signature.parameters.items() if p.default is p.empty}

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            plain = len(args) <= most and len(given) == len(args) + len(kwargs)
            if not plain or not needed <= given.keys() <= signature.parameters.keys():
                given = bound(function, signature, args, kwargs)  # it says what is wrong
            for name, rule in rules.items():
                if name in given:
                    rule(given[name], name)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


def bound(
    function: Callable, signature: inspect.Signature, args: tuple, kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments by name.

    Raises:
        TypeError: as Python has it, with the name of the function.
    """
    try:
        return signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{function.__name__}(): {error}") from None


def wrong(value: Any, name: str, right: str) -> ConstructError:
    """The error that says what `name` is and what it must be."""
    return ConstructError(f"{name} is {shown(value)}; it must be {right}.")


def instance(kind: Any, right: str) -> Rule:
    """The rule that a value is of a type; `right` names it."""

    def rule(value: Any, name: str) -> None:
        if not isinstance(value, kind):
            raise wrong(value, name, right)

    return rule


def whole(least: int, most: int = MOST) -> Rule:
    """The rule that a value is a whole number (which True and False are not)."""

    def rule(value: Any, name: str) -> None:
        if type(value) is not int or not least <= value < most:
            raise wrong(value, name, f"a whole number of at least {least}")

    return rule


def listed(one: Rule, right: str, least: int = 1) -> Rule:
    """The rule that a value is a list or a tuple whose entries obey a rule."""

    def rule(value: Any, name: str) -> None:
        if not isinstance(value, list | tuple) or len(value) < least:
            raise wrong(value, name, f"a list of at least {least} {right}")
        for i, entry in enumerate(value):
            one(entry, f"{name}[{i}]")

    return rule


def optional(rule: Rule) -> Rule:
    """The rule that a value is None or obeys a rule."""

    def of_some(value: Any, name: str) -> None:
        if value is not None:
            rule(value, name)

    return of_some


def number(value: Any, name: str) -> None:
    """The rule that a value is a rational number above 0."""
    from construct.rational import rational

    if rational(value, name) <= 0:
        raise wrong(value, name, "above 0")


def distance(value: Any, name: str) -> None:
    """The rule that a value is a rational number of at least 0."""
    from construct.rational import rational

    if rational(value, name) < 0:
        raise wrong(value, name, "at least 0")


def text(value: Any, name: str) -> None:
    """The rule that a value is a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise wrong(value, name, "a text")


def function(value: Any, name: str) -> None:
    """The rule that a value can be called."""
    if not callable(value):
        raise wrong(value, name, "a function")


def truth(value: Any, name: str) -> None:
    """The rule that a value is True or False."""
    if type(value) is not bool:
        raise wrong(value, name, "True or False")


def path(value: Any, name: str) -> None:
    """The rule that a value is the name of a file or folder."""
    from pathlib import PurePath

    if not isinstance(value, str | PurePath) or not str(value) or "\0" in str(value):
        raise wrong(value, name, "a path, without the character NUL")
