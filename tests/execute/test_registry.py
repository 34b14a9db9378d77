"""One list says which executors there are."""

import ast
import importlib
import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path

import hand
import pytest

import construct
from construct import prepare
from construct.errors import ConstructError
from construct.execute import registry
from construct.execute.passes import Run
from construct.execute.registry import EXECUTORS, chosen, named

SOURCE = Path(construct.__file__).parent

# Where such a word in quotes means no executor, and what it means there.
OTHER_MEANINGS = {
    ("artifact/config.py", "sparse"): "how a file stores its weights",
    ("artifact/weights.py", "exact"): "a field of a part, and a key of the file's metadata",
    ("checking/near.py", "exact"): "the number format of rationals",
    ("checking/near.py", "sparse"): "inputs with few entries that are not 0",
    ("checking/sampling.py", "sparse"): "inputs with few entries that are not 0",
    ("cli/plan.py", "sparse"): "the count of a pass over non-zeros, as against dense",
    ("cost/machine.py", "sparse"): "a pass over the scores in reach, as against dense",
    ("interop/huggingface/__init__.py", "torch"): "a package that an export needs",
    ("interop/transformerlens/folder.py", "torch"): "a package that an export needs",
    ("network/primitives.py", "exact"): "a field of a part",
    ("show/picture/parts.py", "exact"): "a field of a part",
    ("spec/prompt.py", "exact"): "the number format of rationals",
}


def quoted_names() -> set[tuple[str, str]]:
    """(file, name) for each string of src/ that is the name of an executor."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in EXECUTORS:
                found.add((path.relative_to(SOURCE).as_posix(), node.value))
    return found


def own_file(file: str, name: str) -> bool:
    module = EXECUTORS[name].module.removeprefix("construct.").replace(".", "/")
    return file.startswith((f"{module}.py", f"{module}/"))


def test_the_name_of_an_executor_is_in_its_own_file_and_in_the_registry_only():
    found = quoted_names()
    assert {name for file, name in found if file == "execute/registry.py"} == set(EXECUTORS)
    elsewhere = {
        (file, name)
        for file, name in found
        if file != "execute/registry.py" and not own_file(file, name)
    }
    assert elsewhere == set(OTHER_MEANINGS)


def test_every_executor_stands_under_its_own_name():
    assert [one.name for one in EXECUTORS.values()] == list(EXECUTORS)
    listed = [x for x in vars(registry).values() if isinstance(x, registry.Executor)]
    assert listed == list(EXECUTORS.values())


def test_every_module_of_execute_that_prepares_is_registered():
    modules = {path.stem for path in (SOURCE / "execute").iterdir() if path.stem[0] != "_"}
    with_prepare = {
        name
        for name in (f"construct.execute.{module}" for module in modules)
        if hasattr(importlib.import_module(name), "prepare")
    }
    registered = {one.module for one in EXECUTORS.values()}
    assert with_prepare == registered | {"construct.execute.passes"}


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_is_said_of_an_executor_is_so(name):
    executor = EXECUTORS[name]
    given = inspect.signature(importlib.import_module(executor.module).prepare).parameters
    assert ("mesh" in given) == executor.takes_mesh
    [distribution] = re.findall(r"^[a-z-]+", executor.package)
    assert distribution in importlib.metadata.packages_distributions()[executor.requires]


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_prepare_gives_has_the_signature_of_run(name):
    run = prepare(name, hand.by_hand(), EXECUTORS[name].formats[0])
    assert isinstance(run, Run)
    wanted = inspect.signature(Run.__call__).parameters.values()
    given = inspect.signature(run).parameters.values()
    assert list(given) == list(wanted)[1:]


@pytest.mark.parametrize("name", ["tpu", "", "JAX", None, 3, ["jax"]])
def test_an_unknown_executor_is_refused(name):
    with pytest.raises(ConstructError, match=r"there is no executor .*; choose one of: numpy, jax"):
        named(name)


@pytest.mark.parametrize(
    ("K", "N", "default"), [(1, 1 << 15, "jax"), (2, 1 << 15, "sparse"), (4, 1 << 14, "jax")]
)
def test_the_default_is_dense_up_to_2_to_the_30_scores(K, N, default):
    assert chosen(None, K, N).name == default
    assert chosen("numpy", K, N).name == "numpy"


@pytest.mark.parametrize("command", ["run", "verify"])
def test_the_help_of_a_command_lists_the_executors_without_numpy(command):
    program = f"""
import sys
from construct.cli import main
sys.argv = ["construct", {command!r}, "--help"]
try:
    main()
except SystemExit:
    pass
print([m for m in ("numpy", "scipy", "jax", "torch", "flint") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    assert f"[{'|'.join(EXECUTORS)}]" in done.stdout
