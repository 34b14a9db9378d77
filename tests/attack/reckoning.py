"""What construct promises, reckoned in Fractions: no line of construct is used here.

Written from the README and proofs/floats/floats.md alone. A task file is read as JSON; a task is a
function of lists of Fractions; a prompt is {"examples": [[x_1, ..., y], ...], "query": [...]}.

A prompt is first rounded to its format, and then judged as the numbers that it holds:

    match       distance^2 <= delta^2 2^-(p+7); on rationals 0
    separate    distance >= delta (1 - 2^-(p//2)); on rationals, and on grids of which
                the format holds every multiple, delta
    outside     neither, or an entry beyond R or R_y, or off the grid
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction as Q
from typing import Any

from kinds import Vector, meaning, number, vector

Prompt = dict[str, list]
# format -> significant bits, least normal number
BITS = {"float32": 24, "float64": 53}
TINY = {"float32": Q(1, 1 << 126), "float64": Q(1, 1 << 1022)}


def rounded(x: Q, dtype: str) -> Q | None:
    """The number that a format holds for x, by way of float64; None beyond its range."""
    if dtype == "exact":
        return x
    try:
        wide = float(x)
        return Q(wide if dtype == "float64" else struct.unpack("f", struct.pack("f", wide))[0])
    except OverflowError:
        return None


# --- The domain ----------------------------------------------------------------


@dataclass(frozen=True)
class Domain:
    R: Q
    Ry: Q
    delta: Q
    grid: Q | None = None

    @classmethod
    def of(cls, value: dict) -> "Domain":
        return cls(**{key: number(v) for key, v in value.items()})

    def held(self, dtype: str) -> bool:
        """Whether a format holds every entry that is a multiple of the grid."""
        if self.grid is None or self.grid.denominator & (self.grid.denominator - 1):
            return False
        steps = max(self.R, self.Ry) * self.grid.denominator
        return steps <= 1 << BITS[dtype] and self.grid.denominator * TINY[dtype] <= 1

    def match2(self, dtype: str) -> Q:
        """The largest squared distance of a match."""
        return Q(0) if dtype == "exact" else self.delta**2 / (1 << (BITS[dtype] + 7))

    def separate2(self, dtype: str) -> Q:
        """The least squared distance of a mismatch."""
        if dtype == "exact" or self.held(dtype):
            return self.delta**2
        return (self.delta * (1 - Q(1, 1 << BITS[dtype] // 2))) ** 2

    def admits(self, x: Q, bound: Q, dtype: str) -> bool:
        """Whether an entry is within its bound and on the grid, both rounded as it is."""
        held = rounded(bound, dtype)
        if held is not None and abs(x) > held:
            return False
        return self.grid is None or on_grid(x, self.grid, dtype)


def on_grid(x: Q, grid: Q, dtype: str) -> bool:
    """Whether x is what a format holds for some multiple of the grid."""
    nearest = round(x / grid)
    return any(rounded((nearest + i) * grid, dtype) == x for i in (-1, 0, 1))


# --- Judging a prompt ----------------------------------------------------------


@dataclass(frozen=True)
class Reckoned:
    """A task file, read.

    Attributes:
        maps: the functions f_k.
        domain: the domain; an artifact's own where the file has none.
    """

    maps: tuple[Callable, ...]
    domain: Domain
    d: int
    n: int
    m: int

    @classmethod
    def of(cls, file: dict, m: int) -> "Reckoned":
        words = file.get("vocabulary")
        d = len(words) if words else file["d"]
        maps = tuple(meaning(task, d, words) for task in file["tasks"])
        domain = file.get("domain") or {"R": 1, "Ry": 1, "delta": 1, "grid": 1}
        return cls(maps, Domain.of(domain), d, file["n"], m)

    def distances2(self, example: list[Vector]) -> list[Q]:
        """||f_k(X) - y||^2 for each task."""
        *X, y = example
        return [sum(((a - b) ** 2 for a, b in zip(f(X), y, strict=True)), Q(0)) for f in self.maps]


@dataclass(frozen=True)
class Verdict:
    """What a prompt is, and what it has to give.

    Attributes:
        state: inside, outside (exit 3), or refused: too many examples, or no numbers
            of the format (exit 2).
        why: what puts it there.
        explains: for each task which examples it explains.
        answer: sum_k w_k f_k(X_q).
        values: f_k(X_q).
        kinds: what it is an instance of, for the counts.
    """

    state: str
    why: str
    explains: tuple[tuple[bool, ...], ...] = ()
    answer: tuple[Q, ...] = ()
    values: tuple[tuple[Q, ...], ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def votes(self) -> tuple[int, ...]:
        return tuple(map(sum, self.explains))


def in_format(prompt: Prompt, dtype: str) -> Prompt | None:
    """The prompt in the numbers of a format; None if some number is beyond its range."""
    arrays = [*prompt["examples"], prompt["query"]]
    held = [[[rounded(x, dtype) for x in v] for v in vectors] for vectors in arrays]
    if any(x is None for vectors in held for v in vectors for x in v):
        return None
    return {"examples": held[:-1], "query": held[-1]}


def outside(task_set: Reckoned, prompt: Prompt, dtype: str) -> str:
    """What puts a prompt of the format's numbers outside the domain; nothing if it is in."""
    domain = task_set.domain
    bounds = [domain.R] * (task_set.n - 1) + [domain.Ry]
    match, separate = domain.match2(dtype), domain.separate2(dtype)
    for i, example in enumerate([*prompt["examples"], prompt["query"]], 1):
        for v, bound in zip(example, bounds, strict=False):
            if not all(domain.admits(x, bound, dtype) for x in v):
                return f"an entry of example {i}"
    for i, example in enumerate(prompt["examples"], 1):
        for k, square in enumerate(task_set.distances2(example)):
            if match < square < separate:
                share = float(square / domain.delta**2) ** 0.5
                return f"example {i}, task {k + 1}: at {share:.6g} delta"
    return ""


def judge(task_set: Reckoned, prompt: Prompt, dtype: str) -> Verdict:
    """The verdict on a prompt whose rationals are rounded to the format first."""
    if len(prompt["examples"]) > task_set.m:
        return Verdict("refused", "more than m examples")
    held = in_format(prompt, dtype)
    if held is None:
        return Verdict("refused", f"a number beyond {dtype}")
    if why := outside(task_set, held, dtype):
        return Verdict("outside", why)
    squares = [task_set.distances2(example) for example in held["examples"]]
    match = task_set.domain.match2(dtype)
    explains = tuple(tuple(row[k] <= match for row in squares) for k in range(len(task_set.maps)))
    values = tuple(tuple(f(held["query"])) for f in task_set.maps)
    votes = [sum(row) for row in explains]
    total = sum(votes) or 1
    answer = tuple(
        sum((Q(c, total) * v[i] for c, v in zip(votes, values, strict=True)), Q(0))
        for i in range(task_set.d)
    )
    verdict = Verdict("inside", "", explains, answer, values)
    return replace(verdict, kinds=_kinds(task_set, verdict, squares, dtype))


def _kinds(
    task_set: Reckoned, verdict: Verdict, squares: list[list[Q]], dtype: str
) -> tuple[str, ...]:
    voters = [sum(column) for column in zip(*verdict.explains, strict=False)]
    separate = task_set.domain.separate2(dtype)
    near = separate * Q(1025, 1024)
    total, K = sum(verdict.votes), len(task_set.maps)
    found = {
        "tie": any(v > 1 for v in voters),
        "noise": any(v == 0 for v in voters),
        "at delta": any(separate <= s <= near for row in squares for s in row),
        "rounded match": any(0 < s <= task_set.domain.match2(dtype) for r in squares for s in r),
        "blank slots": len(voters) < task_set.m,
        "no example": not voters,
        "no vote": not total,
        "all mK votes": total == task_set.m * K,
    }
    return tuple(name for name, is_one in found.items() if is_one)


def least_bound(verdict: Verdict, dtype: str) -> list[Q]:
    """What any proved bound of the answer has to allow: the votes' sum and their reciprocal.

    The bound of floats.md ("The answer") with exact f_k: sigma max |f_k| (1 + rho) + rho
    |answer|. A promise below it leaves out roundings that some order of summation makes.
    """
    u = Q(1, 1 << BITS[dtype])
    V = sum(verdict.votes)
    if not V:
        return [Q(0)] * len(verdict.answer)
    sigma = u / (1 - V * u) * (Q(V + 1, 2) - Q(1, V))
    rho = Q(0) if V & (V - 1) == 0 else 2 * u
    voted = [v for c, v in zip(verdict.votes, verdict.values, strict=True) if c]
    largest = [max(abs(v[i]) for v in voted) for i in range(len(verdict.answer))]
    return [
        sigma * most * (1 + rho) + rho * abs(a)
        for most, a in zip(largest, verdict.answer, strict=True)
    ]


# --- Prompts as JSON -----------------------------------------------------------


def as_text(value: Any) -> Any:
    """Lists of Fractions as JSON: whole numbers as such, others as "p/q"."""
    if isinstance(value, dict):
        return {key: as_text(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_text(v) for v in value]
    if isinstance(value, Q):
        return (
            value.numerator if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
        )
    return value


def read_prompt(value: dict) -> Prompt:
    """The Fractions of a prompt in JSON."""
    return {
        "examples": [[vector(v) for v in example] for example in value["examples"]],
        "query": [vector(v) for v in value["query"]],
    }


def compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
