"""Random task files: every kind of task, and domains of every size, as JSON."""

from fractions import Fraction as Q
from random import Random
from typing import Any

from attack.domain import Domain
from attack.reckoning import Reckoned, as_text
from kinds import KINDS, NEED_TWO_INPUTS, NEED_WORDS

# d, n, m, K: few, for each is compiled anew.
SHAPES = ((1, 2, 2, 1), (1, 3, 4, 2), (2, 2, 8, 3), (2, 3, 3, 4), (3, 4, 5, 4), (4, 2, 4, 2))
OFTEN = ("affine", "relu-sum", "rotation")
DRAWN = (*OFTEN, *(kind for kind in KINDS if kind not in NEED_WORDS))
# How the numbers of a task file are drawn.
STYLES = ("whole", "whole", "sevenths", "decimals", "dyadic", "huge", "tiny", "mixed")


def entry(rng: Random, style: str) -> Q:
    """A number of that style; one in five is 0."""
    if rng.random() < 0.2:
        return Q(0)
    if style == "mixed":
        style = rng.choice(STYLES[:-1])
    small = rng.randint(-3, 3)
    return {
        "whole": Q(small),
        "sevenths": Q(rng.randint(-9, 9), 7),
        "decimals": Q(rng.randint(-999, 999), 10 ** rng.randint(1, 6)),
        "dyadic": Q(small, 1 << rng.randint(0, 12)),
        "huge": Q(small * 10 ** rng.randint(3, 18)),
        "tiny": Q(small, 10 ** rng.randint(3, 18)),
    }[style]


class Tasks:
    """Draws task files of one shape."""

    def __init__(self, rng: Random, shape: tuple[int, int, int, int], style: str) -> None:
        self.rng, self.style = rng, style
        self.d, self.n, _, self.K = shape

    def file(self) -> dict[str, Any]:
        """A task file without a domain."""
        tasks = [{"name": f"t{k}", **self.definition()} for k in range(self.K)]
        return as_text({"d": self.d, "n": self.n, "tasks": tasks})

    def definition(self) -> dict[str, Any]:
        """A task of any kind that needs no words, without its name."""
        rng, d = self.rng, self.d
        places = list(range(1, self.n))
        kind, p = rng.choice(DRAWN), rng.choice(places)
        pair = rng.sample(places, 2) if len(places) > 1 else None
        if kind in NEED_TWO_INPUTS and pair is None:
            kind = "affine"
        fields: dict[str, Any] = {
            "affine": lambda: {"A": self.blocks(), "b": self.vector()},
            "permutation": lambda: {
                "permutation": rng.sample(range(1, d + 1), d),
                "signs": [rng.choice([-1, 1]) for _ in range(d)],
                "by": self.vector(),
                "position": p,
            },
            "shift": lambda: {"by": self.vector(), "position": p},
            "rotation": lambda: {"by": rng.randint(-5, 5), "modulo": d, "position": p},
            "sum": lambda: {"positions": rng.sample(places, rng.randint(1, len(places)))},
            "clip": lambda: {"low": Q(-1), "high": abs(entry(rng, "whole")), "position": p},
            "relu-sum": self.relu_sum,
        }.get(kind, lambda: self.like_the_example(kind, p, pair))()
        return {"kind": "shift" if kind == "rotation" else kind, **fields}

    def like_the_example(self, kind: str, p: int, pair: list[int] | None) -> dict[str, Any]:
        """The example of a kind, at other positions."""
        fields = KINDS[kind].example(self.d)
        fields |= {"position": p} if "position" in fields else {}
        return fields | ({"positions": pair} if "positions" in fields else {})

    def vector(self) -> list[Q]:
        return [entry(self.rng, self.style) for _ in range(self.d)]

    def matrix(self, columns: int | None = None) -> list[list[Q]]:
        width = self.d if columns is None else columns
        return [[entry(self.rng, self.style) for _ in range(width)] for _ in range(self.d)]

    def blocks(self) -> dict[str, list[list[Q]]]:
        places = self.rng.sample(range(1, self.n), self.rng.randint(1, self.n - 1))
        return {str(p): self.matrix() for p in places}

    def hinge(self) -> dict[str, Any]:
        """A hinge; one in four without a coefficient that is not 0."""
        places = self.rng.sample(range(1, self.n), self.rng.randint(1, self.n - 1))
        a = {str(p): self.vector() for p in places}
        return {"c": entry(self.rng, self.style), "a": a, "e": entry(self.rng, self.style)}

    def relu_sum(self) -> dict[str, Any]:
        """One to three features, some of them twice."""
        rng = self.rng
        features = [[self.hinge() for _ in range(rng.randint(0, 2))] for _ in range(2)]
        features = [rng.choice(features) for _ in range(rng.randint(1, 3))]
        fields: dict[str, Any] = {"features": features, "C": self.matrix(len(features))}
        if rng.random() < 0.7:
            fields["A"] = self.blocks()
        if rng.random() < 0.5:
            fields["b"] = self.vector()
        return fields


def domain(rng: Random, file: dict[str, Any]) -> dict[str, Any]:
    """A domain in which something can match: R_y is about what the tasks reach."""
    R = rng.choice([Q(1), Q(1), Q(2), Q(8), Q(10), Q(4, 3), Q(1, 7), Q(100), Q(1000)])
    delta = rng.choice([Q(1), Q(1), Q(1), Q(1, 3), Q(1, 10), Q(4)])
    probe = Reckoned.of({**file, "domain": {"R": 1, "Ry": 1, "delta": 1}}, 1)
    corners = [[[s * R] * probe.d for s in signs] for signs in _signs(probe.n - 1)]
    reached = max((abs(y) for X in corners for f in probe.maps for y in f(X)), default=R)
    Ry = rng.choice([R, 4 * R, reached or R, reached + 2 * delta])
    found = {"R": R, "Ry": Ry, "delta": delta}
    if rng.random() < 0.3:
        found["grid"] = rng.choice([Q(1), Q(1, 2), Q(1, 1024)])
    return as_text(found)


def _signs(count: int) -> list[list[int]]:
    return [[1] * count, [-1] * count, [(-1) ** i for i in range(count)]]


def scaled(file: dict[str, Any], R: Q, Ry: Q) -> dict[str, Any]:
    """The file with other bounds."""
    return {**file, "domain": {**file["domain"], **as_text({"R": R, "Ry": Ry})}}


def bounds(file: dict[str, Any]) -> Domain:
    return Domain.of(file["domain"])
