"""Enforced shapes: what the signatures of a package say is checked at every call."""

import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


def product(a: Float[np.ndarray, "n d"], b: Float[np.ndarray, "d m"]) -> Float[np.ndarray, "n m"]:
    return a @ b


def transposed(a: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
    return a.T


def maybe(a: Float[np.ndarray, "n"] | None, b: Float[np.ndarray, "n"] | None) -> None: ...


def each(several: tuple[Float[np.ndarray, "n"], ...]) -> None: ...


def rows(count: int) -> Iterator[int]:
    yield count


def twice(x: int) -> int:
    return 2.5 if x == 3 else 2 * x


@dataclass
class Pair:
    x: int
    a: Float[np.ndarray, "2"]

    @property
    def name(self) -> str:
        return self.x

    @classmethod
    def of(cls, x: int) -> "Pair":
        return cls(x, np.ones(2))

    @staticmethod
    def length(words: list[str]) -> int:
        return len(words)


class Later(NamedTuple):
    x: int

    def added(self, other: "Later") -> "Later":
        return Later(self.x + other.x)
"""

RIGHT = [
    "product(ones((2, 3)), ones((3, 4)))",
    "transposed(ones((2, 2)))",
    "maybe(None, ones(3))",
    "maybe(ones(3), ones(3))",
    "each((ones(3), ones(3)))",
    "list(rows(3))",
    "twice(2)",
    "Pair(1, ones(2))",
    "Pair.of(1)",
    "Pair.length(['a'])",
    "Later(1).added(Later(2))",
]
WRONG = [
    "product(ones((2, 3)), ones((2, 4)))",
    "product(ones((2, 3)), ones(3))",
    "product(ones((2, 3)), ones((3, 4), int))",
    "transposed(ones((2, 3)))",
    "maybe(ones(3), ones(2))",
    "list(rows('3'))",
    "twice(2.5)",
    "twice(3)",
    "Pair(1, ones(3))",
    "Pair('1', ones(2))",
    "Pair(1, ones(2)).name",
    "Pair.of('1')",
    "Pair.length([1])",
]

PROGRAM = """
import sys
import shapes
shapes.enforce("enforced")
from numpy import ones
from enforced import *
for call in sys.argv[1:]:
    try:
        eval(call)
    except Exception as error:
        print(type(error).__name__)
    else:
        print("accepted")
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, str]:
    """What each call comes to; in a process of its own, whose imports are hooked."""
    folder = tmp_path_factory.mktemp("enforced")
    (folder / "enforced.py").write_text(MODULE)
    path = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(Path(__file__).parent)!r}]\n"
    done = subprocess.run(
        [sys.executable, "-c", path + PROGRAM, *RIGHT, *WRONG], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return dict(zip([*RIGHT, *WRONG], done.stdout.split(), strict=True))


@pytest.mark.parametrize("call", RIGHT)
def test_a_right_call_is_accepted(said, call):
    assert said[call] == "accepted"


@pytest.mark.parametrize("call", WRONG)
def test_a_wrong_call_is_refused(said, call):
    # Of jaxtyping where a shape stands in the signature, elsewhere of beartype.
    assert said[call] == "TypeCheckError" or said[call].startswith("BeartypeCallHint")
