"""`construct demo`: several tasks at once on real words, in one forward pass."""

import os
import shutil
import sys

import click

from construct.cli.build import DESIGN

EPILOG = """\b
Examples:
  construct demo
  construct demo --query Brazil
  construct demo --design decoder
  construct run construct-demo my-prompt.txt    (afterwards: your own prompt)
"""


@click.command(epilog=EPILOG)
@click.option(
    "--query", default="Japan", show_default=True, help="The country that the query names."
)
@DESIGN
@click.option("-o", "--out", metavar="DIR", default="construct-demo", show_default=True)
def command(query: str, design: str, out: str) -> None:
    """Build an artifact on 100 countries, show it a mixed prompt, draw its answer.

    Leaves the artifact in DIR and the prompt in DIR-prompt.txt.
    """
    from pathlib import Path

    from construct import artifact
    from construct.cli import countries
    from construct.cli.show import console
    from construct.compiler import build
    from construct.errors import ConstructError
    from construct.spec.taskfile import tasks_from_json

    screen = console()
    task_file = countries.country_tasks()
    file = tasks_from_json(task_file, "the countries")
    assert file.vocabulary is not None
    try:
        file.vocabulary.index(query)
    except ConstructError as error:
        raise ConstructError(f"--query: {error}") from None
    text = countries.country_prompt(task_file, query)
    with screen.status("building the weights ..."):
        made = build(file.tasks, vocabulary=file.vocabulary, design=design)
        target = artifact.save(made, out)
    prompt_path = Path(f"{target}-prompt.txt")
    try:
        prompt_path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConstructError(f"cannot write {prompt_path}: {error.strerror}.") from error
    _show(screen, made, text)
    screen.print()
    screen.print(f"Artifact: {target}/   Prompt: {prompt_path}")
    screen.print("Write a prompt of your own, with a line for each example, and run it:")
    program = "construct" if shutil.which("construct") else os.path.relpath(sys.argv[0])
    screen.print(f"  {program} run {target} my-prompt.txt", style="bold")


def _show(screen, made, text: str) -> None:
    """Run the prompt, draw it with its answer, and hold that to the specification."""
    import time

    from construct.answer import run
    from construct.checking.verification import compare, specification
    from construct.errors import CheckFailed
    from construct.spec.promptfile import parse_prompt

    sizes, dtype = made.sizes, made.certified[0]
    prompt = parse_prompt(text, d=sizes.d, n=sizes.n, vocabulary=made.vocabulary)
    with screen.status("one forward pass ..."):
        run(made, prompt, dtype=dtype)  # compiles
        start = time.perf_counter()
        answer = run(made, prompt, dtype=dtype)
        seconds = time.perf_counter() - start
    wanted = specification(made, prompt.astype(dtype))
    ulps, wrong = compare(made, prompt.astype(dtype), wanted, answer, dtype)
    _draw(screen, made, text, prompt, answer, wanted)
    screen.print(
        f"One forward pass, {len(made.transformer.layers)} layers x {sizes.heads} heads, "
        f"width {sizes.D}, {sizes.N} tokens: {seconds:.2g} s ({dtype})."
    )
    if wrong:
        raise CheckFailed("the answer differs from the specification: " + "; ".join(wrong) + ".")
    screen.print(f"Equal to the specification, up to a rounding of {ulps:.2g} ulp.")


def _draw(screen, made, text: str, prompt, answer, wanted) -> None:
    """The prompt in columns; then what was asked for beside what came out."""
    from rich.columns import Columns
    from rich.text import Text

    from construct.cli.show import bar, percent, table

    sizes = made.sizes
    screen.print(
        f"{sizes.K} tasks on {sizes.d} words; {len(prompt.X)} examples, none named by its task:"
    )
    screen.print()
    lines = [line for line in text.splitlines() if line.strip()]
    cells = [Text(line) for line in lines[:-1]]
    screen.print(Columns(cells, column_first=True, padding=(0, 3)))
    screen.print()
    screen.print(f"{lines[-1]} ?", style="bold")
    screen.print()
    total = sum(wanted.votes)
    rows = []
    for task, votes in sorted(zip(made.tasks, wanted.votes, strict=True), key=lambda p: -p[1]):
        image = task(prompt.query)
        words = [w for w, on in zip(made.vocabulary, image, strict=True) if on]
        # Tasks that give the same word share its probability.
        share = sum(float(answer.answer[made.vocabulary.index(word)]) for word in words)
        rows.append(
            (
                task.name,
                f"{votes} of {total}",
                bar(votes / total if total else 0, screen, 14),
                ", ".join(words),
                bar(share, screen, 14),
                percent(share),
            )
        )
    screen.print(table(rows, "task", "votes", "", "answer", "", "probability"))
    screen.print()
    for kind, why in (("unexplained", "no task explains"), ("ambiguous", "several tasks explain")):
        numbers = [prompt.lines[i] for i in getattr(answer, kind)]
        if numbers:
            shown = ", ".join(f"{n} ({text.splitlines()[n - 1]})" for n in numbers)
            screen.print(f"{why}: example {shown}")
