"""One pass by the executor of a name: what goes in, what comes out, what is refused."""

import importlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Shaped

from construct.arguments import instance
from construct.errors import ConstructError, shown
from construct.execute.objects import not_zero
from construct.execute.registry import (
    EXECUTORS,
    RATIONALS,
    Executor,
    named,
    refuse_without_softmax,
)
from construct.network.transformer import Transformer
from construct.rational import to_float


@dataclass(frozen=True, eq=False)
class Pass:
    """What a forward pass leaves behind, as NumPy arrays.

    Attributes:
        stream: the residual stream after the last layer.
        attended: for each layer and head the total that each token gave: of ReLU attention
            the sum of its scores, sum_j relu(<Q h_i, K h_j>); of softmax attention the sum of
            its weights on all tokens but the first, the sink.
        states: with trace, the streams before layer 1 and after each layer.
    """

    stream: Shaped[np.ndarray, "*batch N D"]
    attended: Shaped[np.ndarray, "*batch L K N"]
    states: Shaped[np.ndarray, "states *batch N D"] | None = None


@runtime_checkable
class Run(Protocol):
    """An executor that holds the weights of a transformer."""

    def __call__(self, stream: Any, trace: bool = False) -> Pass:
        """One forward pass.

        Args:
            stream: (N, D), or a batch of them (batch, N, D), of real numbers.
            trace: whether to keep the stream before layer 1 and after each layer.
        """


def refuse_other_formats(executor: Executor, dtype: Any) -> None:
    """Refuse a format that the executor lacks.

    Raises:
        ConstructError: naming those that it has.
    """
    if not isinstance(dtype, str) or dtype not in executor.formats:
        raise ConstructError(
            f"the executor {executor.name!r} has no format {shown(dtype)}; choose one of: "
            f"{', '.join(executor.formats)}."
        )


def prepare(name: str, transformer: Transformer, dtype: str = "float64", mesh: Any = None) -> Run:
    """The executor `name`, holding these weights in this format.

    What is returned takes a stream of shape (N, D), or a batch of them, in any real numbers.

    Args:
        name: one of `construct.execute.registry.EXECUTORS`.
        transformer: the weights.
        dtype: a number format that the executor has.
        mesh: devices over which prompts are sharded (`execute.devices.mesh`), for an
            executor that takes one.

    Raises:
        ConstructError: if there is no such executor, it lacks the format or the attention or
            takes no mesh, or its library is not installed or fails to load.
    """
    executor = named(name)
    refuse_other_formats(executor, dtype)
    instance(Transformer, "a construct.Transformer")(transformer, "transformer")
    if transformer.attention.softmax:
        refuse_without_softmax(executor)
        if mesh is not None:
            raise ConstructError("softmax attention runs on one device; leave out the mesh.")
    module = _loaded(executor)
    if mesh is None:
        return _guarded(module.prepare(transformer, dtype), transformer, dtype)
    if not executor.takes_mesh:
        able = ", ".join(one.name for one in EXECUTORS.values() if one.takes_mesh)
        raise ConstructError(f"the executor {name!r} does not take a mesh; choose one of: {able}.")
    _refuse_other_meshes(mesh)
    return _guarded(module.prepare(transformer, dtype, mesh), transformer, dtype)


def _loaded(executor: Executor) -> Any:
    """The module of an executor; each imports a package that may be missing or broken."""
    name, package = executor.name, executor.package
    try:
        return importlib.import_module(executor.module)
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
    """`run` on streams of this transformer, and on nothing else."""
    context = transformer.sparse("W_pos").shape

    def checked(stream: Any, trace: bool = False) -> Pass:
        array = as_stream(stream, context)
        whole = array.dtype.kind in "iu"
        if dtype == RATIONALS:
            array = array.astype(object if whole else np.result_type(array, np.float64), copy=False)
        elif array.dtype == object:
            array = _floats(array)
        elif whole:
            array = array.astype(np.float64)
        return run(array, trace)

    return checked


def _floats(array: np.ndarray) -> np.ndarray:
    """An object array of rationals, each rounded to the nearest float64."""
    at, entries = not_zero(array)
    found = np.zeros(array.size)
    found[at] = to_float(entries)
    return found.reshape(array.shape)


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
        real = set(map(type, not_zero(array)[1].tolist())) <= {int, Fraction}
    else:
        real = array.dtype.kind in "iuf" and array.itemsize <= 8 and _finite(array)
    if not real:
        raise ConstructError(
            "the stream holds entries that are not finite real numbers; give float64 or float32, "
            "or int and Fraction where they are exact."
        )
    return array


def _finite(array: np.ndarray) -> bool:
    """Whether all are finite: told by the sum in most cases, without another array."""
    if array.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())
