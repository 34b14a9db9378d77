"""What a build costs: seconds, memory, and the size of the artifact.

    python benchmarks/build.py            to K = 64, d = 256, m = 4096: a minute
    python benchmarks/build.py --quick    to K = 16, d = 64, m = 512

Each size is a process of its own, which builds, saves and loads. Bytes of the artifact
are over those of the weights that are not 0, 8 bytes each. What was loaded answers a
prompt as the specification does.
"""

import tempfile
from pathlib import Path
from typing import Any

from common import (
    DOMAIN,
    apart,
    check,
    draw,
    figure,
    options,
    paired_tasks,
    peak_memory,
    random_prompt,
    seconds,
    write,
)
from construct import build, embed, load, prepare, save

SIZES = ((4, 16, 32), (4, 16, 512), (16, 64, 512), (16, 64, 4096), (64, 64, 4096), (64, 256, 4096))
QUICK = SIZES[:3]


def measure(K: int, d: int, m: int) -> dict[str, Any]:
    tasks, before = paired_tasks(K, d), peak_memory()
    took = {"build": seconds(lambda: build(tasks, m=m, domain=DOMAIN))}
    made, memory = build(tasks, m=m, domain=DOMAIN), peak_memory()
    with tempfile.TemporaryDirectory() as folder:
        artifact = Path(folder) / "artifact"
        took["save"] = seconds(lambda: save(made, artifact))
        size = sum(file.stat().st_size for file in artifact.iterdir())
        took["load"] = seconds(lambda: load(artifact))
        everything, loaded = peak_memory(), load(artifact)
    # After the memory has been read: JAX takes some of its own.
    prompt = random_prompt(tasks, m, noise=0.3)
    done = prepare("sparse", loaded.transformer)(embed(loaded.transformer, prompt))
    check(loaded, prompt, done, "float64")
    nonzeros = made.transformer.nonzeros
    return {
        "K": K,
        "d": d,
        "m": m,
        **took,
        "memory before": before,
        "memory of the build": memory,
        "memory": everything,
        "bytes": size,
        "nonzeros": nonzeros,
        "bytes over nonzeros": size / (8 * nonzeros),
    }


def plot(rows: list[dict[str, Any]], quick: bool) -> None:
    fig, axes = figure(3)
    time, memory, size = axes[0]
    names = [f"K={row['K']}\nd={row['d']}\nm={row['m']}" for row in rows]
    places = range(len(rows))
    for i, what in enumerate(("build", "save", "load")):
        at = [place + (i - 1) * 0.27 for place in places]
        time.bar(at, [row[what] for row in rows], 0.27, label=what, color=f"C{i}")
    memory.bar(places, [row["memory"] / 2**30 for row in rows], 0.6, color="C0")
    size.bar(places, [row["bytes over nonzeros"] for row in rows], 0.6, color="C0")
    for axis, title, unit, target in (
        (time, "build, save, load", "seconds", None),
        (memory, "memory of the process", "GiB at most", 2),
        (size, "artifact, bytes over non-zeros", "times 8 bytes each", 3),
    ):
        axis.set(title=title, ylabel=unit)
        axis.set_xticks(places, names, fontsize=6.5)
        if target:
            axis.axhline(target, color="0.5", ls="--", lw=1, label="target")
        axis.legend(loc="upper left")
        axis.margins(y=0.2)
    time.set(yscale="log", ylim=(1e-3, 1e2))
    draw(fig, "build", quick)


def main() -> None:
    quick = options(__doc__, measure).quick
    rows = [apart(__file__, K=K, d=d, m=m) for K, d, m in (QUICK if quick else SIZES)]
    last = rows[-1]
    summary = {
        "largest": f"K = {last['K']}, d = {last['d']}, m = {last['m']}",
        "seconds to build": last["build"],
        "seconds to save": last["save"],
        "seconds to load": last["load"],
        "GiB, build, save and load": last["memory"] / 2**30,
        "bytes over non-zeros": last["bytes over nonzeros"],
        "the worst of these": max(row["bytes over nonzeros"] for row in rows),
    }
    write("build", quick, summary, rows=rows)
    plot(rows, quick)


if __name__ == "__main__":
    main()
