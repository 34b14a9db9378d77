"""What a smaller epsilon costs: hidden units, and no width. The second half of `width.py`.

Hidden units are those of a function as a sum of ReLUs (Definition 12 of Bai et al.,
2306.04637), beside two curves, neither of which is made by what is measured:

    int sqrt|f''| / (4 sqrt(epsilon))       about the fewest that a convex function can have;
                                            for x*y, of the two squares that it is made of
    C_l^2 log(1 + C_l/epsilon) / epsilon^2  Proposition A.1, without the factor C(k) that it
                                            leaves open
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from common import FORMULA_DOMAIN, draw, figure, formula_tasks
from construct import Domain, approximate, build, definition12, formula, smoothness, verify
from construct.approximation.bai import definition12_of, formula_smoothness
from construct.approximation.hold import hold
from construct.spec.tasks import Task

# Points at which an error is looked for.
POINTS, PLACES = 1 << 16, 1 << 12
# Random prompts of what is built, and slots for examples.
PROMPTS, SLOTS = 4, 8


@dataclass(frozen=True)
class Function:
    """A function of one variable on [-R, R].

    Attributes:
        text: as `construct.approximate` reads it.
        value, second: the function and its second derivative.
        most: hinges, in those of the optimum, that are let pass.
    """

    text: str
    R: int
    value: Callable[[np.ndarray], np.ndarray]
    second: Callable[[np.ndarray], np.ndarray]
    most: float = 1.1

    @property
    def bending(self) -> float:
        """The integral of sqrt|f''|, by the rule of midpoints."""
        t = (np.arange(1 << 20) + 0.5) / (1 << 20) * 2 * self.R - self.R
        return float(2 * self.R * np.sqrt(abs(self.second(t))).mean())


def _logistic_slope(t: np.ndarray) -> np.ndarray:
    return 1 / (2 + 2 * np.cosh(t))


FUNCTIONS = (
    Function("sin(x)", 8, np.sin, lambda t: -np.sin(t), most=1.45),
    Function("exp(x)", 2, np.exp, np.exp),
    Function("softplus(x)", 32, lambda t: np.logaddexp(0, t), _logistic_slope),
    Function("x^2", 8, np.square, lambda t: 2 + 0 * t),
)
# x*y = ((x+y)^2 - (x-y)^2) / 4 of entries up to 8: two squares, each of numbers up to 16.
PRODUCT, PRODUCT_R = "x*y", 8
Row = dict[str, Any]


def hinges(function: Function, epsilon: Fraction) -> Row:
    """The ReLUs of a function, beside the curves; exit 1 if it is off by more than is proved."""
    R = function.R
    g = approximate(function.text, (-R, R), epsilon)
    t = np.linspace(-R, R, POINTS)
    ends = np.array([-R, *g.knots, R], dtype=float)
    t = np.concatenate([t, ends, (ends[1:] + ends[:-1]) / 2])
    worst = float(abs(g(t) - function.value(t)).max())
    best = function.bending / (4 * math.sqrt(epsilon))
    if g.hinges > math.ceil(function.most * best):
        raise SystemExit(f"width.py: {function.text} takes {g.hinges} hinges, not {best:.0f}.")
    bai = smoothness(function.text, R).M(epsilon)
    return _row(function.text, R, epsilon, g.hinges, definition12(g).M, g.error, worst, best, bai)


def product_hinges(epsilon: Fraction) -> Row:
    """The same of x*y."""
    R, task = PRODUCT_R, formula("product", ["x[1]*x[2]", "0"], epsilon=epsilon)
    held = hold(task, Domain(R, R**2, 4 * epsilon + 1))
    rng, side = np.random.default_rng(0), math.isqrt(PLACES)
    lattice = np.stack(np.meshgrid(*[np.linspace(-R, R, side)] * 2), axis=-1).reshape(-1, 2)
    X = np.concatenate([lattice, rng.uniform(-R, R, (PLACES, 2))])
    worst = float(abs(_first_entry(held, X) - X[:, 0] * X[:, 1]).max())
    # Both squares have f'' = 1/2 on an interval of length 4R, and half of epsilon each.
    best = 2 * 4 * R * math.sqrt(1 / 2) / (4 * math.sqrt(epsilon / 2))
    count, bai = sum(map(len, held.features)), formula_smoothness(task, R).M(epsilon)
    units = definition12_of(held, 1, R).M
    return _row(PRODUCT, R, epsilon, count, units, held.epsilon, worst, best, bai)


def _first_entry(task: Task, X: np.ndarray) -> np.ndarray:
    """In blocks: there are many hinges."""
    blocks = np.array_split(X, max(1, len(X) // 256))
    return np.concatenate([task(block[:, None, :])[:, 0] for block in blocks])


def _row(
    function: str,
    R: int,
    epsilon: Fraction,
    count: int,
    units: int,
    proved: Any,
    worst: float,
    best: float,
    bai: float,
) -> Row:
    if not worst <= proved <= epsilon:
        raise SystemExit(
            f"width.py: {function} is off by {worst:.3g} for epsilon = {float(epsilon):.3g}, and "
            f"{float(proved):.3g} is proved."
        )
    return {
        "function": function,
        "R": R,
        "epsilon": float(epsilon),
        "hinges": count,
        "M of Definition 12": units,
        "proved error": float(proved),
        "worst seen": worst,
        "optimum": best,
        "Proposition A.1, without C(k)": bai,
    }


def built(epsilon: Fraction) -> Row:
    """The network of three formulas: its width, and the units of its dictionary."""
    tasks = formula_tasks(str(epsilon))
    made = build(tasks, m=SLOTS, domain=FORMULA_DOMAIN)
    report = verify(made, "sparse", "float64", PROMPTS)
    if not report.passed:
        raise SystemExit(f"width.py: epsilon = {epsilon}: {report.failures[0]}.")
    transformer, sizes = made.transformer, made.sizes
    dictionary = max(layer.mlp.sparse("W_in").shape[1] for layer in transformer.layers[:2])
    return {
        "epsilon": float(epsilon),
        "width": transformer.W_E.shape[1],
        "6d + logs + 8": 6 * sizes.d + sizes.ell_e + sizes.ell_t + 8,
        "scratch tokens": sizes.w,
        "ReLUs": sum(len(feature) for task in made.held for feature in task.features),
        "hidden units": dictionary,
        "certified": list(made.certified),
    }


def measure(quick: bool) -> tuple[list[Row], list[Row]]:
    """What is built, and the hinges of single functions, for one epsilon after the other."""
    steps = [Fraction(1, 10**k) for k in range(1, 4 if quick else 6)]
    rows = [hinges(function, epsilon) for function in FUNCTIONS for epsilon in steps]
    return [built(e) for e in steps], rows + [product_hinges(e) for e in steps]


def power(rows: list[Row], value: str) -> float:
    """The power of 1/epsilon with which a value grows, over the smaller half of the epsilons."""
    some = sorted(rows, key=lambda row: -row["epsilon"])[len(rows) // 2 :]
    x, y = np.log([[1 / row["epsilon"], row[value]] for row in some]).T
    return float(np.polyfit(x, y, 1)[0])


def of(rows: list[Row], function: str) -> list[Row]:
    """The rows of a function."""
    return [row for row in rows if row["function"] == function]


def summary(built_rows: list[Row], rows: list[Row]) -> dict[str, Any]:
    """What the figures come down to; exit 1 if the width is not the same for all epsilon."""
    widths = sorted({row["width"] for row in built_rows})
    if len(widths) > 1:
        raise SystemExit(f"width.py: the width changes with epsilon: {widths}.")
    names = list(dict.fromkeys(row["function"] for row in rows))
    return {
        "formulas, widths over all epsilon": widths,
        "formulas, epsilon: hidden units": {
            row["epsilon"]: row["hidden units"] for row in built_rows
        },
        "hinges over the optimum, most from 10^-3 on": max(
            row["hinges"] / row["optimum"] for row in rows if row["epsilon"] <= 1e-3
        ),
        "proved error over the worst seen, most": max(
            row["proved error"] / row["worst seen"] for row in rows
        ),
        "hinges, power of 1/epsilon": {name: power(of(rows, name), "hinges") for name in names},
    }


def plot(built_rows: list[Row], rows: list[Row], quick: bool) -> None:
    """Width and units of what is built, then a panel for each function."""
    names = list(dict.fromkeys(row["function"] for row in rows))
    fig, [[both, *axes]] = figure(1 + len(names))
    fig.set_size_inches(18, 3.4)
    x = [1 / row["epsilon"] for row in built_rows]
    both.loglog(x, [row["hidden units"] for row in built_rows], "s-", ms=4, lw=0.8, color="C1")
    both.loglog(x, [row["width"] for row in built_rows], "o-", ms=5, lw=0.8, color="C0")
    both.legend(["hidden units of the dictionary", "width D"])
    both.set(title="three formulas of R^2, built", xlabel="1/epsilon", ylim=(10, 1e5))
    for axis, name in zip(axes, names, strict=True):
        some = of(rows, name)
        x = [1 / row["epsilon"] for row in some]
        bai = [row["Proposition A.1, without C(k)"] for row in some]
        axis.loglog(x, bai, "--", color="C1", lw=1, label="Proposition A.1 / C(k)")
        axis.loglog(x, [row["hinges"] for row in some], "o", color="C0", ms=5, label="hinges")
        best = [row["optimum"] for row in some]
        axis.loglog(x, best, "-", color="0.5", lw=1, label="optimum")
        axis.set(title=f"{name} on ±{some[0]['R']}", xlabel="1/epsilon", ylim=(1, 1e17))
    axes[0].legend(loc="upper left")
    draw(fig, "width-epsilon", quick)
