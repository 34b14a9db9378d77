"""Entry point of the command `construct`: makes sure the package is ours.

PyPI's `construct` (a parser library) installs an import package of the same
name. Whichever was installed last wins, so the command looks before it runs.
"""

import signal
import sys

DISTRIBUTION = "construct-icl"


def main() -> None:
    """Run the command line, or say in one sentence why it cannot run."""
    # A reader that leaves early (head, less) ends the command, as it does elsewhere.
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    import construct

    if getattr(construct, "__distribution__", None) != DISTRIBUTION:
        sys.exit(
            "construct: the import package 'construct' in this environment "
            f"belongs to another distribution ({construct.__file__}); "
            f"install {DISTRIBUTION} in an environment of its own."
        )
    from construct.cli import main as command

    command()
