"""`construct run`: one forward pass on one prompt, or on each batch of many."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import click

from construct.cli import FORMAT_HELP
from construct.execute.registry import EXACT, EXECUTORS, FLOATS, chosen

EPILOG = """\b
Examples:
  construct run construct-K4-d16 prompt.json
  construct run construct-demo prompt.txt --check
  construct run construct-demo qa.txt --format 'Q: {1}\\nA: {y}'
  construct run construct-demo prompts.jsonl > answers.jsonl
  construct run words prompt.txt --positions  (words: build --design decoder)
  echo '{"examples": [[[1,2],[2,1]]], "query": [[3,4]]}' | construct run DIR -

\b
A prompt of numbers is JSON:
  {"examples": [[x_1, ..., x_{n-1}, y], ...], "query": [x_1, ..., x_{n-1}]}
A prompt of words has a line for each example and ends with the query (or
"Japan -> ?"); the task file or --format may say that it is written otherwise:
  France -> Paris
  Japan ->

\b
Of JSON Lines each line is such an object, or the text of a prompt as a JSON
string. Each gives a line of JSON with its number, in order. A prompt that is
refused gives {"line": ..., "error": ..., "exit_code": ...}; the others are
run, and the command ends with the exit code of the first that was refused.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.argument("prompt_file", metavar="PROMPT")
@click.option(
    "--executor",
    type=click.Choice(list(EXECUTORS)),
    help="By default jax (dense), and sparse where a dense pass takes too long.",
)
@click.option(
    "--dtype",
    type=click.Choice(FLOATS),
    help="Number format, by default float64; not for the exact executor.",
)
@click.option("--format", "form", metavar="TEXT", help=FORMAT_HELP)
@click.option(
    "--lines", is_flag=True, help="PROMPT is JSON Lines, as a name that ends with .jsonl says."
)
@click.option(
    "--positions",
    is_flag=True,
    help="Print the answer at every query of the prompt: a decoder has one in each example.",
)
@click.option(
    "--check", is_flag=True, help="Compare with the specification; exit 4 if they differ."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(
    directory: str,
    prompt_file: str,
    executor: str | None,
    dtype: str | None,
    form: str | None,
    lines: bool,
    positions: bool,
    check: bool,
    as_json: bool,
) -> None:
    """Run the prompt in the file PROMPT (- is standard input) through artifact DIR."""
    from construct.artifact import load
    from construct.cli.show import read_text

    refuse_floats_of_exact(executor, dtype)
    made = in_format(load(directory), form)
    softmax = made.softmax is not None
    dtype = dtype or chosen(executor, made.sizes.K, made.sizes.N, softmax).formats[0]
    text = read_text(prompt_file)
    many = lines or prompt_file.lower().endswith(JSON_LINES)
    if positions:
        from construct.cli.positions import print_positions

        print_positions(made, None if many else text, executor, dtype, check, as_json)
    elif many:
        _run_lines(made, text, executor, dtype, check)
    else:
        _run_one(made, text, executor, dtype, check, as_json)


def refuse_floats_of_exact(executor: str | None, dtype: str | None) -> None:
    """Refuse a float format for the exact executor.

    Raises:
        ConstructError: if one is given.
    """
    from construct.errors import ConstructError

    if executor == EXACT.name and dtype is not None:
        raise ConstructError("the exact executor computes with rationals; leave out --dtype.")


def in_format(made: Any, form: str | None) -> Any:
    """The construction, with prompts written as the option --format says.

    Raises:
        ConstructError: if that is no format of its prompts.
    """
    from dataclasses import replace

    from construct.cli import unescaped
    from construct.spec.promptfile import refuse_other_formats

    if form is None:
        return made
    refuse_other_formats(unescaped(form), made.sizes.n, made.vocabulary)
    return replace(made, format=unescaped(form))


JSON_LINES = (".jsonl", ".ndjson")
DIFFERS = "the answer differs from the specification: "


def _run_one(made, text: str, executor: str | None, dtype: str, check: bool, as_json: bool) -> None:
    """Print the answer to a prompt."""
    from construct.answer import run
    from construct.cli.show import print_json
    from construct.errors import CheckFailed

    prompt = made.prompt(text)
    answer = run(made, prompt, executor=executor, dtype=dtype)
    report = report_of(made, prompt, answer, dtype)
    wrong: list[str] = []
    if check:
        report["check"], wrong = check_one(made, prompt, answer, dtype)
    if as_json:
        print_json(report)
    else:
        print_report(report, prompt)
    if wrong:
        raise CheckFailed(DIFFERS + "; ".join(wrong) + ".")


def _run_lines(made, text: str, executor: str | None, dtype: str, check: bool) -> None:
    """Print a line of JSON for each prompt of JSON Lines.

    Args:
        dtype: the number format in which the executor runs.
        check: whether to compare with the specification.

    Raises:
        ConstructError: after all lines, of the class of the first prompt that was refused.
    """
    from construct.answers import answers
    from construct.cli.show import print_json
    from construct.errors import CheckFailed, ConstructError

    waiting: deque = deque()

    def prompts() -> Iterator:
        """Prompts as they are needed: all of them may not fit in memory."""
        for number, prompt in _prompts(made, text):
            waiting.append((number, prompt))
            yield prompt

    first, refused, count = None, 0, 0
    for count, answer in enumerate(answers(made, prompts(), executor, dtype), 1):  # noqa: B007
        number, prompt = waiting.popleft()
        error: ConstructError | None = None
        report: dict = {"line": number}
        if isinstance(answer, ConstructError):
            error = answer
        else:
            report |= report_of(made, prompt, answer, dtype)
            if check:
                report["check"], wrong = check_one(made, prompt, answer, dtype)
                error = CheckFailed(DIFFERS + "; ".join(wrong) + ".") if wrong else None
        if error is not None:
            report |= {"error": str(error), "exit_code": error.exit_code}
            first, refused = first or (number, error), refused + 1
        print_json(report)
    if first is not None:
        number, error = first
        raise type(error)(
            f"{refused} of {count} prompts failed, the first in line {number}: {error}"
        )


def _prompts(made, text: str) -> Iterator[tuple[int, Any]]:
    """The number of each line that is not empty, and its prompt, or why it is none."""
    from construct.errors import ConstructError
    from construct.rational import read_json
    from construct.spec.promptfile import prompt_of_json

    sizes = made.sizes
    numbered = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not numbered:
        raise ConstructError(
            "there is no prompt; write one on each line, as JSON (see 'construct run --help')."
        )
    for number, line in numbered:
        prompt: Any
        try:
            value = read_json(line, "the prompt")
            if isinstance(value, str):
                prompt = made.prompt(value)
            else:
                prompt = prompt_of_json(value, d=sizes.d, n=sizes.n, vocabulary=made.vocabulary)
        except ConstructError as error:
            prompt = error
        yield number, prompt


def report_of(made, prompt, answer, dtype: str) -> dict:
    """What `run --json` prints; all of it is read off the network.

    But for the error bound, which is proved of it: in rationals it is one, else a float above it.
    """
    from construct.checking.promise import error_bound, is_near
    from construct.cli.show import above, machine, vote

    exact = answer.answer.dtype == object
    names = [task.name for task in made.tasks]
    report = {
        "answer": machine(answer.answer),
        "weights": {
            name: machine(w if exact else float(w))
            for name, w in zip(names, answer.weights, strict=True)
        },
        "votes": {name: vote(c) for name, c in zip(names, answer.votes, strict=True)},
        "explained": len(prompt.X) - len(answer.unexplained),
        "unexplained": [prompt.lines[i] for i in answer.unexplained],
        "ambiguous": [prompt.lines[i] for i in answer.ambiguous],
    }
    if is_near(made) or made.softmax is not None:
        bound = error_bound(made, prompt.astype(dtype), answer.votes, dtype)
        report["error_bound"] = machine(bound) if exact else above(bound)
    if made.vocabulary is not None:
        shares = answer.distribution
        report["distribution"] = {word: machine(p) for word, p in shares.items()}
        missing = 1 - sum(shares.values()) if report["explained"] else 0
        report["missing"] = machine(missing) if missing > 1e-9 else 0
    return report


def _value(share) -> float:
    from fractions import Fraction

    return float(Fraction(share))


def check_one(made, prompt, answer, dtype: str) -> tuple[dict, list[str]]:
    """What `--check` prints of an answer, and what differs from the specification."""
    from construct.checking.verification import compare, specification

    numbers = prompt.astype(dtype)
    wanted = specification(made, numbers)
    ulps, wrong = compare(made, numbers, wanted, answer, dtype)
    return {"passed": not wrong, "ulp": ulps}, wrong


def print_report(report: dict, prompt) -> None:
    """Answer, weights as bars, and the examples that stand out."""
    from construct.cli.show import bar, console, percent, rounded_up, table

    out = console()
    shares = report.get("distribution")
    if shares is None:
        out.print(f"answer  ({', '.join(_short(x) for x in report['answer'])})")
        if report.get("error_bound"):
            out.print(f"within {rounded_up(report['error_bound'])} of the mixture of the tasks")
    elif shares:
        rows = [(word, bar(_value(p), out), percent(_value(p))) for word, p in shares.items()]
        out.print(table(rows, "answer", "", "probability"))
    if missing := report.get("missing"):
        rest = percent(_value(missing))
        out.print(f"The rest, {rest}, went to tasks that have no entry for the query.")
    out.print()
    voters = [
        (name, bar(_value(w), out), percent(_value(w)), report["votes"][name])
        for name, w in report["weights"].items()
        if report["votes"][name] or len(report["weights"]) <= 12
    ]
    if voters:
        out.print(table(voters, "task", "", "weight", "votes"))
        out.print()
    silent = len(report["weights"]) - len(voters)
    if silent:
        out.print(f"{silent} tasks had no vote.")
    out.print(f"{report['explained']} of {len(prompt.X)} examples explained.")
    for kind, why in (
        ("unexplained", "no task explains"),
        ("ambiguous", "several tasks explain"),
    ):
        if report[kind]:
            several = "s" if len(report[kind]) > 1 else ""
            out.print(f"{why}: example{several} {', '.join(map(str, report[kind]))}")
    if not report["explained"]:
        out.print("No example is explained by any task: the answer is 0.")
    if "check" in report:
        near = "within its bound of" if report.get("error_bound") else "equal to"
        verdict = near if report["check"]["passed"] else "DIFFERS from"
        out.print(f"check: {verdict} the specification ({report['check']['ulp']:.3g} ulp)")


def _short(x) -> str:
    return f"{x:.7g}" if isinstance(x, float) else str(x)
