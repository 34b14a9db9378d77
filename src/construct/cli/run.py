"""`construct run`: one forward pass on one prompt."""

import click

from construct.execute.registry import EXACT, EXECUTORS, FLOATS, chosen

EPILOG = """\b
Examples:
  construct run construct-K4-d16 prompt.json
  construct run construct-demo prompt.txt --check
  echo '{"examples": [[[1,2],[2,1]]], "query": [[3,4]]}' | construct run DIR -

\b
A prompt of numbers is JSON:
  {"examples": [[x_1, ..., x_{n-1}, y], ...], "query": [x_1, ..., x_{n-1}]}
A prompt of words has a line for each example and ends with the query:
  France -> Paris
  Japan ->
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
@click.option(
    "--check", is_flag=True, help="Compare with the specification; exit 4 if they differ."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(
    directory: str,
    prompt_file: str,
    executor: str | None,
    dtype: str | None,
    check: bool,
    as_json: bool,
) -> None:
    """Run the prompt in the file PROMPT (- is standard input) through artifact DIR."""
    from construct.answer import run
    from construct.artifact import load
    from construct.cli.show import print_json, read_text
    from construct.errors import CheckFailed, ConstructError
    from construct.spec.promptfile import parse_prompt

    if executor == EXACT.name and dtype is not None:
        raise ConstructError("the exact executor computes with rationals; leave out --dtype.")
    made = load(directory)
    sizes = made.sizes
    prompt = parse_prompt(read_text(prompt_file), d=sizes.d, n=sizes.n, vocabulary=made.vocabulary)
    answer = run(made, prompt, executor=executor, dtype=dtype)
    report = _report(made, prompt, answer)
    wrong: list[str] = []
    if check:
        number_format = dtype or chosen(executor, sizes.K, sizes.N).formats[0]
        report["check"], wrong = _check(made, prompt, answer, number_format)
    if as_json:
        print_json(report)
    else:
        print_report(report, prompt)
    if wrong:
        raise CheckFailed("the answer differs from the specification: " + "; ".join(wrong) + ".")


def _report(made, prompt, answer) -> dict:
    """What `run --json` prints; all of it is read off the network."""
    from construct.cli.show import machine, vote

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
    if made.vocabulary is not None:
        report["distribution"] = {word: machine(p) for word, p in answer.distribution.items()}
    return report


def _value(share) -> float:
    from fractions import Fraction

    return float(Fraction(share))


def _check(made, prompt, answer, number_format: str) -> tuple[dict, list[str]]:
    from construct.checking.verification import compare, specification

    numbers = prompt.astype(number_format)
    wanted = specification(made, numbers)
    ulps, wrong = compare(made, numbers, wanted, answer, number_format)
    return {"passed": not wrong, "ulp": ulps}, wrong


def print_report(report: dict, prompt) -> None:
    """Answer, weights as bars, and the examples that stand out."""
    from construct.cli.show import bar, console, percent, table

    out = console()
    shares = report.get("distribution")
    if shares is None:
        out.print(f"answer  ({', '.join(_short(x) for x in report['answer'])})")
    elif shares:
        rows = [(word, bar(_value(p), out), percent(_value(p))) for word, p in shares.items()]
        out.print(table(rows, "answer", "", "probability"))
    if shares is not None:
        missing = 1 - sum(map(_value, shares.values()))
        if report["explained"] and missing > 1e-9:
            rest = f"The rest, {percent(missing)}," if shares else "All probability"
            out.print(f"{rest} went to tasks that have no entry for the query.")
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
        verdict = "equal to" if report["check"]["passed"] else "DIFFERS from"
        out.print(f"check: {verdict} the specification ({report['check']['ulp']:.3g} ulp)")


def _short(x) -> str:
    return f"{x:.7g}" if isinstance(x, float) else str(x)
