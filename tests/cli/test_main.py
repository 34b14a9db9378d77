import signal
import subprocess
import sys
import textwrap

import pytest

import construct
from construct.cli import COMMANDS


def python(code: str, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, **kwargs
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(command, name):
    done = command(name, "--help")
    assert done.code == 0
    assert "Examples:" in done.out
    assert f"construct {name}" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_help_lists_every_command(command):
    done = command("--help")
    assert done.code == 0
    assert all(f"  {name} " in done.out for name in COMMANDS)
    assert max(map(len, done.out.splitlines())) <= 80


def test_version(command):
    assert construct.__version__ in command("--version").out


@pytest.mark.parametrize("arguments", [("nonsense",), ("build", "--nonsense"), ("run",)])
def test_bad_usage_exits_with_2_and_no_traceback(command, arguments):
    done = command(*arguments)
    assert done.code == 2
    assert done.err
    assert "Traceback" not in done.err


def test_help_imports_no_numbers():
    done = python(
        """
        import sys
        from construct.cli import main
        sys.argv = ["construct", "--help"]
        try:
            main()
        except SystemExit:
            pass
        print([m for m in ("numpy", "jax", "torch", "rich") if m in sys.modules])
        """
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_build_imports_neither_jax_nor_torch(tmp_path):
    done = python(
        """
        import sys
        from construct.cli import main
        sys.argv = ["construct", "build", "--K", "4", "--d", "16"]
        try:
            main()
        except SystemExit as exit_:
            print(exit_.code or 0)
        print([m for m in ("jax", "torch", "flint") if m in sys.modules])
        """,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines()[-2:] == ["0", "[]"]


def test_the_launcher_names_another_package_called_construct(tmp_path):
    other = tmp_path / "construct"
    other.mkdir()
    (other / "__init__.py").write_text("version = (2, 10)\n")
    done = python(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import construct_icl
        construct_icl.main()
        """
    )
    assert done.returncode == 1
    assert "belongs to another distribution" in done.stderr
    assert "construct-icl" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_leaves_early_ends_the_command_quietly(tmp_path):
    pipe = (
        f"{sys.executable} -m construct build --K 64 --d 2 --json | true; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode in (0, 128 + signal.SIGPIPE)
    assert done.stderr == ""


def test_the_mixture_stays_a_function_when_its_module_is_imported():
    import construct.mixture
    from construct import mixture

    assert callable(construct.mixture)
    assert construct.mixture is mixture


def test_every_public_name_can_be_imported():
    assert [name for name in construct.__all__ if not hasattr(construct, name)] == []
