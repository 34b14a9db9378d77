"""What the lemmas say: the residual stream after each layer, written from the tasks.

Nothing here looks at a weight. Each proof runs its layer on the stream that the lemma
before it describes, and compares with the stream that its own lemma describes. So the
proofs of the lemmas chain: together they prove the theorem for an artifact, for all
patterns of matches at once.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction

import numpy as np
from symbolic import Poly, Symbols, indices, rational
from sympy import QQ

from construct import Task
from construct.designs.theorem.wiring import Wiring
from construct.network.codes import code
from construct.rational import Rational


def evaluate(symbols: Symbols, task: Task, X: Mapping[int, np.ndarray]) -> np.ndarray:
    """f(X) = sum_p A_p x_p + C g(X) + b by the task's definition; X maps positions."""
    y = symbols.zeros(task.d)
    for row in range(task.d):
        y[row] += rational(task.b[row])
        for p, A in task.A.items():
            y[row] += _inner(zip(*A.row(row), strict=True), X[p])
        for u, c in zip(*task.C.row(row), strict=True):
            hinges = [(h.c, h.a, h.e) for h in task.features[u]]
            y[row] += _feature(symbols, hinges, X) * rational(c)
    return y


def _feature(symbols: Symbols, hinges: list[tuple], X: Mapping[int, np.ndarray]) -> Poly:
    """Sum of c max(sum_p <a_p, x_p> + e, 0)."""
    total = symbols.ring.zero
    for c, a, e, *_ in hinges:
        t = symbols.ring.zero + rational(e)
        t += sum(_inner(terms, X[p]) for p, terms in a)
        total += symbols.hinge(t) * rational(c)
    return total


def _inner(terms: Iterable[tuple[int, Rational]], x: np.ndarray) -> Poly | int:
    return sum(x[i] * rational(w) for i, w in terms)


class Prompt:
    """A prompt of indeterminates with so many examples, the other slots blank.

    Attributes:
        vectors: (m+1, n+w, d), the vector of each token (i, t); 0 in blank slots, at scratch
            tokens and at the answer token.
        filled: the same with the operands that scratch tokens copy.
    """

    def __init__(self, symbols: Symbols, examples: int) -> None:
        self.symbols, self.examples = symbols, examples
        self.tasks, self.sizes = symbols.tasks, symbols.made.sizes
        self.wiring = Wiring.of(self.tasks, self.sizes.n, self.sizes.w)
        self.answer, inputs = self.sizes.tokens - 1, self.sizes.n - 1
        self.vectors = symbols.zeros(self.sizes.m + 1, self.sizes.length, self.sizes.d)
        self.vectors[:examples, :inputs] = symbols.X[:examples]
        self.vectors[:examples, -1] = symbols.Y[:examples]
        self.vectors[-1, :inputs] = symbols.query
        self.filled = self.vectors.copy()
        for t, source in enumerate(self.wiring.scratch, start=inputs):
            self.filled[:, t] = self.vectors[:, source - 1]

    def at_query(self, k: int) -> np.ndarray:
        """f_k(X_q)."""
        X = dict(enumerate(self.symbols.query, start=1))
        return evaluate(self.symbols, self.tasks[k], X)

    def distance(self, i: int, k: int) -> np.ndarray:
        """f_k(X_i) - y_i."""
        X = dict(enumerate(self.symbols.X[i], start=1))
        return evaluate(self.symbols, self.tasks[k], X) - self.symbols.Y[i]

    @property
    def thresholds(self) -> tuple[Fraction, Fraction]:
        """Of ||e_k||: up to which an example matches, and from which it does not."""
        domain, epsilon = self.symbols.made.domain, max(Fraction(g.epsilon) for g in self.tasks)
        return domain.tau + epsilon, domain.delta - epsilon

    def said(self, i: int, k: int, matches: bool) -> tuple[list[Poly], list[Poly]]:
        """Polynomials that are 0, and that are >= 0, where example i matches task k or does not."""
        e, (near, far) = self.distance(i, k), map(rational, self.thresholds)
        if not matches:
            return [], [(e**2).sum() - far**2]
        flat = self.symbols.made.margins.flat
        return ([], [near**2 - (e**2).sum()]) if flat else ([*e], [])

    def embedded(self) -> np.ndarray:
        """Before layer 1: tok, pe, pt, one, ctx; with scratch tokens sq and rec."""
        one = self.symbols.ring.one
        h = self.symbols.zeros(self.sizes.N, self.sizes.D)
        for i, t, token in self._tokens(h):
            self._set(token, "tok", self.vectors[i, t])
            self._set(token, "pe", code(i, self.sizes.ell_e) * one)
            self._set(token, "pt", code(t, self.sizes.ell_t) * one)
            self._set(token, "one", one)
            self._set(token, "ctx", one * int(i < self.examples))
            if self.sizes.w:
                sq, rec = self._copying(t)
                self._set(token, "sq", one * sq)
                self._set(token, "rec", one * rec)
        return h

    def _copying(self, t: int) -> tuple[int, int]:
        """What sq and rec are for the copy head: u and 1 - u^2 to copy, else 0 and -r^2."""
        own, length = t - (self.sizes.n - 1), self.sizes.length
        if 0 <= own < self.sizes.w:
            u = length - self.wiring.scratch[own]
            return u, 1 - u**2
        return 0, -((length - (t + 1)) ** 2)

    def gathered(self) -> np.ndarray:
        """After layer 1: slot s of every token holds its example's operand at p_s.

        And scratch tokens hold what they copy.
        """
        h = self.embedded()
        for i, t, token in self._tokens(h):
            self._set(token, "tok", self.filled[i, t])
            for s, operand in self._operands(i).items():
                self._set(token, f"slot{s}", operand)
        return h

    def labelled(self) -> np.ndarray:
        """After layer 2: lab holds the label of the token's example."""
        h = self.gathered()
        for i, _, token in self._tokens(h):
            self._set(token, "lab", self.vectors[i, -1])
        return h

    def queried(self) -> np.ndarray:
        """After layer 3: the query's token at the own position, and the dictionary of both."""
        h, q = self.labelled(), self.sizes.m
        for i, t, token in self._tokens(h):
            self._set(token, "qry", self.filled[q, t])
            for s, operand in self._operands(q).items():
                self._set(token, f"qslot{s}", operand)
            if self.sizes.P:
                self._set(token, "gx", self.dictionary(i, t))
                self._set(token, "gq", self.dictionary(q, t))
        return h

    def superposed(self) -> np.ndarray:
        """After layer 4, in either layout: at the home tokens, out and cnt hold what has votes."""
        h = self.queried()
        for i, k in indices(self.examples, self.sizes.K):
            token = h[i * self.sizes.length + self.wiring.homes[k] - 1]
            self._add(token, "out", self.at_query(k) * self.symbols.votes[i, k])
            self._add(token, "cnt", self.symbols.votes[i, k])
        return h

    def pooled(self, out: np.ndarray, tot: Poly) -> np.ndarray:
        """After layer 5: out and tot at the answer token."""
        h = self.superposed()
        self._set(h[self.answer], "out", out)
        self._set(h[self.answer], "tot", tot)
        return h

    def squared(self, out: np.ndarray, tot: int) -> np.ndarray:
        """After layer 6: sq = tot^2 and rec = s/tot at the answer token, 0 if tot = 0."""
        number, s = self.symbols.ring.ground_new, self.symbols.made.margins.s
        h = self.pooled(out, number(tot))
        self._set(h[self.answer], "sq", number(tot**2))
        self._set(h[self.answer], "rec", number(QQ(s, tot) if tot else 0))
        return h

    def _tokens(self, h: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
        """(i, t from 0, its part of the stream) of all tokens that are no padding."""
        n = self.sizes.length
        return [(i, t, h[i * n + t]) for i, t in indices(self.sizes.m + 1, n)]

    def _operands(self, i: int) -> dict[int, np.ndarray]:
        return {s: self.vectors[i, p - 1] for s, p in enumerate(self.wiring.slots, start=1)}

    def dictionary(self, i: int, t: int) -> np.ndarray:
        """Each feature at token (i, t), of the token itself and of its slots: what acts there."""
        X = {0: self.filled[i, t], **self._operands(i)}
        acting = [[u for u in own if u.at in (None, t + 1)] for own in self.wiring.dictionary]
        return np.array([_feature(self.symbols, units, X) for units in acting], dtype=object)

    def _set(self, token: np.ndarray, field: str, value: object) -> None:
        token[self.sizes.residual[field].at] = value

    def _add(self, token: np.ndarray, field: str, value: object) -> None:
        token[self.sizes.residual[field].at] += value
