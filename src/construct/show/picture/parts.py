"""What each part of a transformer reads and writes, from the places of its non-zero weights.

A score is a sum over the columns of W_Q and W_K together, so that a column counts where both
have a non-zero; so do a column of W_V with its row of W_O, and a hidden unit with both of its
weights. Nothing is asked of the design: these are the weights that run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from construct.compiler import Construction
from construct.network.residual import Field
from construct.network.transformer import Entries, Head, Layer, Weighted

NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Part:
    """Heads of one kind, an MLP, the embedding or what is read off.

    Attributes:
        title: what it is, such as "4 heads, one a task: a, b, c, d".
        purpose: what for.
        reads: field -> how: letters q, k and v of heads (as query, key, value), else "".
        writes: fields.
    """

    title: str
    purpose: str
    reads: Mapping[str, str]
    writes: tuple[str, ...]


def embedding_of(made: Construction) -> Part:
    """What is there before layer 1."""
    outer = [made.transformer.sparse(name) for name in ("W_E", "W_pos")]
    written = np.concatenate([np.unique(W.nonzero()[1]) for W in outer])
    return Part(
        "embedding",
        "each token's vector, and what its place in the context holds",
        {},
        _names(made, written),
    )


def unembedding_of(made: Construction) -> Part:
    """What is read after the last layer."""
    read = np.unique(made.transformer.sparse("W_U").nonzero()[0])
    what = "logits of words" if made.softmax and made.softmax.logits else "the vector"
    at = "at each query" if made.transformer.attention.causal else "at the answer token"
    reads = dict.fromkeys(_names(made, read), "")
    return Part("unembedding", f"{what} of the answer, {at}", reads, ())


def parts_of(made: Construction, layer: Layer) -> list[Part]:
    """The parts of a layer that add something: its heads by kind, then its MLP."""
    working = [head for head in layer.heads if _flow(made, head)[1]]
    found = [_of_heads(made, heads) for heads in _kinds(made, working)]
    reads, writes = _units(layer.mlp)
    if len(writes):
        live = len(np.unique(_live(layer.mlp, "W_in", "W_out")[0].nonzero()[1]))
        title = f"MLP, {live:,} unit{'s' * (live != 1)}"
        read = dict.fromkeys(_names(made, reads), "")
        found.append(Part(title, layer.mlp.purpose, read, _names(made, writes)))
    return found


def _of_heads(made: Construction, heads: Sequence[Head]) -> Part:
    reads: dict[str, str] = {}
    writes: set[str] = set()
    for head in heads:
        read, written = _flow(made, head)
        writes.update(written)
        for name, letters in read.items():
            reads[name] = "".join(x for x in "qkv" if x in letters or x in reads.get(name, ""))
    names = [field.name for field in made.sizes.residual.fields]
    ordered = {name: reads[name] for name in names if name in reads}
    written = tuple(name for name in names if name in writes)
    return Part(_title(made, heads), _purpose(made, heads), ordered, written)


def _title(made: Construction, heads: Sequence[Head]) -> str:
    names = ", ".join(head.name for head in heads)
    if len(heads) == 1:
        return f"head {names}"
    tasks = _shared(made, heads) is not None
    return f"{len(heads)} heads{', one a task' * tasks}: {names}"


def _flow(made: Construction, head: Head) -> tuple[dict[str, str], tuple[str, ...]]:
    """Field -> letters, and the fields that are written; nothing if the head adds 0."""
    Q, K = _live(head, "W_Q", "W_K", turned=True)
    V, out = _live(head, "W_V", "W_O")
    scores = Q.nnz or made.transformer.attention.softmax
    if not (scores and V.nnz):
        return {}, ()
    reads: dict[str, str] = {}
    for letter, weight in zip("qkv", (Q, K, V), strict=True):
        for name in _names(made, weight.nonzero()[0]):
            reads[name] = reads.get(name, "") + letter
    return reads, _names(made, out.nonzero()[1])


def _units(mlp: Any) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates that an MLP reads and writes."""
    W_in, W_out = _live(mlp, "W_in", "W_out")
    return W_in.nonzero()[0], W_out.nonzero()[1]


def _live(part: Any, one: str, other: str, *, turned: bool = False) -> tuple[Any, Any]:
    """Where two weights are not 0, without the columns of the first that meet no row of the other.

    Args:
        turned: whether columns meet columns.
    """
    first, second = _places(part, one), _places(part, other)
    second = csr_array(second.T) if turned else second
    both = (first.sum(axis=0) > 0) & (second.sum(axis=1) > 0)
    size = len(both)  # 0 where a head scores nothing
    keep = csr_array(coo_array((both.astype(np.int64), (np.arange(size),) * 2), (size, size)))
    first, second = first @ keep, keep @ second
    for weight in (first, second):
        weight.eliminate_zeros()
    return first, csr_array(second.T) if turned else second


def _places(part: Weighted, name: str) -> csr_array:
    """1 where a weight is not 0: as a float, or exactly."""
    W, exact = part.sparse(name), getattr(part, "exact", {}).get(name, {})
    rows, columns = np.concatenate([np.stack(W.nonzero()), Entries.of(exact).at], axis=1)
    found = csr_array(coo_array((np.ones(len(rows), np.int64), (rows, columns)), W.shape))
    found.sum_duplicates()
    found.data[:] = 1
    return found


def _names(made: Construction, coordinates: np.ndarray) -> tuple[str, ...]:
    """The fields that these coordinates are in, in the order of the stream."""
    there = np.zeros(made.sizes.D, dtype=bool)
    there[coordinates] = True
    fields: tuple[Field, ...] = made.sizes.residual.fields
    return tuple(field.name for field in fields if there[field.at].any())


def _kinds(made: Construction, heads: Sequence[Head]) -> Iterator[list[Head]]:
    """Heads with one purpose but for their own name and for numbers."""
    if len(heads) > 1 and _shared(made, heads) is not None:
        yield list(heads)
        return
    found: dict[str, list[Head]] = {}
    for head in heads:
        found.setdefault(NUMBER.sub("#", head.purpose), []).append(head)
    yield from found.values()


def _shared(made: Construction, heads: Sequence[Head]) -> tuple[str, list[str]] | None:
    """Of heads that are one a task: what their purposes say before the task's name, and after."""
    if not {head.name for head in heads} <= {task.name for task in made.tasks}:
        return None
    first = heads[0]
    for found in re.finditer(re.escape(first.name), first.purpose):
        start = first.purpose[: found.start()]
        if all(head.purpose.startswith(start + head.name) for head in heads):
            rests = [head.purpose[len(start + head.name) :] for head in heads]
            if len({NUMBER.sub("#", rest) for rest in rests}) == 1:
                return start, rests
    return None


def _purpose(made: Construction, heads: Sequence[Head]) -> str:
    """The purpose of several heads as one."""
    shared = _shared(made, heads) if len(heads) > 1 else None
    if shared is None:
        return _merged([head.purpose for head in heads])
    return f"{shared[0]}its task{_merged(shared[1])}"


def _merged(texts: Sequence[str]) -> str:
    """Texts that differ in numbers as one: "at position 1, 3 or 4"."""
    columns = zip(*(NUMBER.findall(text) for text in texts), strict=True)
    merged = iter([_listed(sorted({int(x) for x in column})) for column in columns])
    return NUMBER.sub(lambda _: next(merged), texts[0])


def _listed(numbers: Sequence[int]) -> str:
    if len(numbers) > 5:
        return f"{numbers[0]} to {numbers[-1]}"
    *start, last = map(str, numbers)
    return f"{', '.join(start)} or {last}" if start else last
