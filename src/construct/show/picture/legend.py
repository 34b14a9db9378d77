"""What a picture of a stream says beside the stream: the answer, the votes, the colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from construct.errors import brief
from construct.inside.tokens import written
from construct.inside.trace import Trace
from construct.show.picture.rows import SUM, rows_of, shown
from construct.show.picture.svg import Picture, fitted, width

# The eighth of the theme is the grey of all others.
COLOURS = 7


@dataclass(frozen=True, eq=False)
class Votes:
    """Which tasks each example voted for.

    Attributes:
        names: of the tasks, those without votes left out.
        given: (names, examples), 1 where an example voted.
        kinds: the class of each: a colour for those with the most votes.
    """

    names: tuple[str, ...]
    given: np.ndarray
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, trace: Trace) -> "Votes":
        """Those that the heads gave."""
        given = trace.answer.explains.astype(np.float64)
        totals = given.sum(axis=1)
        voted = np.flatnonzero(totals > 0)
        coloured = sorted(voted[np.argsort(-totals[voted], kind="stable")][:COLOURS].tolist())
        kinds = {k: f"task{i}" for i, k in enumerate(coloured, 1)}
        names = tuple(trace.construction.tasks[k].name for k in voted.tolist())
        return cls(names, given[voted], tuple(kinds.get(k, "quiet") for k in voted.tolist()))

    @property
    def totals(self) -> list[str]:
        """Of each task."""
        return [f"{total:.4g}" for total in self.given.sum(axis=1).tolist()]

    @property
    def said(self) -> str:
        """In words."""
        pairs = zip(self.names, self.totals, strict=True)
        return "Votes: " + (", ".join(f"{name} {total}" for name, total in pairs) or "none")

    def drawn(
        self, picture: Picture, examples: Sequence[int], x: int | float, y: int | float
    ) -> None:
        """A dot for each vote of an example; of several examples a bar of their votes."""
        votes = self.given[:, list(examples)].sum(axis=1) if examples else np.zeros(0)
        at = np.flatnonzero(votes > 0).tolist()
        if len(examples) == 1 and len(at) <= 3:
            for i, k in enumerate(at):
                said = f"a vote for {self.names[k]}"
                picture.add("circle", self.kinds[k], said=said, cx=x + 5 + 11 * i, cy=y, r=4)
            return
        start, room = x + 1, 32 / max(votes.sum(), 1)
        for k in at:
            said = f"{votes[k]:.4g} for {self.names[k]}"
            place = {"x": start, "y": y - 4, "width": room * votes[k], "height": 8}
            picture.add("rect", self.kinds[k], said=said, **place)
            start += room * votes[k]


def title_of(trace: Trace) -> str:
    """What the picture is of."""
    return f"One prompt in the residual stream ({trace.construction.design})"


def captions(trace: Trace) -> list[str]:
    """What a reader has to know, a line each."""
    answer, made = trace.answer, trace.construction
    if answer.vocabulary is not None:
        shares = [f"{word} {float(p):.4g}" for word, p in answer.distribution.items()]
        said = brief(", ".join(shares), 100) or "none of the words"
    else:
        said = written(made, answer.answer)
    left, e = len(trace.tokens) - len(shown(trace)), len(trace.prompt.X)
    found = [
        f"Answer: {said}",
        f"{e:,} example{'s' * (e != 1)} and a query, over the fields that each layer changes; "
        f"{left:,} of {len(trace.tokens):,} tokens belong to neither and are left out",
    ]
    if any(SUM in row.owner + row.role for row in rows_of(trace)):
        found.append(f"{SUM} adds up a field over several tokens")
    return found


def drawn_legend(
    picture: Picture, votes: Votes, x: int | float, y: int | float, end: int | float
) -> int | float:
    """The colours of values, and of the tasks that have votes; gives where it ends."""
    start = x
    for kind, share in (("less", 1), ("less", 0.4), ("more", 0.4), ("more", 1)):
        opacity = round(0.1 + 0.4 * share, 2)
        picture.add("rect", kind, x=x, y=y, width=16, height=10, fill_opacity=opacity)
        x += 16
    text = "below and above 0, against the largest of the field; drawn where the layer changed it"
    picture.text(x + 6, y + 9, text, "quiet", size=11)
    x, y = start, y + 26
    picture.text(x, y, "Votes" if votes.names else "No example votes for a task", size=12)
    x += width("Votes", 12) + 10
    shown = [k for k, kind in enumerate(votes.kinds) if kind != "quiet"]
    for k in shown:
        text = f"{fitted(votes.names[k], 120, 12)} {votes.totals[k]}"
        taken = width(text, 12) + 24
        if x + taken > end:
            x, y = start + width("Votes", 12) + 10, y + 17
        picture.add("circle", votes.kinds[k], cx=x + 5, cy=y - 4, r=4.5)
        picture.text(x + 13, y, text, size=12)
        x += taken
    rest = [k for k, kind in enumerate(votes.kinds) if kind == "quiet"]
    if rest:
        total = float(votes.given[rest].sum())
        text = f"{len(rest)} more task{'s' * (len(rest) > 1)} {total:.4g}"
        if x + width(text, 12) + 20 > end:
            x, y = start + width("Votes", 12) + 10, y + 17
        picture.add("circle", "quiet", cx=x + 5, cy=y - 4, r=4.5)
        picture.text(x + 13, y, text, size=12)
    return y
