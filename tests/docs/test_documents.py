"""Every command and all Python of the README and of the documents, in order, in an empty folder."""

import inspect
import json
import re
import shutil
import textwrap
from fractions import Fraction
from pathlib import Path

import pytest
from steps import ROOT, Step, follow, obey, steps

import construct
from construct import parse_tasks
from construct.spec.kinds import ALL_KINDS

# What is not run here, and why.
ELSEWHERE = {"docs/interop.md": "tests/interop/test_interop_document.py, without construct"}
LATER = {"prove": "needs Rocq: test_the_proofs_of_the_documents_run, where it is installed"}

PLACES = ("*.md", "docs/*.md", "proofs/**/*.md", "benchmarks/*.md", "examples/**/*.md")
FILES = sorted({str(p.relative_to(ROOT)) for place in PLACES for p in ROOT.glob(place)})
STEPS = {file: steps(ROOT / file) for file in FILES if file not in ELSEWHERE}
DONE = {
    file: [s for s in every if s.kind == "command" and s.text.split()[0] not in LATER]
    + [s for s in every if s.kind == "python"]
    for file, every in STEPS.items()
}
COMMANDS = sorted({s.text for every in STEPS.values() for s in every if s.kind == "command"})
PROOFS = [line for line in COMMANDS if line.startswith("prove")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, where we are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_examples(file: str) -> None:
    """All but the README's own commands run where `examples/` is."""
    if file != "README.md":
        Path("examples").symlink_to(ROOT / "examples")


def now(every: list[Step]) -> list[Step]:
    return [s for s in every if s.kind != "command" or s.text.split()[0] not in LATER]


@pytest.mark.parametrize("file", [file for file, every in DONE.items() if every])
def test_what_a_document_has_one_do_works_in_its_order(file, folder):
    with_examples(file)
    prints = sum(s.text.count("print(") for s in STEPS[file] if s.kind == "python")
    assert follow(now(STEPS[file])) >= min(prints, 1)


@pytest.mark.skipif(not shutil.which("coqc"), reason="Rocq is not installed")
@pytest.mark.parametrize("line", PROOFS)
def test_the_proofs_of_the_documents_run(line, folder, rocq_development):
    assert line.endswith(" construct-K4-d16")
    assert "build --K 4 --d 16" in COMMANDS
    obey("build --K 4 --d 16")
    obey(line)


def test_three_commands_lead_from_words_of_ones_own_to_the_answer_that_the_readme_names(folder):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    part = readme.split("## Your own words, in three commands")[1].split("\n## ")[0]
    wanted = [s for s in STEPS["README.md"] if s.kind in ("file", "command")]
    assert [s.kind for s in wanted] == ["file", "file", "command", "command", "command"]
    follow(wanted)
    said = {word: float(share) for word, share in re.findall(r"(\w+)\s+with (0\.\d+)", part)}
    assert said
    assert json.loads(obey("run words prompt.txt --json"))["distribution"] == said
    report = Path("report.html").read_text(encoding="utf-8")
    assert all(word in report for word in said)


def test_the_inside_of_a_pass_takes_the_readme_ten_lines():
    [block] = [s for s in STEPS["README.md"] if "construct.trace" in s.text]
    assert len(block.text.splitlines()) <= 10
    assert len(block.printed) == 4


JSON = [(file, s.text) for file, every in STEPS.items() for s in every if s.kind == "json"]


@pytest.mark.parametrize(("file", "text"), JSON)
def test_the_task_files_of_a_document_are_read(file, text):
    assert len(parse_tasks(text).tasks) == len(json.loads(text)["tasks"])


def test_the_public_forms_of_tasks_are_the_ones_that_are_known():
    page = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    table = page.split("| kind | f(X) | fields |")[1].split("\n\n")[0]
    assert set(
        re.findall(r"`([a-z-]+)`", re.sub(r"\|[^|]*\|[^|]*\|$", "|", table, flags=re.M))
    ) == (set(ALL_KINDS))


def test_what_a_document_says_of_a_make_target_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for file in FILES:
        named = re.findall(r"(?:^    |`)make ([a-z-]+)\b", (ROOT / file).read_text(), re.M)
        assert set(named) <= targets, file


def test_what_is_not_as_a_document_says_is_found(folder):
    def document(text: str) -> list[Step]:
        Path("a.md").write_text(text)
        return steps(Path("a.md"))

    assert follow(document("```python\nprint(1)  # 1\n```\n")) == 1
    assert follow(document("```python\nprint(1)\n```\n\n    1\n\nText.\n")) == 1
    for wrong in ("```python\nprint(2)  # 1\n```\n", "```python\nprint(1)\n```\n\n    2\n"):
        with pytest.raises(AssertionError):
            follow(document(wrong))
    with pytest.raises(AssertionError, match="exit code 2"):
        follow(document("    construct build --K 0\n"))
    [file, command] = document("```text a.txt\nx\n```\n\n    construct run a > b  # c\n")
    assert (file.kind, file.name, file.text) == ("file", "a.txt", "x\n")
    assert (command.kind, command.text) == ("command", "run a > b")


def test_every_public_name_is_in_the_page_of_the_python_interface_once():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    lines = re.findall(r"^`\w+`(?:,\s+`\w+`)*$", page, re.M)
    named = [name for line in lines for name in re.findall(r"\w+", line)]
    assert sorted(named) == construct.__all__


def snippets() -> list[str]:
    """The code in the docstrings of the public names and of their methods."""
    public = [getattr(construct, name) for name in construct.__all__]
    methods = [value for one in public if isinstance(one, type) for value in vars(one).values()]
    texts = [inspect.getdoc(value) or "" for value in (*public, *methods) if callable(value)]
    return [block for text in texts for block in re.findall(r"\n\n((?:    .*\n?)+)", text)]


@pytest.mark.parametrize("code", snippets())
def test_the_code_in_a_docstring_runs(code):
    words = construct.Vocabulary(["France", "Paris", "Japan", "Tokyo"])
    capital = construct.lookup("capital", {"France": "Paris", "Japan": "Tokyo"}, vocabulary=words)
    flip = construct.permutation("flip", [2, 1])
    names: dict = {"construct": construct, "Fraction": Fraction}
    for line in textwrap.dedent(code).splitlines():
        text = "France" in line
        tasks, known = ([capital], words) if text else ([flip], None)
        names["made"] = construct.build(tasks, m=2, vocabulary=known)
        exec(line, names)


@pytest.mark.parametrize("name", construct.__all__)
def test_every_public_name_is_documented_where_it_is_defined(name):
    assert (getattr(construct, name).__doc__ or "").strip()
