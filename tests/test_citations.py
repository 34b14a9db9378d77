"""Every file, heading and name that a document, a docstring or a comment cites is there."""

import ast
import importlib
import io
import pkgutil
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import construct

ROOT = Path(__file__).parent.parent
FOLDERS = ("src", "tests", "proofs", "benchmarks", "docs", "examples")
FILES = [
    path
    for path in [*ROOT.glob("*"), *(p for folder in FOLDERS for p in (ROOT / folder).rglob("*"))]
    if path.is_file() and "__pycache__" not in path.parts
]
NAMES = {path.name for path in FILES}
DOCUMENTS = [p for p in FILES if p.suffix == ".md"]
PROGRAMS = [p for p in FILES if p.suffix == ".py"]
PLAIN = [p for p in FILES if p.suffix == ".v" or p.name == "Makefile"]
ALL_MODULES = [
    module.name
    for module in pkgutil.walk_packages(construct.__path__, "construct.")
    if not module.name.endswith("__main__")
]
MODULES = {name.rpartition(".")[2]: name for name in ["construct", *ALL_MODULES]}

LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w")
NAME = re.compile(r"(?<![\w/.*$-])[\w-]+\.(?:py|v|md)\b")
FILE_TYPES = ("json", "py", "v", "md", "csv", "txt", "html", "js", "css")
DOTTED = re.compile(r"`([a-z_]\w*(?:\.\w+)+)`")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def words(path: Path) -> str:
    """The docstrings and the comments of a program; of any other file all of it."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    said = [ast.get_docstring(n) or "" for n in ast.walk(ast.parse(text)) if isinstance(n, nodes)]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return "\n".join([*said, *(t.string for t in tokens if t.type == tokenize.COMMENT)])


def missing_files(text: str) -> Iterator[str]:
    """Paths from the root of the repository, and names of sources, that are not there."""
    for path in PATH.findall(text):
        if "..." not in path and not (ROOT / path).exists():
            yield path
    for name in NAME.findall(text):
        if name not in NAMES:
            yield name


def missing_names(text: str) -> Iterator[str]:
    """Dotted names in backticks that begin with a module of the package and do not resolve."""
    for name in DOTTED.findall(text):
        first, *rest = name.split(".")
        if first in MODULES and rest[-1] not in FILE_TYPES and not there(name):
            yield name


@cache
def there(name: str) -> bool:
    first, *rest = name.split(".")
    found = importlib.import_module(MODULES[first])
    for part in rest:
        if not hasattr(found, part):
            try:
                importlib.import_module(f"{found.__name__}.{part}")
            except (AttributeError, ModuleNotFoundError):
                return False
        found = getattr(found, part)
    return True


def anchors(document: Path) -> set[str]:
    """The names under which the headings of a document can be linked to."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("path", [*DOCUMENTS, *PROGRAMS, *PLAIN], ids=relative)
def test_what_is_cited_is_there(path):
    text = words(path)
    assert [*missing_files(text), *missing_names(text)] == []


@pytest.mark.parametrize("module", ALL_MODULES)
def test_every_module_can_be_imported_with_its_shapes_enforced(module):
    """The quick tests enforce them: a signature that cannot be is found here, whoever cites it."""
    importlib.import_module(module)


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_the_links_of_a_document_lead_somewhere(document):
    for target, anchor in LINK.findall(document.read_text()):
        found = document.parent / target if target else document
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), f"{target}#{anchor}"


def test_what_is_missing_is_found():
    assert list(missing_files("see src/construct/no/such.py, tests/cli and proofs/README.md")) == [
        "src/construct/no/such.py"
    ]
    assert list(missing_files("`nowhere.v`, `plan.v`")) == ["nowhere.v"]
    assert list(missing_names("`spec.normal_form`, `tasks.no`, `os.no`, `construct.no`")) == [
        "tasks.no",
        "construct.no",
    ]
