"""The files that commands write beside artifacts: what may be written over, and where."""

from collections.abc import Callable
from pathlib import Path

from construct.errors import ConstructError, shown


def file_to_write(
    name: str | Path, suffixes: tuple[str, ...], own: Callable[[Path], bool], kind: str
) -> Path:
    """The file to write: none there yet, or one that construct made itself.

    Args:
        suffixes: what its name may end in; any end will do where there is none.
        own: whether a regular file is one of ours.
        kind: what it is, with an article.

    Raises:
        ConstructError: if the name is no such file's, or something else stands there.
    """
    path = Path(name)
    if suffixes and path.suffix.lower() not in suffixes:
        raise ConstructError(
            f"{shown(str(name))} is to be {kind}; name a file that ends in {suffixes[0]}."
        )
    if str(name) in ("", "-"):
        raise ConstructError(f"{shown(str(name))} is to be {kind}; name a file.")
    if path.is_dir():
        raise ConstructError(f"{path} is a folder; name a file in it.")
    # A pipe or a device is never opened to look at it: that could wait forever.
    if path.exists() and not (path.is_file() and own(path)):
        raise ConstructError(f"{path} exists and is not {kind}; choose another name.")
    return path


def refuse_inside(path: Path, artifact: str) -> None:
    """Refuse to write into the folder of an artifact: it would be one no longer.

    Raises:
        ConstructError: naming the file.
    """
    if Path(artifact).is_dir() and path.resolve().parent == Path(artifact).resolve():
        raise ConstructError(
            f"{path} would stand in the folder of the artifact; choose a name outside of it."
        )


def write(path: Path, text: str) -> None:
    """Write a text.

    Raises:
        ConstructError: if the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConstructError(f"cannot write {path}: {reason}.") from error
