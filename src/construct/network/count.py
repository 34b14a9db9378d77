"""How many entries of a weight are not zero, and how many of them float64 rounds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from construct.rational import Rational, to_float


@dataclass(frozen=True)
class Count:
    """Entries of a weight matrix that are not zero, and those that float64 rounds."""

    nonzeros: int = 0
    rounded: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.nonzeros + other.nonzeros, self.rounded + other.rounded)

    def __rmul__(self, times: int) -> "Count":
        return Count(times * self.nonzeros, times * self.rounded)

    @classmethod
    def of(
        cls, values: Iterable[Rational] | Mapping[Rational, int], scale: Rational = 1
    ) -> "Count":
        """Count the entries of a matrix that holds `scale * value` for each value.

        Args:
            values: the values, or each of them with how often it occurs.

        Raises:
            ConstructError: if one is beyond the range of float64.
        """
        found = Counter(values)  # of a mapping it takes the counts
        scaled = np.array([scale * value for value in found], dtype=object)
        times = np.array(list(found.values()), dtype=object)
        held = to_float(scaled)
        return cls(int(times[held != 0].sum()), int(times[held != scaled].sum()))
