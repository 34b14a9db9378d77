import json
import re
import signal
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

import construct
from construct.cli import COMMANDS, main


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


def test_there_is_one_version(command):
    """The distribution takes it from the package, so that `construct --version` is both."""
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert "version" not in pyproject["project"]
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "construct.__version__"
    }
    assert command("--version").out == f"construct, version {construct.__version__}\n"


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
    import construct.spec.mixture
    from construct import mixture

    assert callable(construct.mixture)
    assert construct.mixture is mixture


def test_every_public_name_can_be_imported():
    assert [name for name in construct.__all__ if not hasattr(construct, name)] == []


def shell(command: str, cwd) -> subprocess.CompletedProcess:
    """A line of bash, in which `construct` is the command."""
    line = f'construct() {{ {sys.executable} -m construct "$@"; }}; {command}'
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=cwd)


def refused(done: subprocess.CompletedProcess, sentence: str) -> bool:
    return (done.returncode, done.stderr) == (2, f"construct: {sentence}\n")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with an artifact and a prompt."""
    folder = tmp_path_factory.mktemp("workplace")
    made = construct.build([construct.permutation("flip", [2, 1])], m=2)
    construct.save(made, folder / "flip")
    (folder / "p.json").write_text('{"examples": [[[1, 2], [2, 1]]], "query": [[3, 4]]}')
    return folder


PRINTING = [
    "--help",
    "--version",
    "build --K 2 --d 2 --out made",
    "build --K 2 --d 2 --out made --json",
    "tasks p.json",
    "plan --K 2 --d 2",
    "sample flip",
    "run flip p.json --executor numpy",
    "run flip p.json --executor numpy --json",
    "inspect flip",
    "verify flip --executor numpy --prompts 2",
    "prove flip",
    "demo --out demonstration",
]


@pytest.mark.parametrize("arguments", PRINTING)
def test_closed_standard_output_is_one_sentence_before_any_work(workplace, arguments):
    done = shell(f"construct {arguments} >&-", workplace)
    assert refused(done, "standard output is closed; open it, or send it to a file.")
    assert {path.name for path in workplace.iterdir()} == {"flip", "p.json"}


@pytest.mark.parametrize("arguments", ["run flip -", "build --tasks -", "plan --tasks -"])
def test_closed_standard_input_is_one_sentence(workplace, arguments):
    done = shell(f"construct {arguments} <&-", workplace)
    assert refused(done, "standard input is closed; name a file in place of -.")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("run flip p.json --executor numpy --json", 0), ("run flip nothing", 2), ("run flip", 2)],
)
def test_closed_standard_error_changes_no_exit_code(workplace, arguments, code):
    done = shell(f"construct {arguments} 2>&-", workplace)
    assert (done.returncode, bool(done.stdout)) == (code, code == 0)
    full = shell(f"construct {arguments} 2>/dev/full", workplace)
    assert (full.returncode, full.stdout) == (code, done.stdout)


def test_no_file_takes_the_number_of_a_closed_stream(workplace):
    done = python(
        """
        import os, sys
        from construct_icl import _occupy_closed_streams
        os.close(0), os.close(2)
        _occupy_closed_streams()
        print(open(os.devnull).fileno() > 2)
        """
    )
    assert done.stdout == "True\n"


@pytest.mark.parametrize("arguments", ["--help", "plan --K 2 --d 2", "sample flip"])
def test_output_that_cannot_be_written_is_one_sentence(workplace, arguments):
    done = shell(f"construct {arguments} >/dev/full", workplace)
    assert refused(done, "cannot write the output: No space left on device.")


AT_IMPORT = ["construct", "construct.cli", "click", "construct.cli.build", "numpy"]


@pytest.mark.parametrize("module", [*AT_IMPORT, "construct.compiler", "scipy.sparse"])
def test_an_interrupt_while_modules_are_imported_is_one_sentence(tmp_path, module):
    done = python(
        f"""
        import os, signal, sys
        import construct_icl

        class Interrupt:
            def find_spec(self, name, path=None, target=None):
                if name == {module!r}:
                    os.kill(os.getpid(), signal.SIGINT)

        sys.meta_path.insert(0, Interrupt())
        sys.argv = ["construct", "build", "--K", "2", "--d", "2"]
        construct_icl.main()
        """,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (130, "")
    # From click on there is an empty line before it: a terminal shows ^C there.
    assert done.stderr.lstrip("\n") == "construct: interrupted.\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("MemoryError()", "not enough memory"),
        ("RecursionError('deep')", "nested too deeply"),
        ("RuntimeError('RESOURCE_EXHAUSTED: 9 GiB')", "not enough memory"),
        ("OSError('odd')", "cannot write the output: odd."),
    ],
)
def test_what_ends_a_command_early_is_one_sentence(command, monkeypatch, error, sentence):
    import construct.compiler

    def fail(*_):
        raise eval(error)

    monkeypatch.setattr(construct.compiler, "random_tasks", fail)
    if error.startswith("OSError"):
        monkeypatch.setattr("construct.cli._to_nowhere", lambda stream: None)
    done = command("build", "--K", "2", "--d", "2")
    assert done.code == 2
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1


def test_a_fault_of_the_program_is_not_hidden(command, monkeypatch):
    import construct.compiler

    def fail(*_):
        raise RuntimeError("a fault")

    monkeypatch.setattr(construct.compiler, "random_tasks", fail)
    monkeypatch.setattr(sys, "argv", ["construct", "build", "--K", "2", "--d", "2"])
    with pytest.raises(RuntimeError, match="a fault"):
        main()


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "--K", "9" * 5000, "--d", "1"),
        ("build", "--K", "1", "--d", "1", "--m", "9" * 5000),
        ("build", "--K", "1", "--d", "1", "--seed", "9" * 4000),
        ("plan", "--K", "1", "--d", "1", "--devices", "9" * 5000),
        ("verify", "nothing", "--prompts", "9" * 5000),
        ("sample", "nothing", "--seed", "9" * 5000),
    ],
    ids=range(6),
)
def test_a_number_of_too_many_digits_is_one_sentence(command, arguments):
    done = command(*arguments)
    assert done.code == 2
    assert done.err.endswith("the number has more than 100 digits; choose a smaller one.\n")
    assert len(done.err) < 300


LONG = "9" * 5000
FAULTY = {
    "an entry": {"d": 1, "tasks": [{"name": "f", "kind": "affine", "A": [[LONG]]}]},
    "a position": {"tasks": [{"name": "f", "kind": "affine", "A": {LONG: [[1]]}}]},
    "a modulo": {"tasks": [{"name": "f", "kind": "shift", "by": 1, "modulo": 10**20}]},
    "d": {"d": 10**10, "tasks": [{"name": "f", "kind": "retrieval", "position": 1}]},
    "a name": {"tasks": [{"name": "f\ud800", "kind": "affine", "A": [[1]]}]},
    "a word": {"tasks": [{"name": "f", "kind": "lookup", "table": {"a\ud800": "b"}}]},
    "a field": {"d": 1, "tasks": [], "\udfff" + LONG: 1},
    "a bound": {
        "tasks": [{"name": "f", "kind": "affine", "A": [[1]]}],
        "domain": {"R": "1/" + LONG, "Ry": 1, "delta": 1},
    },
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_cannot_be_read_of_a_task_file_is_one_sentence(command, tmp_path, name):
    (tmp_path / "tasks.json").write_text(json.dumps(FAULTY[name]))
    for verb in ("build", "plan"):
        done = command(verb, "--tasks", "tasks.json")
        assert done.code == 2
        assert done.err.startswith("construct: ")
        assert len(done.err.splitlines()) == 1
        assert len(done.err) < 500


@pytest.mark.parametrize("number", [LONG, "0." + LONG, f'"1/{LONG}"'], ids=range(3))
def test_a_long_number_in_a_prompt_is_one_sentence(workplace, number):
    (workplace / "long.json").write_text(f'{{"examples": [], "query": [[1, {number}]]}}')
    done = shell("construct run flip long.json --executor numpy", workplace)
    (workplace / "long.json").unlink()
    assert done.returncode == 2
    assert "too long: its numerator and its denominator may have" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_json_output_is_whole_on_a_terminal_that_lacks_the_characters(tmp_path):
    table = {"Österreich": "Wien"}
    tasks = {"tasks": [{"name": "Hauptstadt größer", "kind": "lookup", "table": table}]}
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    done = shell("PYTHONIOENCODING=ascii construct build --tasks tasks.json --json", tmp_path)
    assert json.loads(done.stdout)["tasks"] == ["Hauptstadt größer"]


def test_the_exit_codes_of_the_documents_are_those_of_help(command):
    page = (Path(__file__).parents[2] / "docs" / "run.md").read_text(encoding="utf-8")
    table = page[page.index("| exit code |") :].split("\n\n")[0]
    codes = re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    said = command("--help").out
    assert codes == re.findall(r"\b\d+\b", said[said.index("Exit codes:") :])
    assert str(128 + signal.SIGPIPE) in codes


def test_an_answer_of_thousands_of_digits_is_printed_whole(tmp_path):
    primes = [10**400 + k for k in (1, 3, 7, 9, 13, 21, 27, 31, 33, 37, 39, 43)]
    row = [f"1/{p}" for p in primes]
    zero = [0] * len(row)
    tasks = [{"name": "f", "kind": "affine", "A": [row] + [zero] * (len(row) - 1)}]
    (tmp_path / "tasks.json").write_text(json.dumps({"tasks": tasks}))
    (tmp_path / "p.json").write_text(
        json.dumps({"examples": [[zero, zero]], "query": [[1] * len(row)]})
    )
    lines = "construct build --tasks tasks.json --m 1 --out made >/dev/null"
    done = shell(f"{lines} && construct run made p.json --executor exact --json", tmp_path)
    assert done.stderr == ""
    [value, *rest] = json.loads(done.stdout)["answer"]
    assert (len(value) > 4300, set(rest)) == (True, {0})
