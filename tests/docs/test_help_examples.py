"""The examples of --help, which are those of the site's page of commands: each is run.

They stand in a folder that holds what they name. Those that take minutes are parsed here alone.
"""

import contextlib
import importlib
import io
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import click
import pytest
from steps import ROOT, obey

from construct.cli import COMMANDS, EPILOG, cli

# What is not run here, and why; its options are parsed.
LATER = {
    "prove": "needs Rocq: tests/prove, tests/docs/test_documents.py",
    "verify": "takes minutes: tests/cli/test_verify.py",
    "export": "needs other libraries: tests/interop",
    "plan": "measures the machine for seconds: tests/cli/test_plan.py, docs/run.md",
}

WORDS = [["France", "Paris"], ["Japan", "Tokyo"]]
ENDED = "France -> Paris\nJapan ->\n"
FILES = {
    "capitals.csv": "country,capital\nFrance,Paris\nJapan,Tokyo\n",
    "a.csv": "country,capital\nFrance,Paris\nJapan,Tokyo\n",
    "antonym.json": json.dumps({"hot": "cold", "big": "small"}),
    "en-fr.jsonl": '{"input": "hot", "output": "chaud"}\n{"input": "big", "output": "grand"}\n',
    "places.jsonl": '{"country": "France", "capital": "Paris"}\n',
    "prompt.txt": ENDED,
    "my-prompt.txt": ENDED,
    "qa.txt": "Q: France\nA: Paris\nQ: Japan\nA:\n",
    "prompts.jsonl": json.dumps(ENDED) + "\n",
}
BUILDS = ("--K 4 --d 16", "--K 2 --d 2 --out DIR")


def examples(name: str | None) -> list[str]:
    """The lines of a help text, without remarks in brackets."""
    module = importlib.import_module(f"construct.cli.{name}") if name else None
    text = module.command.epilog if module else EPILOG
    lines = re.findall(r"^  ((?:construct|echo) .*)$", text, re.M)
    return [re.sub(r" {2,}\(.*\)$", "", line) for line in lines]


EVERY = [(name, line) for name in (None, *COMMANDS) for line in examples(name)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """What the examples name."""
    folder = tmp_path_factory.mktemp("help")
    with contextlib.chdir(folder):
        Path("examples").symlink_to(ROOT / "examples")
        for name, text in FILES.items():
            Path(name).write_text(text, encoding="utf-8")
        for build in BUILDS:
            obey(f"build {build}")
        obey("build --tasks examples/capitals.json --design decoder --out words")
        obey("demo")
        obey("sample construct-K4-d16 > prompt.json")
    return folder


@pytest.fixture
def folder(place, tmp_path, monkeypatch):
    """A copy, in which one example cannot disturb another."""
    shutil.copytree(place, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def parsed(arguments: list[str]) -> click.Context:
    """The command with its options, before anything is done."""
    name, *rest = arguments
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command.make_context(name, rest)


def run(pipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of a pipe gets what the one before has printed."""
    said = ""
    for part in re.split(r" \| (?=construct)", pipe):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(said.encode())))
        head, _, rest = part.partition(" ")
        said = shlex.split(rest)[0] if head == "echo" else obey(rest)


@pytest.mark.parametrize(("name", "line"), EVERY)
def test_an_example_of_help_runs(name, line, folder, monkeypatch):
    for part in re.split(r" \| (?=construct)", line):
        if part.startswith("construct "):
            parsed(shlex.split(part.partition(" > ")[0])[1:])
    used = {part.split()[1] for part in line.split(" | ") if part.startswith("construct ")}
    if used & LATER.keys():
        return
    if line in (
        "construct build --tasks tasks.json -o my-artifact",
        "construct run my-artifact prompt.json",
    ):
        obey("tasks capitals.csv -o tasks.json")
        obey("build --tasks tasks.json -o my-artifact")
        prompt = {"examples": WORDS[:1], "query": WORDS[1][:1]}
        Path("prompt.json").write_text(json.dumps(prompt))
    run(line, monkeypatch)
