"""What the pages say of Rocq, of words and of each other, and the notebook that is one of them."""

import re

import pytest
from steps import ROOT, steps

DOCS = ROOT / "docs"
ROCQ = ROOT / "proofs" / "rocq"
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in ROCQ.glob("*.v")}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_what_a_page_quotes_of_rocq_is_there(path):
    for step in steps(path):
        assert step.kind != "coq" or any(step.text in source for source in SOURCES.values())


def test_the_statement_names_facts_and_theorems_that_rocq_has():
    names = re.findall(r"`([a-zA-Z]+(?:_[a-zA-Z]+)+)`", page("statement.md"))
    told = {name for name in names if name not in ("answer_token",)}
    assert len(told) >= 25
    for name in told:
        stated = re.compile(rf"^\s*(?:Fact|Theorem|Lemma|Corollary) {name}\b", re.M)
        assert any(stated.search(source) for source in SOURCES.values()), name


def test_the_statement_names_every_definition_that_the_theorem_stands_on():
    """All facts of main.v up to the theorem, which are its definitions."""
    before = SOURCES["main.v"].partition("Theorem an_artifact_computes_the_mixture")[0]
    facts = set(re.findall(r"^Fact (\w+)", before, re.M))
    assert facts - set(re.findall(r"`(\w+)`", page("statement.md"))) == HELPERS


# What they are about is said without a name of its own in that page.
HELPERS = {"f_k_is", "columns_are", "rows_are", "relu_is"}


def test_every_rocq_file_is_listed_once_and_no_other():
    listed = re.findall(r"^\| \[(\w+\.v)\]", page("rocq.md"), re.M)
    assert sorted(listed) == sorted(SOURCES)


def test_every_page_can_be_reached_from_the_start():
    linked = set(re.findall(r"\]\(([\w-]+\.md)", page("index.md")))
    assert linked == {path.name for path in DOCS.glob("*.md")} - {"index.md"}


def test_the_words_of_the_glossary_are_in_order():
    words = re.findall(r"^## (.*)$", page("glossary.md"), re.M)
    assert words == sorted(words, key=str.lower)
    assert {"Home", "Slot", "Reach", "Superposition"} <= set(words)


def test_the_notebook_opens_in_jupytext():
    jupytext = pytest.importorskip("jupytext")
    notebook = jupytext.read(DOCS / "four-tasks.md")
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert cells == [s.text.rstrip() for s in steps(DOCS / "four-tasks.md") if s.kind == "python"]
    assert len(cells) >= 10
