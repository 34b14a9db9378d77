"""What the page about a pass shows, as JSON: all of it is read off the pass."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from construct.designs.theorem import level, place, superpose
from construct.errors import brief
from construct.inside.tokens import Token, written
from construct.inside.trace import Trace
from construct.network.residual import Field
from construct.rational import to_json
from construct.show.report.heads import heads
from construct.show.report.numbers import number
from construct.show.report.stream import stream

# Told: so many parts of the work are done, of so many.
Step = Callable[[int, int], None]


def nothing(done: int, total: int) -> None:
    """Tells nobody."""


def data(trace: Trace, step: Step = nothing) -> dict[str, Any]:
    """All that the page shows.

    Args:
        step: is told after each layer's heads, and after the stream.
    """
    total, answer = len(trace.layers) + 1, answer_token(trace)
    layers = []
    for number_, layer in enumerate(trace.layers, 1):
        found = list(heads(trace, number_, answer))
        mlp = None if layer.mlp.idle else layer.mlp.purpose
        layers.append({"name": layer.name, "lemma": layer.lemma, "heads": found, "mlp": mlp})
        step(number_, total)
    found_stream = stream(trace)
    step(total, total)
    return {
        **_about(trace),
        "tasks": _tasks(trace),
        "answer": answer_json(trace),
        "examples": _examples(trace),
        "asked": [written(trace.construction, x) for x in trace.prompt.query],
        "tokens": [_token(token) for token in trace.tokens],
        "answer_token": answer,
        "fields": [_field(trace, field) for field in trace.fields],
        "layers": layers,
        "stream": found_stream,
    }


def _about(trace: Trace) -> dict[str, Any]:
    made = trace.construction
    sizes: Any = made.transformer.sizes
    words = made.vocabulary
    return {
        "design": made.design,
        "of": made.softmax.of if made.softmax is not None else "",
        "attention": str(made.transformer.attention),
        "softmax": made.transformer.attention.softmax,
        "causal": made.transformer.attention.causal,
        "leak": number(getattr(made, "leak", 0)),
        "executor": trace.executor,
        "dtype": trace.dtype,
        "sizes": {name: getattr(sizes, name) for name in ("K", "d", "m", "n", "N", "D", "length")},
        "words": None if words is None else list(words),
        "vote_layer": vote_layer(trace),
        "level_layer": level_layer(trace),
    }


def answer_token(trace: Trace) -> int:
    """The index of the token at which the answer to the query is read."""
    made = trace.construction
    if made.softmax is None:
        return made.transformer.answer
    sizes: Any = made.transformer.sizes
    return made.softmax.queries(sizes, len(trace.prompt.X))[-1]


def vote_layer(trace: Trace) -> int:
    """The layer, from 1, whose head k tests task k on every example."""
    made = trace.construction
    if made.softmax is None:
        return place(made.margins, superpose) + 1
    return made.softmax.blocks.index(made.softmax.tests) + 1


def level_layer(trace: Trace) -> int | None:
    """The layer, from 1, that makes votes of the scores of a flat gate; None for others."""
    made = trace.construction
    if made.softmax is not None or not made.margins.flat:
        return None
    return place(made.margins, level) + 1


def answer_json(trace: Trace) -> dict[str, Any]:
    """The answer as `construct run --json` prints it, but for the bound, which is proved of it."""
    answer, prompt = trace.answer, trace.prompt
    exact = answer.answer.dtype == object
    names = [task.name for task in trace.construction.tasks]
    weights = [to_json(w if exact else float(w)) for w in answer.weights]
    said: dict[str, Any] = {
        "answer": to_json(answer.answer),
        "weights": dict(zip(names, weights, strict=True)),
        "votes": dict(zip(names, map(_vote, answer.votes), strict=True)),
        "explained": len(prompt.X) - len(answer.unexplained),
        "unexplained": [prompt.lines[i] for i in answer.unexplained],
        "ambiguous": [prompt.lines[i] for i in answer.ambiguous],
    }
    if trace.construction.vocabulary is not None:
        shares = answer.distribution
        said["distribution"] = [[word, to_json(p)] for word, p in shares.items()]
        missing = 1 - sum(shares.values()) if said["explained"] else 0
        said["missing"] = to_json(missing) if missing > 1e-9 else 0
    return said


def _vote(x: Fraction) -> int | float:
    return int(x) if x.denominator == 1 else float(x)


def _tasks(trace: Trace) -> list[dict[str, Any]]:
    """For each task its votes, and what it says of the query by itself."""
    made, answer = trace.construction, trace.answer
    return [
        {
            "name": task.name,
            "computes": brief(task.described(200), 200),
            "votes": number(votes),
            "weight": number(weight),
            "says": _says(trace, held),
        }
        for task, held, votes, weight in zip(
            made.tasks, made.held, answer.votes, answer.weights, strict=True
        )
    ]


def _says(trace: Trace, task: Any) -> str:
    """What a task as the network holds it gives for the query; "" if no word."""
    image = task(trace.prompt.query)
    if trace.construction.vocabulary is not None and not np.any(image):
        return ""
    return written(trace.construction, image)


def _examples(trace: Trace) -> list[list[Any]]:
    """[line, inputs, label, [task, vote, token where it stands, ...]] of each example."""
    prompt, made = trace.prompt, trace.construction
    explains, at = trace.answer.explains, _places(trace)
    found = []
    for i, (X, y) in enumerate(zip(prompt.X, prompt.Y, strict=True)):
        votes = [
            part
            for k in np.flatnonzero(explains[:, i]).tolist()
            for part in (k, number(explains[k, i]), int(at[k, i]))
        ]
        found.append([prompt.lines[i], [written(made, x) for x in X], written(made, y), votes])
    return found


def _places(trace: Trace) -> np.ndarray:
    """(K, examples): the token of the example at which head k gives most."""
    sizes: Any = trace.construction.transformer.sizes
    given = trace.attended[vote_layer(trace) - 1][: sizes.K].astype(np.float64)
    starts = [token.index for token in trace.tokens if token.example is not None]
    each = np.array(starts, dtype=np.int64).reshape(-1, sizes.length)
    if not len(each):
        return np.zeros((sizes.K, 0), np.int64)
    return each[:, 0] + given[:, each].argmax(axis=-1)


def _token(token: Token) -> list[Any]:
    """[kind, example from 1 or 0 for none, whether of the query, position, text]."""
    example = 0 if token.example is None else token.example + 1
    return [token.kind, example, int(token.query), token.position, token.text]


def _field(trace: Trace, field: Field) -> dict[str, Any]:
    """Name, meaning, width, and what its entries are of: "words", "tasks", "code" or ""."""
    made = trace.construction
    entries = ""
    if field.name in OF_TASKS and field.width == len(made.tasks) > 1:
        entries = "tasks"
    elif field.name in OF_CODES:
        entries = "code"
    elif made.vocabulary is not None and field.name in _of_vectors(trace):
        entries = "words"
    return {"name": field.name, "holds": field.holds, "width": field.width, "entries": entries}


# Fields with an entry for each task, in the designs where they are so wide, and of codes.
OF_TASKS, OF_CODES = ("vote", "count", "odds"), ("pe", "pt")


def _of_vectors(trace: Trace) -> set[str]:
    """The fields whose entries are those of a token's vector."""
    d = trace.construction.transformer.sizes.d
    others = (*OF_TASKS, *OF_CODES, "g", "gx", "gq", "one", "ctx", "cnt", "tot", "sq", "rec")
    return {field.name for field in trace.fields if field.width == d and field.name not in others}
