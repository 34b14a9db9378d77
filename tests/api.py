"""Every public callable with wrong arguments, one at a time: what happens?

A program of its own, for in the tests signatures are enforced by beartype, which would
refuse first. Prints, as JSON, for each public name what went wrong.
"""

import contextlib
import inspect
import io
import json
import math
import os
import signal
import tempfile
from typing import Any

import numpy as np

import construct
from construct import ConstructError, Domain, Prompt, Sizes, Vocabulary, build, permutation, relu
from construct.spec.kinds import KINDS as CONSTRUCTORS
from kinds import KINDS, NUMBERS

WRONG: dict[str, Any] = {
    "None": None,
    "[]": [],
    "{}": {},
    "text": "x",
    "bytes": b"x",
    "NUL": "a\0b",
    "-1": -1,
    "0": 0,
    "1.5": 1.5,
    "True": True,
    "NaN": math.nan,
    "object": object(),
    "type": int,
    "function": len,
    "[None]": [None],
    "{1: None}": {1: None},
    "long": 10**5000,
    "array of NaN": np.array([[[math.nan]]]),
    "objects": np.array([[[1.5, None]]], dtype=object),
    "0-d": np.array(1),
}

# A refusal takes milliseconds.
SECONDS = 2

# Made by the library, read by the user.
RECORDS = {"Answer", "Construction", "Margins", "Mixture", "Pass", "Report", "Residual", "TaskFile"}
RECORDS |= {
    "Approximation",
    "ReluSum",
    "Smoothness",
    "Formula",
    "Head",
    "Layer",
    "Mlp",
    "Pairs",
    "Token",
    "Trace",
    "Transformer",
}
ERRORS = {"CheckFailed", "ConstructError", "OutsideDomain"}

WORDS = Vocabulary(["a", "b"])
FLIP = permutation("flip", [2, 1])
MADE = build([FLIP, relu("relu", d=2)], m=2)
PROMPT = Prompt.of([[[1, 2], [2, 1]]], [[3, 4]])
STREAM = construct.embed(MADE.transformer, PROMPT)
SEEN = construct.trace(MADE, PROMPT)
TEXT = '{"examples": [], "query": [[1, 2]]}'
TASKS = '{"tasks": [{"name": "f", "kind": "affine", "A": [[1]]}]}'

# name -> right arguments, and for each the wrong ones that are right after all.
Table = dict[str, tuple[Any, dict[str, Any], dict[str, list[str]]]]


def table(folder: str) -> Table:
    """The callables of the package, and two that are methods."""
    name = ["text", "NUL"]
    path = os.path.join(folder, "made")
    named = {"name": "f", "d": 2, "vocabulary": WORDS}
    kinds: Table = {}
    for kind, make in CONSTRUCTORS.items():
        context = {key: named[key] for key in inspect.signature(make).parameters.keys() & named}
        right = {**context, **KINDS[kind].example(2)}
        kinds[make.__name__] = make, right, {"name": name, **KINDS[kind].fine}
    return kinds | {
        "Construction.prompt": (
            MADE.prompt,
            {"examples": [[[1, 2], [2, 1]]], "query": [[3, 4]]},
            {"examples": ["[]"]},
        ),
        "Domain": (
            Domain,
            {"R": 8, "Ry": 8, "delta": 1, "grid": 1, "tau": 0},
            {
                **{"R": ["1.5"], "Ry": ["1.5"], "delta": ["1.5"]},
                **{"grid": ["1.5", "None"], "tau": ["0"]},
            },
        ),
        "Domain.from_json": (Domain.from_json, {"value": {"R": 8, "Ry": 8, "delta": 1}}, {}),
        "Hinge": (
            construct.Hinge,
            {"c": 1, "a": ((1, (1, 1)),), "e": 0},
            {"c": NUMBERS, "e": NUMBERS, "a": ["[]"]},
        ),
        "Prompt": (
            Prompt,
            {"X": PROMPT.X, "Y": PROMPT.Y, "query": PROMPT.query, "lines": (1,)},
            {},
        ),
        "Prompt.of": (Prompt.of, {"examples": [], "query": [[1, 2]]}, {"examples": ["[]"]}),
        "Prompt.astype": (PROMPT.astype, {"dtype": "float64"}, {}),
        "Sizes": (
            Sizes,
            {"K": 1, "d": 1, "m": 1, "n": 2, "S": 0, "P": 0},
            {"m": ["0"], "S": ["0"], "P": ["0"]},
        ),
        "Task": (
            construct.Task,
            {
                "name": "f",
                "A": dict(FLIP.A),
                "b": FLIP.b,
                "features": relu("relu", d=2).features,
                "C": np.array([[1, 0], [0, 1]], dtype=object),
            },
            {"name": name, "A": ["{}"]},
        ),
        "Task.__call__": (FLIP, {"X": [1, 2]}, {}),
        "Vocabulary": (Vocabulary, {"words": ["a"]}, {}),
        "Vocabulary.index": (WORDS.index, {"word": "a"}, {}),
        "Vocabulary.one_hot": (WORDS.one_hot, {"word": "a"}, {}),
        "build": (
            build,
            {
                **{"tasks": [FLIP], "m": 2, "n": 2, "domain": Domain(8, 8, 1)},
                **{"vocabulary": WORDS, "format": "{1}: {y}", "design": "theorem"},
            },
            {"n": ["None"], "domain": ["None"], "format": ["None"]},
        ),
        "approximate": (
            construct.approximate,
            {"phi": "sin(x)", "interval": (-1, 1), "epsilon": "1/10"},
            {"phi": ["text"], "epsilon": ["1.5"]},
        ),
        "definition12": (
            construct.definition12,
            {"g": construct.approximate("sin(x)", (-1, 1), "1/10")},
            {},
        ),
        "smoothness": (
            construct.smoothness,
            {"phi": "sin(x)", "R": 2},
            {"phi": ["text"], "R": ["1.5"]},
        ),
        "check_domain": (
            construct.check_domain,
            {"prompt": PROMPT, "tasks": MADE.tasks, "domain": MADE.domain, "m": 2},
            {"tasks": ["[]"]},
        ),
        "embed": (construct.embed, {"transformer": MADE.transformer, "prompt": PROMPT}, {}),
        "embed_all": (
            construct.embed_all,
            {"transformer": MADE.transformer, "prompts": [PROMPT]},
            {},
        ),
        "formula": (
            construct.formula,
            {"name": "f", "f": ["x[1]"], "d": 1, "n": 2, "epsilon": "1/2"},
            {"name": name, "d": ["None"], "n": ["None"], "epsilon": ["None", "1.5"]},
        ),
        "Formula.__call__": (construct.formula("f", ["x[1]"]), {"X": [1]}, {"X": ["[]"]}),
        "load": (construct.load, {"directory": path}, {}),
        "mixture": (
            construct.mixture,
            {"tasks": [FLIP], "prompt": PROMPT, "delta": 1, "tau": 0},
            {"delta": ["1.5"], "tau": ["0"]},
        ),
        "parse_prompt": (
            construct.parse_prompt,
            {"text": TEXT, "d": 2, "n": 2, "vocabulary": WORDS, "format": "{1}: {y}"},
            {"format": ["None"]},
        ),
        "parse_tasks": (
            construct.parse_tasks,
            {"text": TASKS, "source": "it", "folder": "."},
            {"source": name, "folder": ["None", "text"]},
        ),
        "predictions": (
            construct.predictions,
            {"construction": MADE, "prompt": PROMPT, "executor": "numpy", "dtype": "float64"},
            {"executor": ["None"], "dtype": ["None"]},
        ),
        "prepare": (
            construct.prepare,
            {"name": "sparse", "transformer": MADE.transformer, "dtype": "float64", "mesh": None},
            {"mesh": ["None"]},
        ),
        "prepare()": (construct.prepare("numpy", MADE.transformer), {"stream": STREAM}, {}),
        "random_tasks": (construct.random_tasks, {"K": 1, "d": 1, "seed": 0}, {"seed": ["0"]}),
        "run": (
            construct.run,
            {"construction": MADE, "prompt": PROMPT, "executor": "numpy", "dtype": "float64"},
            {"executor": ["None"], "dtype": ["None"]},
        ),
        "run_all": (
            construct.run_all,
            {"construction": MADE, "prompts": [PROMPT], "executor": "numpy", "dtype": "float64"},
            {"prompts": ["[]"], "executor": ["None"], "dtype": ["None"]},
        ),
        "save": (
            construct.save,
            {"construction": MADE, "directory": path, "dense": False},
            {"directory": ["text"], "dense": ["True"]},
        ),
        "trace": (
            construct.trace,
            {"construction": MADE, "prompt": PROMPT, "executor": "numpy", "dtype": "float64"},
            {"executor": ["None"], "dtype": ["None"]},
        ),
        "Trace.token": (SEEN.token, {"example": 0, "position": 1}, {"example": ["0"]}),
        "Trace.field": (SEEN.field, {"name": "tok", "layer": 1}, {"layer": ["None", "0"]}),
        "Trace.patched": (
            SEEN.patched,
            {"name": "tok", "value": 1, "layer": 1, "tokens": [0]},
            {
                **{"layer": ["0"], "tokens": ["None", "0", "0-d"]},
                **{"value": ["-1", "0", "1.5", "0-d"]},
            },
        ),
        "unembed": (construct.unembed, {"transformer": MADE.transformer, "stream": STREAM}, {}),
        "verify": (
            construct.verify,
            {
                "construction": MADE,
                "executor": "numpy",
                "dtype": "float64",
                "prompts": [PROMPT],
                "seed": 0,
                "seconds": 60,
                "progress": lambda done: None,
            },
            {"seed": ["0"], "seconds": ["None", "1.5"], "progress": ["function", "type", "object"]},
        ),
    }


def what_goes_wrong(call: Any, right: dict[str, Any], fine: dict[str, list[str]]) -> list[str]:
    """One sentence for each wrong argument that is not refused in one sentence."""
    found = []
    for parameter in right:
        for label, value in WRONG.items():
            if label in fine.get(parameter, []):
                continue
            signal.alarm(SECONDS)
            try:
                call(**{**right, parameter: value})
                found.append(f"{parameter} = {label} is accepted")
            except ConstructError as error:
                if len(str(error)) > 1000 or not str(error).endswith("."):
                    found.append(f"{parameter} = {label}: {str(error)[:60]!r} is no sentence")
            except Exception as error:
                found.append(f"{parameter} = {label}: {type(error).__name__}: {str(error)[:60]}")
            finally:
                signal.alarm(0)
    return found


def too_long(*_: Any) -> None:
    """What does not end is a finding too."""
    raise TimeoutError(f"not refused in {SECONDS} s")


def main() -> None:
    """Print {name: what goes wrong}."""
    signal.signal(signal.SIGALRM, too_long)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        construct.save(MADE, "made")
        found = {name: what_goes_wrong(*row) for name, row in table(folder).items()}
        os.chdir("/")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
