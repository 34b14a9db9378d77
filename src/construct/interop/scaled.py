"""What a construction would measure with another vocabulary, its tables in proportion."""

import math
from dataclasses import dataclass

from construct.compiler import Construction
from construct.interop.inputs import of_words


@dataclass(frozen=True)
class Scaled:
    """Sizes as if there were so many words; never less than it would take.

    Attributes:
        construction: what there is.
        words: None for the words that there are.
    """

    construction: Construction
    words: int | None = None

    @property
    def fewer(self) -> int:
        """By how many words."""
        return 0 if self.words is None else self.construction.sizes.d - self.words

    @property
    def D(self) -> int:
        """The width of the stream."""
        sizes = self.construction.transformer.sizes
        return sizes.D - self.fewer * sum(f.width == sizes.d for f in sizes.residual.fields)

    def vocabulary(self, count: int) -> int:
        """Rows of W_E or columns of W_U."""
        return count - self.fewer

    def head(self, dimension: int) -> int:
        """A head's dimension: beside words it has some for codes and constants."""
        return min(dimension, self._share(dimension) + 32)

    def units(self, count: int) -> int:
        """Those of an MLP: of a decoder of words there are some for each word."""
        if not of_words(self.construction):
            return count
        return min(count, self._share(count) + self.construction.sizes.K + 2)

    def _share(self, count: int) -> int:
        d = self.construction.sizes.d
        return math.ceil(count * (d - self.fewer) / d)
