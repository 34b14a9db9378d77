"""The task sets of limits.py, each with a domain that grows with one number.

Plain ones grow with R, the bound on inputs, and labels have room for what the tasks make of
them. Those with a flat gate grow with R_y, the bound on labels, at inputs up to 2: what is held
of a formula stays the same.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from construct import Construction, Domain, Sizes, build, formula
from construct.certify.decisions import certify
from construct.certify.limits import certified, largest
from construct.certify.softmax import choose_margins
from construct.designs.theorem.wiring import Wiring
from construct.spec import kinds
from construct.spec.domain import task_bound

# Slots for examples in the direction R: with n = 2 or 4 the context is full.
EXAMPLES = 7


@dataclass(frozen=True, eq=False)
class Family:
    """A task set, and the domain that goes with a bound on its inputs."""

    name: str
    tasks: tuple[Any, ...]
    grid: Fraction | int | None = None
    scratch: int = 0
    direction = "R"

    def domain(self, R: Fraction) -> Domain:
        """Labels have room for every f_k(X), and no more."""
        Ry = max(max(task_bound(task, R)) for task in self.tasks)
        return Domain(R, max(Ry, R), 1, self.grid)

    def build(self, m: int, R: Fraction) -> Construction:
        """What `construct build` makes of it, with so many scratch tokens."""
        return build(self.tasks, m=m, domain=self.domain(R), scratch=self.scratch)

    def limit_R(self, dtype: str) -> Fraction:
        """The largest R that is certified: in sixteenths, or whole on a grid."""
        step = Fraction(1, 16) if self.grid is None else Fraction(self.grid)
        sizes, wiring = self._shape()
        return step * largest(lambda i: dtype in certified(sizes, wiring, self.domain(step * i)))

    def limit_m(self, dtype: str, R: Fraction) -> int:
        """The largest m that is certified at R."""
        sizes, wiring = self._shape()
        domain = self.domain(R)
        return largest(lambda m: dtype in certified(replace(sizes, m=m), wiring, domain))

    def _shape(self) -> tuple[Sizes, Wiring]:
        made = self.build(EXAMPLES, Fraction(1))
        return made.sizes, made.wiring


@dataclass(frozen=True, eq=False)
class Flat(Family):
    """Tasks whose labels match within tau, or that are held within an error."""

    delta: Fraction | int = 1
    tau: Fraction | int = 0
    direction = "R_y"

    def domain(self, Ry: Fraction) -> Domain:
        """Inputs up to 2, and labels as large as is said."""
        return Domain(2, Ry, self.delta, self.grid, self.tau)


@dataclass(frozen=True, eq=False)
class Designed(Family):
    """Tasks in a softmax design."""

    design: str = "decoder"
    tau: Fraction | int = 0

    def domain(self, R: Fraction) -> Domain:
        """As of any other; labels may be off by tau."""
        return replace(super().domain(R), tau=self.tau)

    def build(self, m: int, R: Fraction) -> Construction:
        """What `construct build --design` makes of it."""
        return build(self.tasks, m=m, domain=self.domain(R), design=self.design)

    def limit_R(self, dtype: str) -> Fraction:
        """The largest R that is certified: in sixteenths, or whole on a grid."""
        made = self.build(EXAMPLES, Fraction(1))
        step = Fraction(1, 16) if self.grid is None else Fraction(self.grid)

        def holds(i: int) -> bool:
            domain = self.domain(step * i)
            margins = choose_margins(made.softmax, made.sizes, made.held, domain)
            plan = replace(made.plan, margins=margins)
            return not certify(made.softmax, plan, made.held, domain)[dtype]

        return step * largest(holds)


def with_softmax() -> list[Designed]:
    """The plain sets, each as a decoder and as an encoder, and one in which labels are off."""
    dense = families()[1]
    found = []
    for design in ("decoder", "encoder"):
        for one in families():
            found.append(Designed(f"{design}: {one.name}", one.tasks, one.grid, design=design))
        name = f"{design}: {dense.name}, tau 1/4"
        found.append(Designed(name, dense.tasks, design=design, tau=Fraction(1, 4)))
    return found


def families() -> list[Family]:
    """In each set all tasks agree on inputs 0, so that a prompt can have all votes."""
    rng = np.random.default_rng(0)
    permutations = [
        kinds.permutation(f"p{k}", (rng.permutation(16) + 1).tolist(), rng.choice([-1, 1], 16))
        for k in range(4)
    ]
    dense = [kinds.affine(f"f{k}", rng.integers(-9, 10, (4, 4)) * Fraction(1, 7)) for k in range(3)]
    operands = [
        *(kinds.retrieval(f"ret{p}", p, d=4) for p in (1, 2, 3)),
        kinds.add("op1+op2", [1, 2], d=4),
        kinds.maximum("max", [1, 3], d=4),
        kinds.absolute("abs", 2, d=4),
    ]
    return [
        Family("signed permutations, whole numbers, K=4 d=16 n=2", tuple(permutations), grid=1),
        Family("dense linear maps, real numbers, K=3 d=4 n=2", tuple(dense)),
        Family("retrieval, sum, max, abs, real numbers, K=6 d=4 n=4", tuple(operands)),
    ]


def with_scratch() -> list[Family]:
    """Three ReLU tasks, two of them at scratch tokens; they agree on inputs 0."""
    rng, tasks = np.random.default_rng(0), []
    for k in range(3):
        hinges = [[{"a": rng.choice([-1, 1], 2).tolist()}] for _ in range(2)]
        tasks.append(kinds.relu_sum(f"f{k}", hinges, np.eye(2, dtype=int).tolist()))
    return [
        Family("ReLUs at 2 scratch tokens, whole numbers, K=3 d=2 n=2", tuple(tasks), 1, 2),
        Family("ReLUs at 2 scratch tokens, real numbers, K=3 d=2 n=2", tuple(tasks), None, 2),
    ]


def flat() -> list[Flat]:
    """A square and a sine, each beside a linear map that agrees with it at 0."""

    def two(text: str, epsilon: Any = None) -> tuple[Any, ...]:
        return (formula("f", [text], epsilon=epsilon), kinds.affine("g", [[3]]))

    quarter = Fraction(1, 4)
    return [
        Flat("x^2 and 3x, whole numbers, tau 1, K=2 d=1 n=2", two("x[1]^2"), 1, 0, 2, 1),
        Flat("x^2 and 3x, real numbers, epsilon 1/8, K=2 d=1 n=2", two("x[1]^2", "1/8")),
        Flat(
            "sin x and 3x, quarters, tau 1/4, K=2 d=1 n=2", two("sin(x[1])"), quarter, 0, 1, quarter
        ),
        Flat("sin x and 3x, real numbers, K=2 d=1 n=2", two("sin(x[1])")),
    ]
