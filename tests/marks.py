"""Marks that several test files share."""

import shutil

import pytest

# `make setup rocq`, and so `.ci/run`, installs it: there nothing is skipped.
needs_rocq = pytest.mark.skipif(shutil.which("coqc") is None, reason="Rocq is not installed")
