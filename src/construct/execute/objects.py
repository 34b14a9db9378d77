"""Arrays of exact numbers, most of which are 0, without a look at each entry in Python."""

import sys

import numpy as np


def not_zero(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries of an object array that may not be Python's own 0.

    CPython has one object for each small whole number, and an array of objects is an array
    of their addresses: an entry with the address of 0 is 0. All other entries are returned,
    zeros of other kinds among them; on other Pythons that is every entry.

    Returns:
        Their places in the flat array, and the entries.
    """
    flat = np.ascontiguousarray(array).reshape(-1)
    if sys.implementation.name != "cpython" or not flat.size:
        return np.arange(flat.size), flat
    at = np.flatnonzero(np.frombuffer(flat, dtype=np.intp) != id(0))
    return at, flat[at]
