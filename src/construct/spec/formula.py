"""A task that is written as formulas, one for each entry of its value.

    formula("wave", ["sin(x[1]) + x[2]*x[3]", "x[1]^2", "0"], epsilon="1/1000")

`x[i]` is entry i of the input at position 1, and `x[p, i]` of position p. A formula is the
specification: what the network holds in its place, within epsilon, is no affair of this
package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Shaped

from construct.errors import ConstructError, brief, shown
from construct.frozen import frozen
from construct.rational import Rational, rational, rational_array, rationals, to_json, zeros
from construct.spec.evaluation import evaluate
from construct.spec.expression import Expression, entries, is_rational, written
from construct.spec.fields import sequence
from construct.spec.grammar import parse
from construct.spec.prompt import exactly
from construct.spec.tasks import (
    MOST_POSITION,
    refuse_tasks_beyond_memory,
    shaped,
    task_name,
)

# Values of an irrational entry that are kept.
MOST_KEPT = 1 << 16


@dataclass(frozen=True, eq=False)
class Formula:
    """A map f from the n-1 inputs of an example to R^d, entry by entry.

    Attributes:
        name: unique among the tasks that are built together.
        entries: the tree of each entry of f(X), as `expression` has them.
        epsilon: how far in length what the network holds may be from f(X); None leaves the
            choice to the build.
        texts: the entries as they were given, or else as they are written.
    """

    name: str
    entries: tuple[Expression, ...]
    epsilon: Rational | None = None
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        texts = self.texts or tuple(map(written, self.entries))
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "_kept", [{} for _ in self.entries])

    def __repr__(self) -> str:
        start = f"Formula({brief(self.name, 24)}: "
        return f"{start}{self.described(79 - len(start))})"

    def __reduce__(self) -> tuple:
        return Formula, (self.name, self.entries, self.epsilon, self.texts)

    @property
    def d(self) -> int:
        """The dimension of each input and of the output."""
        return len(self.entries)

    @cached_property
    def positions(self) -> tuple[int, ...]:
        """The positions that the formulas read, rising."""
        read = {entry.position for tree in self.entries for entry in entries(tree)}
        return tuple(sorted(read))

    @cached_property
    def rational(self) -> bool:
        """Whether f takes rationals to rationals: no sin, exp or the like in it, and no pi."""
        return all(map(is_rational, self.entries))

    @cached_property
    def definition(self) -> Mapping[str, Any]:
        """The JSON form that `from_definition` turns into this task."""
        fields = {"name": self.name, "kind": "formula", "f": list(self.texts)}
        given = {} if self.epsilon is None else {"epsilon": to_json(Fraction(self.epsilon))}
        return frozen({**fields, **given})

    def as_json(self, *, words: bool = False) -> dict[str, Any]:
        """The definition, whether or not the file lists a vocabulary."""
        return to_json(dict(self.definition))

    def described(self, most: int = 60) -> str:
        """Kind and formulas as one line of at most `most` characters."""
        near = "" if self.epsilon is None else f", epsilon = {brief(self.epsilon, 12)}"
        return brief(f"formula{near}, f = {brief(self.texts, most)}", most)

    def __call__(self, X: Any) -> Shaped[np.ndarray, "... d"]:
        """f(X).

        Args:
            X: the inputs, of shape (..., n-1, d); a single vector (d,) where the formulas read
                position 1 alone. Floats are the rationals that they hold.

        Returns:
            f(X), of shape (..., d), of dtype object: rationals, exact where the entry is
            rational, else off by at most 2^-200 max(1, |value|).

        Raises:
            ConstructError: if X has another shape or holds anything but numbers; if an entry
                has no value there, with the entry, the part and the input.
        """
        x = self._inputs(X)
        points = x.reshape(-1, *x.shape[-2:])
        values = zeros(len(points), self.d)
        for i in range(self.d):
            values[:, i] = self._values(i, points)
        return values.reshape(*x.shape[:-2], self.d)

    def _inputs(self, X: Any) -> np.ndarray:
        """X as rationals, of shape (..., n-1, d)."""
        what = f"an entry of the X of task {self.name!r}"
        try:
            given = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
        except ValueError:
            raise ConstructError(f"task {self.name!r} was given a ragged X.") from None
        plain = given.dtype == object and set(map(type, given.flat)) <= {int, Fraction}
        if given.dtype.kind in "fiu" and np.isfinite(given).all():
            x = exactly(given).astype(object)
        else:
            x = given if plain else rational_array(given, given.shape, what)
        return shaped(x, self.name, self.d, self.positions)

    def _values(self, i: int, points: np.ndarray) -> Shaped[np.ndarray, " points"]:
        """Entry i at each of the points; those that take long are kept."""
        tree, what = self.entries[i], f"entry {i + 1} of task {self.name!r}"
        if is_rational(tree):
            return evaluate(tree, points, what)
        kept: dict[tuple, Rational] = self._kept[i]  # type: ignore[attr-defined]
        read = [points[:, e.position - 1, e.index - 1].tolist() for e in entries(tree)]
        keys = list(zip(*read, strict=True)) if read else [()] * len(points)
        known = {key: kept[key] for key in keys if key in kept}
        new = {key: at for at, key in enumerate(keys) if key not in known}
        if new:
            found = evaluate(tree, points[list(new.values())], what)
            if len(kept) + len(new) > MOST_KEPT:
                kept.clear()
            fresh = dict(zip(new, found, strict=True))
            kept.update(fresh if len(fresh) <= MOST_KEPT else {})
            known.update(fresh)
        return rationals([known[key] for key in keys])


def formula(name: str, f: Any, d: Any = None, n: Any = None, epsilon: Any = None) -> Formula:
    """The task whose entries are formulas.

    Args:
        name: what the task is called.
        f: a text for each entry of f(X): numbers, + - * / ^, parentheses, `x[i]` for entry i
            of the input at position 1, `x[p, i]` of position p, pi, and the functions abs,
            relu, max, min, sin, cos, tanh, exp, log, sqrt, sigmoid and softplus.
        d: entries of an input, as many as there are formulas.
        n: tokens of an example, n-1 of them inputs; any number where it is left out.
        epsilon: how far in length what the network holds may be from f(X).

    Raises:
        ConstructError: naming the entry, and the character at which it is no formula.
    """
    name = task_name(name)
    texts = sequence(f, f"f of task {name!r}")
    _refuse_sizes(name, texts, d, n)
    if epsilon is not None:
        epsilon = rational(epsilon, f"epsilon of task {name!r}")
        if epsilon <= 0:
            raise ConstructError(
                f"epsilon of task {name!r} is {epsilon}; it must be above 0, or left out."
            )
    trees = tuple(
        parse(text, f"entry {i} of task {name!r}", d=len(texts), n=n)
        for i, text in enumerate(texts, 1)
    )
    return Formula(name, trees, epsilon, tuple(texts))


def _refuse_sizes(name: str, texts: Any, d: Any, n: Any) -> None:
    """Refuse a number of formulas other than d, and sizes that are none."""
    for key, value, least in (("d", d, 1), ("n", n, 2)):
        if value is not None and (type(value) is not int or not least <= value <= MOST_POSITION):
            raise ConstructError(
                f"task {name!r} is given {key} = {shown(value)}; it must be a whole number of at "
                f"least {least} and at most 10^9, or left out."
            )
    if d is not None:
        refuse_tasks_beyond_memory(1, d)
    if not texts or len(texts) != (d or len(texts)):
        wanted = "one" if d is None else f"{d} (d = {d}), one"
        raise ConstructError(
            f"task {name!r} has {len(texts)} formulas; write {wanted} for each entry of f(X)."
        )
