"""A trace as plain arrays, which `numpy.savez` writes and any program reads."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from construct.inside.trace import Trace


def arrays_of(trace: "Trace") -> dict[str, np.ndarray]:
    """Name -> array; rationals are texts such as "1/3", and nothing is pickled.

    * states (L+1, N, D), 0 being the embedding, and attended (L, heads, N)
    * field_name, field_start, field_width: a row for each field of D
    * token_text, token_kind, token_example, token_query, token_position: a row for each of the
      N tokens; examples from 0, -1 where the token is of none
    * head_layer, head_number, head_name: a row for each head that is not idle; layers from 1,
      numbers from 0
    * score_layer, score_head, score_asks, score_reads, score_value: a row for each pair of
      tokens that scores
    * answer (d,), votes (K,), explains (K, e), task_name (K,): what is read off
    * executor, dtype, design: what ran
    """
    answer, made = trace.answer, trace.construction
    votes = np.array([*answer.votes], dtype=object)
    found = {
        "states": trace.states,
        "attended": trace.attended,
        **_fields(trace),
        **_tokens(trace),
        **_heads(trace),
        "answer": answer.answer,
        "votes": votes if trace.states.dtype == object else votes.astype(np.float64),
        "explains": answer.explains,
        "task_name": _texts([task.name for task in made.tasks]),
        "executor": np.array(trace.executor),
        "dtype": np.array(trace.dtype),
        "design": np.array(made.design),
    }
    return {name: _plain(array) for name, array in found.items()}


def _fields(trace: "Trace") -> dict[str, np.ndarray]:
    fields = trace.fields
    return {
        "field_name": _texts([field.name for field in fields]),
        "field_start": np.array([field.start for field in fields]),
        "field_width": np.array([field.width for field in fields]),
    }


def _tokens(trace: "Trace") -> dict[str, np.ndarray]:
    tokens = trace.tokens
    examples = [-1 if token.example is None else token.example for token in tokens]
    return {
        "token_text": _texts([token.text for token in tokens]),
        "token_kind": _texts([token.kind for token in tokens]),
        "token_example": np.array(examples),
        "token_query": np.array([token.query for token in tokens]),
        "token_position": np.array([token.position for token in tokens]),
    }


def _heads(trace: "Trace") -> dict[str, np.ndarray]:
    places = np.array([*trace.scores], dtype=np.int64).reshape(-1, 2)
    pairs = [trace.scores[layer, head] for layer, head in places.tolist()]
    counts = [len(one) for one in pairs]
    nothing, none = np.zeros(0, np.int64), np.zeros(0, trace.states.dtype)
    names = [trace.layers[layer - 1].heads[head].name for layer, head in places.tolist()]
    return {
        "head_layer": places[:, 0],
        "head_number": places[:, 1],
        "head_name": _texts(names),
        "score_layer": np.repeat(places[:, 0], counts),
        "score_head": np.repeat(places[:, 1], counts),
        "score_asks": np.concatenate([nothing, *(one.asks for one in pairs)]),
        "score_reads": np.concatenate([nothing, *(one.reads for one in pairs)]),
        "score_value": np.concatenate([none, *(one.values for one in pairs)]),
    }


def _texts(texts: list[str]) -> np.ndarray:
    return np.array(texts, dtype=np.str_)


def _plain(array: np.ndarray) -> np.ndarray:
    """Exact numbers as texts."""
    if array.dtype != object:
        return array
    return np.array([str(x) for x in array.flat], dtype=np.str_).reshape(array.shape)
