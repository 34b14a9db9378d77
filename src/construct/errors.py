"""What can go wrong, by exit code of the command line.

Every message is one sentence that says what is wrong and what would be right.
"""


class ConstructError(ValueError):
    """Malformed input or bad usage (exit code 2)."""

    exit_code = 2


class OutsideDomain(ConstructError):
    """A prompt on which the theorem makes no promise (exit code 3)."""

    exit_code = 3


class CheckFailed(ConstructError):
    """A result that differs from the specification (exit code 4)."""

    exit_code = 4
