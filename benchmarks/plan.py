"""Is what `construct plan` says what `construct run` then takes?

    python benchmarks/plan.py            twelve artifacts of words, vectors and formulas
    python benchmarks/plan.py --quick    two small ones, best of two

Each round plans and then builds and runs, in processes of their own, so that both see the
machine as it is. The least of each is compared: seconds, and the most bytes held. The task
files are drawn from a seed. Exit 1 if a ratio is beyond 2, or an answer is not as the
specification has it.
"""

import json
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common import (
    FORMULA_DOMAIN,
    RELU_DOMAIN,
    draw,
    figure,
    formula_tasks,
    near_prompt,
    options,
    relu_tasks,
    word_tables,
    word_tasks,
    write,
)
from construct import Task, random_tasks
from construct.cost.machine import EXECUTORS, Command, command
from construct.designs import DECODER, ENCODER, THEOREM

# How far a plan may be off, either way.
MOST = 2


@dataclass(frozen=True)
class Case:
    """An artifact: of words, if there are pairs of them in each table.

    Attributes:
        relu: whether tasks are random sums of ReLUs, which live at scratch tokens.
        epsilon: of tasks that are formulas.
        design: as `build` takes it.
    """

    K: int
    d: int
    m: int
    pairs: int = 0
    relu: bool = False
    epsilon: str = ""
    design: str = THEOREM

    @property
    def name(self) -> str:
        """As the table names it."""
        return self._kind + (f", {self.design}" if self.design != THEOREM else "")

    @property
    def _kind(self) -> str:
        if self.epsilon:
            return f"K = {self.K}, d = {self.d}, epsilon = {self.epsilon}, m = {self.m}"
        if self.relu:
            return f"K = {self.K}, d = {self.d}, ReLU, m = {self.m}"
        kind = f"{self.d} words, {self.K} x {self.pairs} pairs" if self.pairs else f"d = {self.d}"
        return f"{kind}, m = {self.m}" if self.pairs else f"K = {self.K}, {kind}, m = {self.m}"

    def write(self, folder: Path) -> list[str]:
        """A full prompt in the folder, and the arguments that say the sizes."""
        sizes = ["--m", str(self.m), "--design", self.design]
        if not self.pairs:
            prompt = _numbers(self)
            (folder / "prompt").write_text(json.dumps(prompt))
            if self.relu or self.epsilon:
                (folder / "tasks.json").write_text(json.dumps(_task_file(self)))
                return ["--tasks", str(folder / "tasks.json"), *sizes]
            return ["--K", str(self.K), "--d", str(self.d), *sizes]
        tasks, prompt = _words(self)
        (folder / "tasks.json").write_text(json.dumps(tasks))
        (folder / "prompt").write_text(prompt)
        return ["--tasks", str(folder / "tasks.json"), *sizes]


FULL = (
    Case(2, 542, 32, 197),
    Case(2, 2946, 32, 1199),
    Case(2, 8776, 32, 2349),
    Case(4, 50257, 64, 50257),
    Case(4, 16, 32),
    Case(16, 64, 256),
    Case(64, 256, 32),
    Case(4, 16, 4096),
    Case(16, 4, 256, relu=True),
    Case(64, 4, 32, relu=True),
    Case(3, 2, 256, epsilon="1/1000"),
    Case(3, 2, 32, epsilon="1/100000"),
    Case(2, 8776, 32, 2349, design=DECODER),
    Case(4, 50257, 32, 50257, design=DECODER),
    Case(4, 16, 4096, design=DECODER),
    Case(64, 16, 32, design=ENCODER),
    Case(4, 16, 4096, design=ENCODER),
)
QUICK = (FULL[0], FULL[4], FULL[12])


def _tasks(case: Case) -> list[Task]:
    """Those that `build` draws, or random sums of ReLUs."""
    return relu_tasks(case.K, case.d) if case.relu else random_tasks(case.K, case.d)


def _task_file(case: Case) -> dict[str, Any]:
    tasks = formula_tasks(case.epsilon) if case.epsilon else relu_tasks(case.K, case.d)
    domain = FORMULA_DOMAIN if case.epsilon else RELU_DOMAIN
    return {"tasks": [task.as_json(words=False) for task in tasks], "domain": domain.to_json()}


def _words(case: Case) -> tuple[dict[str, Any], str]:
    """A task file of random tables, and a prompt of their pairs."""
    draws = random.Random(0)
    tables = word_tables(case.d, case.K, case.pairs, draws)
    shown = [draws.choice(list(draws.choice(tables).items())) for _ in range(case.m)]
    lines = [f"{a} -> {b}" for a, b in shown] + [f"{next(iter(tables[0]))} ->"]
    return word_tasks(case.d, tables), "\n".join(lines)


def _numbers(case: Case) -> dict[str, Any]:
    """A prompt of whole numbers, labelled by the tasks; of real numbers for formulas."""
    if case.epsilon:
        prompt = near_prompt(formula_tasks(case.epsilon), case.m)
        pairs = zip(prompt.X.tolist(), prompt.Y.tolist(), strict=True)
        return {"examples": [[*x, y] for x, y in pairs], "query": prompt.query.tolist()}
    rng, tasks = np.random.default_rng(0), _tasks(case)
    X = rng.integers(-2, 3, (case.m, 1, case.d))
    labels = [tasks[k](x[None].astype(float))[0] for k, x in zip(_votes(rng, case), X, strict=True)]
    examples = [[x[0].tolist(), [int(v) for v in y]] for x, y in zip(X, labels, strict=True)]
    return {"examples": examples, "query": rng.integers(-2, 3, (1, case.d)).tolist()}


def _votes(rng: np.random.Generator, case: Case) -> list[int]:
    return rng.integers(case.K, size=case.m).tolist()


def planned(sizes: list[str]) -> dict[str, Any]:
    """What `construct plan` says."""
    done = subprocess.run(
        [sys.executable, "-m", "construct", "plan", *sizes, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def compared(case: Case, rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """For each command what was planned and what was measured: the least of some rounds."""
    said: dict[str, list[Command]] = {}
    took: dict[str, list[Command]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes, made, prompt = case.write(folder), str(folder / "made"), str(folder / "prompt")
        for _ in range(rounds):
            plan = planned(sizes)
            ways = {"build": plan["build"], **plan["run"]}
            for way, one in ways.items():
                said.setdefault(way, []).append(Command(one["seconds"], one["bytes"]))
            took.setdefault("build", []).append(command("build", *sizes, "--out", made))
            for way in plan["run"]:
                executor = EXECUTORS[way]
                took.setdefault(way, []).append(
                    command("run", made, prompt, "--executor", executor)
                )
        executor = EXECUTORS["sparse" if case.design == THEOREM else "dense"]
        command("run", made, prompt, "--check", "--executor", executor)
    return {way: {"planned": _least(said[way]), "measured": _least(took[way])} for way in said}


def _least(commands: list[Command]) -> dict[str, float]:
    return {
        "seconds": min(one.seconds for one in commands),
        "bytes": min(one.bytes for one in commands),
    }


def ratios(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Planned over measured."""
    return {unit: found["planned"][unit] / found["measured"][unit] for unit in ("seconds", "bytes")}


def plot(data: dict[str, Any], quick: bool) -> None:
    fig, axes = figure(2)
    for axis, unit in zip(axes[0], ("seconds", "bytes"), strict=True):
        both = [one for case in data.values() for one in case.values()]
        x = [one["measured"][unit] for one in both]
        axis.loglog(x, [one["planned"][unit] for one in both], "o", ms=4)
        ends = np.array([min(x) / 1.5, max(x) * 1.5])
        axis.loglog(ends, ends, "-", color="0.5", lw=0.8)
        axis.fill_between(ends, ends / MOST, ends * MOST, color="0.9")
        axis.set(xlabel=f"measured {unit}", ylabel=f"planned {unit}")
    draw(fig, "plan", quick)


def main() -> None:
    quick = options(__doc__).quick
    data: dict[str, Any] = {}
    print(f"{'':38} {'':6} {'seconds':>16} {'MB':>13}  planned/measured")
    for case in QUICK if quick else FULL:
        data[case.name] = compared(case, 2 if quick else 3)
        for way, found in data[case.name].items():
            p, q, by = found["planned"], found["measured"], ratios(found)
            print(
                f"{case.name:38} {way:6} {p['seconds']:7.2f} {q['seconds']:8.2f} "
                f"{p['bytes'] / 1e6:6.0f} {q['bytes'] / 1e6:6.0f}  "
                f"{by['seconds']:.2f} {by['bytes']:.2f}",
                flush=True,
            )
    found = {
        f"{name}, {way}, {unit}": ratio
        for name, case in data.items()
        for way, one in case.items()
        for unit, ratio in ratios(one).items()
    }
    far = max(found, key=lambda name: max(found[name], 1 / found[name]))
    summary = {
        "artifacts": len(data),
        "ratios, least": min(found.values()),
        "ratios, most": max(found.values()),
        "farthest": far,
    }
    write("plan", quick, summary, commands=data)
    plot(data, quick)
    if not 1 / MOST <= found[far] <= MOST:
        raise SystemExit(
            f"plan.py: the plan is off by a factor of more than {MOST}: {far}: {found[far]:.2f}; "
            "measure again on a quiet machine, and then the constants of construct/cost."
        )


if __name__ == "__main__":
    main()
