"""Shapes and types of every signature are enforced in the run that asks for it.

The hook doubles the time of a build, so that one part of the suite runs with it: the quick
tests (`make check`), with CONSTRUCT_SHAPES=1.
"""

import os

# Before anything imports construct.
if os.environ.get("CONSTRUCT_SHAPES"):
    from jaxtyping import install_import_hook

    install_import_hook("construct", "beartype.beartype")

from hypothesis import settings

settings.register_profile(
    "default", deadline=None, max_examples=50, derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("default")
