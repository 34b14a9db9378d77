"""What surrounds a stock model that is given embeddings: W_E, W_pos and W_U, in a file beside it.

Tokens are rows of d + 1 numbers, a vector and a flag (`interop.inputs`); the model is given
rows W_E + W_pos. Of a `T5EncoderModel` its last state times W_U is the answer.
"""

from pathlib import Path
from typing import Any

from construct.compiler import Construction
from construct.interop.dense import dense

NAME = "embedding.safetensors"


def save(construction: Construction, width: int, folder: Path, dtype: str) -> None:
    """Write the file, for a stream of that width."""
    from safetensors.numpy import save_file

    transformer, sizes = construction.transformer, construction.sizes
    shapes = {"W_E": (sizes.d + 1, width), "W_pos": (sizes.N, width), "W_U": (width, sizes.d)}
    tensors = {name: dense(transformer, name, shape, dtype) for name, shape in shapes.items()}
    save_file(tensors, folder / NAME)


def parameters(construction: Construction, width: int) -> int:
    """Numbers in that file."""
    sizes = construction.sizes
    return (2 * sizes.d + 1 + sizes.N) * width


def embedded(tensors: dict[str, Any], tokens: Any) -> Any:
    """(1, tokens, width): the stream of these rows."""
    return (tokens @ tensors["W_E"] + tensors["W_pos"][: len(tokens)])[None]
