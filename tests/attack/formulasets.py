"""Random task files of formulas, and of ReLU tasks that live at scratch tokens."""

from collections.abc import Callable
from fractions import Fraction as Q
from random import Random
from typing import Any

from attack import tasksets
from attack.reckoning import Reckoned, as_text

# d, n, m, formulas, other tasks: few, for each is compiled anew.
SHAPES = ((1, 2, 3, 1, 0), (1, 2, 3, 2, 1), (1, 3, 2, 1, 1), (2, 2, 4, 1, 1), (2, 3, 3, 1, 2))
SHAPES += ((3, 2, 3, 1, 1), (2, 2, 2, 2, 0))

# A function of one linear form: what it is of a text, and of the largest value of the form.
CURVES: dict[str, Callable[[str, Q], str]] = {
    "square": lambda t, size: f"({t})^2",
    "quadratic": lambda t, size: f"(1/3)*({t})^2 - ({t}) + 0.5",
    "cube": lambda t, size: f"({t})^3" if size <= 4 else f"({t})^2",
    "quartic": lambda t, size: f"({t})^4 - ({t})^2" if size <= 2 else f"({t})^2/2",
    "sin": lambda t, size: f"sin({t})",
    "cos": lambda t, size: f"2*cos({t})",
    "tanh": lambda t, size: f"tanh(2*({t}))",
    "exp": lambda t, size: f"exp({t})" if size <= 4 else f"exp(({t})/{size})",
    "softplus": lambda t, size: f"softplus({t})",
    "sigmoid": lambda t, size: f"sigmoid({t})",
    "bell": lambda t, size: f"exp(-({t})^2)",
    "abs": lambda t, size: f"abs({t})",
    "relu": lambda t, size: f"relu({t} - 0.5)",
    "max": lambda t, size: f"max({t}, 2*({t}) - 1, 0)",
    "min": lambda t, size: f"min({t}, 0.5)",
    "log": lambda t, size: f"log({t} + {size} + 1)",
    "sqrt": lambda t, size: f"sqrt({t} + {size} + 1)",
    "quotient": lambda t, size: f"1/({t} + {size} + 1)",
}
# Those of the exact ones that a grid holds.
RATIONAL = ("square", "quadratic", "cube", "quartic", "abs", "relu", "max", "min")


class Formulas:
    """Draws the formulas of one shape, for inputs up to R."""

    def __init__(self, rng: Random, d: int, n: int, R: Q, curves: tuple[str, ...]) -> None:
        self.rng, self.d, self.R, self.curves = rng, d, R, curves
        self.entries = [(p, i) for p in range(1, n) for i in range(1, d + 1)]

    def texts(self) -> list[str]:
        """The entries; the first has a curve in it."""
        return [self.text(first=not i) for i in range(self.d)]

    def text(self, *, first: bool = True) -> str:
        """One or two curves or a product of entries, and an affine part."""
        rng = self.rng
        kind = "curve" if first else rng.choice(["curve", "curve", "affine", "nothing"])
        if kind == "nothing":
            return rng.choice(["0", "1", "(1/3)"])
        terms = [self.form()[0]] if kind == "affine" or rng.random() < 0.3 else []
        if kind == "curve":
            terms += [self.curve() for _ in range(rng.choice([1, 1, 1, 2]))]
        return rng.choice([" + ", " - "]).join(terms)

    def curve(self) -> str:
        """A function of a form, or a product."""
        rng = self.rng
        if rng.random() < 0.25:
            factors = [self.entry(*rng.choice(self.entries)) for _ in range(2)]
            return "*".join(factors)
        form, size = self.form()
        return CURVES[rng.choice(self.curves)](form, size)

    def form(self) -> tuple[str, Q]:
        """A linear form of one entry or two, and its largest value."""
        rng = self.rng
        chosen = rng.sample(self.entries, min(len(self.entries), rng.choice([1, 1, 2])))
        terms, size = [], Q(0)
        for p, i in chosen:
            c, text = rng.choice([(1, ""), (1, ""), (1, "-"), (2, "2*"), (Q(1, 2), "(1/2)*")])
            terms.append(text + self.entry(p, i))
            size += c * self.R
        return " + ".join(terms), size

    def entry(self, p: int, i: int) -> str:
        return f"x[{i}]" if p == 1 and self.rng.random() < 0.5 else f"x[{p}, {i}]"


def of_formulas(rng: Random) -> tuple[dict[str, Any], int]:
    """A task file with formulas in it, and its m."""
    d, n, m, count, others = rng.choice(SHAPES)
    domain = _domain(rng)
    R, delta, grid, tau = (domain.get(key) for key in ("R", "delta", "grid", "tau"))
    on_grid = grid is not None and rng.random() < 0.8
    if grid is not None and not on_grid:
        # Labels on the grid are near an irrational value only by chance.
        tau = domain["tau"] = delta / 2
    drawn = Formulas(rng, d, n, R, RATIONAL if on_grid else tuple(CURVES))
    tasks: list[dict[str, Any]] = []
    for k in range(count):
        task = {"name": f"f{k}", "kind": "formula", "f": drawn.texts()}
        epsilon = rng.choice([None, None, delta / 8, (delta - (tau or 0)) * Q(9, 20), delta / 50])
        tasks.append(task | ({} if epsilon is None else {"epsilon": epsilon}))
    style = rng.choice(("whole", "dyadic", "sevenths"))
    source = tasksets.Tasks(rng, (d, n, m, others), style)
    tasks += [{"name": f"t{k}", **source.definition()} for k in range(others)]
    file = {"d": d, "n": n, "tasks": tasks}
    domain["Ry"] = reached(rng, file, R) * rng.choice([1, 1, 1, 4]) + delta
    if grid is not None:
        domain["Ry"] = -(-domain["Ry"] // grid) * grid
    file["domain"] = {key: value for key, value in domain.items() if value is not None}
    scratch = rng.choice([None, None, None, 0, 1, count + others - 1, count + others])
    return as_text(file | ({} if scratch is None else {"scratch": scratch})), m


def _domain(rng: Random) -> dict[str, Any]:
    """R, delta, grid and tau."""
    delta = rng.choice([Q(1), Q(1), Q(1, 2), Q(1, 4), Q(1, 10)])
    if rng.random() < 0.6:
        R = rng.choice([Q(1), Q(1), Q(2), Q(1, 2), Q(4, 3), Q(3)])
        tau = rng.choice([None, None, delta / 8, delta / 2, delta / 64])
        return {"R": R, "delta": delta, "grid": None, "tau": tau}
    grid = rng.choice([Q(1), Q(1), Q(1, 2), Q(1, 4), Q(1, 3)])
    R = grid * rng.choice([2, 4, 8])
    delta = max(delta, rng.choice([grid, 2 * grid]))
    tau = rng.choice([None, None, delta / 2, grid if grid < delta else None])
    return {"R": R, "delta": delta, "grid": grid, "tau": tau}


def reached(rng: Random, file: dict[str, Any], R: Q) -> Q:
    """About the largest entry of any f_k(X)."""
    domain = {"R": R, "Ry": R, "delta": 1}
    task_set = Reckoned.of({**file, "domain": domain}, 1)
    size = (task_set.n - 1) * task_set.d
    rows = [[sign * R] * size for sign in (1, -1)]
    rows += [[R * rng.randint(-4, 4) / 4 for _ in range(size)] for _ in range(24)]
    most = R
    for row in rows:
        X = [row[i : i + task_set.d] for i in range(0, size, task_set.d)]
        most = max([most, *(abs(y) for f in task_set.maps for y in f(X))])
    return Q(-(-most * 64 // 1)) / 64


# --- Scratch tokens --------------------------------------------------------------

# d, n, m, K.
SCRATCH = ((1, 2, 3, 2), (1, 2, 2, 3), (2, 2, 3, 3), (1, 3, 3, 3), (2, 3, 2, 4), (1, 2, 3, 5))


def with_scratch(rng: Random) -> tuple[dict[str, Any], int]:
    """ReLU tasks, with 0 to K - 1 scratch tokens, and m."""
    d, n, m, K = rng.choice(SCRATCH)
    R = rng.choice([Q(1), Q(2), Q(3), Q(4, 3), Q(100)])
    source = tasksets.Tasks(rng, (d, n, m, K), rng.choice(("whole", "dyadic", "sevenths")))
    tasks = [{"name": f"t{k}", **_with_hinges(rng, source, k)} for k in range(K)]
    file = {"d": d, "n": n, "tasks": as_text(tasks), "scratch": rng.randint(0, K - 1)}
    delta = rng.choice([Q(1), Q(1), Q(1, 3), Q(4)])
    # Labels no larger than inputs: then L is tight at the tokens that are read.
    Ry = R if rng.random() < 0.4 else max(R, reached(rng, file, R)) + delta
    domain = {"R": R, "Ry": Ry, "delta": delta}
    if rng.random() < 0.3:
        domain["grid"] = rng.choice([Q(1), Q(1, 4)])
    if rng.random() < 0.3:
        domain["tau"] = delta / 4
    return {**file, "domain": as_text(domain)}, m


def _with_hinges(rng: Random, source: tasksets.Tasks, k: int) -> dict[str, Any]:
    """A task of one input, its own in turn, or any task.

    Its values may be large; and its features, which other homes see where they read their own.
    """
    if rng.random() < 0.2:
        return source.definition()
    d, position = source.d, str(1 + k % (source.n - 1))
    size, share = rng.choice([1, 1, 1, 30]), rng.choice([Q(1), Q(1), Q(1000), Q(1, 1000)])
    features = []
    for _ in range(rng.randint(1, d)):
        a = [rng.choice([-2, -1, 1, 2]) for _ in range(d)]
        e = rng.choice([0, 0, 1, -1])
        features.append([{"c": rng.choice([-1, 1]) * size * share, "a": {position: a}, "e": e}])
    count = len(features)
    C = [[(u == i % count) / share for u in range(count)] for i in range(d)]
    b = [Q(rng.randint(-1, 1))] * d
    return {"kind": "relu-sum", "features": features, "C": C, "b": b}
