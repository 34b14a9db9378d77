"""`construct report`: one pass on one prompt as a page to step through."""

import click

from construct.cli import FORMAT_HELP
from construct.execute.registry import EXECUTORS, FLOATS

EPILOG = """\b
Examples:
  construct report construct-K4-d16 prompt.json
  construct report construct-demo prompt.txt -o countries.html
  construct report construct-K4-d16 prompt.json --executor exact
  construct sample construct-demo | construct report construct-demo -

\b
PROMPT is a prompt as 'construct run' reads it: JSON of numbers, or words with
a line for each example and the query last. The page is one file that needs no
network; open it in a browser, and step through the layers with the left and
right arrow keys. Its numbers are those of 'construct run --json'.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.argument("prompt_file", metavar="PROMPT")
@click.option(
    "-o",
    "--out",
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="File to write; an older report is replaced, nothing else is.",
)
@click.option(
    "--executor",
    type=click.Choice(list(EXECUTORS)),
    help="By default that of 'construct run'.",
)
@click.option(
    "--dtype",
    type=click.Choice(FLOATS),
    help="Number format, by default float64; not for the exact executor.",
)
@click.option("--format", "form", metavar="TEXT", help=FORMAT_HELP)
def command(
    directory: str,
    prompt_file: str,
    out: str,
    executor: str | None,
    dtype: str | None,
    form: str | None,
) -> None:
    """Write one pass of artifact DIR on the prompt in the file PROMPT (- is standard input).

    The page shows the answer, the votes of the examples, and layer by layer the residual
    stream, the attention of each head, and every number.
    """
    from construct.artifact import load
    from construct.cli.outputs import file_to_write, refuse_inside, write
    from construct.cli.run import in_format, refuse_floats_of_exact
    from construct.cli.show import console, read_text
    from construct.execute.registry import chosen
    from construct.inside.trace import trace
    from construct.show.report import is_report, page

    refuse_floats_of_exact(executor, dtype)
    target = file_to_write(out, (".html", ".htm"), is_report, "a report of construct")
    refuse_inside(target, directory)
    made = in_format(load(directory), form)
    # The executor of `run`, so that the numbers are its numbers.
    by = chosen(executor, made.sizes.K, made.sizes.N, made.softmax is not None).name
    prompt = made.prompt(read_text(prompt_file))
    with console(err=True).status("one forward pass ...") as status:
        passed = trace(made, prompt, executor=by, dtype=dtype)
        text = page(passed, step=lambda done, of: status.update(f"the page: {done} of {of} ..."))
    write(target, text)
    click.echo(f"{target}: {target.stat().st_size:,} bytes; open it in a browser.")
