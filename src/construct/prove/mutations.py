"""Every single weight of an artifact, changed: the checker must name that entry."""

import re

from construct.compiler import Construction
from construct.errors import ConstructError
from construct.prove import export, rocq

COUNT = """
From construct Require Import mutations.
Eval vm_compute in (tried_and_accepted p g E).
"""


# Each weight is changed and each non-zero is compared again, which takes a minute or two.
MOST_COMPARISONS = 3_000_000


def refuse_if_too_large(construction: Construction) -> None:
    """Refuse an artifact that is too large, before any work is done.

    Raises:
        ConstructError: naming the number of its weights.
    """
    weights = construction.transformer.parameters
    if weights * construction.transformer.nonzeros > MOST_COMPARISONS:
        raise ConstructError(
            f"the artifact has {weights:,} weights, and to change each of them would take "
            "too long; build a smaller one, such as --K 2 --d 2 --m 2."
        )


def survivors(construction: Construction) -> tuple[int, int]:
    """How many changes were tried, and how many were not rejected by name.

    1 is added to every entry, and every entry but 0 is negated. The time grows with
    the square of the size: for small artifacts.

    Raises:
        ConstructError: if the artifact is too large, or Rocq is missing or fails.
    """
    refuse_if_too_large(construction)
    text = export.HEADER + export.plan(construction) + export.weights(construction.transformer)
    done, said = rocq.run(text + COUNT)
    found = re.search(r"= \((\d+)(?:%nat)?, (\d+)(?:%nat)?\)", " ".join(said.split()))
    if not done or found is None:
        raise ConstructError(f"Rocq could not try the changes: {said}")
    return int(found.group(1)), int(found.group(2))
