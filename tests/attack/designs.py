"""The attacks on the softmax designs: counts at their extremes, labels at their edges.

A softmax design turns votes into shares, so that its counts matter as its labels do: one vote
among m K, all of them, one against the others, ties of all tasks, noise alone.
"""

import itertools
from collections.abc import Iterator
from fractions import Fraction as Q
from random import Random
from typing import Any

from attack import formulasets, tasksets
from attack.attacks import COMPILED, simple, word_tasks
from attack.outcome import Case
from attack.prompts import Prompts
from attack.reckoning import Prompt, Reckoned, Vector, as_text
from attack.softmax import designed
from attack.targets import EXECUTORS, FLOATS, held

Cases = Iterator[Case]
ABLE = tuple(name for name in EXECUTORS if name != "sparse")
# JAX compiles for seconds, and balls take as long.
RARELY, SLOWLY = 0.15, 0.4
# How the examples of a prompt vote: one or two sorts of them, and how many of each.
COUNTS = ("one of many", "all but one", "all", "halves", "in turn", "none")


def word_decoders(rng: Random, number: int) -> Cases:
    """Tables that are alike, differ or lack words; up to 20 of them, and 128 examples.

    And tasks on two words, of which a decoder holds no tables.
    """
    if number % 3 == 2:
        yield from _cases(rng, word_tasks(rng, 3), rng.choice([1, 4, 16]), "decoder")
        return
    d, K = rng.choice([(2, 1), (3, 3), (6, 4), (8, 16), (5, 20)])
    m = rng.choice([1, 2, 7, 8, 32, 127, 128]) if K < 16 else rng.choice([1, 8, 32])
    known = [f"w{i}" for i in range(d)]
    tasks: list[dict[str, Any]] = []
    for k in range(K):
        lacks = rng.choice([0.0, 0.0, 0.3])
        table = {w: rng.choice(known) for w in known if rng.random() >= lacks}
        # On the first word all tables agree.
        table[known[0]] = known[-1]
        if all(table != task["table"] for task in tasks):
            tasks.append({"name": f"t{k}", "kind": "lookup", "table": table})
    yield from _cases(rng, {"n": 2, "tasks": tasks, "vocabulary": known}, m, "decoder")


def operand_decoders(rng: Random, number: int) -> Cases:
    """Tables of pairs and triples, sums of small and large numbers, and words as they are."""
    d, n, K = rng.choice([(2, 3, 2), (3, 3, 4), (3, 4, 3), (5, 3, 6)])
    m = rng.choice([1, 2, 7, 8, 32])
    known = [f"w{i}" for i in range(d)]
    tasks: list[dict[str, Any]] = [{"kind": "retrieval", "position": rng.randrange(1, n)}]
    while len(tasks) < K:
        positions = rng.sample(range(1, n), rng.randint(2, n - 1))
        if rng.random() < 0.3:
            largest = rng.choice([1, 3, 1000, 10**5])
            values = {w: rng.choice([0, 1, largest]) for w in known}
            pairs = [(values[a] + values[b], rng.choice(known)) for a in known for b in known]
            words = {str(total): word for total, word in pairs}
            sums = {"kind": "word-sum", "values": values, "words": words}
            tasks.append({**sums, "positions": [1, 2]})
            continue
        keys = [list(key) for key in itertools.product(known, repeat=len(positions))]
        some = rng.sample(keys, rng.randint(1, len(keys)))
        table = [[key, rng.choice(known)] for key in some]
        tasks.append({"kind": "lookup", "table": table, "positions": positions})
    named = [{"name": f"t{k}", **task} for k, task in enumerate(tasks)]
    yield from _cases(rng, {"n": n, "tasks": named, "vocabulary": known}, m, "decoder")


def vector_decoders(rng: Random, number: int) -> Cases:
    """All sorts of tasks on vectors, at the limit in R or within it."""
    yield from _of_vectors(rng, number, "decoder")


def encoders(rng: Random, number: int) -> Cases:
    """The same, and tables of words."""
    if number % 5 == 4:
        for case in word_decoders(rng, number):
            yield {**case, "design": "encoder"}
        return
    yield from _of_vectors(rng, number, "encoder")


def _of_vectors(rng: Random, number: int, design: str) -> Cases:
    if number % 4 == 0:
        file, m = _many(rng)
    elif number % 4 == 1:
        file, m = formulasets.of_formulas(rng)
    elif number % 4 == 2:
        file, m = simple(rng), rng.choice([1, 4, 16])
    else:
        shape = rng.choice(tasksets.SHAPES)
        file, m = tasksets.Tasks(rng, shape, rng.choice(tasksets.STYLES)).file(), shape[2]
        file["domain"] = tasksets.domain(rng, file)
    if rng.random() < 0.4 and number % 4 != 1:
        file = _at_the_limit(file, m, design, rng.choice(FLOATS))
    yield from _cases(rng, file, m, design)


def _many(rng: Random) -> tuple[dict[str, Any], int]:
    """Up to 16 maps of whole numbers that agree at 0, and many examples."""
    K, m = rng.choice([(1, 128), (2, 128), (4, 32), (16, 8), (16, 32)])
    tasks = [{"name": f"t{k}", "kind": "affine", "A": [[k + 1, 0], [0, 1]]} for k in range(K)]
    R = rng.choice([1, 7, 1000])
    domain = {"R": R, "Ry": (K + 1) * R, "delta": 1, "grid": 1}
    if rng.random() < 0.3:
        del domain["grid"]
    return {"d": 2, "n": 2, "tasks": tasks, "domain": domain}, m


def _at_the_limit(file: dict[str, Any], m: int, design: str, dtype: str) -> dict[str, Any]:
    """The file with R and R_y multiplied as far as is certified for a format."""
    try:
        times = Q(designed(file, m, design).limits[dtype].times)
    except Exception:
        return file
    if not times:
        return file
    domain = tasksets.bounds(file)
    return tasksets.scaled(file, domain.R * times, domain.Ry * times)


def _cases(rng: Random, file: dict[str, Any], m: int, design: str) -> Cases:
    """Prompts of every kind in each format on some executors."""
    case = {"check": "predictions", "file": file, "m": m, "design": design}
    try:
        made = designed(file, m, design)
    except Exception:
        # It is refused or crashes, which the check will say.
        yield {**case, "executor": "numpy", "dtype": "float64", "prompts": []}
        return
    task_set = Reckoned.of({"domain": made.domain.to_json(), **file}, m, held(made))
    hot = "vocabulary" in file
    formats = [*made.certified, *(["exact"] if rng.random() < SLOWLY and made.sizes.N < 40 else [])]
    for dtype in formats:
        source = Prompts(rng, task_set, dtype, one_hot=hot)
        at_once = [name for name in ABLE if name not in (*COMPILED, "exact")]
        executors = ["exact"] if dtype == "exact" else rng.sample(at_once, 1)
        if dtype != "exact" and rng.random() < RARELY and "jax" in ABLE:
            executors.append("jax")
        for executor in executors:
            few = 3 if m > 16 or executor in ("exact", "jax") else 6
            drawn = [counted(rng, source, task_set, rng.choice(COUNTS)) for _ in range(few)]
            drawn += [source.draw() for _ in range(few)] if m <= 16 else []
            yield {**case, "executor": executor, "dtype": dtype, "prompts": as_text(drawn)}


def counted(rng: Random, source: Prompts, task_set: Reckoned, kind: str) -> Prompt:
    """m examples, or fewer, of one sort or two; the query is where tasks differ."""
    m = task_set.m if rng.random() < 0.8 else rng.randint(0, task_set.m)
    one, other = _sorts(rng, source, task_set)
    first = {"one of many": 1, "all but one": m - 1, "all": m, "halves": m // 2, "none": 0}
    count = first.get(kind, m)
    examples = [one] * min(count, m) + [other] * max(m - count, 0)
    if kind == "in turn":
        examples = [(one, other)[i % 2] for i in range(m)]
    if rng.random() < 0.5:
        rng.shuffle(examples)
    values = source.inputs_of(rng.choice(["badly rounded", "corner", "whole", "real"]))
    return {"examples": examples, "query": values}


def _sorts(
    rng: Random, source: Prompts, task_set: Reckoned, tries: int = 8
) -> tuple[list[Vector], list[Vector]]:
    """Two examples that differ in their votes: of one task, of all, or of none."""
    match = task_set.domain.match2(source.dtype)
    # On the first word, or at 0, tasks agree; of a table that lacks a word 0 is no label.
    first = [[Q(int(source.one_hot and not i)) for i in range(task_set.d)]] * (task_set.n - 1)
    drawn = [[*first, f(first)] for f in task_set.maps[:1]]
    drawn += [] if source.one_hot else [source.unanimous()["examples"][0]]
    for _ in range(tries):
        prompt = source.draw()
        drawn += prompt["examples"][:2]
    votes = [sum(s <= match for s in task_set.distances2(example)) for example in drawn]
    one = rng.choice(drawn)
    own = votes[drawn.index(one)]
    others = [e for e, v in zip(drawn, votes, strict=True) if v != own] or drawn
    return one, rng.choice(others)
