"""What a type checker makes of the public face: mypy on programs that use it."""

import ast
import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import construct

SOURCE = Path(construct.__file__)
ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/files.md", "docs/run.md", "docs/researcher.md", "docs/four-tasks.md")

# What each program is, and what mypy must say of its last line.
WRONG = {
    'construct.build(3, nonsense="x")': 'Unexpected keyword argument "nonsense" for "build"',
    "construct.build(3)": 'Argument 1 to "build" has incompatible type "int"',
    "construct.bild": 'Module has no attribute "bild"',
    'construct.affine("f")': 'Missing positional argument "A" in call to "affine"',
    'construct.lookup("f", {"a": "b"})': 'Missing named argument "vocabulary" for "lookup"',
    'construct.load("a", fast=True)': 'Unexpected keyword argument "fast" for "load"',
    'construct.run("a", "b")': 'Argument 1 to "run" has incompatible type "str"',
    "construct.Prompt.of([], [[1]]).examples": '"Prompt" has no attribute "examples"',
}
# A public function -> what its revealed type holds, its parameters and what it returns.
REVEALED = {
    "build": ("tasks: typing.Sequence[Any], *, m: int =", "construct.compiler.Construction"),
    "random_tasks": ("K: int, d: int, seed: int =", "list[construct.spec.tasks.Task]"),
    "run": ("construction: construct.compiler.Construction, prompt:", "construct.answer.Answer"),
    "save": ("directory: str | pathlib.Path, *, dense: bool =", "pathlib.Path"),
    "load": ("directory: str | pathlib.Path", "construct.compiler.Construction"),
    "mixture": (
        "prompt: construct.spec.prompt.Prompt, *, delta:",
        "construct.spec.mixture.Mixture",
    ),
    "affine": ("name: str, A: Any, b: Any =", "construct.spec.tasks.Task"),
    "lookup": ("positions: Any =, *, vocabulary: construct.spec.", "construct.spec.tasks.Task"),
    "clip": ("low: Any, high: Any, position: Any =, *, d: int", "construct.spec.tasks.Task"),
    "parse_prompt": ("text: str, *, d: int, n: int, vocabulary:", "construct.spec.prompt.Prompt"),
}

FUNCTIONS = [n for n in construct.__all__ if inspect.isfunction(getattr(construct, n))]


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, list[str]]:
    """For each program what mypy says of it, by the program's text."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed: pip install mypy")
    folder = tmp_path_factory.mktemp("typed")
    programs = [*WRONG, *(f"reveal_type(construct.{name})" for name in FUNCTIONS)]
    programs += map(python_of, PAGES)
    for number, program in enumerate(programs):
        (folder / f"program{number}.py").write_text(f"import construct\n{program}\n")
    names = [f"program{number}.py" for number in range(len(programs))]
    options = ["--cache-dir", "cache", "--python-executable", sys.executable, "--no-error-summary"]
    # These have no types of their own, as in pyproject.toml.
    (folder / "mypy.ini").write_text(
        "[mypy]\n[mypy-safetensors.*,scipy.*,flint.*,sympy.*]\nignore_missing_imports = True\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *names],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(SOURCE.parent.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, list[str]] = {program: [] for program in programs}
    for line in done.stdout.splitlines():
        number = re.match(r"program(\d+)\.py:", line)
        assert number, line
        found[programs[int(number[1])]].append(line.split(": ", 1)[1])
    return found


def python_of(page: str) -> str:
    """All Python of a document, as one program."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))


@pytest.mark.parametrize("program", WRONG)
def test_a_wrong_call_is_refused(said, program):
    errors = [line for line in said[program] if line.startswith("error")]
    assert any(WRONG[program] in line for line in errors), said[program]


@pytest.mark.parametrize("name", REVEALED)
def test_the_type_of_a_public_function_is_known(said, name):
    (line,) = said[f"reveal_type(construct.{name})"]
    parameters, result = REVEALED[name]
    assert line.startswith('note: Revealed type is "def (')
    assert parameters in line
    assert line.endswith(f' -> {result}"')


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_decorator_hides_the_parameters_of_a_function(said, name):
    (line,) = said[f"reveal_type(construct.{name})"]
    assert 'is "def (' in line
    assert 'is "def (*' not in line


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_document_is_well_typed(said, page):
    assert said[python_of(page)] == []


def test_type_checkers_see_the_names_that_are_imported_when_used():
    """The imports under TYPE_CHECKING and the table of homes say the same."""
    [block] = [
        node
        for node in ast.parse(SOURCE.read_text()).body
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    ]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    seen = [(node.module, name.name, name.asname) for node in imports for name in node.names]
    assert seen == [
        (home, name, name) for home, names in construct._HOMES.items() for name in names
    ]
