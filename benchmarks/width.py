"""How the embedding dimension scales: width against K, d, the prompt, and epsilon.

    python benchmarks/width.py            builds, checks and plots
    python benchmarks/width.py --quick    fewer sizes

Every width is read off a built artifact's weight matrices where the size allows a
build, a prompt of it is answered as the specification says, and beyond, to mn = 10^9,
it is counted off the layout alone. Drawn beside it:

    4d + ceil(log2(m+1)) + ceil(log2 n) + 6     the formula of this construction
    3d + log2(mn)                               a curve to compare with: a label, the
                                                query and the answer, and a place

Then K random ReLU tasks of R^4 with three hinges for each entry, which have nothing in common:
built with scratch tokens, and beside it the layout without them, that grows by 2d a task.

Then three formulas of R^2 that are held within epsilon, and what a smaller epsilon takes
(`epsilon.py`).
"""

import math
from typing import Any

import numpy as np

import epsilon
from common import (
    DOMAIN,
    RELU_DOMAIN,
    check,
    draw,
    figure,
    options,
    paired_tasks,
    random_prompt,
    relu_tasks,
    write,
)
from construct import Construction, build, embed, prepare, random_tasks
from construct.compiler import validate
from construct.designs.theorem.sizes import Sizes

# The dimension at which the prompt grows.
DIMENSION = 16
# The ReLU tasks: their dimension, and slots for examples.
RELU_DIMENSION, RELU_SLOTS = 4, 8
Pairs = list[tuple[int, int]]


def built_width(K: int, d: int, m: int) -> int:
    """The width of the emitted matrices, not of the formula."""
    # Pairs of tasks that differ in a sign need room to be different.
    tasks = paired_tasks(K, d) if d >= 16 else random_tasks(K, d)
    return checked_width(build(tasks, m=m, domain=DOMAIN), noise=0.25)


def checked_width(made: Construction, noise: float) -> int:
    """The width of its matrices, if it answers a full prompt as the specification says."""
    prompt = random_prompt(made.tasks, made.sizes.m, noise=noise, domain=made.domain)
    stream = embed(made.transformer, prompt)
    check(made, prompt, prepare("sparse", made.transformer)(stream), "float64")
    widths = {head.W_Q.shape[0] for layer in made.transformer.layers for head in layer.heads}
    assert widths == {made.transformer.W_E.shape[1]}
    return widths.pop()


def relu_row(K: int) -> dict[str, int]:
    """Widths of the two layouts: built with scratch tokens, counted without."""
    tasks, m = relu_tasks(K, RELU_DIMENSION), RELU_SLOTS
    made = build(tasks, m=m, domain=RELU_DOMAIN)
    _, plain = validate(tasks, m, 2, None, scratch=0, on_paper=True)
    sizes = made.sizes
    logs = sizes.ell_e + sizes.ell_t
    return {
        "K": K,
        "scratch tokens": sizes.w,
        "width": checked_width(made, noise=0.25),
        "width - logs": sizes.D - logs,
        "6d + logs + 8": 6 * sizes.d + logs + 8,
        "width, plain": plain.D,
        "N": sizes.N,
        "N, plain": plain.N,
    }


def measure(quick: bool) -> dict[str, Pairs]:
    """(size, width) pairs: one list for each question."""
    heads = [1, 2, 4, 16, 64] if quick else [1, 2, 4, 8, 16, 32, 64, 128, 256]
    dims = [4, 16, 64] if quick else [1, 2, 4, 8, 16, 32, 64, 128, 256]
    slots = [2**i for i in range(0, 11, 5 if quick else 1)]
    return {
        "K": [(K, built_width(K, 16, 4)) for K in heads],
        "d": [(d, built_width(4, d, 32)) for d in dims],
        "mn": [(2 * m, built_width(4, DIMENSION, m)) for m in slots],
        "mn by layout": [(2 * 2**i, Sizes(4, DIMENSION, 2**i, 2).D) for i in range(30)],
    }


def slope(pairs: Pairs, log: bool) -> float:
    """The least-squares slope of width over size, or over log2(size)."""
    size, width = np.array(pairs, dtype=float).T
    return float(np.polyfit(np.log2(size) if log else size, width, 1)[0])


def formula(d: int, m: int) -> int:
    return 4 * d + math.ceil(math.log2(m + 1)) + 1 + 6


def bound(d: int, m: int) -> float:
    return 3 * d + math.log2(2 * m)


def plot(data: dict[str, Pairs], rows: list[dict[str, int]], quick: bool) -> None:
    fig, [[*axes, relu]] = figure(4)
    fig.set_size_inches(15, 3.6)
    panels = (
        ("K", "tasks K  (d = 16, m = 4)", "flat in K", lambda K: (16, 4)),
        ("d", "dimension d  (K = 4, m = 32)", "4d + constant", lambda d: (d, 32)),
        ("mn", "prompt tokens mn  (d = 16, K = 4)", "log2(mn)", lambda mn: (DIMENSION, mn // 2)),
    )
    for axis, (key, label, law, at) in zip(axes, panels, strict=True):
        size, width = zip(*data[key], strict=True)
        drawn = [s for s, _ in data["mn by layout"]] if key == "mn" else size
        axis.plot(drawn, [formula(*at(s)) for s in drawn], color="C0", lw=1, label="our formula")
        axis.plot(size, width, "o", color="C0", ms=5, label="built, and checked")
        axis.plot(
            drawn, [bound(*at(s)) for s in drawn], "--", color="0.5", lw=1, label="3d + log2(mn)"
        )
        axis.set(xlabel=label, title=law, ylim=(0, None))
        if key != "d":
            axis.set_xscale("log", base=2)
    axes[0].set_ylabel("width D")
    axes[2].set(xscale="log", title="log2(mn) + constant")
    axes[2].legend(loc="center right")
    K = [row["K"] for row in rows]
    relu.plot(K, [row["width, plain"] for row in rows], "--", color="C1", label="plain: O(Kd)")
    relu.plot(
        K, [row["6d + logs + 8"] for row in rows], "-", color="0.5", lw=1, label="6d + logs + 8"
    )
    relu.plot(K, [row["width"] for row in rows], "o", color="C0", ms=5, label="scratch tokens")
    relu.set(xlabel="ReLU tasks K  (d = 4, m = 8)", title="flat but for log2 K", ylim=(0, None))
    relu.set_xscale("log", base=2)
    relu.set_ylim(0, 4 * max(row["width"] for row in rows))
    relu.legend(loc="upper left")
    draw(fig, "width", quick)


def main() -> None:
    quick = options(__doc__).quick
    data = measure(quick)
    rows = [relu_row(K) for K in ([1, 4, 16] if quick else [1, 2, 4, 8, 16, 32, 64])]
    for row in rows:
        if row["width"] > row["6d + logs + 8"]:
            raise SystemExit(f"width.py: {row['K']} ReLU tasks have width {row['width']}.")
    laws = {"K": lambda K: (16, 4), "d": lambda d: (d, 32), "mn": lambda mn: (DIMENSION, mn // 2)}
    for key, at in laws.items():
        for size, width in data[key]:
            if width != formula(*at(size)):
                raise SystemExit(f"width.py: {key} = {size} has width {width}, not the formula's.")
    tokens = data["mn by layout"][-1][0]
    summary: dict[str, Any] = {
        "widths over all K": sorted({width for _, width in data["K"]}),
        "slope in d": slope(data["d"], log=False),
        "slope in log2(mn)": slope(data["mn by layout"], log=True),
        "tokens, by layout alone": tokens,
        "width there": data["mn by layout"][-1][1],
        "ReLU tasks, K: width, plain": {
            row["K"]: (row["width"], row["width, plain"]) for row in rows
        },
        "over 3d + log2(mn) there": data["mn by layout"][-1][1] / bound(DIMENSION, tokens // 2),
    }
    formulas, hinges = epsilon.measure(quick)
    summary |= epsilon.summary(formulas, hinges)
    write("width", quick, summary, **data, relu=rows, formulas=formulas, hinges=hinges)
    plot(data, rows, quick)
    epsilon.plot(formulas, hinges, quick)


if __name__ == "__main__":
    main()
