"""Write a construction for another library, whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from construct.arguments import checked, function, instance, optional, path, text, whole
from construct.checking.provenance import first_difference
from construct.compiler import Construction
from construct.compiler.softmax import SoftmaxConstruction
from construct.errors import CheckFailed, ConstructError
from construct.interop import RELU, Progress, Target, target
from construct.interop.comparison import Comparison, compare
from construct.interop.page import NAME as PAGE
from construct.memory import memory

# Bytes beyond which an export is refused, if nothing else is said.
LIMIT = 16 * 10**9
FORMATS = ("float32", "float64")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where.
        bytes: of all files.
        comparison: with our own executor.
    """

    folder: Path
    bytes: int
    comparison: Comparison


@checked(
    construction=instance(Construction, "a construct.Construction"),
    to=text,
    folder=path,
    dtype=optional(text),
    limit=whole(1),
    announce=function,
    progress=function,
)
def export(
    construction: Construction,
    to: str,
    folder: str | Path,
    *,
    dtype: str | None = None,
    limit: int = LIMIT,
    announce: Callable[[int], None] = lambda size: None,
    progress: Progress = lambda what, done, total: None,
) -> Exported:
    """Write a folder, load it by the library's own classes, and compare.

    Args:
        to: one of `interop.TARGETS`.
        dtype: by default the first certified one of `FORMATS`.
        limit: bytes beyond which it is refused.
        announce: is told the bytes before anything is written.

    Raises:
        ConstructError: if the construction cannot be exported so, the folder exists, a library
            is missing or too old, or it would take more bytes than the limit or than memory has.
        CheckFailed: if a weight is not what the tasks compile to, so that nothing is certified
            of it, or if what was written is not what our executor computes; then the folder is
            removed.
    """
    dtype = format_of(construction, dtype, relu=to in RELU)
    by, place = target(to), Path(folder)
    by.refuse(construction, dtype)
    _refuse_taken(place)
    size = by.cost(construction, dtype)
    announce(size)
    _refuse_large(construction, by, dtype, size, limit)
    _refuse_other_weights(construction)
    fresh = place.with_name(f".{place.name}.new-{secrets.token_hex(8)}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        by.write(construction, fresh, dtype, progress)
        _share_files(fresh)
        found = compare(construction, by.load(construction, fresh, dtype), dtype, progress)
        size = sum(path.stat().st_size for path in fresh.rglob("*") if path.is_file())
        _refuse_taken(place)
        os.rename(fresh, place)
    except OSError as error:
        raise ConstructError(f"cannot write {place}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Exported(place, size, found)


def format_of(construction: Construction, dtype: str | None, *, relu: bool = False) -> str:
    """The number format of an export.

    Args:
        relu: whether ReLU attention can be exported so.

    Raises:
        ConstructError: if the construction is of the theorem's design, or is not certified for it.
    """
    if not relu and not isinstance(construction, SoftmaxConstruction):
        raise ConstructError(
            "this artifact has ReLU attention, which no library has as a model; build its tasks "
            "with --design decoder or --design encoder, and export that, or export this to onnx."
        )
    certified = construction.certified
    if not certified:
        raise ConstructError(
            "no float format is certified for this artifact; build it with a smaller domain or a "
            "larger delta."
        )
    dtype = dtype or certified[0]
    if dtype not in certified:
        raise ConstructError(
            f"{dtype} is not certified for this artifact; export it in {' or '.join(certified)}."
        )
    return dtype


def _share_files(folder: Path) -> None:
    """Let who may read the page read all files: some libraries write for the owner alone."""
    mode = (folder / PAGE).stat().st_mode
    for file in folder.iterdir():
        file.chmod(mode)


def _refuse_other_weights(construction: Construction) -> None:
    if difference := first_difference(construction):
        raise CheckFailed(
            f"the weights are not what the tasks compile to: {difference} Build the artifact anew."
        )


def _refuse_taken(place: Path) -> None:
    if os.path.lexists(place):
        raise ConstructError(f"{place} exists; choose another folder, or remove it first.")
    if place.name in ("", ".."):
        raise ConstructError(f"{place} is not the name of a folder; choose another.")


def _refuse_large(
    construction: Construction, by: Target, dtype: str, size: int, limit: int
) -> None:
    """Refuse what is beyond the limit, or beyond memory."""
    most = min(limit, memory())
    if size <= most:
        return
    why = f"the limit is {limit:,}" if most == limit else f"this machine has {most:,} of memory"
    remedy = "export it in float32, or " if dtype == "float64" else ""
    remedy += "raise the limit with --limit" if most == limit else "export it on a larger machine"
    words = _largest(lambda words: by.cost(construction, dtype, words), construction.sizes.d, most)
    if construction.vocabulary is None or not words:
        raise ConstructError(f"the export takes {size:,} bytes, and {why}; {remedy}.")
    raise ConstructError(
        f"the export takes {size:,} bytes, and {why}; {remedy}, or build with a vocabulary of "
        f"about {words:,} words in place of {construction.sizes.d:,} (tables in proportion)."
    )


def _largest(cost: Callable[[int], int], beyond: int, most: int) -> int:
    """The largest vocabulary that fits, 0 if none does: costs rise with it."""
    fits = 0
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        fits, beyond = (middle, beyond) if cost(middle) <= most else (fits, middle)
    return fits
