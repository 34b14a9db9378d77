"""Everything that the seven layers are written with."""

from dataclasses import dataclass

from construct.certify.margins import Margins
from construct.residual import Sizes
from construct.wiring import Wiring


@dataclass(frozen=True, eq=False)
class Plan:
    """The numbers and choices that are fixed before any weight is written."""

    sizes: Sizes
    wiring: Wiring
    margins: Margins
