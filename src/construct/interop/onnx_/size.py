"""How many numbers a graph holds."""

from construct.compiler import Construction
from construct.interop.dense import widest
from construct.interop.onnx_.graph import busy
from construct.interop.scaled import Scaled
from construct.network.transformer import Layer


def parameters(construction: Construction, words: int | None = None) -> int:
    """Entries of all weights, zeros included.

    Args:
        words: as if there were so many words.
    """
    network, scaled = construction.transformer, Scaled(construction, words)
    (inputs, _), (N, _), (_, columns) = (network.sparse(name).shape for name in network.WEIGHTS)
    outer = scaled.vocabulary(inputs) + N + scaled.vocabulary(columns)
    layers = sum(_rows(construction, layer, scaled) for layer in network.layers)
    return scaled.D * (outer + layers)


def _rows(construction: Construction, layer: Layer, scaled: Scaled) -> int:
    """Of the matrices of a layer, each with a side of D, the other sides together."""
    heads = busy(layer, construction.transformer.attention)
    each = scaled.head(widest(heads, "W_Q")) + scaled.head(widest(heads, "W_V"))
    units = 0 if layer.mlp.idle else scaled.units(layer.mlp.sparse("W_in").shape[1])
    return 2 * (len(heads) * each + units)
