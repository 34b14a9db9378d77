"""Every single weight of an artifact, changed: the checker must name that entry."""

import re

from construct.compiler import Construction
from construct.errors import ConstructError
from construct.prove import export, rocq

COUNT = """
From construct Require Import mutations.
Eval vm_compute in (tried_and_accepted p E).
"""


def survivors(construction: Construction) -> tuple[int, int]:
    """How many changes were tried, and how many were not rejected by name.

    1 is added to every entry, and every entry but 0 is negated. The time grows with
    the square of the size: for small artifacts.

    Raises:
        ConstructError: if Rocq is missing or fails.
    """
    text = export.HEADER + export.plan(construction) + export.weights(construction.transformer)
    done, said = rocq.run(text + COUNT)
    found = re.search(r"= \((\d+)(?:%nat)?, (\d+)(?:%nat)?\)", " ".join(said.split()))
    if not done or found is None:
        raise ConstructError(f"Rocq could not try the changes: {said}")
    return int(found.group(1)), int(found.group(2))
