"""What can go wrong, by exit code of the command line.

Every message is one sentence that says what is wrong and what would be right.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class ConstructError(ValueError):
    """Malformed input or bad usage (exit code 2)."""

    exit_code = 2


class OutsideDomain(ConstructError):
    """A prompt on which the theorem makes no promise (exit code 3)."""

    exit_code = 3


class CheckFailed(ConstructError):
    """A result that differs from the specification (exit code 4)."""

    exit_code = 4


def shown(value: Any) -> str:
    """A value as a message shows it, whatever its length and whatever it holds."""
    try:
        text = repr(value)
    except ValueError:  # more digits than Python writes
        return f"a {type(value).__name__} with a number of thousands of digits"
    except Exception:  # nested too deeply, or not made to be shown
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= 80 else f"{text[:60]}..."


def brief(value: Any, most: int) -> str:
    """Numbers, texts, lists and mappings of them as one line of at most `most` characters.

    Only what is shown is looked at: a matrix may have millions of entries.
    """
    line = ""
    for piece in _pieces(value):
        line += piece
        if len(line) > most:
            return line[: max(most - 3, 0)].rstrip() + "..."
    return line


def brief_names(names: Iterable[str], most: int) -> str:
    """As many of the names as fit into `most` characters, and how many there are in all."""
    listed = [brief(name, 24) for name in names]
    line = ", ".join(listed)
    for fewer in range(len(listed) - 1, -1, -1):
        if len(line) <= most:
            break
        line = ", ".join([*listed[:fewer], f"... ({len(listed)})"])
    return line


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value if value.isprintable() else repr(value)[1:-1]
    elif isinstance(value, Mapping):
        yield "{"
        for i, (key, entry) in enumerate(value.items()):
            yield f"{', ' * (i > 0)}{brief(str(key), 80)}: "
            yield from _pieces(entry)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for i, entry in enumerate(value):
            yield ", " * (i > 0)
            yield from _pieces(entry)
        yield "]"
    elif isinstance(value, float):
        yield f"{value:.7g}"
    else:
        try:
            yield str(value)
        except ValueError:  # more digits than Python writes
            yield shown(value)
