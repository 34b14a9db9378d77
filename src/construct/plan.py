"""Everything that the seven layers are written with."""

from dataclasses import dataclass
from functools import cached_property

from construct.certify.margins import Margins
from construct.reach import Reach, reaches
from construct.residual import Sizes
from construct.wiring import Wiring


@dataclass(frozen=True, eq=False)
class Plan:
    """The numbers and choices that are fixed before any weight is written."""

    sizes: Sizes
    wiring: Wiring
    margins: Margins

    @cached_property
    def reach(self) -> dict[str, list[Reach]]:
        """For each layer the reach of its heads."""
        return reaches(self.sizes, self.wiring.slots, self.wiring.homes)
