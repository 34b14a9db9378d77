"""How close does what is held in place of a formula come to the epsilon that is proved?

    python benchmarks/errors.py            a million points for each formula: two minutes
    python benchmarks/errors.py --quick    ten thousand

The points: half of them random in the box, a quarter near its ends and a quarter where a hinge
bends, or halfway to the next one, with the other entries random. Both sides are evaluated in
float64, f straight from its tree; the ten worst points of each formula are evaluated once more
with exact rationals, f to 200 bits, and no error may be above epsilon there.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from common import options, write
from construct import Domain, formula
from construct.approximation.hold import hold
from construct.spec.expression import (
    Call,
    Entry,
    Expression,
    Number,
    Pi,
    Power,
    Product,
    Quotient,
    Sum,
)
from construct.spec.formula import Formula
from construct.spec.tasks import Task

# Points that are evaluated at once.
BLOCK = 1 << 13
WORST = 10
# What rounding may add to the error of a point in float64; the worst are looked at exactly.
ROUNDING = 1e-9

# (entries, R, epsilon): of one variable, and of several.
CASES: tuple[tuple[list[str], Any, str], ...] = (
    (["sin(x[1])"], 8, "1/100"),
    (["sin(x[1])"], 8, "1/1000"),
    (["sin(x[1])"], 8, "1/10000"),
    (["exp(x[1])"], 2, "1/1000"),
    (["softplus(x[1])"], 32, "1/1000"),
    (["tanh(x[1])"], 4, "1/1000"),
    (["sigmoid(x[1])"], 8, "1/1000"),
    (["sqrt(x[1] + 5)"], 4, "1/1000"),
    (["log(x[1] + 5)"], 4, "1/1000"),
    (["x[1]^2"], 8, "1/1000"),
    (["x[1]^3 - 2*x[1]"], 2, "1/1000"),
    (["1/(x[1] + 5)"], 4, "1/1000"),
    (["x[1]*x[2]", "0"], 4, "1/100"),
    (["x[1]*x[2]", "0"], 4, "1/1000"),
    (["sin(x[1]) + x[2]*x[3]", "x[1]^2", "0"], 4, "1/100"),
    (["x[1]^2*x[2]^2", "0"], 2, "1/10"),
    (["x[1]^3*x[2] + sin(x[1])", "0"], 2, "1/10"),
    (["sin(x[1] + x[2])", "max(x[1], x[2]) + x[1]^2"], 2, "1/100"),
)

OF_ONE = {
    "abs": np.abs,
    "relu": lambda t: np.maximum(t, 0),
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sigmoid": lambda t: 1 / (1 + np.exp(-t)),
    "softplus": lambda t: np.logaddexp(t, 0),
}


def value(tree: Expression, X: np.ndarray) -> np.ndarray:
    """The value of a tree at points X of (points, d), in float64."""
    match tree:
        case Number():
            return np.full(len(X), float(tree.value))
        case Pi():
            return np.full(len(X), np.pi)
        case Entry():
            return X[:, tree.index - 1]
        case Sum():
            return sum(value(term, X) for term in tree.terms)
        case Product():
            return np.prod([value(factor, X) for factor in tree.factors], axis=0)
        case Quotient():
            return value(tree.above, X) / value(tree.below, X)
        case Power():
            return value(tree.base, X) ** tree.exponent
        case Call("max" | "min"):
            most = np.maximum if tree.function == "max" else np.minimum
            return most.reduce([value(argument, X) for argument in tree.arguments])
        case Call():
            return OF_ONE[tree.function](value(tree.arguments[0], X))
    raise TypeError(tree)


class Held:
    """g in float64: A x + b + C sum_h c_h max(<a_h, x> + e_h, 0)."""

    def __init__(self, task: Task) -> None:
        hinges = [(j, hinge) for j, feature in enumerate(task.features) for hinge in feature]
        self.A = np.array(task.A[1], float) if 1 in task.A else np.zeros((task.d, task.d))
        self.b = task.b.astype(float)
        self.a = np.zeros((task.d, len(hinges)))
        self.out = np.zeros((len(hinges), task.d))
        C = np.array(task.C, float)
        for column, (j, hinge) in enumerate(hinges):
            self.a[:, column] = np.array(hinge.vectors(task.d)[1], dtype=float)
            self.out[column] = float(hinge.c) * C[:, j]
        self.e = np.array([float(hinge.e) for _, hinge in hinges])

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """(points, d) to (points, d)."""
        return X @ self.A.T + self.b + np.maximum(X @ self.a + self.e, 0) @ self.out

    def bends(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Each direction of hinges, and where along it they bend, with the points halfway."""
        directions: dict[tuple, list[float]] = {}
        for a, e in zip(self.a.T, self.e, strict=True):
            directions.setdefault(tuple(a / abs(a).max()), []).append(-e / abs(a).max())
        for a, at in directions.items():
            places = np.unique(at)
            yield np.array(a), np.concatenate([places, (places[1:] + places[:-1]) / 2])


def points(held: Held, R: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Points of the box: random, near its ends, and where hinges bend or halfway between."""
    d = len(held.b)
    X = rng.uniform(-R, R, (count, d))
    ends = X[: count // 4]
    near = rng.random(ends.shape) < 0.6
    ends[near] = (np.sign(ends) * (R - R * rng.choice([0, 1e-9, 1e-3, 0.02], ends.shape)))[near]
    bends = list(held.bends())
    for i, (a, at) in enumerate(bends):
        chosen = X[count // 4 : count // 2][i :: len(bends)]
        # Move each along the direction onto a bend of it; what leaves the box stays as it was.
        shift = (rng.choice(at, len(chosen)) - chosen @ a) / (a @ a)
        moved = chosen + shift[:, None] * a
        inside = (abs(moved) <= R).all(axis=1)
        chosen[inside] = moved[inside]
    return X


def worst(f: Formula, task: Task, R: Any, count: int) -> tuple[float, bool]:
    """The largest error, exactly, of the worst points; and whether all stay within epsilon."""
    held, rng = Held(task), np.random.default_rng(0)
    X = points(held, float(R), count, rng)
    errors = np.concatenate(
        [
            np.linalg.norm(
                np.stack([value(tree, block) for tree in f.entries], axis=1) - held(block), axis=1
            )
            for block in np.array_split(X, -(-count // BLOCK))
        ]
    )
    least = np.argsort(errors)[-WORST:]
    exact = [error(f, task, X[i].tolist()) for i in least]
    within = float(errors.max()) <= float(task.epsilon) * (1 + ROUNDING) + ROUNDING
    return max(exact) ** 0.5, within and all(e <= task.epsilon**2 for e in exact)


def error(f: Formula, task: Task, x: Sequence[float]) -> Fraction:
    """||g(x) - f(x)||^2 with exact rationals, f to 200 bits."""
    X = np.array([[Fraction(t) for t in x]], dtype=object)
    return ((task(X) - f(X)) ** 2).sum()


def measure(entries: list[str], R: Any, epsilon: str, count: int) -> dict[str, Any]:
    """One formula: its hinges, what is proved, and the worst that was seen."""
    f = formula("f", entries, epsilon=epsilon)
    task = hold(f, Domain(R, 10**6, 1))
    seen, within = worst(f, task, R, count)
    return {
        "f": entries,
        "R": R,
        "asked": epsilon,
        "hinges": sum(map(len, task.features)),
        "epsilon": float(task.epsilon),
        "worst": seen,
        "ratio": float(task.epsilon) / seen,
        "within": bool(within),
    }


def main() -> None:
    arguments = options(__doc__)
    count = 10**4 if arguments.quick else 10**6
    rows = []
    print(f"{'formula':38} hinges    epsilon      worst    ratio")
    for entries, R, epsilon in CASES:
        row = measure(entries, R, epsilon, count)
        rows.append(row)
        text = ", ".join(entries)
        print(
            f"{text:38} {row['hinges']:6} {row['epsilon']:10.3e} {row['worst']:10.3e}"
            f" {row['ratio']:8.4f}",
            flush=True,
        )
        if not row["within"]:
            raise SystemExit(f"{text}: a point is further off than epsilon.")
    write("errors", arguments.quick, {"largest ratio": max(r["ratio"] for r in rows)}, rows=rows)


if __name__ == "__main__":
    main()
