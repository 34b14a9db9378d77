"""Scores that find tokens by their addresses: pe, the example, and pt, the position in it.

Two codes of the same number have the product ell, two of different numbers at most
ell - 2 (`network.codes`): so each of these scores is 1 where the address is right, and
at most -1 elsewhere.
"""

from fractions import Fraction

import numpy as np

from construct.designs.theorem.sizes import Sizes
from construct.network.codes import code
from construct.network.primitives import Rows, Score, along, constant, read


def own_example_at(sizes: Sizes, position: int) -> Score:
    """1 at the token in `position` of the asking token's own example, else <= -1.

    1 + (<pe_i, pe_j> - ell_e) + (<code(position), pt_j> - ell_t)
    """
    there = at_position(sizes, position)
    return [
        (read("pe"), read("pe")),
        (constant(1), there + constant(1 - sizes.ell_e - sizes.ell_t)),
    ]


def from_the_end(sizes: Sizes) -> Rows:
    """n + w - t_j for the position t_j, which is 1 more than the bits of its code add up to."""
    bits = np.array([Fraction(-(1 << bit), 2) for bit in range(sizes.ell_t)], dtype=object)
    return along("pt", bits) + constant(sizes.length - 1 - Fraction((1 << sizes.ell_t) - 1, 2))


def at_position(sizes: Sizes, position: int) -> Rows:
    """<code(position), pt_j>, position from 1."""
    return along("pt", code(position - 1, sizes.ell_t))


def in_query(sizes: Sizes) -> Rows:
    """<code(q), pe_j>, the example q being the query."""
    return along("pe", code(sizes.m, sizes.ell_e))
