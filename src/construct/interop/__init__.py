"""What other libraries load: a module for each target, imported when it is asked for.

A target is a module with the names of `Target`: it says what it cannot write and how many bytes
the rest takes, writes a folder, and loads that folder again by the library's own classes.
The module `export` does all of it, and compares what was loaded with our own executor.
"""

import importlib
import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from numpy import ndarray

from construct.compiler import Construction
from construct.errors import ConstructError, shown
from construct.spec.prompt import Prompt

# name -> module
TARGETS = {
    "huggingface": "construct.interop.huggingface",
    "onnx": "construct.interop.onnx_",
    "transformerlens": "construct.interop.transformerlens.folder",
}
# Those that can hold the theorem's design: ReLU attention, divided by N.
RELU = {"onnx"}

# A prompt, in the numbers of the format -> at each of its queries the columns of W_U, in order.
Forward = Callable[[Prompt], ndarray]
# What is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Library:
    """A package that a target needs.

    Attributes:
        package: as it is installed.
        least: the oldest version that will do.
    """

    package: str
    least: str


@runtime_checkable
class Target(Protocol):
    """The names of the module of a target."""

    # The extra of this package that installs what it needs.
    EXTRA: str
    LIBRARIES: tuple[Library, ...]

    def refuse(self, construction: Construction, dtype: str) -> None:
        """Raise a ConstructError if this construction cannot be written so."""

    def cost(self, construction: Construction, dtype: str, words: int | None = None) -> int:
        """The bytes that `write` will write, about.

        Args:
            words: as if the vocabulary had so many words, and its tables in proportion.
        """

    def write(
        self, construction: Construction, folder: Path, dtype: str, progress: Progress
    ) -> None:
        """Write all files into a folder that is there and empty."""

    def load(self, construction: Construction, folder: Path, dtype: str) -> Forward:
        """Load what was written by the library's own classes."""


def target(name: str) -> Target:
    """The module of a target, if what it needs is installed.

    Raises:
        ConstructError: if there is no such target, or a library is missing or too old.
    """
    if name not in TARGETS:
        raise ConstructError(
            f"there is no target {shown(name)} of an export; choose one of: {', '.join(TARGETS)}."
        )
    found = cast(Target, importlib.import_module(TARGETS[name]))
    for library in found.LIBRARIES:
        _refuse_missing(library, found.EXTRA)
    return found


def _refuse_missing(library: Library, extra: str) -> None:
    remedy = f"pip install 'construct-icl[{extra}]'"
    try:
        version = importlib.metadata.version(library.package)
    except importlib.metadata.PackageNotFoundError:
        raise ConstructError(
            f"this export needs the package {library.package}, which is not installed; install it "
            f"with: {remedy}"
        ) from None
    if _numbers(version) < _numbers(library.least):
        raise ConstructError(
            f"this export needs {library.package} {library.least} or newer, and {version} is "
            f"installed; upgrade it with: {remedy}"
        )


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers at the start of a version: 5.24.0rc1 is after 5.23 and at 5.24.0."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
