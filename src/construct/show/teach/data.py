"""What the page to teach with is given: the weights by their non-zeros, words and tables."""

from collections.abc import Mapping
from typing import Any

from construct.compiler import Construction
from construct.designs.theorem import place
from construct.designs.theorem.superpose import superpose
from construct.errors import ConstructError, brief_names
from construct.network.transformer import Layer, Transformer

# How many examples the page shows at first, unless it is told.
SHOWN = 16


def data_of(made: Construction, start: Mapping[str, int] | None, query: str | None) -> dict:
    """The page's data, for JSON.

    Args:
        start: task name -> examples that the page shows at first.
        query: the word that it asks for at first.

    Raises:
        ConstructError: if the artifact, `start` or `query` cannot be shown.
    """
    refuse_others(made)
    assert made.vocabulary is not None
    index = made.vocabulary.index
    tables = {
        task["name"]: [[index(word), index(image)] for word, image in task["table"].items()]
        for task in made.definitions
    }
    # A query has an answer in every task, where such words are there.
    inputs = [{word for word, _ in table} for table in tables.values()]
    queries = sorted(set.intersection(*inputs) or set.union(*inputs))
    asked = queries[0] if query is None else index(query)
    if asked not in queries:
        raise ConstructError(f"the tasks have no answer for {query!r}; choose another query.")
    tasks = [{"name": name, "table": table} for name, table in tables.items()]
    counts = [*_counts(made, tasks, start), 0]  # of no task at first
    return {
        **network_of(made.transformer),
        "fields": [
            {"name": one.name, "start": one.start, "width": one.width, "holds": one.holds}
            for one in made.sizes.residual.fields
        ],
        "words": list(made.vocabulary.words),
        "tasks": tasks,
        "queries": queries,
        "votes": place(made.margins, superpose) + 1,
        "start": {"counts": counts, "query": asked, "seed": 1, "several": False, "layer": 0},
    }


def refuse_others(made: Construction) -> None:
    """Refuse what the page has no sliders for.

    Raises:
        ConstructError: saying what it needs.
    """
    if made.softmax is not None:
        raise ConstructError(
            f"the page to teach with evaluates ReLU attention, and the design {made.design!r} has "
            "softmax; take the design 'theorem'."
        )
    others = [
        task["name"]
        for task in made.definitions
        if task["kind"] != "lookup" or not isinstance(task["table"], dict)
    ]
    if made.vocabulary is None or made.sizes.n != 2 or others or made.margins.flat:
        named = f" (not {brief_names(others, 40)})" if others else ""
        raise ConstructError(
            "the page to teach with takes its examples from tables: each task has to be a "
            f"look-up from one word to one word{named}."
        )


def network_of(transformer: Transformer) -> dict:
    """What network.js evaluates: any transformer of ReLU attention."""
    sizes: Any = transformer.sizes
    return {
        "sizes": {name: getattr(sizes, name) for name in ("N", "D", "d", "m", "n", "length")},
        "answer": transformer.answer,
        "layers": [_layer(layer) for layer in transformer.layers],
        "weights": {
            name: {
                "shape": list(weight.shape),
                **dict(zip(("at", "to"), (x.tolist() for x in weight.nonzero()), strict=True)),
                "values": weight.data[weight.data != 0].tolist(),
            }
            for name, weight in transformer.weights().items()
        },
    }


def _layer(layer: Layer) -> dict:
    heads = [None if one.idle else [one.name, one.purpose] for one in layer.heads]
    mlp = None if layer.mlp.idle else layer.mlp.purpose
    idle = mlp is None and not any(heads)
    return {
        "name": layer.name,
        "lemma": layer.lemma,
        "heads": [head and dict(zip(("name", "purpose"), head, strict=True)) for head in heads],
        "mlp": mlp,
        "idle": idle,
    }


def _counts(made: Construction, tasks: list[dict], start: Mapping[str, int] | None) -> list[int]:
    """The examples of each task at first; by default about as many of each."""
    m, K = made.sizes.m, len(tasks)
    if start is None:
        most = min(m, SHOWN)
        return [min(most // K + (k < most % K), len(tasks[k]["table"]) - 1) for k in range(K)]
    counts = [start.get(task["name"], 0) for task in tasks]
    if set(start) - {task["name"] for task in tasks} or min(counts) < 0 or sum(counts) > m:
        raise ConstructError(
            f"the page cannot start with the examples {dict(start)}; give for names of its tasks "
            f"whole numbers from 0, at most {m} in all."
        )
    return counts
