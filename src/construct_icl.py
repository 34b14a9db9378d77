"""Entry point of the command `construct`: makes sure the package is ours.

PyPI's `construct` (a parser library) installs an import package of the same
name. Whichever was installed last wins, so the command looks before it runs.
"""

import os
import signal
import sys

DISTRIBUTION = "construct-icl"
INTERRUPTED = 130


def main() -> None:
    """Run the command line, or say in one sentence why it cannot run."""
    try:
        _main()
    except KeyboardInterrupt:
        # While modules are imported: later the command line itself says so.
        print("construct: interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _main() -> None:
    # A reader that leaves early (head, less) ends the command, as it does elsewhere.
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _occupy_closed_streams()
    # Numbers that are read have their own limit of digits; what is computed is printed in full.
    sys.set_int_max_str_digits(0)
    import construct

    if getattr(construct, "__distribution__", None) != DISTRIBUTION:
        sys.exit(
            "construct: the import package 'construct' in this environment "
            f"belongs to another distribution ({construct.__file__}); "
            f"install {DISTRIBUTION} into an environment of its own (in a clone: pip install .)."
        )
    from construct.cli import main as command

    command()


def _occupy_closed_streams() -> None:
    """Keep the number of a closed standard stream from the next file that is opened.

    What a library prints would be written into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
