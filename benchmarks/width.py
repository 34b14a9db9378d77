"""How the embedding dimension scales: width against K, d and mn.

    python benchmarks/width.py            builds, checks and plots
    python benchmarks/width.py --quick    fewer sizes

Every width is read off a built artifact's weight matrices where the size allows a
build, and off the layout alone beyond (mn up to 10^9). Writes width.json and
width.png under benchmarks/results/. Conclusion in benchmarks/README.md.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from construct import build, random_tasks
from construct.residual import Sizes

RESULTS = Path(__file__).parent / "results"


def built_width(K: int, d: int, m: int) -> int:
    """The width of the emitted matrices, not of the formula."""
    transformer = build(random_tasks(K, d), m=m).transformer
    widths = {head.W_Q.shape[0] for layer in transformer.layers for head in layer.heads}
    assert widths == {transformer.W_E.shape[1]}
    return widths.pop()


def measure(quick: bool) -> dict[str, list[tuple[int, int]]]:
    """(size, width) pairs: one list for each question."""
    heads = [1, 2, 4, 16, 64] if quick else [1, 2, 4, 8, 16, 32, 64, 128, 256]
    dims = [1, 4, 16, 64] if quick else [1, 2, 4, 8, 16, 32, 64, 128, 256]
    slots = [2**i for i in range(0, 7 if quick else 11)]
    return {
        "K": [(K, built_width(K, 16, 4)) for K in heads],
        "d": [(d, built_width(4, d, 32)) for d in dims],
        "mn": [(2 * m, built_width(2, 4, m)) for m in slots],
        "mn by layout": [(2 * 2**i, Sizes(4, 4, 2**i, 2).D) for i in range(30)],
    }


def slope(pairs: list[tuple[int, int]], log: bool) -> float:
    """The least-squares slope of width over size, or over log2(size)."""
    size, width = np.array(pairs, dtype=float).T
    return float(np.polyfit(np.log2(size) if log else size, width, 1)[0])


def plot(data: dict[str, list[tuple[int, int]]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
    panels = (
        ("K", "tasks K  (d = 16, m = 4)", "flat in K"),
        ("d", "dimension d  (K = 4, m = 32)", "4 d + constant"),
        ("mn", "prompt tokens mn  (d = 4)", "log2(mn) + constant"),
    )
    for axis, (key, label, law) in zip(axes, panels, strict=True):
        size, width = zip(*data[key], strict=True)
        if key == "mn":
            axis.plot(*zip(*data["mn by layout"], strict=True), color="0.7", label="layout alone")
        axis.plot(size, width, "o", color="C0", label="built")
        axis.set(xlabel=label, title=law, ylim=(0, None))
        if key != "d":
            axis.set_xscale("log", base=2)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("width D")
    axes[2].legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description="Width against K, d and mn.")
    parser.add_argument("--quick", action="store_true", help="fewer sizes")
    data = measure(parser.parse_args().quick)
    widths_in_K = {width for _, width in data["K"]}
    summary = {
        "widths over all K": sorted(widths_in_K),
        "slope in d": slope(data["d"], log=False),
        "slope in log2(mn)": slope(data["mn by layout"], log=True),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "width.json").write_text(json.dumps({"summary": summary, **data}, indent=1) + "\n")
    plot(data, RESULTS / "width.png")
    for name, value in summary.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
