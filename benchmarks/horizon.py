"""How long a prompt may be until the answer is wrong, in each float format.

    python benchmarks/horizon.py            float64 to 2^20 tokens: ten minutes
    python benchmarks/horizon.py --quick    coarser, float64 to 2^14 tokens

All m slots hold an example and every example has a vote. Each size runs past what is
certified, as `construct run` would refuse to, through the sparse executor. An answer is
wrong if a vote is, or if it is off by more than rounding is proved to explain. One task
has as many votes as examples; with four the certificate, mK, allows for ties that random
prompts do not have.
"""

from typing import Any

import numpy as np

from common import (
    DOMAIN,
    compared,
    draw,
    figure,
    options,
    paired_tasks,
    random_prompt,
    write,
)
from construct import Pass, build, prepare
from construct.certify.formats import BY_NAME
from construct.designs.theorem.embedding import embed_all

D = 16


def measure(K: int, dtype: str, m: int, prompts: int) -> dict[str, Any]:
    """How many of these prompts come out right, and the worst error."""
    tasks = paired_tasks(K, D)
    made = build(tasks, m=m, domain=DOMAIN)
    some = [random_prompt(tasks, m, seed=seed) for seed in range(prompts)]
    done = prepare("sparse", made.transformer, dtype)(
        embed_all(made.transformer, [prompt.astype(dtype) for prompt in some])
    )
    found = [
        compared(made, prompt, Pass(done.stream[i], done.attended[i]), dtype)
        for i, prompt in enumerate(some)
    ]
    first = next((wrong[0] for _, wrong in found if wrong), None)
    return {
        "K": K,
        "dtype": dtype,
        "m": m,
        "tokens": made.sizes.tokens,
        "prompts": prompts,
        "wrong": sum(bool(wrong) for _, wrong in found),
        "how": first,
        "worst error": max(ulps for ulps, _ in found) * float(2 * BY_NAME[dtype].u),
        "proved for m": made.accuracy[dtype].ulps,
        "certified": dtype in made.certified,
    }


def sizes(limit: int, steps: int) -> list[int]:
    """From half the limit to 8 times it, `steps` sizes to a doubling; the limit is one."""
    return [int(limit * 2.0 ** (i / steps)) for i in range(-steps, 3 * steps + 1)]


def horizon(rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """The certified limit, the largest size before the first failure, and that failure."""
    first = next((row for row in rows if row["wrong"]), None)
    right = [row["m"] for row in rows if first is None or row["m"] < first["m"]]
    return {
        "certified to m": limit,
        "right up to m": max(right),
        "first wrong at m": first["m"] if first else "not reached",
        "how": first["how"] if first else None,
    }


def plot(rows: list[dict[str, Any]], limits: dict[tuple[int, str], int], quick: bool) -> None:
    fig, [[axis]] = figure(1)
    fig.set_size_inches(6.4, 3.8)
    colours = {"float32": "C1", "float64": "C0"}
    marks = {1: "s", 4: "o"}
    for (K, dtype), limit in limits.items():
        some = [row for row in rows if (row["K"], row["dtype"]) == (K, dtype)]
        # An error of 0 is drawn as a quarter of an ulp.
        least = float(BY_NAME[dtype].u) / 4
        error = np.maximum([row["worst error"] for row in some], least)
        tokens = np.array([row["tokens"] for row in some])
        wrong = np.array([row["wrong"] > 0 for row in some])
        style = {"color": colours[dtype], "marker": marks[K], "ms": 3, "lw": 0.8}
        axis.plot(tokens[~wrong], error[~wrong], label=f"{dtype}, K = {K}", **style)
        axis.plot(tokens[wrong], error[wrong], "x", color="C3", ms=4)
        line = {1: "--", 4: ":"}[K]
        axis.axvline(2 * (limit + 1), color=colours[dtype], ls=line, lw=1)
    axis.plot([], [], "x", color="C3", ms=4, label="wrong")
    axis.plot([], [], color="0.4", ls="--", lw=1, label="certified to here, K = 1")
    axis.plot([], [], color="0.4", ls=":", lw=1, label="certified to here, K = 4")
    axis.set(xscale="log", yscale="log", xlabel="prompt tokens", ylim=(3e-18, 1e4))
    axis.set_ylabel("worst error of an answer,\nas a share of its largest term")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    draw(fig, "horizon", quick)


def main() -> None:
    quick = options(__doc__).quick
    rows, limits, summary = [], {}, {}
    for K in (1, 4):
        found = build(paired_tasks(K, D), m=32, domain=DOMAIN).limits
        limits |= {(K, dtype): found[dtype].m for dtype in ("float32", "float64")}
        for m in sizes(found["float32"].m, 1 if quick else 8):
            rows.append(measure(K, "float32", m, prompts=2 if quick else 5))
    for log2m in range(4, 14 if quick else 20, 3):
        rows.append(measure(4, "float64", 2**log2m - 1, prompts=1))
    limits.pop((1, "float64"))
    for (K, dtype), limit in limits.items():
        some = [row for row in rows if (row["K"], row["dtype"]) == (K, dtype)]
        summary[f"{dtype}, K = {K}"] = horizon(some, limit)
    write("horizon", quick, summary, rows=rows)
    plot(rows, limits, quick)
    certified_wrong = [row for row in rows if row["certified"] and row["wrong"]]
    if certified_wrong:
        raise SystemExit(f"horizon.py: wrong where it is certified: {certified_wrong[0]['how']}.")


if __name__ == "__main__":
    main()
