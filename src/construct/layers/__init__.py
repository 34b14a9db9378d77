"""The seven layers of the construction, one file and one lemma each."""

from construct.layers.divide import divide
from construct.layers.gather import gather
from construct.layers.label import label
from construct.layers.pool import pool
from construct.layers.query import query
from construct.layers.square import square
from construct.layers.superpose import superpose

LAYERS = (gather, label, query, superpose, pool, square, divide)

__all__ = [
    "LAYERS",
    "divide",
    "gather",
    "label",
    "pool",
    "query",
    "square",
    "superpose",
]
