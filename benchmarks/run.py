"""What `construct.run` costs beside the pass: the checks of one prompt, and the reading.

    python benchmarks/run.py            400 turns
    python benchmarks/run.py --quick    100 turns

K = 4, d = 16, m = 32, float64, from NumPy to NumPy: a prepared executor with the embedding of
one prompt, against `construct.run` of the same prompt, of floats and of exact numbers. Each
prompt takes turns with the others; of each the fastest is taken, as the checks are always the
same work.
"""

from typing import Any

import numpy as np

from common import (
    DOMAIN,
    apart,
    check,
    draw,
    figure,
    options,
    paired_tasks,
    random_prompt,
    seconds,
    write,
)
from construct import build, embed, prepare, run

EXECUTORS = ("numpy", "jax")


def measure(executor: str, times: int) -> dict[str, float]:
    """Seconds of the pass alone, and of `run` of either kind of prompt."""
    made = build(paired_tasks(4, 16), m=32, domain=DOMAIN)
    floats = random_prompt(made.tasks, 32, noise=0.25).astype("float64")
    exact, forward = floats.astype("exact"), prepare(executor, made.transformer, "float64")
    check(made, floats, forward(embed(made.transformer, floats)), "float64")
    works = {
        "pass": lambda: forward(embed(made.transformer, floats)),
        "run, float64": lambda: run(made, floats, executor=executor, dtype="float64"),
        "run, exact": lambda: run(made, exact, executor=executor, dtype="float64"),
    }
    for work in works.values():
        work()
    taken = [[seconds(work) for work in works.values()] for _ in range(times)]
    return dict(zip(works, np.min(taken, axis=0).tolist(), strict=True))


def plot(rows: dict[str, dict[str, float]], quick: bool) -> None:
    fig, [[axis]] = figure(1)
    names = [f"{executor}: {name}" for executor, took in rows.items() for name in took]
    times = [1e3 * t for took in rows.values() for t in took.values()]
    bars = axis.barh(names, times, height=0.6)
    axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axis.set(xlabel="milliseconds", title="one prompt, K = 4, d = 16, m = 32")
    axis.set_xlim(0, max(times) * 1.15)
    axis.invert_yaxis()
    draw(fig, "run", quick)


def main() -> None:
    quick = options(__doc__, measure).quick
    rows: dict[str, dict[str, Any]] = {
        executor: apart(__file__, executor=executor, times=100 if quick else 400)
        for executor in EXECUTORS
    }
    summary = {
        f"{executor}, {name} over the pass": took[name] / took["pass"]
        for executor, took in rows.items()
        for name in took
        if name != "pass"
    }
    write("run", quick, summary, seconds=rows)
    plot(rows, quick)


if __name__ == "__main__":
    main()
