"""What construct promises, reckoned in Fractions: no line of construct is used here.

Written from docs/files.md and proofs/floats/floats.md. A task file is read as JSON; a task is a
function of lists of Fractions; a prompt is {"examples": [[x_1, ..., y], ...], "query": [...]}.

A prompt is first rounded to its format, and then judged as the numbers that it holds:

    match       distance^2 <= delta^2 2^-(p+7), or distance <= tau (1 + 2^-(p//2)) if that
                is more; on rationals distance <= tau
    separate    distance >= delta (1 - 2^-(p//2)); on rationals, and on grids of which
                the format holds every multiple, delta
    outside     neither, or an entry beyond R or R_y, or off the grid

A formula is evaluated as it is written. What a network holds in its place is read off the
definition that it gives of it, a sum of ReLUs: it says how large an answer may be off.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction as Q
from typing import Any

from attack.curves import UNCLEAR, curves, irrational
from attack.domain import BITS, Domain, rounded
from kinds import Vector, meaning, number, vector

Prompt = dict[str, list]


# --- Judging a prompt ----------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """What a network holds in place of a formula.

    Attributes:
        map: g, a sum of ReLUs.
        epsilon: how near to the formula it is said to be, in length.
        asked: how near it has to be.
        hinges: ({position: vector}, number) of each ReLU's argument.
    """

    map: Callable
    epsilon: Q
    asked: Q
    hinges: tuple[tuple[dict[int, Vector], Q], ...]

    @classmethod
    def of(cls, value: dict, asked: Q, d: int) -> "Held":
        """Of its definition, a sum of ReLUs."""
        every = [hinge for feature in value.get("features", ()) for hinge in feature]
        hinges = []
        for hinge in every:
            a = hinge["a"] if isinstance(hinge["a"], dict) else {1: hinge["a"]}
            hinges.append(({int(p): vector(v) for p, v in a.items()}, number(hinge.get("e", 0))))
        return cls(meaning(value, d), number(value["epsilon"]), asked, tuple(hinges))


@dataclass(frozen=True)
class Reckoned:
    """A task file, read.

    Attributes:
        maps: the functions f_k.
        domain: the domain; an artifact's own where the file has none.
        held: for each formula what stands in its place; None for other tasks, and where that
            is not known.
        irrational: which of the f_k are known to some digits only.
    """

    maps: tuple[Callable, ...]
    domain: Domain
    d: int
    n: int
    m: int
    held: tuple[Held | None, ...]
    irrational: tuple[bool, ...]

    @classmethod
    def of(cls, file: dict, m: int, held: Sequence[dict | None] = ()) -> "Reckoned":
        """Read a task file.

        Args:
            held: for each formula the definition of what is held of it, and its epsilon.
        """
        words, tasks = file.get("vocabulary"), file["tasks"]
        d = len(words) if words else file["d"]
        maps = tuple(
            curves(task) if task["kind"] == "formula" else meaning(task, d, words) for task in tasks
        )
        domain = Domain.of(file.get("domain") or {"R": 1, "Ry": 1, "delta": 1, "grid": 1})
        unknown = tuple(task["kind"] == "formula" and irrational(task) for task in tasks)
        if any(unknown) and not domain.tau:
            domain = replace(domain, tau=domain.delta / 64)
        known = [
            None if one is None else Held.of(one, asked(task, domain), d)
            for task, one in zip(tasks, held or [None] * len(tasks), strict=True)
        ]
        return cls(maps, domain, d, file["n"], m, tuple(known), unknown)

    @property
    def near(self) -> bool:
        """Whether a label that matches, or what is held of a task, may be off."""
        return self.domain.tau > 0 or any(one and one.epsilon for one in self.held)

    def distances2(self, example: list[Vector]) -> list[Q]:
        """||f_k(X) - y||^2 for each task."""
        *X, y = example
        return [square(f(X), y) for f in self.maps]

    def gaps2(self, X: list[Vector]) -> list[Q | None]:
        """||g_k(X) - f_k(X)||^2 for each task of which it is known."""
        return [
            None if one is None else square(one.map(X), f(X))
            for f, one in zip(self.maps, self.held, strict=True)
        ]


def square(a: Vector, b: Vector) -> Q:
    """||a - b||^2."""
    return sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Q(0))


def asked(task: dict, domain: Domain) -> Q:
    """How near to a formula a network has to be: what it asks for, or (delta - tau) / 4."""
    return number(task["epsilon"]) if "epsilon" in task else (domain.delta - domain.tau) / 4


@dataclass(frozen=True)
class Verdict:
    """What a prompt is, and what it has to give.

    Attributes:
        state: inside, outside (exit 3), or refused: too many examples, or no numbers
            of the format (exit 2); unclear, if a label of an irrational formula is so near to
            an edge that the digits do not tell.
        why: what puts it there.
        explains: for each task which examples it explains.
        answer: sum_k w_k f_k(X_q).
        values: f_k(X_q).
        held, of_held: the same two of what the network holds of each task.
        kinds: what it is an instance of, for the counts.
    """

    state: str
    why: str
    explains: tuple[tuple[bool, ...], ...] = ()
    answer: tuple[Q, ...] = ()
    values: tuple[tuple[Q, ...], ...] = ()
    kinds: tuple[str, ...] = ()
    held: tuple[Q, ...] = ()
    of_held: tuple[tuple[Q, ...], ...] = ()

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


def beyond(task_set: Reckoned, prompt: Prompt, dtype: str) -> str:
    """The entry that puts a prompt outside the domain; nothing if none does."""
    domain = task_set.domain
    bounds = [domain.R] * (task_set.n - 1) + [domain.Ry]
    for i, example in enumerate([*prompt["examples"], prompt["query"]], 1):
        for v, bound in zip(example, bounds, strict=False):
            if not all(domain.admits(x, bound, dtype) for x in v):
                return f"an entry of example {i}"
    return ""


def too_close(task_set: Reckoned, squares: list[list[Q]], dtype: str) -> str:
    """The label that is between a match and a mismatch; nothing if none is."""
    domain = task_set.domain
    match, separate = domain.match2(dtype), domain.separate2(dtype)
    for i, row in enumerate(squares, 1):
        for k, square in enumerate(row):
            if match < square < separate:
                share = float(square / domain.delta**2) ** 0.5
                return f"example {i}, task {k + 1}: at {share:.6g} delta"
    return ""


def state(task_set: Reckoned, prompt: Prompt, dtype: str) -> tuple[str, str]:
    """The state of a verdict, and why."""
    if len(prompt["examples"]) > task_set.m:
        return "refused", "more than m examples"
    held = in_format(prompt, dtype)
    if held is None:
        return "refused", f"a number beyond {dtype}"
    if why := beyond(task_set, held, dtype):
        return "outside", why
    squares = [task_set.distances2(example) for example in held["examples"]]
    if _unclear(task_set, squares, dtype):
        return "unclear", "a label at an edge"
    if why := too_close(task_set, squares, dtype):
        return "outside", why
    return "inside", ""


def judge(task_set: Reckoned, prompt: Prompt, dtype: str) -> Verdict:
    """The verdict on a prompt whose rationals are rounded to the format first."""
    found, why = state(task_set, prompt, dtype)
    held = in_format(prompt, dtype)
    if found != "inside" or held is None:
        return Verdict(found, why)
    squares = [task_set.distances2(example) for example in held["examples"]]
    match = task_set.domain.match2(dtype)
    explains = tuple(tuple(row[k] <= match for row in squares) for k in range(len(task_set.maps)))
    values = tuple(tuple(f(held["query"])) for f in task_set.maps)
    of_held = tuple(
        v if one is None else tuple(one.map(held["query"]))
        for v, one in zip(values, task_set.held, strict=True)
    )
    votes = [sum(row) for row in explains]
    answer, of_network = _mixed(votes, values), _mixed(votes, of_held)
    verdict = Verdict("inside", "", explains, answer, values, (), of_network, of_held)
    kinds = _kinds(task_set, verdict, squares, dtype)
    return replace(verdict, kinds=(*kinds, *_near_kinds(task_set, held, squares, dtype)))


def _mixed(votes: list[int], values: tuple[tuple[Q, ...], ...]) -> tuple[Q, ...]:
    """sum_k w_k v_k."""
    total = sum(votes) or 1
    pairs = [(Q(c, total), v) for c, v in zip(votes, values, strict=True) if c]
    return tuple(sum((w * v[i] for w, v in pairs), Q(0)) for i in range(len(values[0])))


def _unclear(task_set: Reckoned, squares: list[list[Q]], dtype: str) -> bool:
    """Whether the digits of an irrational formula do not tell where a label stands."""
    edges = task_set.domain.match2(dtype), task_set.domain.separate2(dtype)
    some = [k for k, is_one in enumerate(task_set.irrational) if is_one]
    known = [row[k] for row in squares for k in some]
    return any(abs(s - edge) <= UNCLEAR * max(1, s) for s in known for edge in edges)


def _near_kinds(
    task_set: Reckoned, held: Prompt, squares: list[list[Q]], dtype: str
) -> tuple[str, ...]:
    """Where labels are off, or what is held of a task is."""
    if not task_set.near and not any(task_set.held):
        return ()
    domain = task_set.domain
    match, separate = domain.match2(dtype), domain.separate2(dtype)
    every = [s for row in squares for s in row]
    found = {
        "at tau": domain.tau and any(domain.tau**2 * Q(1023, 1024) <= s <= match for s in every),
        "an input at a knot": any(
            at_knot(task_set, X) for X in (*(e[:-1] for e in held["examples"]), held["query"])
        ),
        "a vote of a formula": any(
            one and row[k] <= match for row in squares for k, one in enumerate(task_set.held)
        ),
    }
    for example, row in zip(held["examples"], squares, strict=True):
        *X, y = example
        for one, s in zip(task_set.held, row, strict=True):
            if one is None or not one.epsilon or match < s < separate:
                continue
            off = square(one.map(X), y)
            if s <= match and off > (domain.tau + one.epsilon / 2) ** 2:
                found["a match that is held far off"] = True
            if s >= separate and off < (domain.delta - one.epsilon / 2) ** 2:
                found["a mismatch that is held too near"] = True
    return tuple(name for name, is_one in found.items() if is_one)


def at_knot(task_set: Reckoned, X: list[Vector]) -> bool:
    """Whether the argument of some ReLU is 0, that of a formula."""
    for one in task_set.held:
        for a, e in one.hinges if one else ():
            terms = (v * x for p, own in a.items() for v, x in zip(own, X[p - 1], strict=True))
            if sum(terms, e) == 0:
                return True
    return False


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
    voted = [v for c, v in zip(verdict.votes, verdict.of_held, strict=True) if c]
    largest = [max(abs(v[i]) for v in voted) for i in range(len(verdict.answer))]
    return [
        sigma * most * (1 + rho) + rho * abs(a)
        for most, a in zip(largest, verdict.held, strict=True)
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
