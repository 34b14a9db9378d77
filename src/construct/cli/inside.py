"""What `construct inspect --prompt` says: the inside of one pass, for people and for machines.

People and JSON count layers, heads, tokens, examples and entries from 1; layer 0 is the embedding.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

# So many rows of a list are printed for people; JSON has all of them.
MOST = 5
MOST_VOTES = 20

# Characters of a word and of a vector in the name of a token, and of what a field holds.
OF_WORD, OF_VECTOR, OF_VALUE = 14, 11, 38

# Softmax leaves a little of everything everywhere: people see what is at most this as 0.
LITTLE = 1e-12

# Fields, but for their number, that hold vectors as prompts do: of words a number for each.
VECTORS = ("tok", "lab", "qry", "out", "slot", "qslot", "op")

# Rationals with more characters are shown as decimals.
LONGEST = 12


def as_json(trace: Any) -> dict[str, Any]:
    """All of a pass: the scores that are not 0, the fields' entries that are not 0, the votes."""
    from construct.cli.run import report_of
    from construct.cli.show import machine

    made = trace.construction
    return {
        "design": made.design,
        "executor": trace.executor,
        "dtype": trace.dtype,
        "tokens": [
            {
                "token": token.index + 1,
                "kind": token.kind,
                "example": "query" if token.query else _from_1(token.example),
                "position": token.position or None,
                "text": token.text,
            }
            for token in trace.tokens
        ],
        "layers": [_layer_as_json(trace, number) for number in range(len(trace.layers) + 1)],
        "given": [[i + 1, task, machine(c)] for i, task, c in given(trace)],
        "answer_token": trace.answer_token + 1,
        "answer": report_of(made, trace.prompt, trace.answer, trace.dtype),
    }


def _from_1(number: int | None) -> int | None:
    return None if number is None else number + 1


def _layer_as_json(trace: Any, number: int) -> dict[str, Any]:
    from construct.cli.show import machine

    heads = []
    for head in heads_of(trace, number):
        pairs = trace.scores[number, head]
        scores = zip((pairs.asks + 1).tolist(), (pairs.reads + 1).tolist(), pairs, strict=True)
        heads.append(
            {
                "head": head + 1,
                "name": trace.layers[number - 1].heads[head].name,
                "scores": [[asks, reads, machine(one[2])] for asks, reads, one in scores],
                "closest": [None if x is None else machine(_plain(x)) for x in pairs.closest],
            }
        )
    fields = {}
    for field in trace.fields:
        values = trace.field(field.name, layer=number)
        tokens, entries = np.nonzero(values)
        held = values[tokens, entries].tolist()
        places = zip((tokens + 1).tolist(), (entries + 1).tolist(), held, strict=True)
        fields[field.name] = [[token, entry, machine(x)] for token, entry, x in places]
    return {"layer": number, "name": name_of(trace, number), "heads": heads, "fields": fields}


def _plain(x: Any) -> Any:
    """A number of NumPy as one of Python."""
    return x.item() if isinstance(x, np.generic) else x


def name_of(trace: Any, layer: int) -> str:
    """What the design calls a layer."""
    return trace.layers[layer - 1].name if layer else "embedding"


def heads_of(trace: Any, layer: int) -> list[int]:
    """The numbers of the heads of a layer that are not idle."""
    return [head for number, head in trace.scores if number == layer]


def given(trace: Any) -> Iterator[tuple[int, str, Any]]:
    """(example, task, votes) for each that is not 0: examples from 0."""
    names, explains = [task.name for task in trace.construction.tasks], trace.answer.explains
    for example, task in zip(*np.nonzero(explains.T), strict=True):
        yield int(example), names[task], _plain(explains[task, example])


# --- For people ------------------------------------------------------------------


def print_inside(trace: Any) -> None:
    """Layer by layer what the heads gave and what the layer changed; votes, and the answer."""
    from construct.cli.run import print_report, report_of
    from construct.cli.show import console

    out, made = console(), trace.construction
    some = sum(token.kind not in ("blank", "padding") for token in trace.tokens)
    out.print(f"One pass of the design {made.design}, by {trace.executor} in {trace.dtype}")
    out.print(f"{some} tokens (context: {len(trace.tokens)}), width {trace.states.shape[2]}")
    for number in range(len(trace.layers) + 1):
        out.print()
        out.print(f"Layer {number}: {name_of(trace, number)}", style="bold")
        heads = heads_of(trace, number)
        if number and not heads:
            out.print("  no head works here")
        for head in heads:
            _print_head(out, trace, number, head)
        for field in trace.fields:
            _print_field(out, trace, number, field)
    out.print()
    if made.softmax is not None:
        out.print(f"Numbers up to {LITTLE:g} are shown as 0 here; --json has them as they are.")
        out.print()
    _print_votes(out, trace)
    out.print()
    report = report_of(made, trace.prompt, trace.answer, trace.dtype)
    print_report(report, trace.prompt)


def _print_head(out: Any, trace: Any, layer: int, head: int) -> None:
    pairs, name = trace.scores[layer, head], trace.layers[layer - 1].heads[head].name
    what = "weight" if trace.construction.softmax is not None else "score"
    out.print(f"  head {_short(name, 40)}: {_count(len(pairs), what)}")
    rows = (
        (said(trace.tokens[pairs.asks[p]]), said(trace.tokens[pairs.reads[p]]), pairs.values[p])
        for p in _answer_first(trace, pairs.asks)
    )
    rows = ((asks, reads, _number(value)) for asks, reads, value in rows)
    _print_rows(out, rows, len(pairs), "asks", "reads", what)


def _print_field(out: Any, trace: Any, layer: int, field: Any) -> None:
    """What a field holds where the layer has changed it."""
    # Nothing stands behind the query of a decoder.
    there = trace.answer_token + 1 if trace.construction.transformer.attention.causal else None
    values = _seen(trace, trace.field(field.name, layer=layer)[:there])
    before = np.zeros_like(values)
    if layer:
        before = _seen(trace, trace.field(field.name, layer=layer - 1)[:there])
    changed = np.flatnonzero(_seen(trace, values - before).any(axis=1))
    changed = changed[_answer_first(trace, changed)]
    if len(changed):
        verb = "changes" if layer else "is there"
        out.print(f"  {field.name} {verb} at {_count(len(changed), 'token')}")
        rows = ((said(trace.tokens[t]), held(trace, field, values[t])) for t in changed)
        _print_rows(out, rows, len(changed), "token", "holds then" if layer else "holds")


def _answer_first(trace: Any, tokens: np.ndarray) -> np.ndarray:
    """An order of these tokens: first the one at which the answer is read, then as they are."""
    return np.argsort(tokens != trace.answer_token, kind="stable")


def _seen(trace: Any, values: np.ndarray) -> np.ndarray:
    """Numbers as people see them: of softmax attention a little is nothing."""
    if trace.construction.softmax is None:
        return values
    return np.where(np.array(abs(values) <= LITTLE, dtype=bool), 0, values)


def _print_rows(
    out: Any, rows: Iterable[tuple[str, ...]], count: int, *headers: str, most: int = MOST
) -> None:
    from rich.padding import Padding

    from construct.cli.show import table

    if count:
        out.print(Padding(table(islice(rows, most), *headers), (0, 0, 0, 4)))
    if count > most:
        out.print(f"    ... and {count - most:,} more")


def _print_votes(out: Any, trace: Any) -> None:
    """Which example votes for which task, and what of the answer that is."""
    from construct.cli.show import percent

    total = sum(trace.answer.votes)
    votes = list(given(trace))
    out.print(f"Votes: {len(votes):,}", style="bold")
    rows = (
        (f"example {example + 1}", _label(trace, example), _short(task, 24), percent(c / total))
        for example, task, c in votes
    )
    headers = ("from", "label", "for task", "of the answer")
    _print_rows(out, rows, len(votes), *headers, most=MOST_VOTES)


def _label(trace: Any, example: int) -> str:
    return _text(trace.tokens[trace.token(example, "label")])


def said(token: Any) -> str:
    """A token in words, such as "example 3, input 1 (France)"."""
    if not token.owner:
        return token.kind if token.kind == "sink" else f"{token.kind} (token {token.index + 1})"
    place, text = f"{token.owner}, {token.role}", _text(token)
    return f"{place} {text if text.startswith('(') else f'({text})'}" if text else place


def _text(token: Any) -> str:
    return _short(token.text, OF_VECTOR if token.text.startswith("(") else OF_WORD)


def held(trace: Any, field: Any, values: np.ndarray) -> str:
    """What a field holds at one token: words where it has a number for each word."""
    words, at = trace.construction.vocabulary, np.flatnonzero(values).tolist()
    if not at:
        return "0"
    if words is None or field.name.rstrip("0123456789") not in VECTORS:
        numbers = ", ".join(_number(x) for x in islice(values.tolist(), OF_VALUE))
        return _short(numbers if field.width == 1 else f"({numbers})", OF_VALUE)
    one = len(at) == 1 and values[at[0]] == 1
    largest = sorted(at, key=lambda i: -values[i])[:OF_VALUE]
    said = (words.words[i] + ("" if one else f" {_number(values[i])}") for i in largest)
    return _short(", ".join(said), OF_VALUE)


def _number(x: Any) -> str:
    x, text = _plain(x), str(x)
    return f"{float(x):.4g}" if isinstance(x, float) or len(text) > LONGEST else text


def _short(text: str, most: int) -> str:
    from construct.errors import brief

    return brief(text, most)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number > 1) if number else f"no {what}"


# --- For other programs ------------------------------------------------------------


def refuse_other_files(path: Path, artifact: str) -> None:
    """Refuse to write over a file that holds anything else than the arrays of a pass.

    Raises:
        ConstructError: naming the file.
    """
    from construct.cli.outputs import file_to_write, refuse_inside

    file_to_write(path, (), _holds_a_pass, "a file of the arrays of a pass")
    refuse_inside(path, artifact)


def _holds_a_pass(path: Path) -> bool:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as file:
            return {"states.npy", "score_value.npy"} <= {*file.namelist()}
    except (OSError, BadZipFile):
        return False


def write_arrays(trace: Any, path: Path) -> dict[str, np.ndarray]:
    """Write all of a pass as named arrays, without pickles.

    Raises:
        ConstructError: if the file cannot be written.
    """
    from construct.errors import ConstructError

    arrays = trace.to_arrays()
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConstructError(f"cannot write {path}: {reason}.") from error
    return arrays


def print_arrays(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Which arrays were written, and where."""
    from construct.cli.show import console, table

    out = console()
    rows = [
        (name, str(array.shape), "text" if array.dtype.kind == "U" else array.dtype.name)
        for name, array in arrays.items()
    ]
    out.print(table(rows, "array", "shape", "holds"))
    out.print()
    out.print(f"written to {path}; read it with numpy.load")
