"""Artifacts whose claims are changed, with the checksums computed anew.

`load` must refuse, or what it gives must say of itself what a build of its own tasks says,
and run as these tasks demand. Weights may be others than the tasks compile to only where
`verify` says so, and margins others than a build would choose only where votes are right.
"""

import copy
import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction as Q
from pathlib import Path
from random import Random
from typing import Any

from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors

from attack.outcome import Case, Outcome
from attack.paths import at, paths
from attack.prompts import Prompts
from attack.reckoning import Reckoned, as_text, compact, judge
from attack.targets import _one, compare, compiled, held
from construct import ConstructError, Construction, build, load, save
from construct.spec.prompt import Prompt as Given

CONFIG, MODEL = "config.json", "model.safetensors"
_FRACTION = re.compile(r"[0-9]+/[0-9]+")
AFFINE = {"name": "f", "kind": "affine", "A": [[2, 1], [0, 1]], "b": ["1/3", 0]}
FILES: dict[str, dict[str, Any]] = {
    # The bound on a length is rounded up, so that no prompt shows one that is a little less.
    "formula": {
        **{"d": 2, "n": 2, "domain": {"R": 1, "Ry": 4, "delta": 1, "tau": "1/8"}},
        "tasks": [
            {"name": "curve", "kind": "formula", "f": ["x[1]^2 + x[1]", "x[1]*x[2]"]},
            {"name": "next", "kind": "shift", "by": [2, 0]},
        ],
    },
    "affine": {
        **{"d": 2, "n": 2, "tasks": [AFFINE, {"name": "p", "kind": "shift", "by": [1, 2]}]},
        "domain": {"R": 4, "Ry": 16, "delta": 1},
    },
    "dictionary": {
        **{"d": 1, "n": 3, "domain": {"R": 4, "Ry": 8, "delta": 1}},
        "tasks": [
            {"name": "plus", "kind": "sum", "positions": [1, 2]},
            {"name": "size", "kind": "absolute"},
            {"name": "third", "kind": "affine", "A": {"2": [["1/3"]]}},
        ],
    },
    "words": {
        **{"n": 2, "vocabulary": ["a", "b", "c"]},
        "tasks": [{"name": "next", "kind": "lookup", "table": {"a": "b", "b": "c"}}],
    },
    # A value that int64 does not hold stands in the metadata.
    "large": {
        **{"d": 1, "n": 2, "domain": {"R": 1, "Ry": 4, "delta": 1}},
        "tasks": [{"name": "f", "kind": "affine", "A": [[f"{10**30 + 1}/{3 * 10**30}"]]}],
    },
    "scratch": {
        **{"d": 1, "n": 2, "domain": {"R": 2, "Ry": 4, "delta": 1}, "scratch": 1},
        "tasks": [
            {"name": "size", "kind": "absolute"},
            {"name": "tent", "kind": "relu-sum", "features": [[{"a": [2], "e": -1}]], "C": [[1]]},
        ],
    },
}
M = 3


# --- Changes -------------------------------------------------------------------


def changes(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every change of a config that is tried, the exchanged layers first."""
    parts = [("name",), ("name", "lemma"), ("heads",), ("name", "heads"), ("mlp",)]
    found: list[dict[str, Any]] = [
        {"swap": [i, j], "keys": list(keys)}
        for keys in parts
        for i, j in ((1, 3), (0, 1), (1, 2), (2, 3), (4, 6), (5, 6))
    ]
    for path in paths(config):
        if path[0] == "checksums":
            continue
        found.append({"path": list(path), "do": "drop"})
        value = at(config, path)
        if isinstance(value, list) and len(value) > 1:
            found.append({"path": list(path), "do": "reverse"})
        elif not isinstance(value, dict | list):
            found += [{"path": list(path), "to": new} for new in others(value)]
    return found


def others(value: Any) -> list[Any]:
    """Other values of the same kind, and of another."""
    if isinstance(value, bool) or value is None:
        return [0, "x"]
    if isinstance(value, int):
        return [value + 1, value - 1, 2 * value + 1, str(value)]
    if isinstance(value, str):
        less = [as_text(Q(value) * (1 - Q(1, 1 << 20)))] if _FRACTION.fullmatch(value) else []
        return [value + "x", "", 0, *less] + ([f"{value}0"] if "/" in value else [])
    return [1, None]


def changed(config: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The config with one change."""
    new = copy.deepcopy(config)
    if "swap" in change:
        one, other = (new["layers"][i] for i in change["swap"])
        for key in change["keys"]:
            one[key], other[key] = other[key], one[key]
        return new
    *way, last = change["path"]
    parent = at(new, way)
    if change.get("do") == "drop":
        del parent[last]
    elif change.get("do") == "reverse":
        parent[last].reverse()
    else:
        parent[last] = change["to"]
    return new


def sealed(config: dict[str, Any], model: bytes) -> dict[str, Any]:
    """The config with the checksums of what it holds."""
    sums = {MODEL: hashlib.sha256(model).hexdigest()}
    text = json.dumps({**config, "checksums": sums}, sort_keys=True, separators=(",", ":"))
    return {**config, "checksums": {**sums, CONFIG: hashlib.sha256(text.encode()).hexdigest()}}


def changed_weight(model: bytes, change: dict[str, Any]) -> bytes:
    """The file with one number of a tensor changed, or a tensor left out."""
    tensors = {name: tensor.copy() for name, tensor in read_tensors(model).items()}
    length = int.from_bytes(model[:8], "little")
    metadata = json.loads(model[8 : 8 + length])["__metadata__"]
    name = change["tensor"]
    if change["do"] == "drop":
        for key in [key for key in tensors if key == name or key.startswith(f"{name}.")]:
            del tensors[key]
    else:
        flat = tensors[name].reshape(-1)
        place = change["at"] % len(flat)
        flat[place] = {"double": 2 * flat[place], "more": flat[place] + 1}.get(change["do"], 0)
    return write_tensors(tensors, metadata=metadata)


# --- Checking ------------------------------------------------------------------


def check_claims(case: Case) -> Outcome:
    """Change a saved artifact, and hold what loads to its own words."""
    out = Outcome()
    made = compiled(case["file"], case["m"])
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "artifact"
        save(made, target)
        config = json.loads((target / CONFIG).read_text())
        model = (target / MODEL).read_bytes()
        _unchanged(out, made, target)
        for number, change in enumerate(case["changes"]):
            _change(out, case, target, config, model, change, number)
    return out


def _unchanged(out: Outcome, made: Construction, target: Path) -> None:
    """What was saved loads again, and is the same."""
    try:
        loaded = load(target)
    except Exception as error:
        out.crash(error, "load of what was saved")
        return
    if description(loaded) != description(made) or other_weight(loaded, made):
        out.add("claim", "what was saved is not what loads")


def _change(
    out: Outcome,
    case: Case,
    target: Path,
    config: dict[str, Any],
    model: bytes,
    change: dict[str, Any],
    number: int,
) -> None:
    new_model = changed_weight(model, change) if "tensor" in change else model
    new = config if "tensor" in change else changed(config, change)
    (target / MODEL).write_bytes(new_model)
    (target / CONFIG).write_text(json.dumps(sealed(new, new_model)))
    out.counts["artifacts changed"] += 1
    try:
        loaded = load(target)
    except ConstructError:
        out.counts["artifacts refused"] += 1
        return
    except Exception as error:
        out.crash(error, f"load after {change}", number)
        return
    out.counts["artifacts that load all the same"] += 1
    try:
        own = build(
            loaded.tasks,
            m=loaded.sizes.m,
            n=loaded.sizes.n,
            domain=loaded.domain,
            vocabulary=loaded.vocabulary,
            scratch=loaded.sizes.w,
        )
    except ConstructError as error:
        out.add("claim", f"after {change} it loads, and does not build: {error}", number)
        return
    if held(loaded) != held(own):
        # What is proved of a formula is not proved by `load`.
        out.counts["formulas held otherwise"] += 1
        if not noticed(out, target, change, number):
            out.add("held", f"after {change} a formula is held otherwise, unnoticed", number)
        return
    # A build may choose other margins; those of the weights are judged, and have to do.
    other_margins = loaded.margins != own.margins
    out.counts["other margins"] += other_margins
    left_out = {"margins", "certificates"} if other_margins else set()
    for what, said in description(loaded).items():
        if what not in left_out and said != description(own)[what]:
            out.add("claim", f"after {change} load believes other {what} than a build", number)
            return
    first = other_weight(loaded, own)
    if first:
        out.counts["other weights"] += 1
        if noticed(out, target, change, number):
            return
        if not other_margins:
            out.add("weight", f"after {change} {first} differs, and verify is content", number)
            return
    _runs(out, case, loaded, change, number)


def description(made: Construction) -> dict[str, Any]:
    """All that an artifact says of itself."""
    layers = made.transformer.layers
    return {
        "sizes": made.sizes,
        "margins": made.margins,
        "certificates": dict(made.certificates),
        "layers": [(layer.name, layer.lemma) for layer in layers],
        "heads": [[(h.name, h.purpose, h.reach) for h in layer.heads] for layer in layers],
        "MLPs": [(layer.mlp.purpose, layer.mlp.acts) for layer in layers],
        "answer token": made.transformer.answer,
    }


def other_weight(one: Construction, other: Construction) -> str | None:
    """The name of the first weight that is not the same, entry by entry."""
    theirs = other.transformer.weights()
    for name, weight in one.transformer.weights().items():
        if weight.shape != theirs[name].shape or (weight != theirs[name]).nnz:
            return name
    exact = [made.transformer.exact_entries() for made in (one, other)]
    for name in exact[0].keys() | exact[1].keys():
        pairs = [sorted(e[name].items()) if name in e else None for e in exact]
        if pairs[0] != pairs[1]:
            return name
    return None


def noticed(out: Outcome, target: Path, change: dict[str, Any], number: int) -> bool:
    """Whether `construct verify` fails on it, in a sentence."""
    from construct.cli import main

    argv, streams = sys.argv, (sys.stdout, sys.stderr)
    sys.argv = ["construct", "verify", str(target), "--prompts", "50", "--executor", "numpy"]
    with tempfile.TemporaryFile("w+") as sink:
        try:
            sys.stdout = sys.stderr = sink
            main()
        except SystemExit as status:
            return status.code not in (0, None)
        except Exception as error:
            out.crash(error, f"verify after {change}", number)
            return True
        finally:
            sys.argv = argv
            sys.stdout, sys.stderr = streams
    return False


def _runs(
    out: Outcome, case: Case, loaded: Construction, change: dict[str, Any], number: int
) -> None:
    """The loaded artifact does what its own tasks demand."""
    own = {"tasks": loaded.definitions}
    file = json.loads(json.dumps({**case["file"], **own, "domain": loaded.domain.to_json()}))
    if loaded.vocabulary is not None:
        file["vocabulary"] = list(loaded.vocabulary)
    file |= {"n": loaded.sizes.n, "d": loaded.sizes.d}
    task_set = Reckoned.of(file, loaded.sizes.m, held(loaded))
    runs = [("exact", "exact"), *(("numpy", dtype) for dtype in loaded.certified)]
    for executor, dtype in runs:
        # The same prompts for each change: these are many.
        rng = Random(compact(case["file"]))
        source = Prompts(rng, task_set, dtype, one_hot=loaded.vocabulary is not None)
        for prompt in [source.draw() for _ in range(3)]:
            verdict = judge(task_set, prompt, dtype)
            given = Given.of(prompt["examples"], prompt["query"])
            answer = _one(out, loaded, given, verdict, (executor, dtype), number)
            if answer is not None:
                compare(out, loaded, prompt, verdict, answer, (executor, dtype), number)


def claims(rng: Random, number: int) -> Iterator[Case]:
    """Every claim of config.json changed; numbers of the weights."""
    name = list(FILES)[number % len(FILES)]
    made = compiled(FILES[name], M)
    with tempfile.TemporaryDirectory() as folder:
        target = save(made, Path(folder) / "artifact")
        config = json.loads((target / CONFIG).read_text())
        tensors = list(read_tensors((target / MODEL).read_bytes()))
        shutil.rmtree(target)
    every = changes(config)
    # What is said of a formula first: nothing else is the word of the file alone.
    some = [change for change in every if change.get("path", [""])[-1] == "epsilon"]
    some += every[:30] + rng.sample(every[30:], min(30, len(every) - 30))
    for do in ("double", "more", "zero", "drop"):
        for tensor in rng.sample(tensors, min(3, len(tensors))):
            some.append({"tensor": tensor, "do": do, "at": rng.randrange(1000)})
    step = 15
    for start in range(0, len(some), step):
        yield {
            **{"check": "claims", "file": FILES[name], "m": M},
            "changes": some[start : start + step],
        }
