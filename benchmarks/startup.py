"""How fast the command line starts, against an empty Python.

    python benchmarks/startup.py            21 starts of each
    python benchmarks/startup.py --quick    3 starts of each

Processes are started in turns; medians of their wall time, as ratios to `python -c pass`
in the same run.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from common import draw, figure, options, side_by_side, write

TOOL = ["-m", "construct"]
COMMANDS: dict[str, list[str]] = {
    "python -c pass": ["-c", "pass"],
    "import construct": ["-c", "import construct"],
    "import click": ["-c", "import click"],
    "construct --version": [*TOOL, "--version"],
    "construct --help": [*TOOL, "--help"],
    "construct build --help": [*TOOL, "build", "--help"],
    "import numpy": ["-c", "import numpy"],
    "import construct, numpy": ["-c", "import construct, numpy"],
    "import numpy, scipy.sparse": ["-c", "import numpy, scipy.sparse"],
    "construct.build": ["-c", "import construct; construct.build"],
    "construct build --K 4 --d 16": [*TOOL, "build", "--K", "4", "--d", "16"],
    "import jax": ["-c", "import jax"],
    "construct.execute.jax_": ["-c", "import construct.execute.jax_"],
}


def starter(arguments: list[str], folder: str) -> Callable[[], Any]:
    """Starts it in a folder of its own, where it may write."""

    def start() -> None:
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, cwd=folder
        )
        if done.returncode:
            raise SystemExit(f"startup.py: {arguments} failed: {done.stderr.strip()[-200:]}")

    return start


def plot(took: dict[str, float], quick: bool) -> None:
    fig, [[axis]] = figure(1)
    fig.set_size_inches(6.4, 3.8)
    base = took["python -c pass"]
    colours = ["C0" if "construct" in name else "0.7" for name in took]
    bars = axis.barh(list(took), [t / base for t in took.values()], color=colours, height=0.6)
    axis.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
    axis.set(xlabel="times python -c pass", title=f"start of a process ({base * 1e3:.0f} ms empty)")
    axis.set_xlim(0, max(took.values()) / base * 1.12)
    axis.invert_yaxis()
    draw(fig, "startup", quick)


def main() -> None:
    quick = options(__doc__).quick
    with tempfile.TemporaryDirectory() as folder:
        works = {name: starter(command, folder) for name, command in COMMANDS.items()}
        took = side_by_side(works, 3 if quick else 21)
    base = took["python -c pass"]
    ratios = {name: t / base for name, t in took.items()}
    write("startup", quick, {"milliseconds, python -c pass": base * 1e3, **ratios}, seconds=took)
    plot(took, quick)


if __name__ == "__main__":
    main()
