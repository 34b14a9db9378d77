"""What holds for all tests: enforced shapes where they are asked for, Hypothesis, and Rocq.

With CONSTRUCT_SHAPES=1 the shapes and types of every signature are enforced. That takes time, and
so the Makefile asks for it where it runs a part of the tests, not for all.
"""

import fcntl
import os
import shutil
import sys

import pytest
from hypothesis import settings

from share import USUAL

# Before anything imports construct.
if os.environ.get("CONSTRUCT_SHAPES"):
    import shapes

    shapes.enforce("construct")

settings.register_profile(
    "default", deadline=None, max_examples=USUAL, derandomize=bool(os.environ.get("CI"))
)
# For `make check`: the same properties, on fewer examples.
settings.register_profile("quick", settings.get_profile("default"), max_examples=8)
settings.load_profile("default")


# `make browser` runs these in the Chromium that it names; nothing else does.
collect_ignore = [] if os.environ.get("CONSTRUCT_BROWSER") else ["browser"]

DIGITS = sys.get_int_max_str_digits()


def pytest_runtest_setup() -> None:
    """The command line lifts Python's limit on digits; no test is to leave that to another."""
    sys.set_int_max_str_digits(DIGITS)


@pytest.fixture(scope="session")
def rocq_development(tmp_path_factory):
    """The compiled development: one worker compiles it, and the others wait for that."""
    if shutil.which("coqc") is None:
        return
    from construct.prove import rocq

    with open(tmp_path_factory.getbasetemp().parent / "rocq.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rocq.development()
