"""What the benchmarks share: tasks and prompts, checks, times, memory, results, plots.

Times are taken side by side in one run, and as medians: only their ratios mean anything
on a machine that others use too. Memory is that of a process of its own.
"""

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from construct import (
    Construction,
    Domain,
    Formula,
    Pass,
    Prompt,
    formula,
    permutation,
    relu_sum,
)
from construct.answer import read_answer
from construct.checking.verification import compare, specification
from construct.spec.tasks import Task

RESULTS = Path(__file__).parent / "results"

# The inputs and labels that tasks of this file are built for: whole numbers.
DOMAIN = Domain(R=8, Ry=16, delta=1)
# And those of `relu_tasks` of R^4.
RELU_DOMAIN = Domain(R=8, Ry=256, delta=1)
# Those of `formula_tasks`, of any real numbers: labels are within tau of a task, or far.
FORMULA_DOMAIN = Domain(R=4, Ry=64, delta=1, tau="1/64")
# How near to tau labels get that are to be rounded to float32.
NEARLY = 1 - 2**-8


# --- Tasks and prompts --------------------------------------------------------


def paired_tasks(K: int, d: int, seed: int = 0) -> list[Task]:
    """Signed permutations plus shifts; two and two differ in the sign of one entry.

    Such a pair agrees, both have a vote, where that entry is 0: one input in 17.
    """
    rng, made = np.random.default_rng(seed), []
    for k in range(K):
        if k % 2 == 0:
            order, signs = rng.permutation(d) + 1, rng.choice([-1, 1], d)
            by = rng.integers(-2, 3, d)
        else:
            signs[rng.integers(d)] *= -1
        made.append(permutation(f"task{k + 1}", order.tolist(), signs.tolist(), by.tolist()))
    return made


def relu_tasks(K: int, d: int, hinges: int = 3, seed: int = 0) -> list[Task]:
    """Random affine maps plus sums of ReLUs of R^d, so many for each entry, of whole numbers."""
    rng = np.random.default_rng(seed)

    def hinge() -> dict[str, Any]:
        a = rng.integers(-2, 3, d)
        while not a.any():
            a = rng.integers(-2, 3, d)
        return {"c": int(rng.choice([-1, 1])), "a": a.tolist(), "e": int(rng.integers(-4, 5))}

    return [
        relu_sum(
            f"task{k + 1}",
            [[hinge() for _ in range(hinges)] for _ in range(d)],
            np.eye(d, dtype=int).tolist(),
            A=rng.integers(-2, 3, (d, d)).tolist(),
        )
        for k in range(K)
    ]


def formula_tasks(epsilon: str) -> list[Formula]:
    """Three maps of R^2 that the network holds within epsilon."""
    entries = {
        "wave": ["sin(x[1])", "sin(x[2])"],
        "growth": ["exp(x[1])", "exp(x[2])"],
        "product": ["x[1]*x[2]", "x[1] + x[2]"],
    }
    return [formula(name, f, epsilon=epsilon) for name, f in entries.items()]


def near_prompt(
    tasks: Sequence[Formula], examples: int, domain: Domain = FORMULA_DOMAIN, seed: int = 0
) -> Prompt:
    """Real inputs, each with a label within tau of some task: half of them nearly at tau.

    Inputs are drawn again where such a label is neither near another task nor far from it. They
    are numbers of float32, in which the prompt is of the domain too.
    """
    rng, d = np.random.default_rng(seed), tasks[0].d
    R, tau, delta = (float(x) for x in (domain.R, domain.tau, domain.delta))

    def inputs(count: int) -> np.ndarray:
        return rng.uniform(-R, R, (count, 1, d)).astype(np.float32).astype(np.float64)

    X, Y = np.zeros((examples, 1, d)), np.zeros((examples, d))
    drawn = np.arange(examples)
    while len(drawn):
        X[drawn] = inputs(len(drawn))
        values = np.array([task(X[drawn]).astype(np.float64) for task in tasks])
        way = rng.normal(size=(len(drawn), d))
        way /= np.linalg.norm(way, axis=-1, keepdims=True)
        share = np.maximum(rng.uniform(-1, 1, len(drawn)), 0)
        far = tau * NEARLY * (1 - share)[:, None]
        own = rng.integers(len(tasks), size=len(drawn))
        Y[drawn] = values[own, np.arange(len(drawn))] + far * way
        gaps = np.linalg.norm(values - Y[drawn], axis=-1)
        drawn = drawn[((gaps > tau * NEARLY * (1 + 1e-9)) & (gaps < 1.001 * delta)).any(axis=0)]
    return Prompt(X, Y, inputs(1)[0])


def random_prompt(
    tasks: Sequence[Task],
    examples: int,
    *,
    n: int = 2,
    noise: float = 0.0,
    domain: Domain = DOMAIN,
    seed: int = 0,
) -> Prompt:
    """Whole-numbered inputs, each labelled by some task, or by none: noise.

    Args:
        noise: the share of the examples that no task explains.
    """
    rng, d = np.random.default_rng(seed), tasks[0].d
    R, Ry = int(domain.R), int(domain.Ry)
    X = rng.integers(-R, R + 1, (examples, n - 1, d)).astype(np.float64)
    query = rng.integers(-R, R + 1, (n - 1, d)).astype(np.float64)
    # A task has a share of its own in each prompt.
    labels = rng.choice(len(tasks), size=examples, p=rng.dirichlet(np.ones(len(tasks))))
    Y = np.zeros((examples, d))
    for k, task in enumerate(tasks):
        Y[labels == k] = task(X[labels == k])
    drawn = np.flatnonzero(rng.random(examples) < noise)
    while len(drawn):
        Y[drawn] = rng.integers(-Ry, Ry + 1, (len(drawn), d))
        # Again where a task happens to explain it.
        drawn = drawn[np.any([(task(X[drawn]) == Y[drawn]).all(-1) for task in tasks], axis=0)]
    return Prompt(X, Y, query)


# --- The answer is checked in the run that is timed ---------------------------


def compared(made: Construction, prompt: Prompt, done: Pass, dtype: str) -> tuple[float, list[str]]:
    """The error of a pass in ulp, and what of votes and answer is not as `mixture` says."""
    numbers = prompt.astype(dtype)
    answer = read_answer(made, done, len(prompt.X))
    return compare(made, numbers, specification(made, numbers), answer, dtype)


def check(made: Construction, prompt: Prompt, done: Pass, dtype: str) -> float:
    """The error in ulp; exit 1 with one sentence if a pass is wrong beyond rounding."""
    ulps, wrong = compared(made, prompt, done, dtype)
    if wrong:
        script, sizes = Path(sys.argv[0]).name, made.sizes
        what = f"K = {sizes.K}, d = {sizes.d}, m = {sizes.m}, {dtype}"
        raise SystemExit(f"{script}: the answer is wrong ({what}): {wrong[0]}.")
    return ulps


def word_tables(words: int, K: int, pairs: int, draws: random.Random) -> list[dict[str, str]]:
    """K random tables of so many pairs, over words w0, w1, ..."""
    listed = word_list(words)
    return [{w: draws.choice(listed) for w in draws.sample(listed, pairs)} for _ in range(K)]


def word_list(words: int) -> list[str]:
    """So many words."""
    return [f"w{i}" for i in range(words)]


def word_tasks(words: int, tables: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """A task file of these tables."""
    tasks = [{"name": f"t{k}", "kind": "lookup", "table": t} for k, t in enumerate(tables)]
    return {"vocabulary": word_list(words), "tasks": tasks}


# --- Time and memory ----------------------------------------------------------


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def side_by_side(works: Mapping[str, Callable[[], Any]], times: int) -> dict[str, float]:
    """Median seconds of each; one after the other, in turns, after a round to warm up."""
    for work in works.values():
        work()
    taken = [{name: seconds(work) for name, work in works.items()} for _ in range(times)]
    return {name: float(np.median([one[name] for one in taken])) for name in works}


def peak_memory() -> int:
    """The most bytes that this process has held so far."""
    try:
        # Linux counts in ru_maxrss what the parent held when it started this process.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def apart(script: str, **case: Any) -> dict[str, Any]:
    """What `script --case JSON` prints, run as a process of its own, for its memory."""
    command = [sys.executable, script, "--case", json.dumps(case)]
    # NumPy's small products are several times slower when other threads are to share them.
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=alone)
    if done.returncode:
        raise SystemExit(done.stderr.strip().splitlines()[-1] if done.stderr else f"{case} died.")
    return json.loads(done.stdout.splitlines()[-1])


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The least-squares slope of log(value) over log(size): the power of a power law."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


# --- Command line, results, plots ---------------------------------------------


def options(
    doc: str | None, measure: Callable[..., dict[str, Any]] | None = None
) -> argparse.Namespace:
    """`--quick`; and `--case JSON`, which prints what `measure` finds, and ends."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a short form")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case and measure:
        print(json.dumps(measure(**json.loads(given.case))))
        raise SystemExit(0)
    return given


def write(name: str, quick: bool, summary: Mapping[str, Any], **data: Any) -> None:
    """results/NAME.json (NAME-quick.json in the short form), and the summary in print."""
    RESULTS.mkdir(exist_ok=True)
    about = {"form": "quick" if quick else "full", "cores": os.cpu_count()}
    about |= {"processor": platform.machine()}
    content = {"about": about, "summary": summary, **data}
    path(name, quick, "json").write_text(json.dumps(content, indent=1) + "\n")
    for key, value in summary.items():
        print(f"{key}: {value:.4g}" if isinstance(value, float) else f"{key}: {value}")


def path(name: str, quick: bool, suffix: str) -> Path:
    """The short form does not replace the results of the full one."""
    return RESULTS / f"{name}{'-quick' if quick else ''}.{suffix}"


def figure(columns: int, **options: Any) -> tuple[Any, Any]:
    """A figure with so many panels in a row, in one style."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "legend.frameon": False,
            "legend.fontsize": "small",
            "font.size": 9,
        }
    )
    return plt.subplots(
        1, columns, figsize=(3.6 * columns, 3.2), layout="constrained", squeeze=False, **options
    )


def draw(fig: Any, name: str, quick: bool) -> None:
    """Write the figure beside the JSON."""
    fig.savefig(path(name, quick, "png"), dpi=150)
