"""The executors: weights and a residual stream in, a residual stream out.

All have one signature, `prepare(transformer, dtype) -> run`, and then
`run(stream, trace=False) -> Pass`, for a stream of shape (N, D) or a batch of them
(batch, N, D). They know nothing of tasks.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Shaped

from construct.arguments import instance
from construct.designs.theorem.sizes import Sizes
from construct.errors import ConstructError, shown
from construct.network.transformer import Transformer
from construct.rational import to_float


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


def refuse_unknown(name: Any, dtype: Any) -> None:
    """Refuse an executor that does not exist, or that lacks the format.

    Raises:
        ConstructError: naming the executors, or the formats, that there are.
    """
    if not isinstance(name, str) or name not in EXECUTORS:
        raise ConstructError(
            f"there is no executor {shown(name)}; choose one of: {', '.join(EXECUTORS)}."
        )
    formats = EXECUTORS[name][1]
    if not isinstance(dtype, str) or dtype not in formats:
        raise ConstructError(
            f"the executor {name!r} has no format {shown(dtype)}; choose one of: "
            f"{', '.join(formats)}."
        )


def prepare(name: str, transformer: Transformer, dtype: str = "float64", mesh: Any = None) -> Run:
    """The executor `name`, holding these weights in this format.

    What is returned takes a stream of shape (N, D), or a batch of them, in any real numbers.

    Args:
        mesh: devices to share the prompts out to (`execute.devices.mesh`); jax and
            sparse alone take one.

    Raises:
        ConstructError: if there is no such executor, it lacks the format or takes no
            mesh, or its library is not installed or fails to load.
    """
    refuse_unknown(name, dtype)
    instance(Transformer, "a construct.Transformer")(transformer, "transformer")
    executor = _loaded(name)
    if mesh is None:
        return _guarded(executor.prepare(transformer, dtype), transformer, dtype)
    if name not in MANY_DEVICES:
        raise ConstructError(
            f"the executor {name!r} does not take a mesh; choose one of: {', '.join(MANY_DEVICES)}."
        )
    _refuse_other_meshes(mesh)
    return _guarded(executor.prepare(transformer, dtype, mesh), transformer, dtype)


def _loaded(name: str) -> Any:
    """The module of an executor; each imports a package that may be missing or broken."""
    module, _, package = EXECUTORS[name]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ConstructError(
            f"the executor {name!r} needs a package that is not installed: pip install '{package}'."
        ) from error
    except Exception as error:  # a shared library that is missing, or of another version
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(".")
        raise ConstructError(
            f"the executor {name!r} needs the package {package!r}, which fails to load "
            f"({reason}); install it anew."
        ) from error


def _refuse_other_meshes(mesh: Any) -> None:
    from construct.execute.devices import BATCH, SEQUENCE

    if getattr(mesh, "axis_names", None) != (BATCH, SEQUENCE):
        raise ConstructError(
            f"the mesh is {shown(mesh)}; make one with construct.execute.devices.mesh."
        )


def _guarded(run: Run, transformer: Transformer, dtype: str) -> Run:
    """Let `run` take streams of this transformer, and nothing else."""
    context = transformer.sparse("W_pos").shape

    def checked(stream: Any, trace: bool = False) -> Pass:
        array = as_stream(stream, context)
        if array.dtype.kind in "iu":
            array = array.astype(object)
        if dtype == "exact":
            array = array if array.dtype == object else array.astype(np.float64, copy=False)
        elif array.dtype == object:
            array = to_float(array)
        return run(array, trace)

    return checked


def as_stream(stream: Any, context: tuple[int, ...]) -> np.ndarray:
    """A stream, or a batch of them, as an array of finite real numbers.

    Raises:
        ConstructError: saying which shape is wanted, or what its numbers are.
    """
    N, D = context
    try:
        array = np.asarray(stream)
    except ValueError:
        raise ConstructError(
            f"the stream is ragged; it must have the shape ({N}, {D}) or (batch, {N}, {D})."
        ) from None
    if array.ndim not in (2, 3) or array.shape[-2:] != context or not array.size:
        raise ConstructError(
            f"a stream of shape {array.shape} was given; this transformer takes "
            f"(N, D) = ({N}, {D}), or a batch of such streams."
        )
    if array.dtype == object:
        real = set(map(type, array.flat)) <= {int, Fraction}
    else:
        real = array.dtype.kind in "iuf" and array.itemsize <= 8 and _finite(array)
    if not real:
        raise ConstructError(
            "the stream holds entries that are not finite real numbers; give float64 or float32, "
            "or int and Fraction where they are exact."
        )
    return array


def _finite(array: np.ndarray) -> bool:
    """Whether all are finite; the sum decides in most cases, without another array."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())
