"""Scores that decide: by addresses, and by the distance of a label.

The codes of two different numbers have a product of at most their length - 2 (`network.codes`).
That product less the length is written as a sum over the bits that differ, of which no term is
above 0: at the token that is meant every term is 0 by itself, so that no rounding of large
penalties, in any order, takes a digit of what else it scores. Of the sink everything is 0 but
its flag, so that it scores 0 in all of these.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from construct.designs.softmax.plan import Margins
from construct.designs.softmax.sizes import Sizes
from construct.network.codes import code
from construct.network.primitives import Rows, Score, along, constant, read
from construct.rational import Rational


def times(factor: Rational, score: Score) -> Score:
    """A score times a number."""
    return [(factor * query, key) for query, key in score]


def at_position(sizes: Sizes, position: int) -> Rows:
    """<code(position), pt> - ell_t: 0 at this position, at most -2 elsewhere; of the sink 0."""
    return along("pt", code(position - 1, sizes.ell_t)) - constant(sizes.ell_t)


def in_example(sizes: Sizes, example: int) -> Rows:
    """<code(example), pe> - ell_e: 0 in this example, from 0, at most -2 elsewhere."""
    return along("pe", code(example, sizes.ell_e)) - constant(sizes.ell_e)


def same_example(sizes: Sizes) -> Score:
    """0 at the tokens of the asking token's own example, at most -2 at others."""
    return _differing("pe", sizes.ell_e)


def same_position(sizes: Sizes) -> Score:
    """0 at the tokens that stand where the asking token stands in its example, else at most -2."""
    return _differing("pt", sizes.ell_t)


def _differing(code: str, ell: int) -> Score:
    """<u, v> - ell of two codes: -2 for each bit that is set in one and not in the other."""
    ones, bits = Rows({"one": np.ones((ell, 1), dtype=object)}), read(code)
    half = Fraction(1, 2)
    return [(half * (ones + bits), bits - ones), (half * (ones - bits), -1 * (bits + ones))]


def itself(sizes: Sizes) -> Score:
    """0 at the asking token, at most -2 at others."""
    return [*same_example(sizes), *same_position(sizes)]


def always(rows: Rows) -> Score:
    """The same for every token that asks: a functional of the token that is read."""
    return [(constant(1), rows)]


def deciding(margins: Margins, parts: Sequence[Score]) -> Score:
    """gamma where all parts are 0, at most -gamma where one is at most -2 and none is above 0."""
    gamma = margins.gamma
    scaled = [pair for part in parts for pair in times(gamma, part)]
    return [*scaled, *always(constant(gamma))]


def test(sizes: Sizes, margins: Margins, e: Rows) -> Score:
    """top - beta ||e||^2 at the asking token; at most -gamma at others.

    2C >= top + gamma + beta E^2, where ||e|| <= E at every token. At ||e|| <= tau + epsilon the
    score is at least gamma, at delta - epsilon and above at most -gamma.
    """
    return [
        (-margins.beta * e, e),
        *times(margins.far, itself(sizes)),
        *always(constant(margins.top)),
    ]


def at_itself(sizes: Sizes, margins: Margins, score: Rows) -> Score:
    """The functional `score` of the asking token at this token, at least 2 gamma less at others."""
    return [(score, constant(1)), *times(margins.gamma, itself(sizes))]


def alone(penalty: Rational) -> Score:
    """From the sink -penalty at every other token, so that it stays as it is; from others 0.

    It is gamma where the sink asks with nothing else, and C where it asks with a distance: what
    a fetch leaves there is small, but times beta E it need not be. Under causal attention the
    sink sees nothing else.
    """
    return [(-penalty * read("sink"), constant(1))]
