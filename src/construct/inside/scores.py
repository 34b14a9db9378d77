"""What the heads of a layer gave, pair by pair, from the stream before it and their weights.

    ReLU     relu(<Q h_i, K h_j>), for j within the reach of i
    softmax  exp(s_ij) / sum_l exp(s_il), for i and j other than the sink

in the numbers of the stream: floats, or rationals (softmax in rationals to 2^-191). Their sum
over j is what `execute.passes.Pass` calls attended; of softmax but for what leaks, at the tokens
that are there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from construct.network.attention import Attention
from construct.network.reach import ALL, EVERY, OWN, Reach
from construct.network.transformer import Entries, Head
from construct.reading import shares

# So many scores are held at a time.
BLOCK = 1 << 22


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of tokens that score: token `asks[p]` reads `reads[p]` with `values[p]`.

    Attributes:
        asks, reads: (pairs,), indices of tokens, by the asking one and then the one it reads.
        values: (pairs,), scores above 0 of ReLU attention, or weights of softmax attention.
        N: the context length.
        closest: what comes closest to the line between both sides, of the pairs within the
            head's reach (after a patch: of all pairs), empty places and the query's own among
            them: the largest score up to 0 (softmax: the largest weight up to the leak), and
            the least of `values`; None where there is none.
    """

    asks: np.ndarray
    reads: np.ndarray
    values: np.ndarray
    N: int
    closest: tuple[Any, Any] = (None, None)

    @classmethod
    def of(cls, found: "Sequence[Found]", N: int, dtype: np.dtype) -> "Pairs":
        """From what blocks of asking tokens found."""
        nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, dtype)
        asks, reads, values = (
            np.concatenate([start, *(one[i] for one in found)]) for i, start in enumerate(nothing)
        )
        outside = max((one[3] for one in found if one[3] is not None), default=None)
        inside = min((one[4] for one in found if one[4] is not None), default=None)
        order = np.lexsort((reads, asks))
        return cls(asks[order], reads[order], values[order], N, (outside, inside))

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[int, int, Any]]:
        """(asking token, token that it reads, score), one after the other."""
        return zip(self.asks.tolist(), self.reads.tolist(), self.values.tolist(), strict=True)

    def dense(self) -> np.ndarray:
        """(N, N): row i has what token i gives to each token; 0 where there is no pair."""
        found = np.full((self.N, self.N), 0, self.values.dtype)
        found[self.asks, self.reads] = self.values
        return found

    def __repr__(self) -> str:
        return f"Pairs({len(self)} of {self.N}^2)"


def works(head: Head, attention: Attention) -> bool:
    """Whether a head does anything: of softmax one that scores nothing attends all the same."""
    return not (head.silent if attention.softmax else head.idle)


def pairs_of(
    head: Head,
    attention: Attention,
    h: np.ndarray,
    grid: tuple[int, int],
    there: int,
    leak: Any,
    reach: Reach | None,
) -> Pairs:
    """The pairs of one head.

    Args:
        h: (N, D), the stream before the layer.
        grid: (slots, tokens of a slot), of the examples and the query.
        there: so many tokens are there: what comes after the query of a decoder is not.
        leak: softmax weights up to here are those of what was not to be attended to.
        reach: of ReLU attention the pairs that can score; None for all of them, where the
            stream is not one that the compiler promises anything of.
    """
    if not works(head, attention):
        return Pairs.of([], len(h), h.dtype)
    q, k = (_product(h, head, name) for name in ("W_Q", "W_K"))
    if attention.softmax:
        found = _softmax(q, k, attention.causal, there, leak)
    elif reach is None:
        found = _all_read(q, k, np.arange(len(h)))
    elif reach.reads == EVERY:
        found = _all_read(q, k, _numbers(_asking(reach, grid), grid))
    else:
        found = _one_read(q, k, reach, grid)
    return Pairs.of(list(found), len(h), h.dtype)


# asks, reads, values, and the largest score outside and the least inside.
Found = tuple[np.ndarray, np.ndarray, np.ndarray, Any, Any]


def _found(
    asks: np.ndarray, reads: np.ndarray, scores: np.ndarray, on: np.ndarray, seen: np.ndarray
) -> Found:
    """Those that are `on`, and what comes closest to the line, of those that are seen.

    Args:
        asks, reads: of the scores that are on.
    """
    values, rest = scores[on], scores[seen & ~on]
    outside = rest.max() if rest.size else None
    return asks, reads, values, outside, values.min() if len(values) else None


def _asking(reach: Reach, grid: tuple[int, int]) -> np.ndarray:
    """(2, asking tokens): slots and positions, from 0."""
    slots, positions = (
        np.arange(size) if place == ALL else np.atleast_1d(np.array(place))
        for place, size in zip(reach.asks, grid, strict=True)
    )
    return np.stack(np.meshgrid(slots, positions, indexing="ij")).reshape(2, -1)


def _numbers(places: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Slots and positions as indices of tokens."""
    return places[0] * grid[1] + places[1]


def _one_read(q: np.ndarray, k: np.ndarray, reach: Reach, grid: tuple[int, int]) -> Iterator[Found]:
    """Heads whose tokens read one token each."""
    asking, read = _asking(reach, grid), []
    for own, place, asked in zip(asking, reach.reads, reach.asks, strict=True):
        if isinstance(place, tuple):  # a position for each of those that ask
            by_position = dict(zip(asked, place, strict=True))  # type: ignore[arg-type]
            read.append(np.array([by_position[p] for p in own.tolist()]))
        else:
            read.append(own if place == OWN else np.full_like(own, place))
    asks, reads = _numbers(asking, grid), _numbers(np.array(read), grid)
    scores = (q[asks] * k[reads]).sum(axis=1)
    on = np.array(scores > 0, dtype=bool)
    yield _found(asks[on], reads[on], scores, on, np.ones_like(on))


def _all_read(q: np.ndarray, k: np.ndarray, asks: np.ndarray) -> Iterator[Found]:
    """Heads whose tokens read all tokens."""
    for some in _blocks(asks, len(k)):
        scores = q[some] @ k.T
        on = np.array(scores > 0, dtype=bool)
        rows, reads = np.nonzero(on)
        yield _found(some[rows], reads, scores, on, np.ones_like(on))


def _softmax(q: np.ndarray, k: np.ndarray, causal: bool, there: int, leak: Any) -> Iterator[Found]:
    """Every token that is there but the sink asks, and reads all or those up to itself."""
    N = len(k)
    for some in _blocks(np.arange(1, there), N):
        last = some if causal else np.full_like(some, N)
        seen = np.arange(N) <= last[:, None]
        weights = _shares(q[some] @ k.T, seen)
        seen[:, 0] = False
        on = np.array(weights > leak, dtype=bool) & seen
        rows, reads = np.nonzero(on)
        yield _found(some[rows], reads, weights, on, seen)


def _shares(scores: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The softmax of each row over what it sees; 0 elsewhere."""
    if scores.dtype != object:
        return shares(np.where(seen, scores, -np.inf))
    found = np.full_like(scores, 0)
    for row, score, on in zip(found, scores, seen, strict=True):
        row[on] = shares(score[None, on])[0]
    return found


def _blocks(asks: np.ndarray, N: int) -> Iterator[np.ndarray]:
    size = max(1, BLOCK // N)
    return (asks[start : start + size] for start in range(0, len(asks), size))


def _product(h: np.ndarray, head: Head, name: str) -> np.ndarray:
    """h times a weight, in the numbers of h."""
    W = head.sparse(name)
    if h.dtype != object:
        return h @ csr_array(W, dtype=h.dtype)
    weight = W.tocoo()
    entries = {
        (int(r), int(c)): Fraction(x)
        for r, c, x in zip(*weight.coords, weight.data.tolist(), strict=True)
    } | dict(Entries.of(head.exact.get(name, {})))
    found = np.full((len(h), W.shape[1]), 0, dtype=object)
    held = {r: np.flatnonzero(h[:, r]) for r in {r for r, _ in entries}}
    for (r, c), x in entries.items():
        found[held[r], c] += h[held[r], r] * x
    return found
