"""What the four task sets of the paper cost: build, run and verify, in seconds and memory.

    python benchmarks/paper.py            every executor, float64
    python benchmarks/paper.py --quick    NumPy alone

The files of examples/paper/, m = 60 or 80 as there. Each set and executor is a process of its
own, whose memory is the most that it held. `command` is the whole of `construct run`, from
the start of Python on. Answers are checked against the specification.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import apart, options, peak_memory, seconds, write
from construct import build, load, mixture, parse_tasks, run, save, verify

SETS = {"add_translate": 80, "country": 60, "AB": 60, "word": 80}
EXECUTORS = ("numpy", "jax", "sparse", "torch")
FOLDER = Path(__file__).parent.parent / "examples" / "paper"
# What verify is timed on.
PROMPTS = 8


def measure(name: str, executor: str, times: int) -> dict[str, Any]:
    """One set on one executor in float64."""
    file = parse_tasks((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    text = FOLDER / f"{name}-prompt.txt"
    made: list[Any] = []
    fields = {"m": SETS[name], "vocabulary": file.vocabulary, "format": file.format}
    took = {"build": seconds(lambda: made.append(build(file.tasks, **fields)))}
    built, memory = made[0], peak_memory()
    with tempfile.TemporaryDirectory() as folder:
        artifact = Path(folder) / "artifact"
        took["save"] = seconds(lambda: save(built, artifact))
        took["load"] = seconds(lambda: load(artifact))
        command = [sys.executable, "-m", "construct", "run", str(artifact), str(text)]
        command += ["--executor", executor, "--dtype", "float64", "--check"]
        commands = [seconds(lambda: _succeed(command)) for _ in range(times)]
    prompt = built.prompt(text.read_text(encoding="utf-8"))
    again = [seconds(lambda: _right(built, prompt, executor)) for _ in range(times + 1)]
    took |= {"command": min(commands), "first run": again[0], "run": min(again[1:])}
    reports: list[Any] = []
    took["verify"] = seconds(
        lambda: reports.append(verify(built, executor, "float64", PROMPTS, seed=1))
    )
    if not reports[0].passed:
        raise SystemExit(f"paper.py: {name}, {executor}: {reports[0].failures[0]}.")
    sizes = built.sizes
    return {
        "set": name,
        "executor": executor,
        **{key: getattr(sizes, key) for key in ("K", "d", "m", "n", "S", "P", "D", "N")},
        "non-zeros": built.transformer.nonzeros,
        "certified": list(built.certified),
        **took,
        "memory of the build": memory,
        "memory": peak_memory(),
    }


def _succeed(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"paper.py: {' '.join(command[3:5])}: {done.stderr.strip()}")


def _right(built: Any, prompt: Any, executor: str) -> None:
    got = run(built, prompt, executor=executor, dtype="float64")
    if got.votes != mixture(built.tasks, prompt).votes:
        raise SystemExit(f"paper.py: {executor} counts other votes than the specification.")


def main() -> None:
    quick = options(__doc__, measure).quick
    executors, times = (EXECUTORS[:1], 1) if quick else (EXECUTORS, 2)
    rows = [apart(__file__, name=n, executor=e, times=times) for n in SETS for e in executors]
    summary = {}
    for row in rows:
        where = f"{row['set']}, {row['executor']}"
        summary[f"{where}, seconds to build"] = row["build"]
        summary[f"{where}, seconds of the command"] = row["command"]
        summary[f"{where}, seconds of a run"] = row["run"]
        summary[f"{where}, seconds to verify {PROMPTS}"] = row["verify"]
        summary[f"{where}, MiB"] = row["memory"] / 2**20
    write("paper", quick, summary, rows=rows)


if __name__ == "__main__":
    main()
