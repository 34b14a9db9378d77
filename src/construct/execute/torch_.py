"""PyTorch (an extra): an `nn.Module` whose parameters are the artifact's tensors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.sparse import csc_array, sparray
from torch import Tensor, nn

from construct.execute.layout import ALL, Library, PreparedLayer, Product, columns_first, run_layers
from construct.execute.passes import Pass, Run
from construct.execute.weights import mostly_empty, nonzeros, places, rows_of
from construct.network.attention import Attention
from construct.network.transformer import Head, Layer, Mlp, Transformer


class _Weights(nn.Module):
    """Registers a part's weights under their names in `model.safetensors`."""

    def __init__(self, part: Head | Mlp, dtype: torch.dtype) -> None:
        super().__init__()
        for name in part.WEIGHTS:
            weight = torch.tensor(getattr(part, name), dtype=dtype)
            self.register_parameter(name, nn.Parameter(weight, requires_grad=False))
        self.register_load_state_dict_pre_hook(_leave_out_exact_values)


def _leave_out_exact_values(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any
) -> None:
    """A file holds, beside a weight that float64 rounds, its exact values: no tensor can."""
    for name, _weight in module.named_parameters(recurse=False):
        for suffix in (".exact", ".exact.at"):
            state_dict.pop(prefix + name + suffix, None)


class AttentionHead(_Weights):
    """Attention of the kind that its transformer has: ReLU divided by N, or softmax."""

    W_Q: Tensor
    W_K: Tensor
    W_V: Tensor
    W_O: Tensor

    def __init__(self, head: Head, dtype: torch.dtype, attention: Attention) -> None:
        super().__init__(head, dtype)
        self.attention = attention

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """h (..., N, D) -> its update, and the total of each token (`Pass.attended`)."""
        scores = (h @ self.W_Q) @ (h @ self.W_K).mT
        if self.attention.softmax:
            weights = torch.softmax(_unseen(scores) if self.attention.causal else scores, dim=-1)
            return weights @ (h @ self.W_V) @ self.W_O, weights[..., 1:].sum(dim=-1)
        scores = torch.relu(scores)
        return (scores / h.shape[-2]) @ (h @ self.W_V) @ self.W_O, scores.sum(dim=-1)


class FeedForward(_Weights):
    """relu MLP without bias (Bai, Definition 2)."""

    W_in: Tensor
    W_out: Tensor

    def forward(self, h: Tensor) -> Tensor:
        """h (..., N, D) -> its update."""
        return torch.relu(h @ self.W_in) @ self.W_out


class TransformerLayer(nn.Module):
    """Attention, then MLP (Bai, Definition 3)."""

    def __init__(self, layer: Layer, dtype: torch.dtype, attention: Attention) -> None:
        super().__init__()
        self.heads = nn.ModuleList(AttentionHead(head, dtype, attention) for head in layer.heads)
        self.mlp = FeedForward(layer.mlp, dtype)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """h (..., N, D) -> the next h, and (..., K, N) total scores."""
        updates, totals = zip(*(head(h) for head in self.heads), strict=True)
        h = h + sum(updates[1:], updates[0])
        return h + self.mlp(h), torch.stack(totals, dim=-2)


class TransformerModule(nn.Module):
    """The whole transformer, with parameters under the names of `model.safetensors`.

    An artifact of either form becomes a module, with the rest of what it says, by

    >>> module = TransformerModule(construct.load("turn-and-flip").transformer)

    A file with whole matrices (`construct build --dense`, `save(..., dense=True)`) is
    loaded strictly as it is, by any module of the same shapes. Exact values that stand
    beside rounded weights are left out: tensors hold floats.

    >>> module.load_state_dict(load_file("turn-and-flip/model.safetensors"))
    <All keys matched successfully>

    A file of non-zeros says no shapes, so that `load_state_dict` refuses it; the names
    would not match.
    """

    def __init__(self, transformer: Transformer, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        for name in ("W_E", "W_pos", "W_U"):
            weight = torch.tensor(getattr(transformer, name), dtype=dtype)
            self.register_parameter(name, nn.Parameter(weight, requires_grad=False))
        self.layers = nn.ModuleList(
            TransformerLayer(x, dtype, transformer.attention) for x in transformer.layers
        )

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """h (..., N, D) -> the final stream, (..., L, K, N) scores, all states."""
        states, attended = [h], []
        for layer in self.layers:
            h, totals = layer(h)
            states.append(h)
            attended.append(totals)
        return h, torch.stack(attended, dim=-3), states


@contextmanager
def full_precision() -> Iterator[None]:
    """IEEE products of float32, whatever `torch.set_float32_matmul_precision` says.

    TF32 and bfloat16 round the whole numbers that decide. Call the module itself inside
    this context.
    """
    settings: Any = torch.backends
    backends = settings.cuda.matmul, settings.mkldnn.matmul
    asked = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        yield
    finally:
        for backend, precision in zip(backends, asked, strict=True):
            backend.fp32_precision = precision


def prepare(transformer: Transformer, dtype: str = "float64") -> Run:
    """See `construct.execute`.

    The module above holds whole matrices; this pass holds those that are mostly empty by their
    non-zeros (`layout`).
    """
    number: torch.dtype = getattr(torch, dtype)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    library = Library(
        partial(_product, number, device),
        partial(_index, device),
        Tensor.relu_,
        partial(torch.zeros, dtype=number, device=device),
        partial(torch.softmax, dim=-1),
        _unseen,
    )
    layers = [
        PreparedLayer.of(layer, transformer.attention, library) for layer in transformer.layers
    ]
    K = transformer.sizes.heads

    def run(stream: np.ndarray, trace: bool = False) -> Pass:
        with torch.inference_mode(), full_precision():
            h = torch.from_numpy(columns_first(stream, dtype)).to(device)
            totals = library.zeros((h.shape[1], len(layers), K, h.shape[2]))
            return run_layers(layers, h, stream, totals, lambda x: x.cpu().numpy(), trace)

    return run


def _unseen(scores: Tensor) -> Tensor:
    later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
    return scores.masked_fill_(later, -torch.inf)


def _product(dtype: torch.dtype, device: str, weight: sparray) -> Product:
    """What multiplies by a weight: sums of weighted rows of the stream, or a dense matrix."""
    W, reads = nonzeros(weight), rows_of([weight])
    if not mostly_empty(W.nnz, len(reads) * W.shape[1]):
        at = _index(device, reads)
        transposed = torch.tensor(W[reads].toarray().T, dtype=dtype, device=device)
        return lambda h, _=ALL: (transposed @ h[at].flatten(1)).unflatten(1, h.shape[1:])
    columns = csc_array(W)
    rows, ends = (
        torch.tensor(x, dtype=torch.int64, device=device) for x in (columns.indices, columns.indptr)
    )
    summed = partial(
        nn.functional.embedding_bag,
        mode="sum",
        per_sample_weights=torch.tensor(columns.data, dtype=dtype, device=device),
        include_last_offset=True,
    )
    return lambda h, _=ALL: summed(rows, h.flatten(1), ends).unflatten(1, h.shape[1:])


def _index(device: str, found: np.ndarray) -> slice | Tensor:
    at = places(found)
    return at if isinstance(at, slice) else torch.tensor(at, dtype=torch.int64, device=device)
