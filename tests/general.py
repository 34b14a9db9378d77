"""Task sets of the general construction: ReLUs that differ, affine maps and formulas together.

The scratch tokens are forced: any number from 0 to K - 1, or the compiler's own choice. Every
task has its meaning, a function on lists of fractions that shares no code with the package;
those of formulas are evaluated by Python, or with 900 bits by mpmath. Votes are counted from
these meanings.

Task k has the slope 5k in every entry, and what is bent of it is not as steep: no two are equal.
All are 0 at 0 where a set says so, so that ties are not rare.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction as Q

from hypothesis import strategies as st
from mpmath.libmp import to_rational

from construct import Construction, Domain, Prompt, build, formula
from formulas import exact_value, real_value
from generators import Known, calling_the_package
from kinds import Shape, matrices, vectors
from near import direction, square

R, RY = 2, 256
BENT = ["x[{p}, 1]^2", "x[{p}, 1]*x[{q}, {d}]", "abs(x[{p}, {d}]) + relu(x[{p}, 1] - x[{q}, {d}])"]
SINE = "sin(x[{p}, 1])"

# What each mode says of the domain: (delta, tau, grid).
MODES: dict[str, list[tuple]] = {
    "relus": [(Q(1), Q(0), None), (Q(1, 3), Q(0), None)],
    "grid": [(Q(1), Q(0), 1)],
    "flat": [(Q(3), Q(0), None), (Q(3), Q(1, 2), None), (Q(4), Q(5, 4), None)],
    "tau": [(Q(1), Q(1, 4), None), (Q(1), Q(3, 5), 1)],
}


@dataclass(frozen=True, eq=False)
class General:
    """A construction and a prompt of its domain, and what is to come of it.

    Attributes:
        mode: of MODES.
        forms: of each task "relu", "affine" or "formula".
        asked: the scratch tokens that were forced; None for the compiler's own choice.
        voters: for each example and task whether it votes, by the meanings.
        distances: for each example and task the square of how far the label is off.
    """

    construction: Construction
    prompt: Prompt
    known: tuple[Known, ...]
    mode: str
    forms: tuple[str, ...]
    asked: int | None
    voters: tuple[tuple[bool, ...], ...]
    distances: tuple[tuple[Q, ...], ...]

    def __repr__(self) -> str:
        """What it takes to build the case anew."""
        tasks, made = [one.task.definition for one in self.known], self.construction
        said = f"m={made.sizes.m}, n={made.sizes.n}, domain={made.domain}, scratch={self.asked}"
        examples = [[*X, y] for X, y in zip(self.prompt.X, self.prompt.Y, strict=True)]
        shown = [[[str(v) for v in token] for token in one] for one in examples]
        return f"General({[dict(task) for task in tasks]}, {said}, {shown}, {self.prompt.query})"

    def _repr_pretty_(self, printer, cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def votes(self) -> tuple[int, ...]:
        """c_k."""
        return tuple(sum(row[k] for row in self.voters) for k in range(len(self.known)))


def _slope(k: int, d: int) -> list[list[int]]:
    return [[5 * k * (i == j) for j in range(d)] for i in range(d)]


@st.composite
def _affine(draw, k: int, shape: Shape, read: list[int], still: bool) -> Known:
    b = [0] * shape.d if still else draw(vectors(shape.d, st.integers(-2, 2)))
    definition = {"kind": "affine", "A": {str(p): _slope(k, shape.d) for p in read}, "b": b}
    return Known.of(f"t{k}", definition, shape)


@st.composite
def _relu(draw, k: int, shape: Shape, read: list[int], still: bool) -> Known:
    """One to three features of one hinge each, over all that the task reads."""
    e = 0 if still else draw(st.integers(-1, 1))
    hinge = st.builds(
        lambda c, rows: [{"c": c, "e": e, "a": dict(zip(map(str, read), rows, strict=True))}],
        st.sampled_from([1, -1, Q(1, 2)]),
        matrices(len(read), shape.d, st.integers(-1, 1)),
    )
    features = draw(st.lists(hinge, min_size=1, max_size=3))
    C = draw(matrices(shape.d, len(features), st.sampled_from([0, 1, -1])))
    A, b = {str(p): _slope(k, shape.d) for p in read}, [0 if still else k] * shape.d
    definition = {"kind": "relu-sum", "features": features, "C": C, "A": A, "b": b}
    return Known.of(f"t{k}", definition, shape)


@st.composite
def _formula(draw, k: int, shape: Shape, read: list[int], still: bool, bent: list[str]) -> Known:
    """Bent in its first entry alone, as the errors of several add up."""
    d, p, q = shape.d, read[0], read[-1]
    texts = [f"{5 * k}*x[{p}, {i}]" + f" + {5 * k}*x[{q}, {i}]" * (p != q) for i in range(1, d + 1)]
    texts[0] += " + " + draw(st.sampled_from(bent)).format(p=p, q=q, d=d)
    texts[-1] += "" if still else f" - {draw(st.integers(1, 3))}"
    task = formula(f"t{k}", texts, d=d, n=shape.n)
    return Known(task, frozenset(read), _meaning(texts, task.rational))


def _meaning(texts: list[str], rational: bool) -> Callable:
    if rational:
        return lambda X: [exact_value(text, X) for text in texts]
    return lambda X: [
        Q(*map(int, to_rational(real_value(text, X)._mpf_))) if "sin" in text
        else exact_value(text, X)
        for text in texts
    ]  # fmt: skip


@st.composite
@calling_the_package
def general_sets(draw) -> tuple[Construction, tuple[Known, ...], str, tuple[str, ...], int | None]:
    """K in 2..6, d in 1..3, n in 2..3, S in 0..1: (construction, tasks, mode, forms, asked)."""
    mode, K, n = draw(st.sampled_from([*MODES])), draw(st.integers(2, 6)), draw(st.integers(2, 3))
    shape, still = Shape(draw(st.integers(1, 3)), n, st.integers(-1, 1)), draw(st.booleans())
    bent = {"grid": BENT, "flat": BENT, "tau": [SINE]}.get(mode, [])
    # One or two formulas, where there are any: each takes many hinges.
    count = draw(st.integers(1, 2)) if bent else 0
    rest = draw(st.lists(st.sampled_from(["relu", "relu", "affine"]), min_size=K, max_size=K))
    forms = draw(st.permutations([*["formula"] * count, *rest][:K]))
    wide = draw(st.booleans()) and n == 3
    known = []
    for k, form in enumerate(forms):
        read = [1, 2] if wide and (k == 0 or draw(st.booleans())) else [draw(st.integers(1, n - 1))]
        said = (k, shape, read, still)
        of = {"relu": _relu, "affine": _affine}
        known.append(draw(_formula(*said, bent) if form == "formula" else of[form](*said)))
    asked = draw(st.none() | st.integers(0, K - 1))
    delta, tau, grid = draw(st.sampled_from(MODES[mode]))
    domain, m = Domain(R, RY, delta, grid, tau), draw(st.integers(1, 3))
    made = build([one.task for one in known], m=m, n=n, domain=domain, scratch=asked)
    return made, tuple(known), mode, tuple(forms), asked


@st.composite
@calling_the_package
def general_cases(draw) -> General:
    """Labels at each distance that decides: equal, tau, delta and more, and anything else."""
    made, known, mode, forms, asked = draw(general_sets())
    domain, (K, d, n) = made.domain, (made.sizes.K, made.sizes.d, made.sizes.n)
    delta, tau, step = Q(domain.delta), Q(domain.tau), Q(domain.grid or Q(1, 4))
    last = int(R / step)
    X = matrices(n - 1, d, st.integers(-last, last).map(lambda i: i * step))
    X = X | st.just([[Q(0)] * d] * (n - 1))
    examples, distances = [], []
    for _ in range(draw(st.sampled_from([made.sizes.m, *range(made.sizes.m + 1)]))):
        x, k = draw(X), draw(st.integers(0, K - 1))
        off = draw(st.sampled_from([Q(0), Q(0), tau, tau, -tau, delta, -delta, 3 * delta / 2]))
        off = off if not domain.grid or off % domain.grid == 0 else Q(0)
        way = direction(d, draw(st.integers(0, 1 if domain.grid else 5)), 1)
        truth = known[k].meaning(x)
        y = _label(truth, off, way, domain)
        squares = tuple(square(one.meaning(x), y) for one in known)
        if any(tau**2 < s < delta**2 for s in squares):
            continue
        examples.append([*x, y])
        distances.append(squares)
    voters = tuple(tuple(s <= tau**2 for s in row) for row in distances)
    prompt = Prompt.of(examples, draw(X))
    return General(made, prompt, known, mode, forms, asked, voters, tuple(distances))


def _label(truth: list, off: Q, way: list[Q], domain: Domain) -> list[Q]:
    """The label that is off by so much: on the grid, and in few digits beside many."""
    if domain.grid:
        truth = [Q(round(Q(v) / domain.grid)) * domain.grid for v in truth]
    elif any(Q(v).denominator >= 1 << 20 for v in truth):
        truth = [Q(round(Q(v) * 2**40), 2**40) for v in truth]
        off *= 1 - Q(1, 1 << 20) if abs(off) == domain.tau else 1 + Q(1, 1 << 20)
    return [Q(v) + off * w for v, w in zip(truth, way, strict=True)]


def shown(case: General) -> set[str]:
    """All that a case shows, for the test that each of it is drawn."""
    made, sizes, domain = case.construction, case.construction.sizes, case.construction.domain
    layout = "chosen" if case.asked is None else "w 0" if not case.asked else "w between"
    found = {f"K {sizes.K}", f"d {sizes.d}", f"n {sizes.n}", f"S {sizes.S}", case.mode}
    found |= {layout, f"{case.mode}, " + ("scratch" if sizes.w else "plain")}
    found |= {"w K-1"} if case.asked == sizes.K - 1 else set()
    found |= {"chosen above 0"} if case.asked is None and sizes.w else set()
    found |= {"slot and scratch"} if sizes.S and sizes.w else set()
    found |= {"blank"} if len(case.voters) < sizes.m else {"full"}
    found |= {"no example"} if not case.voters else set()
    for row, squares in zip(case.voters, case.distances, strict=True):
        found |= {"tie"} if sum(row) > 1 else set() if any(row) else {"noise"}
        found |= {"at delta"} if domain.delta**2 in squares else set()
        found |= {"at tau"} if domain.tau and domain.tau**2 in squares else set()
        for k in range(sizes.K) if any(row) else ():
            at = "scratch" if made.wiring.homes[k] >= sizes.n else "input"
            near = {"vote of what is held within epsilon"} if made.held[k].epsilon else set()
            found |= {f"vote of {case.forms[k]} at {at}", *near} if row[k] else set()
    return found
