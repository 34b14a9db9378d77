"""What a patch is made of: where it goes, what it holds, and the layers that run on from there."""

from fractions import Fraction
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from construct.answer import prepared
from construct.errors import ConstructError, shown
from construct.execute.passes import Pass, Run
from construct.network.transformer import Transformer
from construct.spec.prompt import exactly


def rest_of(transformer: Transformer, layer: int, executor: str, dtype: str) -> Run:
    """What runs the layers after this one."""
    if layer == len(transformer.layers):
        return _nothing_left
    return prepared(_after(transformer, layer), executor, dtype)


def _nothing_left(stream: np.ndarray, trace: bool = False) -> Pass:
    attended = np.zeros((0, 0, len(stream)), stream.dtype)
    return Pass(stream, attended, stream[None])


def _after(transformer: Transformer, layer: int) -> Transformer:
    """The transformer of the layers after this one, kept as long as the whole one lives."""
    known = _SUFFIXES.setdefault(transformer, {})
    if layer not in known:
        outer = {name: transformer.sparse(name) for name in transformer.WEIGHTS}
        known[layer] = Transformer(
            transformer.sizes,
            transformer.layers[layer:],
            **outer,
            answer=transformer.answer,
            attention=transformer.attention,
        )
    return known[layer]


_SUFFIXES: WeakKeyDictionary[Transformer, dict[int, Transformer]] = WeakKeyDictionary()


def places_of(tokens: Any, N: int) -> np.ndarray:
    """Indices of tokens.

    Raises:
        ConstructError: if they are none.
    """
    try:
        at = np.atleast_1d(np.asarray(tokens))
    except ValueError:  # lists of several lengths
        at = np.zeros(1)
    if at.ndim != 1 or at.dtype.kind not in "iu" or not all(0 <= t < N for t in at.tolist()):
        raise ConstructError(
            f"tokens is {shown(tokens)}; give indices of tokens from 0 to {N - 1}, such as "
            "Trace.token finds."
        )
    return at


def values_of(value: Any, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """A value in the numbers of a stream, for so many tokens and coordinates.

    Raises:
        ConstructError: if it does not fit.
    """
    try:
        given = np.asarray(value)
        if given.ndim == 1 and len(given) == shape[0] and shape[1] == 1:
            given = given[:, None]  # a number for each token
        found = np.broadcast_to(given, shape)
    except ValueError:
        raise ConstructError(
            f"the value is {shown(value)}, which does not fit; give a number, or an array "
            f"of shape ({shape[1]},) or {shape}."
        ) from None
    exact = found.dtype == object and set(map(type, found.flat)) <= {int, Fraction}
    if not exact and not (found.dtype.kind in "iuf" and np.isfinite(found).all()):
        raise ConstructError(f"the value is {shown(value)}; give finite real numbers.")
    return exactly(found) if dtype.kind == "O" else _floats(found, dtype)


def _floats(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):
            found = values.astype(np.float64).astype(dtype)
    except OverflowError:
        found = np.full(1, np.inf)
    if not np.isfinite(found).all():
        raise ConstructError(f"the value is beyond the range of {dtype}; give smaller numbers.")
    return found
