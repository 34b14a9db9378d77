"""Homes at scratch tokens: how many, and which task lives where.

An example gets w more tokens between its inputs and its label, its *scratch tokens* (pause
or filler tokens in the literature). Each copies one input (layer 1), and a task that reads
that input may have its home there. Features are coordinates that all homes share: at home p
they are those of the tasks that live at p. So P is the most that any one home needs, at most
d where each task has a home for itself, however many tasks there are.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from construct.matrix import Matrix
from construct.network.codes import code_length
from construct.rational import Rational
from construct.spec.hinge import Hinge, in_order
from construct.spec.tasks import Task

# A feature as a home token sees it, hashable.
Feature = tuple


@dataclass(eq=False)
class Home:
    """A token of each example at which tasks live.

    Attributes:
        position: of the token, from 1: inputs, then scratch tokens.
        source: the input of which it holds the operand; 0 while it may be any.
        tasks: those that live there.
        features: the coordinate of each feature that they read.
    """

    position: int
    source: int
    tasks: list[int] = field(default_factory=list)
    features: dict[Feature, int] = field(default_factory=dict)

    def with_(self, features: Sequence[Feature]) -> int:
        """How many features there would be with these."""
        return len(self.features) + len({*features} - self.features.keys())

    def takes(self, source: int | None) -> bool:
        """Whether a task that reads this operand at its home token can live here."""
        return source is None or self.source in (0, source)

    def add(self, k: int, source: int | None, features: Sequence[Feature]) -> None:
        """Task k moves in."""
        self.source = self.source or source or 0
        self.tasks.append(k)
        for feature in features:
            self.features.setdefault(feature, len(self.features))


def by_entries(task: Task) -> Task:
    """The same map with a feature for each entry of f that has ReLUs, where these are fewer.

    So no task needs more than d features.
    """
    entries = sorted(set(task.C.at[0].tolist()))
    if len(entries) >= len(task.features):
        return task
    own: list[dict[tuple, Rational]] = [defaultdict(int) for _ in entries]
    place = {row: u for u, row in enumerate(entries)}
    for row, v, value in task.C:
        for hinge in task.features[v]:
            own[place[row]][hinge.a, hinge.e] += value * hinge.c
    features = tuple(
        in_order(tuple(Hinge(c, a, e) for (a, e), c in one.items() if c)) for one in own
    )
    C = Matrix.from_entries((task.d, len(entries)), ((row, u, 1) for row, u in place.items()))
    return replace(task, features=features, C=C).merged


def settle(
    sources: Sequence[int | None], features: Sequence[Sequence[Feature]], n: int, w: int
) -> list[Home]:
    """A home for each task, so that no home has many features: the largest tasks first.

    Args:
        sources: for each task the input that it reads at its home token; None if any serves.
        features: for each task those that it reads.

    Returns:
        All n - 1 + w homes by position; a scratch token that nobody needs copies input 1.
    """
    homes = [Home(p, p) for p in range(1, n)] + [Home(n + i, 0) for i in range(w)]
    for k in sorted(range(len(sources)), key=lambda k: -len({*features[k]})):
        fitting = [home for home in homes if home.takes(sources[k])]
        # An empty scratch token is as good as the next one: only the first is looked at.
        least = min(fitting, key=lambda home: (home.with_(features[k]), home.position))
        least.add(k, sources[k], features[k])
    for home in homes:
        home.source = home.source or 1
    return homes


def fewest_scratch(
    P: int, most: int, n: int, features_with: Callable[[int], int], least: int
) -> int:
    """The fewest scratch tokens that give the least width; 0 where the plain layout has it.

    Args:
        P: features of the plain layout.
        most: scratch tokens that can be of use.
        n: tokens of an example.
        features_with: the features that are left with so many scratch tokens; it falls.
        least: a number of features that no layout goes below.
    """
    best, width = 0, 2 * P + code_length(n)
    # Among the numbers of tokens with one length of code the largest is the narrowest.
    ends = {min(most, (1 << bits) - n) for bits in range(code_length(n), code_length(n + most) + 1)}
    for w in sorted(ends - {0}):
        if w > 0 and 2 * least + code_length(n + w) < width:
            found = 2 * features_with(w) + code_length(n + w)
            best, width = (w, found) if found < width else (best, width)
    low = 0
    while best - low > 1:
        middle = (low + best) // 2
        enough = 2 * features_with(middle) + code_length(n + middle) <= width
        low, best = (low, middle) if enough else (middle, best)
    return best
