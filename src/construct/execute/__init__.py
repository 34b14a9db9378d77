"""The executors: weights and a residual stream in, a residual stream out.

All have one signature, `prepare(transformer, dtype) -> run`, and then
`run(stream, trace=False) -> Pass`, for a stream of shape (N, D) or a batch of them
(batch, N, D). None knows anything of tasks.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from construct.errors import ConstructError
from construct.residual import Sizes
from construct.transformer import Transformer


@dataclass(frozen=True, eq=False)
class Pass:
    """What a forward pass leaves behind, as NumPy arrays.

    Attributes:
        stream: the residual stream after the last layer.
        attended: for each layer and head the total score that each token gave,
            sum_j relu(<Q h_i, K h_j>).
        states: with trace, the streams before layer 1 and after each layer.
    """

    stream: Shaped[np.ndarray, "*batch N D"]
    attended: Shaped[np.ndarray, "*batch L K N"]
    states: Shaped[np.ndarray, "states *batch N D"] | None = None


Run = Callable[..., Pass]

# name -> (module, formats, what to install where it is missing)
EXECUTORS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "numpy": ("construct.execute.numpy_", ("float64", "float32"), "numpy"),
    "jax": ("construct.execute.jax_", ("float64", "float32"), "jax"),
    "sparse": ("construct.execute.sparse", ("float64", "float32"), "jax"),
    "torch": ("construct.execute.torch_", ("float64", "float32"), "torch==2.13.0"),
    "exact": ("construct.execute.exact", ("exact",), "python-flint"),
}

MANY_DEVICES = ("jax", "sparse")

# Scores of a dense pass that take a few seconds on a small machine.
MOST_SCORES = 1 << 30


def default_executor(sizes: Sizes) -> str:
    """Dense, by JAX, as long as that takes seconds; sparse beyond."""
    return "jax" if sizes.K * sizes.N**2 <= MOST_SCORES else "sparse"


def prepare(name: str, transformer: Transformer, dtype: str = "float64", mesh: Any = None) -> Run:
    """The executor `name`, holding these weights in this format.

    Args:
        mesh: devices to share the prompts out to (`execute.devices.mesh`); jax and
            sparse alone take one.

    Raises:
        ConstructError: if there is no such executor, it lacks the format or takes no
            mesh, or its library is not installed.
    """
    if name not in EXECUTORS:
        raise ConstructError(f"there is no executor {name!r}; known: {', '.join(EXECUTORS)}.")
    module, formats, package = EXECUTORS[name]
    if dtype not in formats:
        raise ConstructError(
            f"the executor {name!r} has no format {dtype!r}; it has: {', '.join(formats)}."
        )
    try:
        executor: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ConstructError(
            f"the executor {name!r} needs a package that is not installed: pip install '{package}'."
        ) from error
    if mesh is None:
        return executor.prepare(transformer, dtype)
    if name not in MANY_DEVICES:
        raise ConstructError(
            f"the executor {name!r} takes no mesh; these do: {', '.join(MANY_DEVICES)}."
        )
    return executor.prepare(transformer, dtype, mesh)
