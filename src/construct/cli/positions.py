"""`construct run --positions`: the answer of a decoder at every query of a prompt."""

from dataclasses import replace
from typing import Any


def print_positions(
    made: Any,
    text: str | None,
    executor: str | None,
    dtype: str,
    check: bool,
    as_json: bool,
) -> None:
    """Print a line for each query: what follows which examples.

    Args:
        text: the prompt; None if there are several.
        dtype: the number format in which the executor runs.
        check: whether to compare each answer with the specification.

    Raises:
        ConstructError: if the design has one answer alone, or there are several prompts.
        CheckFailed: if an answer differs.
    """
    from construct.cli.run import DIFFERS
    from construct.cli.show import console, print_json, table
    from construct.designs import DECODER
    from construct.errors import CheckFailed, ConstructError

    if made.design != DECODER:
        raise ConstructError(
            f"--positions is of decoders, and this artifact is of the design {made.design!r}; "
            "leave it out."
        )
    if text is None:
        raise ConstructError("--positions takes one prompt, and not JSON Lines; leave it out.")
    reports, wrong = _reports(made, made.prompt(text), executor, dtype, check)
    if as_json:
        print_json(reports)
    else:
        rows = [(r["examples"], _said(r), sum(r["votes"].values())) for r in reports]
        console().print(table(rows, "after", "answer", "votes"))
        if check and not wrong:
            bounded = any(report.get("error_bound") for report in reports)
            near = "within its bound of" if bounded else "equal to"
            console().print(f"check: every answer is {near} the specification")
    if wrong:
        raise CheckFailed(DIFFERS + "; ".join(wrong) + ".")


def _reports(
    made: Any, prompt: Any, executor: str | None, dtype: str, check: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """What there is to say of each query, and what differs from the specification."""
    from construct.answer import predictions
    from construct.cli.run import check_one, report_of

    reports, wrong = [], []
    for i, answer in enumerate(predictions(made, prompt, executor=executor, dtype=dtype)):
        query = prompt.X[i] if i < len(prompt.X) else prompt.query
        some = {"X": prompt.X[:i], "Y": prompt.Y[:i], "lines": prompt.lines[:i]}
        before = replace(prompt, query=query, **some)
        reports.append({"examples": i, **report_of(made, before, answer, dtype)})
        if check:
            reports[-1]["check"], own = check_one(made, before, answer, dtype)
            wrong += [f"after {i} examples: {what}" for what in own]
    return reports, wrong


def _said(report: dict[str, Any]) -> str:
    """The answer in one line."""
    from construct.cli.show import percent
    from construct.rational import rational

    if not report["explained"]:
        return "no vote"
    if "distribution" not in report:
        return "(" + ", ".join(f"{float(rational(x)):.6g}" for x in report["answer"]) + ")"
    shares = [*report["distribution"].items()]
    if missing := report.get("missing"):
        shares.append(("no word", missing))
    return ", ".join(f"{word} {percent(float(rational(p)))}" for word, p in shares)
