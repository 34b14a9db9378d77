import pkgutil
import subprocess
import sys

import pytest

import construct


def test_every_public_name_is_there_and_is_not_a_module():
    for name in construct.__all__:
        assert getattr(construct, name).__module__.startswith("construct.")
    assert set(construct.__all__) <= set(dir(construct))


def test_no_module_has_the_name_of_something_public():
    """Importing a module would put it in the place of the function."""
    modules = {module.name for module in pkgutil.iter_modules(construct.__path__)}
    assert "spec" in modules
    assert not modules & set(construct.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'deconstruct'"):
        construct.deconstruct  # noqa: B018


def test_importing_the_package_imports_no_array_library():
    program = "import construct, sys; assert not {'numpy', 'jax', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_command_refuses_a_package_of_the_same_name(monkeypatch):
    from construct_icl import main

    monkeypatch.delattr(construct, "__distribution__")
    with pytest.raises(SystemExit, match="belongs to another distribution"):
        main()


def test_every_module_can_be_the_first_to_be_imported():
    """No circle of imports, whichever is entered first."""
    program = """
import importlib, pkgutil, sys
import construct
names = [m.name for m in pkgutil.walk_packages(construct.__path__, "construct.")]
assert len(names) > 50, names
for name in names:
    for known in [known for known in sys.modules if known.startswith("construct")]:
        del sys.modules[known]
    if not name.endswith("__main__"):
        importlib.import_module(name)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
