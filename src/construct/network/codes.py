"""Address codes: the numbers 0..count-1 as vectors of +1 and -1.

<u, v> = ell if u = v, and <= ell - 2 if not, where ell is the length: so the
score C(<u, v> - ell) is 0 on equality and at most -2C otherwise.
"""

import numpy as np


def code_length(count: int) -> int:
    """ell = ceil(log2(count)), the bits that tell `count` numbers apart."""
    return (count - 1).bit_length()


def code(number: int | np.ndarray, ell: int) -> np.ndarray:
    """The ell bits of `number`, lowest first, each as +1 (set) or -1 (not set).

    Exact integers for one number; int8, of shape (count, ell), for an array of them.
    """
    if isinstance(number, np.ndarray):
        return (2 * (number[:, None] >> np.arange(ell) & 1) - 1).astype(np.int8)
    return np.array([2 * (number >> bit & 1) - 1 for bit in range(ell)], dtype=object)
