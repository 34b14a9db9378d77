"""What can go wrong, by exit code of the command line.

Every message is one sentence that says what is wrong and what would be right.
"""

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
