"""What a construction costs, counted without building it.

Integer arithmetic only: closed formulas in K, d, m, n, S and P, and the non-zeros of
the tasks' own matrices. T = (m+1)n tokens carry something; N >= T is the context.

A *dense* forward pass multiplies everything by everything: N^2 scores for each head
that is not idle. A *sparse* one multiplies non-zeros only, and computes no score but
those that can be positive, which is O(N) of them:

    gather, label   each of the T tokens reads one token of its own example
    query           each reads the query's token at its position
    superpose       head k: the home token of each of the m+1 examples reads itself
    pool            the answer token reads all T
    square          the answer token reads itself
    divide          each token reads the answer token

The dictionary is evaluated at every token, the table of layer 6 at the answer token.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from construct.certify.formats import FLOAT64
from construct.certify.margins import Margins
from construct.rational import Rational, to_float
from construct.residual import Sizes
from construct.wiring import Wiring

# Bytes in an artifact: a float64 with two int32 indices, and where float64 rounds two
# int64 with two more indices; bytes of a number if everything is stored.
NONZERO_BYTES, ROUNDED_BYTES, DENSE_BYTES = 16, 24, 8


@dataclass(frozen=True)
class Attention:
    """The heads of one layer that are not idle; they are alike in shape and reach.

    Attributes:
        heads: how many of the K.
        q: d_head, columns of W_Q and of W_K.
        v: d_value, columns of W_V.
        asks: tokens that have a positive score with any other.
        reads: tokens that any other has a positive score with.
        pairs: (asking, read) tokens: the scores that a sparse pass computes.
    """

    heads: int
    q: int
    v: int
    asks: int
    reads: int
    pairs: int

    def dense_flops(self, N: int, D: int) -> int:
        """Projections of N tokens of width D, N^2 scores, and their values."""
        return self.heads * (4 * N * D + 2 * N**2) * (self.q + self.v)

    def sparse_numbers(self, devices: int) -> int:
        """Queries, keys and values of one head that are held at once, on each device."""
        asks, reads = -(-self.asks // devices), -(-self.reads // devices)
        return asks * self.q + reads * (self.q + self.v)


@dataclass(frozen=True)
class Entries:
    """Entries of a weight matrix that are not zero, and those that float64 rounds."""

    nonzeros: int
    rounded: int = 0

    def __add__(self, other: "Entries") -> "Entries":
        return Entries(self.nonzeros + other.nonzeros, self.rounded + other.rounded)

    def __rmul__(self, times: int) -> "Entries":
        return Entries(times * self.nonzeros, times * self.rounded)

    @classmethod
    def of(cls, values: Iterable[Rational], scale: Rational = 1) -> "Entries":
        """Those of a matrix that holds `scale * value` for each value.

        Raises:
            ConstructError: if one is beyond the range of float64.
        """
        found = values if isinstance(values, Counter) else Counter(values)
        scaled = np.array([scale * value for value in found], dtype=object)
        times = np.array(list(found.values()), dtype=object)
        held = to_float(scaled)
        return cls(int(times[held != 0].sum()), int(times[held != scaled].sum()))


@dataclass(frozen=True)
class Weights:
    """The entries of all heads of one layer, summed over the heads."""

    W_Q: Entries
    W_K: Entries
    W_V: Entries
    W_O: Entries

    def __add__(self, other: "Weights") -> "Weights":
        return Weights(
            self.W_Q + other.W_Q, self.W_K + other.W_K, self.W_V + other.W_V, self.W_O + other.W_O
        )

    def __rmul__(self, times: int) -> "Weights":
        return Weights(times * self.W_Q, times * self.W_K, times * self.W_V, times * self.W_O)

    @property
    def total(self) -> Entries:
        """The entries of all four matrices."""
        return self.W_Q + self.W_K + self.W_V + self.W_O


@dataclass(frozen=True)
class Cost:
    """What a construction of these sizes and tasks costs.

    A multiplication with an addition is 2 FLOPs. ReLUs and divisions by N, which are
    one for a score, are not counted, nor are embedding and unembedding.

    Attributes:
        sizes: K, d, m, n, S, P.
        hinges: those of the dictionary, which has two hidden units for each.
        attention: for each layer the heads that are not idle.
        heads: for each layer the entries of these heads.
        dictionary: the entries of the MLP of layer 3 (query).
        table: the entries of the MLP of layer 6 (square).
        places: the entries of W_E, W_pos and W_U.
    """

    sizes: Sizes
    hinges: int
    attention: tuple[Attention, ...]
    heads: tuple[Weights, ...]
    dictionary: Entries
    table: Entries
    places: Entries

    @classmethod
    def of(cls, sizes: Sizes, wiring: Wiring, margins: Margins) -> "Cost":
        """Count, in a time that does not grow with m and n.

        Raises:
            ConstructError: if a weight is beyond the range of float64.
        """
        # N and the end of the table grow with m and n, and are not looked at below.
        Entries.of([sizes.N, 1 - sizes.M**2])
        return cls(
            sizes,
            hinges=sum(map(len, wiring.dictionary)),
            attention=attention(sizes),
            heads=_heads(sizes, wiring, margins),
            dictionary=_dictionary(wiring),
            table=_table(sizes.M),
            places=Entries(2 * sizes.d + 1 + sizes.tokens * (sizes.ell_e + sizes.ell_t + 1)),
        )

    @property
    def parameters(self) -> int:
        """Entries of all weight matrices, zeros and idle heads included."""
        return parameters(self.sizes, self.hinges)

    @property
    def entries(self) -> Entries:
        """Entries of all weight matrices that are not zero, and that float64 rounds."""
        parts = (self.dictionary, self.table, self.places, *(w.total for w in self.heads))
        return sum(parts, start=Entries(0))

    @property
    def artifact_bytes(self) -> int:
        """Bytes of the weights in an artifact, names and tasks aside."""
        return NONZERO_BYTES * self.entries.nonzeros + ROUNDED_BYTES * self.entries.rounded

    @property
    def dense_bytes(self) -> int:
        """Bytes of the weights with all their zeros."""
        return DENSE_BYTES * self.parameters

    @property
    def dense_flops(self) -> int:
        """FLOPs of a forward pass over all N tokens, idle heads and MLPs left out."""
        N, D = self.sizes.N, self.sizes.D
        attended = sum(one.dense_flops(N, D) for one in self.attention)
        return attended + 4 * N * D * (2 * self.hinges + self.sizes.M)

    @property
    def sparse_flops(self) -> int:
        """FLOPs of a forward pass over non-zero weights and scores within reach."""
        products = self.sizes.tokens * self.dictionary.nonzeros + self.table.nonzeros
        for one, weights in zip(self.attention, self.heads, strict=True):
            products += one.asks * (weights.W_Q.nonzeros + weights.W_O.nonzeros)
            products += one.reads * (weights.W_K.nonzeros + weights.W_V.nonzeros)
            products += one.heads * one.pairs * (one.q + one.v)
        return 2 * products

    def dense_numbers(self, devices: int = 1) -> int:
        """Numbers that each device holds at once, of N/devices tokens.

        The stream, with queries, keys and values of one head. Scores and hidden units
        are streamed: a few at a time. Weights are not counted.
        """
        widest = max(2 * one.q + one.v for one in self.attention if one.heads)
        return -(-self.sizes.N // devices) * (self.sizes.D + widest)

    def sparse_numbers(self, devices: int = 1) -> int:
        """The same for a sparse pass: T tokens, queries and keys where they are needed."""
        widest = max(one.sparse_numbers(devices) for one in self.attention if one.heads)
        return -(-self.sizes.tokens // devices) * self.sizes.D + widest


def attention(sizes: Sizes) -> tuple[Attention, ...]:
    """The heads of the seven layers, in order; tasks enter by S alone."""
    K, d, S, T, examples = sizes.K, sizes.d, sizes.S, sizes.tokens, sizes.m + 1
    ell_e, ell_t = sizes.ell_e, sizes.ell_t
    return (
        Attention(S, ell_e + 1, d, asks=T, reads=examples, pairs=T),
        Attention(1, ell_e + 1, d, asks=T, reads=examples, pairs=T),
        Attention(1, ell_t + 1, (1 + S) * d, asks=T, reads=sizes.n, pairs=T),
        Attention(
            K, d + ell_e + ell_t + 1, d + 1, asks=examples, reads=examples, pairs=examples
        ),
        Attention(1, 1, d + 1, asks=1, reads=T, pairs=T),
        Attention(1, 1, 1, asks=1, reads=1, pairs=1),
        Attention(1, 1, d, asks=T, reads=1, pairs=T),
    )  # fmt: skip


def parameters(sizes: Sizes, hinges: int = 0) -> int:
    """Entries of all weight matrices, if the dictionary has so many hinges.

    Idle heads have d_head = d_value = 1, and idle MLPs a single unit.
    """
    K, D, layers = sizes.K, sizes.D, attention(sizes)
    columns = sum(one.heads * (one.q + one.v) + (K - one.heads) * 2 for one in layers)
    units = max(1, 2 * hinges) + sizes.M + len(layers) - 2
    return D * (2 * columns + 2 * units + 2 * sizes.d + 1 + sizes.N)


def _heads(sizes: Sizes, wiring: Wiring, margins: Margins) -> tuple[Weights, ...]:
    """The entries of the heads of the seven layers, as each layer writes them.

    Codes are +1 and -1, so that none of their entries is zero. N, s and the constants
    1 - ell_e - ell_t (never 0, as ell_e, ell_t >= 1) are no numbers that float64 rounds.
    """
    d, S, ell = sizes.d, sizes.S, sizes.ell_e + sizes.ell_t

    def plain(*nonzeros: int) -> Weights:
        return Weights(*map(Entries, nonzeros))

    fetch = plain(sizes.ell_e + 1, ell + 1, d, d)
    superposed = (_superpose(k, sizes, wiring, margins) for k in range(sizes.K))
    return (
        S * fetch,
        fetch,
        plain(sizes.ell_t + 1, ell + 1, (1 + S) * d, (1 + S) * d),
        sum(superposed, start=plain(0, 0, 0, 0)),
        plain(ell + 1, 1, d + 1, d + 1),
        plain(1, 1, 1, 1),
        plain(1, 1, d, d),
    )


def _superpose(k: int, sizes: Sizes, wiring: Wiring, margins: Margins) -> Weights:
    """Head k of layer 4: f_k as its matrices are, and the gate."""
    B, C, N, d = margins.B, margins.C, sizes.N, sizes.d
    ell = sizes.ell_e + sizes.ell_t
    f: Counter[Rational] = Counter()
    for _, matrix in wiring.f(k).matrices():
        f.update(matrix.ravel().tolist())
    label = d * Entries.of([B])
    # C >= 1 is a power of two, which only the constant of the gate can make inexact.
    gate = Entries.of([1 - C * (ell + sizes.ell_t + 2), 2 * C]) + Entries(sizes.ell_t)
    return Weights(
        W_Q=Entries.of(f, -B) + label + Entries(ell + 1),
        W_K=Entries.of(f) + Entries(d + ell) + gate,
        W_V=Entries.of(f, N) + Entries(1),
        W_O=Entries(d + 1),
    )


def _dictionary(wiring: Wiring) -> Entries:
    """Each hinge twice, of the example and of the query; nothing if there is none."""
    found: Counter[Rational] = Counter()
    for c, a, e in (hinge for feature in wiring.dictionary for hinge in feature):
        found.update([c, e])
        for _, vector in a:
            found.update(vector)
    return 2 * Entries.of(found)


def _table(M: int) -> Entries:
    """The reciprocals: unit v = 1..M reads -1, 2v and 1 - v^2, and writes s/v.

    1 - v^2 vanishes at v = 1. s/v is a power of two where v is one, else rounded.
    """
    rounded = M - M.bit_length() + rounded_wholes(M) + rounded_squares(M)
    return Entries(4 * M - 1, rounded)


def rounded_wholes(M: int, p: int = FLOAT64.p) -> int:
    """How many v = 1..M have more than p significant bits; 2v has as many as v."""
    held = min(M, 1 << p)
    for j in range(1, M.bit_length() - p + 1):
        # From 2^(p-1+j) to 2^(p+j) the multiples of 2^j are held.
        held += (min(M, 1 << (p + j)) >> j) - (1 << (p - 1))
    return M - held


def rounded_squares(M: int, p: int = FLOAT64.p) -> int:
    """How many v = 1..M have a v^2 - 1 of more than p significant bits.

    It is odd for even v. For odd v > 1 one of v - 1 and v + 1 is 2 times an odd number
    and the other 2^a times one, a >= 2: so v^2 - 1 is 2^(a+1) times an odd number, and
    is held exactly if it is less than 2^(p+a+1), that is if v^2 <= 2^(p+a+1).
    """

    def beside(a: int, most: int) -> int:
        # v = 2..most next to a multiple of 2^a.
        return (most + 1 >> a) + (most - 1 >> a)

    held = 1 + min(M, math.isqrt(1 << p)) // 2
    for a in range(2, (M + 1).bit_length()):
        most = min(M, math.isqrt(1 << (p + a + 1)))
        held += beside(a, most) - beside(a + 1, most)
    return M - held
