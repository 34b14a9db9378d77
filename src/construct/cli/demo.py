"""`construct demo`: several tasks at once on real words, in one forward pass."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from construct.cli.build import DESIGN
from construct.cli.outputs import file_to_write, refuse_inside, write
from construct.errors import ConstructError

EPILOG = """\b
Examples:
  construct demo
  construct demo --query Brazil
  construct demo --design decoder
  construct demo --html teach.html    (sliders, bars, layers: to teach with)
  construct run construct-demo my-prompt.txt    (afterwards: your own prompt)
"""

# Characters of a bar.
BAR = 13


@click.command(epilog=EPILOG)
@click.option(
    "--query", help="The country that the query names; by default one whose answers all differ."
)
@DESIGN
@click.option(
    "--html", metavar="FILE", help="Write a page to teach with, which computes the network itself."
)
@click.option("-o", "--out", metavar="DIR", default="construct-demo", show_default=True)
def command(query: str | None, design: str, html: str | None, out: str) -> None:
    """Build an artifact on 100 countries, show it a mixed prompt, draw its answer.

    Leaves the artifact in DIR, its prompt in DIR-prompt.txt and, to step through the pass in a
    browser, DIR-report.html.
    """
    from construct import artifact
    from construct.cli import countries
    from construct.cli.show import console
    from construct.compiler import build
    from construct.spec.taskfile import tasks_from_json

    screen = console()
    task_file = countries.country_tasks()
    file = tasks_from_json(task_file, "the countries")
    assert file.vocabulary is not None
    query = countries.telling_query(task_file) if query is None else query
    try:
        file.vocabulary.index(query)
    except ConstructError as error:
        raise ConstructError(f"--query: {error}") from None
    text = countries.country_prompt(task_file, query)
    with screen.status("building the weights ..."):
        made = build(file.tasks, vocabulary=file.vocabulary, design=design)
        # What is refused is refused before anything is written.
        target = Path(out)
        files = {Path(f"{target}-prompt.txt"): text, **_pages(made, text, target, html)}
        artifact.save(made, target)
    for path, content in files.items():
        write(path, content)
    _show(screen, made, text)
    screen.print()
    _say_what_is_next(screen, target, html)


def _pages(made: Any, text: str, target: Path, html: str | None) -> dict[Path, str]:
    """The report on the prompt and, where it is asked for, the page to teach with.

    Raises:
        ConstructError: if the design has none, or another file stands where one is to be.
    """
    from construct.inside.trace import trace
    from construct.show import report, teach

    path = Path(f"{target}-report.html")
    file_to_write(path, (".html",), report.is_report, "a report of construct")
    pages = {path: report.page(trace(made, made.prompt(text)))}
    if html is not None:
        page = file_to_write(html, (".html", ".htm"), teach.is_page, "a page to teach with")
        refuse_inside(page, str(target))
        if page.resolve() == path.resolve():
            raise ConstructError(f"{html} is the report's own name; choose another name.")
        pages[page] = _to_teach_with(made, text)
    return pages


def _say_what_is_next(screen: Any, target: Path, html: str | None) -> None:
    program = "construct" if shutil.which("construct") else os.path.relpath(sys.argv[0])
    screen.print(f"Artifact: {target}/   Prompt: {target}-prompt.txt")
    screen.print("Write a prompt of your own, with a line for each example, and run it:")
    screen.print(f"  {program} run {target} my-prompt.txt", style="bold")
    if html is None:
        screen.print("Sliders for the examples, bars and layers, on a page to teach with:")
        screen.print(f"  {program} demo --html teach.html", style="bold")
    else:
        screen.print("Sliders for the examples, bars and layers; open this in a browser:")
        screen.print(f"  {html}", style="bold")
    screen.print("The inside of this pass, layer by layer; open this in a browser:")
    screen.print(f"  {target}-report.html", style="bold")


def _to_teach_with(made: Any, text: str) -> str:
    """A page that starts with as many examples of each task as the prompt has."""
    from construct.show import teach
    from construct.spec.mixture import mixture

    prompt = made.prompt(text)
    votes = mixture(made.tasks, prompt).votes
    counts = {task.name: int(count) for task, count in zip(made.tasks, votes, strict=True)}
    query = text.splitlines()[-1].removesuffix(" ->")
    return teach.page(made, counts=counts, query=query)


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
        f"width {sizes.D}, {sizes.N} tokens: {seconds:.2g} s, {dtype}."
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
                Text(f"{votes:>2} ") + bar(votes / total if total else 0, screen, BAR),
                ", ".join(words),
                Text.assemble(bar(share, screen, BAR), f" {percent(share)}"),
            )
        )
    examples, cast = f"of {len(prompt.X)} examples", f"of {total} votes"
    screen.print(table(rows, "task", examples, "answer", cast))
    screen.print()
    for kind, why in (("unexplained", "no task explains"), ("ambiguous", "several tasks explain")):
        numbers = [prompt.lines[i] for i in getattr(answer, kind)]
        if numbers:
            shown = ", ".join(f"{n} ({text.splitlines()[n - 1]})" for n in numbers)
            screen.print(f"{why}: example {shown}")
