"""The command line: one file for each command, imported when it is used.

Exit codes: 0 fine; 2 bad usage or malformed input; 3 a prompt outside the certified
domain; 4 a check failed; 130 interrupted; 141 the reader of the output left early.
"""

import importlib
import io
import os
import sys
import textwrap
import warnings
from collections.abc import Callable
from typing import Any

import click

import construct
from construct.errors import ConstructError

COMMANDS = {
    "tasks": "Make a task file of tables: JSON, JSON Lines, CSV, TSV.",
    "build": "Compile tasks into the weights of a transformer.",
    "plan": "Say what a construction would cost, without building it.",
    "sample": "Print a prompt to start from.",
    "run": "Run a prompt: one forward pass.",
    "verify": "Check an artifact against the specification.",
    "prove": "Prove that an artifact is correct, machine-checked in Rocq.",
    "inspect": "Show the tasks, the residual stream, the layers and the heads.",
    "report": "Write one pass as a page that one steps through, layer by layer.",
    "export": "Write an artifact for Hugging Face, TransformerLens or ONNX.",
    "demo": "Answer with several tasks at once, on words for countries.",
}

EPILOG = """\b
Examples:
  construct demo
  construct build --K 4 --d 16
  construct tasks capitals.csv -o tasks.json
  construct build --tasks tasks.json -o my-artifact
  construct run my-artifact prompt.json
  construct verify construct-K4-d16

\b
Exit codes: 0 fine; 2 bad usage or malformed input; 3 the prompt is outside
the certified domain; 4 a check failed; 130 interrupted; 141 the reader of the
output (head, less) left early.
"""


# The columns of a terminal that does not tell.
WIDTH = 80


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


# Of the option --format, in every command that has it.
FORMAT_HELP = r"How an example of words is written, such as 'Q: {1}\nA: {y}'."


def unescaped(text: str) -> str:
    r"""An option's text with the ends of lines and the tabs that it writes as \n and \t."""
    return text.replace(r"\n", "\n").replace(r"\t", "\t")


class Whole(click.IntRange):
    """An option that is a whole number of at most `MOST_DIGITS` digits."""

    MOST_DIGITS = 100

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The number; a sentence says what is wrong with it."""
        if isinstance(value, str) and len(value) > self.MOST_DIGITS:
            self.fail(
                f"the number has more than {self.MOST_DIGITS} digits; choose a smaller one.",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


def main() -> None:
    """Run the command line; every foreseen error is one sentence and an exit code."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        say("standard output is closed; open it, or send it to a file.")
        sys.exit(ConstructError.exit_code)
    for stream in (sys.stdout, sys.stderr):
        # A word that the terminal cannot show must not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    # A warning, such as that no format is certified on a TPU, is a sentence too.
    warnings.showwarning = lambda message, *_, **__: say(str(message))
    status = _status(lambda: cli.main(prog_name="construct", standalone_mode=False))
    # What the command printed may still wait to be written.
    sys.exit(_status(sys.stdout.flush) or status)


def _status(action: Callable[[], Any]) -> int:
    """The exit code of an action; an error that ends it early is reported in one sentence."""
    try:
        return action() or 0
    except ConstructError as error:
        say(str(error))
        return error.exit_code
    except click.ClickException as error:
        say(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("interrupted.")
        return 130
    except OSError as error:
        say(f"cannot write the output: {error.strerror or error}.")
        _to_nowhere(sys.stdout)
    except RecursionError:
        say("the input is nested too deeply; write it with fewer levels.")
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        say(
            "not enough memory; choose smaller sizes, or --executor sparse, which the design "
            "'theorem' has."
        )
    return ConstructError.exit_code


def _out_of_memory(error: Exception) -> bool:
    """Whether memory ran out: NumPy raises MemoryError, JAX and PyTorch an error with words."""
    words = ("RESOURCE_EXHAUSTED", "out of memory", "not enough memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def say(what: str | click.ClickException) -> None:
    """Print an error or a warning on standard error, if that can be written to."""
    if isinstance(what, click.ClickException):
        lines = io.StringIO()
        what.show(lines)
        text = lines.getvalue().rstrip("\n")
    else:
        text = f"construct: {what}"
    try:
        click.echo(_wrapped(text) if sys.stderr.isatty() else text, err=True)
    except OSError:
        _to_nowhere(sys.stderr)


def _wrapped(text: str) -> str:
    """Lines no wider than the terminal of standard error, broken between words."""
    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns or WIDTH
    except OSError:
        width = WIDTH
    lines = (
        textwrap.wrap(
            line,
            width,
            expand_tabs=False,
            replace_whitespace=False,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.splitlines()
    )
    return "\n".join("\n".join(line) for line in lines)


def _to_nowhere(stream: Any) -> None:
    """Python must not try to write the rest at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
