"""Shapes and types of every signature are enforced while the tests run."""

import os

from jaxtyping import install_import_hook

# Before anything imports construct.
install_import_hook("construct", "beartype.beartype")

from hypothesis import settings  # noqa: E402

settings.register_profile(
    "default", deadline=None, max_examples=50, derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("default")
