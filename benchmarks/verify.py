"""How many prompts a second `construct verify` checks, by executor and format.

    python benchmarks/verify.py            1000 prompts, three times
    python benchmarks/verify.py --quick    200 prompts, once

At the README's size, K = 4, d = 16, m = 32, on the prompts that `construct verify` draws.
The forward pass alone, in the same batches, says what of it is the executor's share.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from common import draw, figure, options, seconds, write

from construct import build, prepare, random_tasks, verify
from construct.embedding import embed_all
from construct.sampling import random_prompts

BATCH = 64
RUNS = [(e, f) for e in ("numpy", "jax", "sparse", "torch") for f in ("float64", "float32")]
# A forward pass in rationals takes seconds.
EXACT = 50


def measure(prompts: int, times: int) -> dict[str, Any]:
    made = build(random_tasks(4, 16), m=32)
    some: dict[bool, list] = {}
    drawn = seconds(lambda: some.update({False: random_prompts(made, prompts)}))
    some[True] = random_prompts(made, max(1, prompts // EXACT), exact=True)
    works: dict[str, Callable[[], float]] = {}
    for executor, dtype in [*RUNS, ("exact", "exact")]:
        ours = some[dtype == "exact"]
        works[f"{executor} {dtype}"] = lambda e=executor, f=dtype, p=ours: whole(made, e, f, p)
    for executor, dtype in RUNS:
        name = f"{executor} {dtype}, the pass alone"
        works[name] = lambda e=executor, f=dtype: alone(made, e, f, some[False])
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(times):
        for name, work in works.items():
            rates[name].append(work())
    return {
        "prompts": prompts,
        "drawn": prompts / drawn,
        **{name: float(np.median(found)) for name, found in rates.items()},
    }


def whole(made: Any, executor: str, dtype: str, prompts: list) -> float:
    """Prompts a second; exit 1 if one came out wrong."""
    reports: list[Any] = []
    took = seconds(lambda: reports.append(verify(made, executor, dtype, prompts)))
    if not reports[0].passed:
        raise SystemExit(f"verify.py: {executor} {dtype}: {reports[0].failures[0]}.")
    return len(prompts) / took


def alone(made: Any, executor: str, dtype: str, prompts: list) -> float:
    """Prompts a second of a warm forward pass over a batch."""
    forward = prepare(executor, made.transformer, dtype)
    streams = embed_all(made.transformer, [p.astype(dtype) for p in prompts[:BATCH]])
    forward(streams)
    return len(streams) / float(np.median([seconds(lambda: forward(streams)) for _ in range(5)]))


def plot(rates: dict[str, Any], quick: bool) -> None:
    fig, [[axis]] = figure(1)
    fig.set_size_inches(7, 3.6)
    names = [f"{executor} {dtype}" for executor, dtype in RUNS] + ["exact exact"]
    labels = [*names[:-1], "exact"]
    bars = axis.barh(labels, [rates[name] for name in names], color="C0", height=0.6)
    axis.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
    passes = [rates[f"{name}, the pass alone"] for name in names[:-1]]
    axis.plot(passes, labels[:-1], "|", color="C1", ms=12, mew=2, label="the forward pass alone")
    axis.axvline(rates["drawn"], color="0.5", ls="--", lw=1, label="drawing random prompts")
    axis.set(xscale="log", xlabel="prompts a second", title="construct verify, K = 4, d = 16, m = 32")
    axis.invert_yaxis()
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    draw(fig, "verify", quick)


def main() -> None:
    quick = options(__doc__).quick
    rates = measure(200 if quick else 1000, 1 if quick else 3)
    summary = {f"prompts a second, {name}": float(rate) for name, rate in rates.items()}
    summary.pop("prompts a second, prompts")
    write("verify", quick, summary, rates=rates)
    plot(rates, quick)


if __name__ == "__main__":
    main()
