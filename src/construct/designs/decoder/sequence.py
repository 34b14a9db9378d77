"""What the places of a decoder's context hold, whatever its tokens are."""

import numpy as np

from construct.designs.softmax.sizes import Sizes
from construct.network.tables import log


def denominators(sizes: Sizes) -> np.ndarray:
    """(N,): the logarithm of m+1 less the labels up to each place; 0 at the sink.

    The sink is alone with itself: there is nothing to count.
    """
    example, position = np.divmod(np.arange(sizes.N - 1), sizes.n)
    labels = example + (position == sizes.n - 1)
    logs = np.array([float(log(v)) for v in range(1, sizes.m + 2)])
    return np.concatenate([[0.0], logs[sizes.m - labels]])
