"""What is refused because it does not fit in memory, and in which words."""

import os
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from construct.errors import ConstructError

# Where the system does not say how much there is.
ASSUMED = 8 << 30

# A limit that a container sets.
_LIMIT = Path("/sys/fs/cgroup/memory.max")

# Bytes of a weight that is not 0, while it is made. Measured as the most that `build` holds
# beside its tasks: 48 for one of vectors or of the table of reciprocals, 70 for one of
# 50,257 words; more only where there are so few that nothing is refused.
EACH_WEIGHT = 64


@lru_cache
def memory() -> int:
    """Bytes of memory that this machine, or the container, has."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not a POSIX system
        found = ASSUMED
    try:
        limit = _LIMIT.read_text().strip()
    except OSError:
        return found
    return min(found, int(limit)) if limit.isdecimal() else found


def refuse_beyond_memory(
    nonzeros: int, each: int, whose: str, remedy: str = "choose a smaller K or d"
) -> None:
    """Refuse what would not fit, before any of it is made.

    Args:
        nonzeros: numbers that are not 0.
        each: bytes that each of them takes.
        whose: what holds them, as the subject of the sentence.
        remedy: what to do.

    Raises:
        ConstructError: with the non-zeros, the bytes, and what there is.
    """
    if nonzeros * each > memory():
        raise ConstructError(
            f"{whose} would take {_about(nonzeros)} numbers that are not 0, about "
            f"{_about(nonzeros * each)} bytes, and this machine has {_about(memory())}; {remedy}."
        )


def _about(count: int) -> str:
    """Two digits and the power of ten, of a number of any size."""
    return f"{count:,}" if count < 10**6 else f"{Decimal(count):.1e}"
