"""`model.safetensors`: the weights by their non-zeros, and the values that float64 rounds."""

import json
from fractions import Fraction
from typing import Any

import numpy as np
from safetensors.numpy import save as write_tensors
from scipy.sparse import coo_array, csr_array

from construct.artifact.config import MODEL
from construct.errors import ConstructError
from construct.network.primitives import Shapes
from construct.network.transformer import Entries, Transformer
from construct.rational import MOST_WHOLE, is_float, read_json

INT64 = 1 << 63  # it holds all whole numbers below


def model_of(transformer: Transformer, dense: bool) -> bytes:
    """The content of `model.safetensors`."""
    tensors: dict[str, np.ndarray] = {}
    large: dict[str, dict[str, str]] = {}
    for name, weight in transformer.weights().items():
        if dense:
            tensors[name] = weight.toarray()
        elif weight.nnz:
            tensors[name] = weight.data
            tensors[f"{name}.at"] = np.stack(coo_array(weight).coords).astype(np.int32)
    for name, entries in transformer.exact_entries().items():
        numerators, denominators = entries.numerators, entries.denominators
        fits = np.array((abs(numerators) < INT64) & (denominators < INT64), dtype=bool)
        if fits.any():
            values = np.stack([numerators[fits], denominators[fits]])
            tensors[f"{name}.exact"] = values.astype(np.int64)
            # The file has rows one after the other, whatever the order in memory.
            tensors[f"{name}.exact.at"] = entries.at[:, fits].astype(np.int32, order="C")
        for place in np.flatnonzero(~fits):
            i, j = entries.at[:, place]
            text = f"{numerators[place]}/{denominators[place]}"
            large.setdefault(name, {})[f"{i},{j}"] = text
    # A single key: the order of several is not the same in each file.
    return write_tensors(tensors, metadata={"exact": json.dumps(large)})


def large_values(model: bytes) -> dict[str, dict[tuple[int, int], Fraction]]:
    """The exact values that int64 does not hold."""
    length = int.from_bytes(model[:8], "little")
    entries = read_json(json.loads(model[8 : 8 + length])["__metadata__"]["exact"], MODEL)
    large = {}
    for name, tensor in entries.items():
        places = [(int(i), int(j)) for i, j in (key.split(",") for key in tensor)]
        if len(set(places)) < len(places):
            raise _wrong(name, "given an exact value twice at one place")
        large[name] = dict(zip(places, map(Fraction, tensor.values()), strict=True))
    return large


class Reader:
    """Takes the tensors of a file one by one, and checks each."""

    def __init__(self, tensors: dict[str, np.ndarray], large: dict[str, Any], dense: bool) -> None:
        self.tensors, self.large, self.dense = dict(tensors), dict(large), dense

    def weight(self, name: str, shape: tuple[int, ...]) -> csr_array:
        """The matrix of that name."""
        if self.dense:
            return csr_array(_finite(name, self._take(name, np.float64, shape)))
        if name not in self.tensors and f"{name}.at" not in self.tensors:
            return csr_array(shape)
        at = self._places(f"{name}.at", shape)
        values = self._take(name, np.float64, (at.shape[1],))
        return csr_array(coo_array((_finite(name, values), at), shape))

    def exact(self, name: str, weight: csr_array) -> Entries | None:
        """The entries of a weight that float64 rounds; None if there are none."""
        found = []
        if f"{name}.exact" in self.tensors or f"{name}.exact.at" in self.tensors:
            at = self._places(f"{name}.exact.at", weight.shape)
            values = self._take(f"{name}.exact", np.int64, (2, at.shape[1])).astype(object)
            found.append(Entries(at, *values))
        if name in self.large:
            found.append(Entries.of(self.large.pop(name)))
        if not found:
            return None
        entries = Entries.join(found)
        _refuse_other_values(name, weight, entries)
        return entries

    def part(self, prefix: str, shapes: Shapes) -> dict[str, Any]:
        """The weights of a head or an MLP, and the entries that float64 rounds."""
        found: dict[str, Any] = {}
        exact = {}
        for name, shape in shapes.items():
            found[name] = self.weight(f"{prefix}.{name}", shape)
            entries = self.exact(f"{prefix}.{name}", found[name])
            if entries is not None:
                exact[name] = entries
        return {**found, "exact": exact}

    def close(self) -> None:
        """Refuse tensors that the artifact does not have."""
        for name in [*self.tensors, *self.large]:
            raise _wrong(name, "not one of this artifact")

    def _take(self, name: str, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
        if name not in self.tensors:
            raise _wrong(name, "missing")
        found = self.tensors.pop(name)
        if found.dtype != dtype or found.shape != shape:
            raise _wrong(name, f"not {np.dtype(dtype)} of shape {list(shape)}")
        return found

    def _places(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Take (2, count) places within the shape, in order of rows, none of them twice."""
        count = self.tensors[name].shape[-1] if name in self.tensors else 0
        at = self._take(name, np.int32, (2, count)).astype(np.int64)
        rows, columns = shape
        inside = (at >= 0).all() and (at[0] < rows).all() and (at[1] < columns).all()
        if not inside or (np.diff(at[0] * columns + at[1]) <= 0).any():
            raise _wrong(name, f"not a list of places in a matrix of shape {list(shape)}")
        return at


def _finite(name: str, values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise _wrong(name, "not finite in every entry")
    return values


def _wrong(name: str, what: str) -> ConstructError:
    return ConstructError(f"tensor {name} is {what}; build the artifact anew.")


def _refuse_other_values(name: str, weight: csr_array, entries: Entries) -> None:
    """Exact values are in lowest terms, of entries that float64 rounds, and only of those."""
    rows, columns = entries.at
    inside = (rows >= 0) & (rows < weight.shape[0]) & (columns >= 0) & (columns < weight.shape[1])
    nearest, right = _nearest(entries)
    right &= inside
    right[inside] &= weight[rows[inside], columns[inside]] == nearest[inside]
    for i, j in entries.at[:, ~right].T:
        raise ConstructError(
            f"the exact value of {name}[{i}, {j}] does not round to the entry in "
            "float64; build the artifact anew."
        )


def _nearest(entries: Entries) -> tuple[np.ndarray, np.ndarray]:
    """The nearest float64 of each value, and whether it is another number."""
    p, q = entries.numerators, entries.denominators
    small = np.array((abs(p) < MOST_WHOLE) & (q > 0) & (q < MOST_WHOLE), dtype=bool)
    nearest, rounds = np.zeros(len(p)), np.zeros(len(p), dtype=bool)
    # A quotient of two floats is rounded once; in lowest terms it is a float if the
    # denominator is a power of two.
    a, b = p[small].astype(np.int64), q[small].astype(np.int64)
    nearest[small], rounds[small] = a / b, (np.gcd(a, b) == 1) & (b & (b - 1) != 0)
    for k in np.flatnonzero(~small):
        value = Fraction(p[k], q[k])
        nearest[k] = float(value)
        rounds[k] = not is_float(value)
    return nearest, rounds
