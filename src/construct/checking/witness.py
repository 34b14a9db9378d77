"""Whether each task of a construction can have a vote at all.

A *witness* of a task is an example of the domain that votes for it: inputs X up to R and the
label y = f_k(X) up to R_y, on the grid, from which every other task is either equal to y at X
or at least delta away. It is searched for, exactly, among structured inputs.

A task is *excluded* if that is proved impossible: no value of it is a label, or another task
is everywhere less than delta away from it and nowhere equal. For then a label that matches
one of the two is too close to the other, and the domain admits no such example.
"""

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from construct.checking.near import NearSampler
from construct.checking.pieces import Agreement, Row, Rows, Stand, TooMany, solve
from construct.checking.promise import is_near
from construct.checking.sampling import together
from construct.checking.together import Together
from construct.checking.vectors import Points, Vector, over_common
from construct.checking.words import admits_words, are_words, one_hot
from construct.compiler import Construction
from construct.rational import Rational, rationals
from construct.spec.prompt import Prompt
from construct.spec.tasks import Task


@dataclass(frozen=True, eq=False)
class Witness:
    """An example of the domain that votes for a task.

    Attributes:
        X: its inputs, (n-1, d) rationals.
        y: its label, f_k(X) or within tau of it, (d,).
    """

    X: np.ndarray
    y: np.ndarray

    @property
    def prompt(self) -> Prompt:
        """The example by itself, and a query of the same inputs."""
        return Prompt(self.X[None], self.y[None], self.X)


@dataclass(frozen=True)
class Exclusion:
    """A proof that no example of the domain can vote for a task.

    Attributes:
        tasks: the names of the pair that exclude each other, or of the task alone.
        reason: one sentence, with what to do.
    """

    tasks: tuple[str, ...]
    reason: str


def witnesses(construction: Construction) -> list[Witness | Exclusion | None]:
    """For each task a witness, or why there is none; None if none was found.

    Where a task is a formula, or labels match within a distance, a few hundred examples are
    drawn for each task and put to the specification; nothing is proved of those without one.
    """
    if is_near(construction):
        return near_witnesses(construction)
    search = _Search(construction)
    found: dict[int, Witness] = {}
    missing = list(range(len(search.tasks)))
    for x in search.points():
        for k in missing:
            if witness := search.witness(k, x):
                found[k] = witness
        missing = [k for k in missing if k not in found]
        if not missing:
            break
    for k in missing:
        if special := search.directed(k):
            found[k] = special
    return [found.get(k) or search.exclusion(k) for k in range(len(search.tasks))]


def near_witnesses(construction: Construction) -> list[Witness | Exclusion | None]:
    """For each task an example that the specification takes for its own, or None."""
    sampler = NearSampler(construction, exact=True, most=None)
    found = (sampler.match(k) for k in range(construction.sizes.K))
    return [None if example is None else Witness(*example) for example in found]


# --- Proofs that there is none -----------------------------------------------

# Entries by which a build tells tasks apart at first, pairs that it compares, and pairs that
# it examines closely.
MOST_ENTRIES, MOST_PAIRS, MOST_EXAMINED = 4, 100_000, 1000


@dataclass(frozen=True)
class Survey:
    """What a build finds out about its domain, in a fraction of a second.

    Attributes:
        excluded: proofs, each about a task that no other proof is about.
        complete: whether all pairs were compared.
    """

    excluded: tuple[Exclusion, ...]
    complete: bool

    def warnings(self) -> list[str]:
        """Warnings of one sentence each."""
        sentences = [f"{exclusion.reason}." for exclusion in self.excluded]
        if not self.complete:
            sentences.append(
                "there are too many tasks to compare all pairs; 'construct prove' looks closer."
            )
        return sentences


def survey(construction: Construction) -> Survey:
    """The tasks of which it is proved that nothing in the domain can vote for them.

    Two tasks that are delta apart at one of a few points do not exclude each other. Only the
    other pairs are examined. Of formulas, and where labels match within a distance, nothing is
    proved.
    """
    if is_near(construction):
        return Survey((), complete=True)
    search = _Search(construction)
    tasks, delta = search.together, construction.domain.delta
    first, *others = itertools.islice(search.numbers(), 8)
    pairs, complete = _near(tasks, first, delta)
    for x in others:
        pairs = [(f, g) for f, g in pairs if not tasks.apart(f, g, x, delta)]
    excluded = [own for f in search.tasks if (own := search.without_label(f))]
    hit: set[int] = set()
    for f, g in pairs[:MOST_EXAMINED]:
        if not {f, g} <= hit and (both := search.exclude_each_other(f, g)):
            excluded.append(both)
            hit |= {f, g}
    return Survey(tuple(excluded), complete and len(pairs) <= MOST_EXAMINED)


def _near(tasks: Together, x: Vector, delta: Rational) -> tuple[list[tuple[int, int]], bool]:
    """The pairs of tasks that are less than delta apart at x, and whether these are all.

    Values are put into cells of side delta by their first entries: such pairs are in cells
    that touch.
    """
    entries = range(min(tasks.tasks[0].d, MOST_ENTRIES))
    cells: dict[tuple[int, ...], list[int]] = {}
    pairs: list[tuple[int, int]] = []
    compared = 0
    for f in range(len(tasks.tasks)):
        cell = tuple(int(entry // delta) for entry in tasks.entries(f, x, entries))
        for around in itertools.product(*((c - 1, c, c + 1) for c in cell)):
            for g in cells.get(around, ()):
                compared += 1
                if compared > MOST_PAIRS:
                    return pairs, False
                if not tasks.apart(g, f, x, delta):
                    pairs.append((g, f))
        cells.setdefault(cell, []).append(f)
    return pairs, True


def always_close(rows: Iterable[Row], R: Rational, delta: Rational) -> bool:
    """Whether bounds show that the vector of these rows stays shorter than delta."""
    squares = Fraction(0)
    for row in rows:
        low, high = row.interval(R)
        squares += max(-low, high) ** 2
        if squares >= delta * delta:
            return False
    return True


def never_zero(rows: Sequence[Row], R: Rational, grid: Rational | None) -> bool:
    """Whether it is shown that these rows do not all vanish anywhere in the domain."""
    if any(least(row, R) > 0 for row in rows):
        return True
    affine = [row for row in rows if not row.hinges]
    if grid is not None and any(not _meets(row, grid, 0) for row in affine):
        return True
    try:
        solution = solve((row.linear, row.constant) for row in affine)
    except TooMany:
        return False
    return solution is None or any(
        max(x, -x) > R or (grid is not None and x % grid) for x in solution.determined()
    )


def least(row: Row, R: Rational) -> Rational:
    """A bound below the absolute value of a row; 0 where it may vanish."""
    low, high = row.interval(R)
    return max(low, -high, 0)


def _meets(row: Row, grid: Rational, modulus: Rational) -> bool:
    """Whether an affine row, at multiples of the grid, can be a multiple of the modulus.

    <c, g t> = -constant (mod modulus) has whole solutions t if and only if the greatest
    common divisor of all c_i g and the modulus divides the constant.
    """
    numbers = [c * grid for c in row.linear.values()] + [modulus, row.constant]
    tops, _ = over_common(numbers)
    divisor = math.gcd(*tops[:-1])
    return tops[-1] % divisor == 0 if divisor else not tops[-1]


# --- The search --------------------------------------------------------------

# Points of each random kind and words that are tried, and agreements for all tasks together.
EACH, MOST_WORDS, MOST_AGREEMENTS = 4, 40, 300


class _Search:
    def __init__(self, construction: Construction) -> None:
        sizes, self.domain = construction.sizes, construction.domain
        self.together = together(construction)
        self.tasks = self.together.tasks
        self.inputs, self.d = sizes.n - 1, sizes.d
        self.words = construction.vocabulary is not None and admits_words(self.domain)
        self.rng, self.left = random.Random(0), MOST_AGREEMENTS

    def points(self) -> Iterator[Vector]:
        """Inputs of the domain: words, if there are any, and numbers."""
        rng = random.Random(1)
        for i in range(MOST_WORDS if self.words else 0):
            words = [rng.randrange(self.d) for _ in range(self.inputs)]
            words = [i % self.d] * self.inputs if i % 2 else words
            yield one_hot(words, self.d)
        yield from self.numbers()

    def numbers(self) -> Iterator[Vector]:
        """Random and simple ones by turns."""
        R, grid, rng, size = self.domain.R, self.domain.grid, self.rng, self.inputs * self.d
        drawn, small = (Points(b, grid, rng, exact=True) for b in (R, Fraction(R) / 8))
        for _ in range(EACH):
            yield drawn.real(size)
            yield drawn.whole(size)
            yield drawn.corner(size)
            yield drawn.sparse(size)
            yield small.real(size)
        yield Vector([0] * size)

    def admits(self, x: Vector) -> bool:
        return x.within(self.domain.R) and x.on_grid(self.domain.grid)

    def witness(self, k: int, x: Vector) -> Witness | None:
        """The example of task k with these inputs, if it is in the domain."""
        return self._example(k, x) if self._close(k, x) == [] else None

    def _close(self, k: int, x: Vector) -> list[Rows] | None:
        """The tasks that its value at x is too close to; None if that value is not a label."""
        y, domain = self.together.value(k, x), self.domain
        if not (y.within(domain.Ry) and y.on_grid(domain.grid)):
            return None
        if self.words and not y.is_word() and are_words(x, self.d):
            # In a prompt of words the label is a word too.
            return None
        stands = self.together.stands(x, y, domain.delta)
        return [f for f, own in zip(self.tasks, stands, strict=True) if own == Stand.CLOSE]

    def _example(self, k: int, x: Vector) -> Witness:
        y = self.together.value(k, x)
        X = rationals(x.entries()).reshape(self.inputs, self.d)
        return Witness(X, rationals(y.entries()))

    def directed(self, k: int) -> Witness | None:
        """A witness among inputs whose value is a label, and on which close tasks agree."""
        for start in self.points():
            for wanted in ([], [self._label()]):
                if witness := self._repaired(k, start, wanted):
                    return witness
            if self.left <= 0:
                break
        return None

    def _repaired(self, k: int, start: Vector, wanted: list[Rows]) -> Witness | None:
        """Inputs near these where the task agrees with those that were too close before."""
        x = self._agreement(k, start, wanted) if wanted else start
        while x is not None and self.admits(x):
            close = self._close(k, x)
            if close == []:
                return self._example(k, x)
            if close is None or set(close) <= set(wanted):
                break
            wanted = [*wanted, *close]
            x = self._agreement(k, x, wanted)
        return None

    def _agreement(self, k: int, x: Vector, wanted: list[Rows]) -> Vector | None:
        self.left -= 1
        return Agreement(self.tasks[k], wanted).near(x) if self.left >= 0 else None

    def _label(self) -> Rows:
        """A label drawn at random, as the task that always gives it."""
        labels = Points(self.domain.Ry, self.domain.grid, self.rng, exact=True)
        return Rows(Task("label", {}, rationals(labels.either(self.d).entries())))

    # --- Proofs ---------------------------------------------------------------

    def exclusion(self, k: int) -> Exclusion | None:
        """Why task k has no witness, if that is proved."""
        pairs = (self.exclude_each_other(k, g) for g in range(len(self.tasks)) if g != k)
        return self.without_label(self.tasks[k]) or next(filter(None, pairs), None)

    def without_label(self, f: Rows) -> Exclusion | None:
        """A proof that no value of a task in the domain is a label."""
        R, Ry, grid = self.domain.R, self.domain.Ry, self.domain.grid
        if self._zero_gives_a_label(f.task):
            return None
        for j in range(f.d):
            row = f[j]
            if least(row, R) > Ry:
                why = f"is larger than R_y = {Ry}; build with a larger Ry"
            elif grid is not None and not row.hinges and not _meets(row, grid, grid):
                why = f"is not a multiple of {grid}; build with a finer grid"
            else:
                continue
            return Exclusion(
                (f.task.name,),
                f"no example can vote for task {f.task.name!r}: anywhere in the domain "
                f"entry {j + 1} of its value {why}",
            )
        return None

    def _zero_gives_a_label(self, task: Task) -> bool:
        """Whether the value at 0 is a label: no hinge is open at 0, and b is a label."""
        b = Vector.of(task.b.tolist())
        closed = all(hinge.e <= 0 for feature in task.features for hinge in feature)
        return closed and b.within(self.domain.Ry) and b.on_grid(self.domain.grid)

    def exclude_each_other(self, one: int, other: int) -> Exclusion | None:
        """A proof that two tasks are always close and never equal."""
        f, g, domain = self.tasks[one], self.tasks[other], self.domain
        differing = f.differing(g)
        # Most pairs are told by one of the first rows.
        if not always_close((f[j] - g[j] for j in differing), domain.R, domain.delta):
            return None
        rows = [f[j] - g[j] for j in differing]
        if not never_zero(rows, domain.R, domain.grid):
            return None
        names = f.task.name, g.task.name
        apart = max(least(row, domain.R) for row in rows)
        remedy = f"a delta of at most {apart}" if apart else "a smaller delta"
        return Exclusion(
            names,
            f"no example can vote for task {names[0]!r} or {names[1]!r}: anywhere in the domain "
            f"they are less than delta = {domain.delta} apart and never equal; build with {remedy}",
        )
