"""The layout is the theorem: arrows between the packages go one way, and files stay short."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import construct
from construct.designs.theorem import LAYERS

SOURCE = Path(construct.__file__).parent
# What a package or a module at the top may import, beside the basics. Nothing else.
BASICS = {"arguments", "errors", "frozen", "matrix", "memory", "rational"}
ARROWS = {
    "spec": set(),
    "network": set(),
    "approximation": {"spec"},
    "designs": {"network", "spec"},
    "certify": {"designs", "network", "spec"},
    "compiler": {"approximation", "certify", "designs", "network", "spec"},
    "execute": {"network"},
    "artifact": {"compiler", "certify", "designs", "network", "spec"},
    "cost": {"compiler", "designs", "execute", "network"},
    "prove": {"compiler", "designs", "execute", "network", "spec"},
    "reading": {"compiler", "designs", "execute", "spec"},
    "answer": {"compiler", "execute", "network", "reading", "spec"},
    "answers": {"answer", "compiler", "execute", "reading", "spec"},
    "inside": {"answer", "compiler", "execute", "network", "reading", "spec"},
    "show": {
        *{"answer", "certify", "compiler", "designs", "execute", "inside", "network", "reading"},
        *{"spec"},
    },
    "checking": {
        *{"answer", "answers", "approximation", "compiler", "certify", "designs", "execute"},
        *{"network", "reading", "spec"},
    },
    "interop": {
        *{"answer", "artifact", "checking", "compiler", "execute", "network", "reading", "spec"},
    },
    "cli": {
        *{"answer", "answers", "approximation", "artifact", "checking", "prove", "cost", "inside"},
        *{"interop", "show"},
        *{"compiler", "certify", "designs", "execute", "network", "spec"},
    },
}
ORDER = list(ARROWS)
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 50


def files() -> list[Path]:
    # Rocq's files lie in the package by a link.
    return sorted(path for path in SOURCE.rglob("*.py") if "rocq" not in path.parts[:-1])


def imported(tree: ast.AST) -> Iterator[str]:
    """What a module imports from construct, wherever in it: the names below `construct`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            base = node.module or ""
            names = (
                [f"{base}.{alias.name}" for alias in node.names] if base == "construct" else [base]
            )
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("construct."))


def arrows() -> dict[str, set[str]]:
    """For each package, or module at the top, the others that it imports."""
    found: dict[str, set[str]] = {}
    for path in files():
        own = path.relative_to(SOURCE).with_suffix("").parts[0]
        others = set(imported(ast.parse(path.read_text()))) - {own}
        found.setdefault(own, set()).update(others)
    return found


def test_arrows_go_one_way():
    found = arrows()
    assert set(found) - BASICS - {"__init__", "__main__"} == set(ARROWS)
    for package, allowed in ARROWS.items():
        assert found[package] - BASICS - {"__version__"} <= allowed, package
        assert all(ORDER.index(other) < ORDER.index(package) for other in allowed), package
    assert not any(found[module] - BASICS for module in BASICS)


def test_an_arrow_that_is_not_allowed_would_be_noticed():
    program = "def f():\n    from construct.cli import show\n    import construct.execute.jax_\n"
    assert set(imported(ast.parse(program))) == {"cli", "execute"}


def test_the_specification_and_the_network_do_not_see_each_other():
    assert ARROWS["spec"] == ARROWS["network"] == set()


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_files_and_functions_are_short(path):
    text = path.read_text()
    assert text.count("\n") <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < MOST_LINES_OF_A_FUNCTION, node.name


def _module(path: Path) -> str:
    return path.parent.name if path.stem == "__init__" else path.stem


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
def test_the_name_of_a_layer_stands_in_its_own_file(layer):
    """Elsewhere a layer is what the list of the design holds, and is not asked for by name."""
    name = layer.__name__
    quoted = re.compile(rf"""["']{name}["']""")
    folder = SOURCE / "designs"
    elsewhere = [path for path in files() if not path.is_relative_to(folder)]
    looked_at = [*elsewhere, *(folder / "theorem").glob("*.py")]
    found = [_module(path) for path in looked_at if quoted.search(path.read_text())]
    # A prompt has a query too, and an example a label.
    others = {
        "query": {
            *{"compiler", "data", "inside", "machine", "prompt", "promptfile", "run", "sample"},
            *{"snippets", "tokens", "trace"},
        },
        "label": {"format", "inside", "tokens", "trace", "witness", "witnesses"},
    }
    assert set(found) - others.get(name, set()) == {name}


def test_no_two_test_files_have_one_name():
    """pytest takes the second for the first, where the folders are no packages."""
    files_ = Path(__file__).parent.rglob("test_*.py")
    names = [path.name for path in files_ if not (path.parent / "__init__.py").exists()]
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))
