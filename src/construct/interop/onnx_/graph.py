"""A transformer as a graph: embedding, layers of attention and MLP, unembedding."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from construct.compiler import Construction
from construct.interop.dense import side_by_side, stacked, widest
from construct.interop.inputs import of_words
from construct.network.attention import Attention
from construct.network.transformer import Head, Layer, Transformer

# Operators as these stood in 2022; whatever reads ONNX today knows them.
OPSET, IR = 17, 8


class Graph:
    """A graph that is being written. A value is known by its name.

    Args:
        dtype: of weights, and of all that is computed.
        tokens: how many there are; an axis that has a name may have any length.
    """

    def __init__(self, dtype: str, tokens: int | str) -> None:
        import onnx

        self.helper, self.arrays = onnx.helper, onnx.numpy_helper
        self.dtype, self.tokens = np.dtype(dtype), tokens
        self.number = onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        self.whole = onnx.TensorProto.INT64
        self.nodes: list[Any] = []
        self.outputs: list[Any] = []
        self.constants: dict[str, Any] = {}

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """A node, and the name of what it gives."""
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def output(self, value: str, name: str, *shape: int | str) -> str:
        """A value that is an output too, and its name as such: of so many axes after the batch."""
        shape = ("batch", *shape)
        self.outputs.append(self.helper.make_tensor_value_info(name, self.number, shape))
        return self.node("Identity", value, name=name)

    def weight(self, name: str, array: np.ndarray) -> str:
        """A weight, in the number format of the graph."""
        array = np.ascontiguousarray(array, self.dtype)
        self.constants[name] = self.arrays.from_array(array, name)
        return name

    def wholes(self, *numbers: int) -> str:
        """A list of whole numbers, each list once."""
        name = "_".join(["whole", *map(str, numbers)])
        self.constants[name] = self.arrays.from_array(np.array(numbers, np.int64), name)
        return name

    def model(self, given: Any, about: Mapping[str, str]) -> Any:
        """The whole, of one input, with texts by name for whoever opens it."""
        helper = self.helper
        graph = helper.make_graph(self.nodes, "construct", [given], self.outputs)
        opset = [helper.make_opsetid("", OPSET)]
        found = helper.make_model(
            graph, opset_imports=opset, ir_version=IR, producer_name="construct"
        )
        helper.set_model_props(found, dict(about))
        while self.constants:  # the helpers would copy them twice
            found.graph.initializer.append(self.constants.popitem()[1])
        return found


def model_of(construction: Construction, dtype: str, about: Mapping[str, str]) -> Any:
    """The whole graph.

    Args:
        about: texts by name, for whoever opens the file.
    """
    network = construction.transformer
    (N, D), (inputs, _) = network.sparse("W_pos").shape, network.sparse("W_E").shape
    graph = Graph(dtype, "tokens" if network.attention.causal else N)
    given, words = input_of(construction), of_words(construction)
    h = _embedded(graph, network, given, words)
    for layer in network.layers:
        h = graph.output(_layer(graph, network, layer, h), after(layer), graph.tokens, D)
    W_U = graph.weight("W_U", network.W_U)
    columns = network.sparse("W_U").shape[1]
    answer = graph.node("MatMul", h, W_U)
    graph.output(answer, output_of(construction), graph.tokens, columns)
    shape = ["batch", graph.tokens, *([] if words else [inputs])]
    number = graph.whole if words else graph.number
    return graph.model(graph.helper.make_tensor_value_info(given, number, shape), about)


def after(layer: Layer) -> str:
    """The name of the stream after a layer."""
    return f"after_{layer.name}"


def pattern(layer: str) -> str:
    """The name of the weights of a layer's heads."""
    return f"pattern_{layer}"


def input_of(construction: Construction) -> str:
    """The name of the input."""
    return "input_ids" if of_words(construction) else "tokens"


def output_of(construction: Construction) -> str:
    """The name of what W_U gives."""
    return "logits" if of_words(construction) else "answers"


def busy(layer: Layer, attention: Attention) -> list[Head]:
    """The heads that can write something."""
    return [head for head in layer.heads if not (head.silent or head.idle > attention.softmax)]


def _embedded(graph: Graph, network: Transformer, given: str, numbers: bool) -> str:
    """W_E of words by number or of rows, and of W_pos as many rows as there are tokens."""
    W_E, W_pos = (graph.weight(name, getattr(network, name)) for name in ("W_E", "W_pos"))
    h = graph.node("Gather", W_E, given) if numbers else graph.node("MatMul", given, W_E)
    places = graph.node("Slice", W_pos, graph.wholes(0), _count(graph, given), graph.wholes(0))
    return graph.node("Add", h, places, name="embedded")


def _count(graph: Graph, given: str) -> str:
    """How many tokens there are."""
    return graph.node("Shape", given, start=1, end=2)


def _layer(graph: Graph, network: Transformer, layer: Layer, h: str) -> str:
    heads = busy(layer, network.attention)
    if heads:
        h = graph.node("Add", h, _attention(graph, network, layer.name, heads, h))
    if layer.mlp.idle:
        return h
    W_in, W_out = (
        graph.weight(f"{layer.name}.{name}", getattr(layer.mlp, name)) for name in ("W_in", "W_out")
    )
    fired = graph.node("Relu", graph.node("MatMul", h, W_in))
    return graph.node("Add", h, graph.node("MatMul", fired, W_out))


def _attention(
    graph: Graph, network: Transformer, layer: str, heads: Sequence[Head], h: str
) -> str:
    """What the heads write together; all side by side, as many columns for each."""
    d_head, d_value = widest(heads, "W_Q"), widest(heads, "W_V")
    q = _heads(graph, layer, "W_Q", heads, d_head, h, perm=(0, 2, 1, 3))
    k = _heads(graph, layer, "W_K", heads, d_head, h, perm=(0, 2, 3, 1))
    v = _heads(graph, layer, "W_V", heads, d_value, h, perm=(0, 2, 1, 3))
    weights = graph.output(
        *(_weights(graph, network, graph.node("MatMul", q, k), h), pattern(layer)),
        *(len(heads), graph.tokens, graph.tokens),
    )
    found = graph.node("Transpose", graph.node("MatMul", weights, v), perm=(0, 2, 1, 3))
    flat = graph.node("Reshape", found, graph.wholes(0, 0, len(heads) * d_value))
    W_O = graph.weight(f"{layer}.W_O", stacked(heads, d_value, graph.dtype.name))
    return graph.node("MatMul", flat, W_O)


def _heads(
    graph: Graph, layer: str, name: str, heads: Sequence[Head], width: int, h: str, perm: Any
) -> str:
    """h @ W of each head, with the heads as an axis of their own."""
    W = graph.weight(f"{layer}.{name}", side_by_side(heads, name, width, graph.dtype.name))
    split = graph.wholes(0, 0, len(heads), width)
    return graph.node(
        "Transpose", graph.node("Reshape", graph.node("MatMul", h, W), split), perm=perm
    )


def _weights(graph: Graph, network: Transformer, scores: str, h: str) -> str:
    """Softmax of the scores, causal where the network is; or ReLU, divided by N."""
    attention = network.attention
    if not attention.softmax:
        N = graph.weight("N", np.array(network.sparse("W_pos").shape[0]))
        return graph.node("Div", graph.node("Relu", scores), N)
    if attention.causal:
        scores = graph.node(
            "Where", _seen(graph, h), scores, graph.weight("unseen", np.array(-np.inf))
        )
    return graph.node("Softmax", scores, axis=-1)


def _seen(graph: Graph, h: str) -> str:
    """(tokens, tokens): whether the second is not after the first."""
    first, one = graph.wholes(0), graph.wholes(1)
    end = graph.node("Squeeze", _count(graph, h))
    tokens = graph.node("Range", graph.node("Squeeze", first), end, graph.node("Squeeze", one))
    asking = graph.node("Unsqueeze", tokens, one)
    return graph.node("LessOrEqual", tokens, asking)
