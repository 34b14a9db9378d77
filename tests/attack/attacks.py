"""The attacks: each draws cases of one kind, by a random generator of its own.

An attack is a function (rng, round) -> cases; `ATTACKS` says how large its share of the
time is.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction as Q
from random import Random
from typing import Any

from attack import formulasets, tasksets
from attack.outcome import Case
from attack.prompts import Prompts, root
from attack.reckoning import as_text
from attack.targets import EXECUTORS, FLOATS, compiled, reckoned
from construct import Construction

Cases = Iterator[Case]
LIBRARIES = tuple(name for name in EXECUTORS if name != "exact")
COMPILED = ("jax", "sparse")


def prompt_cases(
    rng: Random,
    file: dict[str, Any],
    m: int,
    count: int,
    *,
    executors: tuple[str, ...] | None = None,
    compiles: float = 0.35,
    favour: str | None = None,
    most: int | None = None,
) -> Cases:
    """Cases of prompts: in each certified format on some executors, and on the exact one.

    Args:
        executors: those that run; drawn if they are left out.
        compiles: how often an executor runs that compiles for seconds.
        favour: the kind of inputs in half of the prompts.
        most: examples in a prompt, if fewer than m; then the exact executor is left out.
    """
    made = construction(file, m)
    if made is None:
        yield {"check": "prompts", "file": file, "m": m, **_how("exact"), "prompts": []}
        return
    task_set = reckoned(file, m, made)
    for dtype in (*made.certified, *(["exact"] if most is None else [])):
        hot = "vocabulary" in file
        source = Prompts(rng, task_set, dtype, one_hot=hot, favour=favour, most=most)
        chosen = executors or _chosen(rng, compiles)
        for executor in ("exact",) if dtype == "exact" else chosen:
            number = {"exact": count // 4, "jax": count // 2}.get(executor, count)
            prompts = [source.draw() for _ in range(max(number - 1, 1))]
            prompts += [source.unanimous()] if most is None else []
            batch = rng.random() < (0.1 if executor in COMPILED else 0.4)
            yield {
                **{"check": "prompts", "file": file, "m": m, **_how(executor, dtype)},
                **{"batch": batch, "prompts": as_text(prompts)},
            }


def _chosen(rng: Random, compiles: float) -> list[str]:
    """An executor that starts at once and, now and then, one that compiles for seconds."""
    at_once = [name for name in LIBRARIES if name not in COMPILED]
    slow = [name for name in LIBRARIES if name in COMPILED]
    return [rng.choice(at_once), *([rng.choice(slow)] if rng.random() < compiles else [])]


def _how(executor: str, dtype: str = "exact") -> dict[str, str]:
    return {"executor": executor, "dtype": dtype}


def construction(file: dict[str, Any], m: int) -> Construction | None:
    """What is built; None where it is refused or crashes, which the check will say."""
    try:
        return compiled(file, m)
    except Exception:
        return None


# --- Task sets -----------------------------------------------------------------


def mixtures(rng: Random, number: int) -> Cases:
    """Every kind of task, in numbers of every style, over ordinary domains."""
    shape = rng.choice(tasksets.SHAPES)
    file = tasksets.Tasks(rng, shape, rng.choice(tasksets.STYLES)).file()
    if rng.random() < 0.9:
        file["domain"] = tasksets.domain(rng, file)
    if rng.random() < 0.3:
        file["scratch"] = rng.randint(0, shape[3])
    yield from prompt_cases(rng, file, shape[2], 24)


def merged(rng: Random, number: int) -> Cases:
    """One feature several times, with coefficients that cancel or add up."""
    hinge = {"a": [1] if rng.random() < 0.7 else [rng.choice([-2, 3, "1/3"])]}
    big = [10**8, 10**17, 17 * 10**307, 50, 10**12][number % 5]
    C, grid = [
        ([big, 1 - big], None),
        ([Q(1, 7)] * 7, 1),
        ([Q(1, 3000)] * 3000, None),
        ([big, -big + 2, Q(1, 3)], None),
        ([Q(1, 49)] * 49, None),
    ][number // 2 % 5]
    task = {"name": "f", "kind": "relu-sum", "A": [[1]], "features": [[hinge]] * len(C)}
    file = {"d": 1, "n": 2, "tasks": [{**task, "C": as_text([C])}]}
    file["domain"] = {"R": 8, "Ry": 32, "delta": 1, **({"grid": grid} if grid else {})}
    if len(C) > 7:
        file = at_the_limit(file, 4, rng.choice(FLOATS))
    yield from prompt_cases(rng, file, 4, 24 if len(C) < 100 else 6, compiles=0.2)


def words(rng: Random, number: int) -> Cases:
    """Look-up tables over a vocabulary, also on two words, and sums of words with values."""
    yield from prompt_cases(rng, word_tasks(rng, rng.choice([2, 3])), 4, 16)


def word_tasks(rng: Random, n: int) -> dict[str, Any]:
    """A few such tasks, on one word or on two."""
    known = [f"w{i}" for i in range(rng.choice([3, 5]))]
    tasks = []
    for k in range(rng.randint(1, 3)):
        form = rng.choice((_table, _table_of_pairs, _word_sum)[: 1 if n == 2 else 3])
        tasks.append({"name": f"t{k}", **form(rng, known)})
    if n == 3:
        # A head for the slot that a task on two words needs.
        tasks.append({"name": "copy", "kind": "retrieval", "position": 2})
    return {"n": n, "tasks": tasks, "vocabulary": known}


def _table(rng: Random, known: list[str]) -> dict[str, Any]:
    images = [rng.choice(known) for _ in known]
    table = {a: b for a, b in zip(known, images, strict=True) if rng.random() < 0.8}
    return {"kind": "lookup", "table": table or {"w0": "w1"}}


def _table_of_pairs(rng: Random, known: list[str]) -> dict[str, Any]:
    some = rng.sample(known, 2)  # few images, so that entries go together
    pairs = [[[a, b], rng.choice(some)] for a in known for b in known if rng.random() < 0.7]
    places = rng.sample([1, 2], 2)
    return {"kind": "lookup", "table": pairs or [[["w0", "w1"], "w2"]], "positions": places}


def _word_sum(rng: Random, known: list[str]) -> dict[str, Any]:
    values = {w: rng.choice(["1/2", 0, 1, -2, "0.25"]) for w in rng.sample(known, 2)}
    listed = {str(Q(a) + Q(b)): rng.choice(known) for a in values.values() for b in values.values()}
    return {"kind": "word-sum", "values": values, "words": listed, "positions": [1, 2]}


# --- Domains -------------------------------------------------------------------

SIMPLE: tuple[Callable[[Random], dict[str, Any]], ...] = (
    lambda rng: {"kind": "sum", "positions": [1, 2]},
    lambda rng: {"kind": "shift", "by": [rng.choice(["1/3", 3, "1/10"])]},
    lambda rng: {"kind": "permutation", "permutation": [1], "signs": [-1]},
    lambda rng: {"kind": "retrieval", "position": 2},
    lambda rng: {"kind": "affine", "A": {"1": [["1/7"]], "2": [["3/7"]]}, "b": ["1/7"]},
    lambda rng: {"kind": "absolute"},
    lambda rng: {"kind": "maximum"},
    lambda rng: {"kind": "affine", "A": {"1": [[3]], "2": [[-1]]}},
    # Just past its limit numbers pass a power of two, and are rounded by twice as much.
    lambda rng: {"kind": "affine", "A": {"1": [[1]], "2": [["5/4"]]}},
)


def simple(rng: Random, most: int = 3) -> dict[str, Any]:
    """A file of one to three tasks of one entry, over domain R = 1, delta = 1."""
    chosen = rng.sample(SIMPLE, rng.randint(1, most))
    tasks = [{"name": f"t{k}", **make(rng)} for k, make in enumerate(chosen)]
    domain = {"R": 1, "Ry": rng.choice([1, 2, 4]), "delta": 1}
    return {"d": 1, "n": 3, "tasks": tasks, "domain": domain}


def at_the_limit(file: dict[str, Any], m: int, dtype: str) -> dict[str, Any]:
    """The file with R and R_y multiplied as far as `build` prints for a format."""
    made = construction(file, m)
    if made is None or not made.limits[dtype].times:
        return file
    domain, times = tasksets.bounds(file), Q(made.limits[dtype].times)
    return tasksets.scaled(file, domain.R * times, domain.Ry * times)


def limits(rng: Random, number: int) -> Cases:
    """Domains as large as the build prints that they may be."""
    # With short codes the numbers of the task set the limit, not the addresses.
    m = rng.choice([1, 4])
    if rng.random() < 0.7:
        file = simple(rng, 1 if m == 1 else 3)
    else:
        shape = rng.choice(tasksets.SHAPES)
        file, m = tasksets.Tasks(rng, shape, rng.choice(("whole", "sevenths"))).file(), shape[2]
        file["domain"] = tasksets.domain(rng, file)
    file = at_the_limit(file, m, rng.choice(FLOATS))
    yield from prompt_cases(rng, file, m, 32, favour=rng.choice(["badly rounded", "corner"]))


def edges(rng: Random, number: int) -> Cases:
    """Domains in which 1 + B E^2 comes close to a power of two: the least C is tight."""
    B, k = rng.choice([1, 2, 2, 4]), rng.randint(3, 22)
    E = root((Q(1 << k) - 1) / B, 64)
    if rng.random() < 0.5:
        # A sum of two floats, of which only one has room for the last bits: E is rounded.
        bits = rng.choice([24, 53])
        R = _cut(E * rng.randint(900, 990) / 1000, bits)
        Ry = _cut(E - R, bits)
    else:
        R = E / 2 * (1 - rng.choice([Q(0), Q(1, 10**12), Q(1, 10**9), Q(1, 10**7), Q(1, 100)]))
        Ry = R
    tasks = [{"name": "f", "kind": "permutation", "permutation": [1]}]
    if rng.random() < 0.5:
        tasks.append({"name": "g", "kind": "permutation", "permutation": [1], "signs": [-1]})
    file = {"d": 1, "n": 2, "tasks": tasks, "domain": as_text({"R": R, "Ry": Ry, "delta": 1})}
    yield from prompt_cases(rng, file, 4, 24, favour="corner")


def _cut(x: Q, bits: int) -> Q:
    """The number of so many bits towards 0."""
    step = Q(2) ** (x.numerator.bit_length() - x.denominator.bit_length() + 1 - bits)
    return x // step * step


def sizes(rng: Random, number: int) -> Cases:
    """Domains tiny and huge, up to and past the range of each format."""
    file = simple(rng)
    size = Q(10) ** (rng.choice([-1, 1]) * rng.choice([6, 12, 15, 18, 30, 37, 38, 75, 150, 300]))
    R = size * rng.choice([1, Q(1, 3), 7])
    delta = R / rng.choice([1, 8, 1000])
    file["domain"] = as_text({"R": R, "Ry": R * 4, "delta": delta})
    yield from prompt_cases(rng, file, 4, 16)


def tiny(rng: Random, number: int) -> Cases:
    """Queries so small that what is read of them underflows on the way."""
    file = simple(rng)
    file["domain"] = {"R": 8, "Ry": 32, "delta": 1}
    # The longer the context, the more is lost where a sum is divided by N too early.
    m, most = ((4, None), (127, 4), (255, 4))[number % 3]
    executors = ("sparse", rng.choice(LIBRARIES))
    yield from prompt_cases(rng, file, m, 12, executors=executors, favour="tiny", most=most)


ODD_GRIDS = tuple(map(Q, ("1/3", "1/10", "1/7", "1/1024", "1/1000000000000", "3", "7/10")))
ODD_BOUNDS = tuple(Q(x) for x in (1, 10**18 + 65, 10**40, Q(1, 10), Q(1, 10**30), Q(7, 3)))


def grids(rng: Random, number: int) -> Cases:
    """Odd grids and bounds: construct's own prompts, and ours."""
    file = simple(rng)
    bounds = {"R": rng.choice(ODD_BOUNDS), "Ry": rng.choice(ODD_BOUNDS), "delta": Q(1)}
    if number % 2 == 0:
        bounds = {"R": Q(8), "Ry": Q(32), "delta": Q(1), "grid": rng.choice(ODD_GRIDS)}
    bounds["delta"] = rng.choice([Q(1), Q(1), Q(1, 10**6), Q(10**6), bounds["R"]])
    file["domain"] = as_text(bounds)
    yield {"check": "sample", "file": file, "m": 4, "count": 16, "seed": rng.randrange(1 << 16)}
    yield from prompt_cases(rng, file, 4, 16, compiles=0.2)


def samples(rng: Random, number: int) -> Cases:
    """construct's own prompts, for random task sets."""
    draw = (formulasets.of_formulas, formulasets.with_scratch)[number // 2 % 2]
    if number % 2:
        file, m = draw(rng)
    else:
        shape = rng.choice(tasksets.SHAPES)
        file, m = tasksets.Tasks(rng, shape, rng.choice(tasksets.STYLES)).file(), shape[2]
        file["domain"] = tasksets.domain(rng, file)
    seed = rng.randrange(1 << 16)
    yield {"check": "sample", "file": file, "m": m, "count": 16, "seed": seed}


def full(rng: Random, number: int) -> Cases:
    """float32 with as many votes as it is certified for: mK = 2896, all cast."""
    K = (8, 1)[number % 2]
    tasks = [{"name": f"t{k}", "kind": "affine", "A": [[2 * k + 1]]} for k in range(K)]
    domain = {"R": 1, "Ry": 2 * K, "delta": 1}
    file = {"d": 1, "n": 2, "tasks": tasks, "domain": domain}
    made = compiled(file, 8)
    m = made.limits["float32"].m
    task_set = reckoned(file, m, made)
    source = Prompts(rng, task_set, "float32")
    # With one task alone the context is too long for scores of all pairs.
    for executor in LIBRARIES if K > 1 else ("sparse",):
        prompts = as_text([source.unanimous(), source.unanimous(), source.draw()])
        how = _how(executor, "float32")
        yield {"check": "prompts", "file": file, "m": m, **how, "prompts": prompts}
