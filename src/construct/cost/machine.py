"""What this machine does in a second, measured in a few: nothing here is a fixed time.

A small artifact is built and run in processes of their own, which says how long a command
takes whatever it works on, and what it holds: interpreter, libraries, compilation.
"""

import json
import mmap
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from construct.errors import ConstructError
from construct.execute.registry import JAX, SPARSE

# The small artifact: each kind of layer is there and compiled, and a pass takes a
# thousandth of a second.
SMALL = {"K": 4, "d": 16, "m": 32}

# Seconds for which a rate is measured: many turns of a scheduler.
A_WHILE = 0.2

# The executor of a dense pass and that of a sparse one.
EXECUTORS = {"dense": JAX.name, "sparse": SPARSE.name}

# A command whose last line on standard error is the most bytes that it held. Linux would
# count what the parent held when it started the child in ru_maxrss.
_COMMAND = """
import atexit, runpy, sys
def held():
    try:
        with open("/proc/self/status") as status:
            return int(status.read().partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError):
        import resource
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
atexit.register(lambda: print(held(), file=sys.stderr))
sys.argv[0] = "construct"
runpy.run_module("construct", run_name="__main__")
"""


@dataclass(frozen=True)
class Command:
    """A process: its seconds, and the most bytes that it held."""

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Machine:
    """Rates, each of a process beside all that the machine does now.

    Attributes:
        flops: of a matrix product, in a second.
        terms: numbers gathered from a large array, each times a number.
        fresh: bytes of new memory, touched for the first time.
        objects: pairs of words read from JSON and put into a table.
        build: `construct build` of the small artifact.
        run: `construct run` of it, for a dense and a sparse pass.
    """

    flops: float
    terms: float
    fresh: float
    objects: float
    build: Command
    run: dict[str, Command]


@lru_cache
def measured(dtype: str) -> Machine:
    """This machine in a number format; measured once in a process.

    Raises:
        ConstructError: if the small artifact cannot be built and run.
    """
    build, runs = _small(dtype)
    return Machine(_flops(dtype), _terms(dtype), _fresh(), _objects(), build, runs)


def command(*arguments: str) -> Command:
    """Run `construct` with these arguments in a process of its own.

    Raises:
        ConstructError: if it fails.
    """
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *arguments], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    *said, held = done.stderr.splitlines() or [""]
    if done.returncode or not held.isdecimal():
        raise ConstructError(
            f"'construct {arguments[0]}' failed in a process of its own, so that this machine "
            f"is not measured ({' '.join(said[-1:]) or 'without a word'}); mend the installation."
        )
    return Command(seconds, int(held))


def _small(dtype: str) -> tuple[Command, dict[str, Command]]:
    """The small artifact, built, and run by each executor."""
    with tempfile.TemporaryDirectory() as folder:
        made, prompt = os.path.join(folder, "made"), Path(folder, "prompt.json")
        prompt.write_text(f'{{"examples": [], "query": {[[1] * SMALL["d"]]}}}')
        sizes = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]
        build = command("build", *sizes, "--out", made)
        run = ("run", made, str(prompt), "--dtype", dtype, "--executor")
        return build, {way: command(*run, name) for way, name in EXECUTORS.items()}


def _seconds(work: Callable[[], object]) -> float:
    """The mean of runs for a while, after one that warms up.

    Not the least: what else the machine does now slows down the commands that are planned.
    """
    work()
    start, runs = time.perf_counter(), 0
    while (taken := time.perf_counter() - start) < A_WHILE or not runs:
        work()
        runs += 1
    return taken / runs


def _flops(dtype: str) -> float:
    side = 1024
    square, product = np.ones((2, side, side), dtype)
    return 2 * side**3 / _seconds(lambda: np.matmul(square, square, out=product))


def _terms(dtype: str) -> float:
    """As in a weight of words: sorted places, one row of the stream after the other."""
    rows, width, count = 16, 200_000, 50_000
    stream, weights = np.ones((rows, width), dtype), np.ones(count, dtype)
    at = np.sort(np.random.default_rng(0).integers(0, width, count))
    return rows * count / _seconds(lambda: np.take(stream, at, axis=1) * weights)


def _fresh() -> float:
    size = 32 << 20

    def touch() -> None:
        with mmap.mmap(-1, size) as new:
            for place in range(0, size, mmap.PAGESIZE):
                new[place] = 1

    return size / _seconds(touch)


def _objects() -> float:
    count = 20_000
    text = json.dumps({f"word{i}": f"word{7 * i % count}" for i in range(count)})
    return count / _seconds(lambda: {k: (len(k), hash(v)) for k, v in json.loads(text).items()})
