"""The command line: one file for each command, imported when it is used.

Exit codes: 0 fine; 2 bad usage or malformed input; 3 a prompt outside the certified
domain; 4 a check failed.
"""

import importlib
import os
import sys

import click

import construct
from construct.errors import ConstructError

COMMANDS = {
    "build": "Compile tasks into the weights of a transformer.",
    "plan": "Say what a construction would cost, without building it.",
    "sample": "Print a random prompt to start from.",
    "run": "Run a prompt: one forward pass.",
    "verify": "Check an artifact against the specification.",
    "prove": "Prove an artifact, machine-checked, in Rocq.",
    "inspect": "Show residual stream, layers and heads.",
    "demo": "Countries: several tasks at once on real words.",
}

EPILOG = """\b
Examples:
  construct demo
  construct build --K 4 --d 16
  construct build --tasks tasks.json --out my-artifact
  construct run my-artifact prompt.json
  construct verify construct-K4-d16
"""


class Commands(click.Group):
    """Lists the commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of that name and take its `command`."""
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"construct.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line for each command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(construct.__version__, prog_name="construct")
def cli() -> None:
    """Compile tasks into an explicit transformer that performs them all at once."""


def main() -> None:
    """Run the command line; every foreseen error is one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A word that the terminal cannot show must not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = cli.main(prog_name="construct", standalone_mode=False)
        sys.stdout.flush()
    except ConstructError as error:
        click.echo(f"construct: {error}", err=True)
        status = error.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except MemoryError:
        click.echo(
            "construct: not enough memory; choose smaller sizes, or --executor sparse.", err=True
        )
        status = 2
    except OSError as error:
        click.echo(f"construct: cannot write the output: {error.strerror}.", err=True)
        # Python must not try to write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("construct: interrupted.", err=True)
        status = 130
    sys.exit(status)
