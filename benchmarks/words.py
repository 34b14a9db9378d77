"""Tables of words, from a few to 50,257: what they cost to build and to run, start included.

    python benchmarks/words.py            542, 8,776 and 50,257 words, every executor
    python benchmarks/words.py --quick    542 words, NumPy and the exact executor

Each time is that of a whole process, the least of a few, in turns with the smallest artifact
(K = 2, d = 2, m = 2). Every run checks its answer against the specification. Prompts have
examples of every task, some that no task explains, and one that two tasks explain.
"""

import json
import random
import tempfile
from pathlib import Path
from typing import Any

from common import options, word_list, word_tables, word_tasks, write
from construct import load
from construct.cost.machine import command
from construct.execute.registry import EXECUTORS

# Words, tables, pairs of each, slots for examples, executors.
ALL = tuple(EXECUTORS)
CASES = (
    (542, 2, 197, 32, ALL),
    (8776, 1, 4698, 32, ALL),
    (50257, 4, 50257, 64, ("numpy", "jax", "sparse")),
)
# The two whose times are to be alike.
PAIRS = (50, 400)
NOISE = 4


def drawn(words: int, K: int, pairs: int, m: int, seed: int = 0) -> tuple[dict[str, Any], str]:
    """A task file of random tables, and a full prompt."""
    draws = random.Random(seed)
    listed, tables = word_list(words), word_tables(words, K, pairs, draws)
    first = next(iter(tables[0]))
    lines = [draws.choice(list(tables[i % K].items())) for i in range(m - NOISE - 1)]
    lines += [(draws.choice(listed), draws.choice(listed)) for _ in range(NOISE)]
    # An example that two tasks explain.
    tables[-1][first] = tables[0][first]
    lines.append((first, tables[0][first]))
    draws.shuffle(lines)
    text = "".join(f"{a} -> {b}\n" for a, b in lines)
    return word_tasks(words, tables), f"{text}{draws.choice(list(tables[0]))} ->\n"


def built(folder: Path, words: int, K: int, pairs: int, m: int) -> dict[str, Any]:
    """Build an artifact of words in a folder; what that took."""
    tasks, prompt = drawn(words, K, pairs, m)
    (folder / "tasks.json").write_text(json.dumps(tasks))
    (folder / "prompt").write_text(prompt)
    made = folder / "artifact"
    took = command("build", "--tasks", str(folder / "tasks.json"), "--m", str(m), "-o", str(made))
    nonzeros = load(made).transformer.nonzeros
    bytes_ = (made / "model.safetensors").stat().st_size
    return {"build": took.seconds, "bytes": took.bytes, "stored": bytes_ / (8 * nonzeros)}


def smallest(folder: Path) -> None:
    """The smallest artifact, and a prompt."""
    made = folder / "artifact"
    command("build", "--K", "2", "--d", "2", "--m", "2", "--out", str(made))
    (folder / "prompt").write_text('{"examples": [], "query": [[1, 2]]}')


def runs(folders: dict[str, Path], executor: str, times: int) -> dict[str, Any]:
    """The least seconds, and the most bytes, of a run of each artifact, in turns."""
    found: dict[str, list] = {name: [] for name in folders}
    for _ in range(times):
        for name, folder in folders.items():
            paths = str(folder / "artifact"), str(folder / "prompt")
            found[name].append(command("run", *paths, "--executor", executor, "--check"))
    return {
        name: {"seconds": min(x.seconds for x in all_), "bytes": max(x.bytes for x in all_)}
        for name, all_ in found.items()
    }


def main() -> None:
    quick = options(__doc__).quick
    times, cases = (1, [(*CASES[0][:4], ("numpy", "exact"))]) if quick else (3, list(CASES))
    rows, summary = [], {}
    with tempfile.TemporaryDirectory() as root:
        tiny = Path(root) / "tiny"
        tiny.mkdir()
        smallest(tiny)
        for words, K, pairs, m, executors in cases:
            folder = Path(root) / str(words)
            folder.mkdir()
            build = built(folder, words, K, pairs, m)
            summary[f"{words} words, seconds to build"] = build["build"]
            summary[f"{words} words, GiB to build"] = build["bytes"] / 2**30
            summary[f"{words} words, stored over 8 bytes a non-zero"] = build["stored"]
            for executor in executors:
                took = runs({"tiny": tiny, "words": folder}, executor, times)
                row = {"words": words, "K": K, "pairs": pairs, "m": m, "executor": executor}
                rows.append({**row, **took})
                one, least = took["words"], took["tiny"]["seconds"]
                summary[f"{words} words, {executor}, seconds"] = one["seconds"]
                summary[f"{words} words, {executor}, more than the smallest"] = (
                    one["seconds"] - least
                )
                summary[f"{words} words, {executor}, GiB"] = one["bytes"] / 2**30
        if not quick:
            summary |= alike(Path(root), times)
    write("words", quick, summary, rows=rows)


def alike(root: Path, times: int) -> dict[str, float]:
    """Whether a run takes longer with the larger of two tables, of 50 and of 400 pairs."""
    folders = {}
    for pairs in PAIRS:
        folders[str(pairs)] = root / f"pairs{pairs}"
        folders[str(pairs)].mkdir()
        built(folders[str(pairs)], 2 * pairs, 1, pairs, 32)
    found = {}
    for executor in ("sparse", "jax"):
        took = runs(folders, executor, times)
        ratio = took[str(PAIRS[1])]["seconds"] / took[str(PAIRS[0])]["seconds"]
        found[f"400 pairs over 50, {executor}"] = ratio
    return found


if __name__ == "__main__":
    main()
