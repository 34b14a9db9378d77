"""Artifacts: a directory with `config.json` and `model.safetensors`.

`config.json` holds all that is not a weight: sizes, domain, margins, tasks,
vocabulary, the fields of the residual stream, layers and heads by name with their
reach, the shape of every weight, and the checksums. `load` believes what cannot be
derived: m, n, d, tasks, vocabulary, the format of prompts, domain, and the margins, if
the weights hold them and layer 4 is right with them.
Everything else in it is there for other programs: `load` derives it anew and never reads it.
`model.safetensors` holds the weights by their non-zeros: for each NAME that is not all
zero

    NAME            (nonzeros,) float64, row by row
    NAME.at         (2, nonzeros) int32, the rows and columns of these
    NAME.exact      (2, r) int64, numerators and denominators of the r entries that
                    float64 rounds
    NAME.exact.at   (2, r) int32, their rows and columns

or, on request, the dense (rows, columns) matrix under each NAME in place of the first
two. Exact values beyond int64 stand in the metadata. No pickle anywhere.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors

from construct.arguments import checked, instance, path, truth
from construct.artifact import swap
from construct.artifact.config import (
    CONFIG,
    FORMAT,
    MODEL,
    config_of,
    read_bytes,
    read_config,
    written,
)
from construct.artifact.restore import restore
from construct.artifact.weights import large_values, model_of
from construct.compiler import Construction
from construct.errors import ConstructError


@checked(
    construction=instance(Construction, "a construct.Construction"), directory=path, dense=truth
)
def save(construction: Construction, directory: str | Path, *, dense: bool = False) -> Path:
    """Write an artifact, whole or not at all; an older artifact there is replaced.

    Whatever interrupts it, the older or the new artifact is there, or is given its name
    again by the next `save` or `load` of it (`construct.artifact.swap`).

    Args:
        dense: write each weight as a dense matrix, zeros included, for programs that
            read them so.

    Raises:
        ConstructError: if `directory` cannot be written, or exists and is not an artifact.
    """
    target = Path(directory)
    if target.name in ("", ".."):
        raise ConstructError(f"{target} is not the name of a folder; choose another.")
    with swap.locked(target.parent):  # another process may be between its renames
        if os.path.lexists(target):
            _refuse_others(target)
    model = model_of(construction.transformer, dense)
    config = config_of(construction, model, dense)
    files = {MODEL: model, CONFIG: written(config).encode()}
    try:
        swap.replace(target, files, whole=_is_whole, check=_refuse_others)
    except OSError as error:
        raise ConstructError(f"cannot write {target}: {error.strerror or error}.") from error
    return target


@checked(directory=path)
def load(directory: str | Path) -> Construction:
    """Read an artifact and check its version, checksums, margins, shapes and dtypes.

    Names, order, reach, lemmas and certificates are those of the tasks, the domain and
    the margins, whatever the config says of them. That the weights are those that the
    tasks compile to is another question: `provenance.first_difference`.

    Raises:
        ConstructError: if anything is missing, altered or of another version.
    """
    source = Path(directory)
    try:
        config, model = _read_files(source)
    except ConstructError:
        # Another process may be replacing it now, or was interrupted when it did.
        config, model = _read_again(source)
    try:
        return restore(config, read_tensors(model), large_values(model))
    except ConstructError:
        raise
    except (
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
        RecursionError,
        SafetensorError,
    ) as error:
        raise ConstructError(
            f"{source} is not a whole artifact ({error}); build it anew."
        ) from error


def _refuse_others(target: Path) -> None:
    """Refuse to replace anything but an artifact (a link is not one) or an empty folder."""
    if not _replaceable(target):
        raise ConstructError(
            f"{target} exists and is not an artifact of construct; choose another folder."
        )


def _replaceable(target: Path) -> bool:
    if target.is_symlink() or not target.is_dir():
        return False
    names = {path.name for path in target.iterdir()}
    if not names or not names <= {CONFIG, MODEL}:
        return not names
    try:
        config = json.loads((target / CONFIG).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and config.get("format") == FORMAT


def _read_files(source: Path) -> tuple[dict[str, Any], bytes]:
    """Read the config and the weights, if both are as they were written."""
    config = read_config(source)
    model = read_bytes(source / MODEL)
    if hashlib.sha256(model).hexdigest() != config["checksums"][MODEL]:
        raise ConstructError(f"{source / MODEL} is corrupted: its checksum differs; build it anew.")
    return config, model


def _read_again(source: Path) -> tuple[dict[str, Any], bytes]:
    """Read them while no other process replaces them, after giving the folder its name again."""
    with swap.locked(source.parent):
        try:
            swap.restore(source, _is_whole)
        except OSError as error:
            raise ConstructError(f"cannot restore {source}: {error.strerror or error}.") from error
        return _read_files(source)


def _is_whole(folder: Path) -> bool:
    try:
        _read_files(folder)
    except ConstructError:
        return False
    return True
