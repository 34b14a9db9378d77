"""How many prompts a second `construct verify` checks, by executor and format.

    python benchmarks/verify.py            256 prompts, three rounds
    python benchmarks/verify.py --quick    128 prompts, one round

At the README's size, K = 4, d = 16, m = 32, on the prompts that `construct verify` draws.
The forward pass alone, in the same batches, says what of it is the executor's share.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common import apart, draw, figure, options, seconds, write
from construct import build, prepare, random_tasks, verify
from construct.checking.sampling import random_prompts
from construct.designs.theorem.embedding import embed_all

BATCH = 64
RUNS = [(e, f) for e in ("numpy", "jax", "sparse", "torch") for f in ("float64", "float32")]
# A forward pass in rationals takes long.
EXACT = 20


def measure(executor: str, dtype: str, prompts: int) -> dict[str, Any]:
    """Prompts a second; in a process of its own, where no other library has threads."""
    made, exact = build(random_tasks(4, 16), m=32), dtype == "exact"
    count, some = max(2, prompts // EXACT) if exact else prompts, []
    drawn = seconds(lambda: some.extend(random_prompts(made, count, exact=exact)))
    whole(made, executor, dtype, some[:BATCH])  # compiled here
    return {
        "executor": executor,
        "dtype": dtype,
        "drawn": count / drawn,
        "verified": whole(made, executor, dtype, some),
        "passes": None if exact else alone(made, executor, dtype, some),
    }


def middle(same: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The medians of what several processes found."""
    medians = {
        key: None if same[0][key] is None else float(np.median([row[key] for row in same]))
        for key in ("drawn", "verified", "passes")
    }
    return {**same[0], **medians}


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


def plot(rows: list[dict[str, Any]], quick: bool) -> None:
    fig, [[axis]] = figure(1)
    fig.set_size_inches(7.5, 3.6)
    labels = [label(row) for row in rows]
    bars = axis.barh(labels, [row["verified"] for row in rows], color="C0", height=0.6)
    axis.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
    passes = [(row["passes"], name) for row, name in zip(rows, labels, strict=True)]
    some = [(rate, name) for rate, name in passes if rate]
    axis.plot(*zip(*some, strict=True), "|", color="C1", ms=12, mew=2, label="forward pass alone")
    drawn = float(np.median([row["drawn"] for row in rows]))
    axis.axvline(drawn, color="0.5", ls="--", lw=1, label="drawing prompts")
    title = "construct verify, K = 4, d = 16, m = 32"
    axis.set(xscale="log", xlabel="prompts a second", title=title)
    axis.invert_yaxis()
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    draw(fig, "verify", quick)


def label(row: dict[str, Any]) -> str:
    return "exact" if row["dtype"] == "exact" else f"{row['executor']} {row['dtype']}"


def main() -> None:
    quick = options(__doc__, measure).quick
    prompts, rounds = (128, 1) if quick else (256, 3)
    runs = [*RUNS, ("exact", "exact")]
    found = [
        [apart(__file__, executor=e, dtype=f, prompts=prompts) for e, f in runs]
        for _ in range(rounds)
    ]
    rows = [middle(same) for same in zip(*found, strict=True)]
    summary = {f"prompts a second, {label(row)}": row["verified"] for row in rows}
    summary["drawing prompts"] = float(np.median([row["drawn"] for row in rows]))
    write("verify", quick, summary, rows=rows)
    plot(rows, quick)


if __name__ == "__main__":
    main()
