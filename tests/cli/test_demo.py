import contextlib
import io
import json
from pathlib import Path

import pytest

import construct
from construct.cli import main
from construct.cli.countries import TASKS, country_tasks, telling_query
from construct.show import report


def last_line(text):
    return text.splitlines()[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where `construct demo` has run; what it printed is in out.txt, that of `run` in said.json."""
    path, out, said = tmp_path_factory.mktemp("demo"), io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        for screen, arguments in (
            (out, ["demo"]),
            (said, ["run", "construct-demo", "construct-demo-prompt.txt", "--json"]),
        ):
            patch.setattr("sys.argv", ["construct", *arguments])
            with contextlib.redirect_stdout(screen), pytest.raises(SystemExit) as done:
                main()
            assert not done.value.code
    (path / "out.txt").write_text(out.getvalue(), encoding="utf-8")
    (path / "said.json").write_text(said.getvalue(), encoding="utf-8")
    return path


@pytest.fixture
def out(folder):
    return (folder / "out.txt").read_text(encoding="utf-8")


@pytest.fixture
def prompt(folder):
    return (folder / "construct-demo-prompt.txt").read_text(encoding="utf-8")


@pytest.fixture
def said(folder):
    return json.loads((folder / "said.json").read_text(encoding="utf-8"))


def test_the_demo_leaves_an_artifact_and_a_prompt_that_run(out, prompt, said):
    assert "Equal to the specification" in out
    assert max(map(len, out.splitlines())) <= 80
    assert len(prompt.splitlines()) > 20
    assert len(said["weights"]) >= 4
    assert sum(said["weights"].values()) == 1
    assert said["unexplained"]
    assert said["ambiguous"]
    # What the terminal showed is what the artifact says.
    assert all(word in out for word in said["distribution"])


def test_the_answers_of_the_default_query_differ_and_none_is_its_name(out, prompt, said):
    query = telling_query(country_tasks())
    assert last_line(prompt) == f"{query} ->"
    assert f"{query} -> ?" in out.splitlines()
    assert len(said["distribution"]) == len(TASKS)
    assert query not in said["distribution"]


def test_its_last_line_names_the_report_that_it_wrote(folder, out, prompt):
    path = folder / last_line(out).strip()
    assert path.name == "construct-demo-report.html"
    assert report.is_report(path)
    # It is about this prompt.
    made = construct.load(folder / "construct-demo")
    trace = construct.trace(made, made.prompt(prompt))
    assert path.read_text(encoding="utf-8") == report.page(trace)


def test_the_columns_say_of_how_many(out, prompt, said):
    lines = out.splitlines()
    examples, votes = len(prompt.splitlines()) - 1, sum(said["votes"].values())
    [head] = [line for line in lines if line.startswith("task ")]
    assert f"of {examples} examples" in head
    assert head.endswith(f"of {votes} votes")
    for name, count in said["votes"].items():
        [row] = [line for line in lines if line.startswith(f"{name} ")]
        assert row.split()[1] == str(count)
        assert row.endswith(f" {100 * count / votes:.4g} %")


@pytest.mark.parametrize("query", ["United Arab Emirates", "Japan"])
def test_long_words_stay_on_their_line(command, query):
    done = command("demo", "--query", query)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    rows = [line for line in done.out.splitlines() if line.startswith(TASKS)]
    assert len([row for row in rows if row.endswith("%")]) == len(TASKS)


def test_a_country_that_is_no_token_is_said_and_writes_nothing(command):
    done = command("demo", "--query", "Narnia")
    assert done.code == 2
    assert "'Narnia' is not in this vocabulary" in done.err
    assert not list(Path().iterdir())


def test_the_page_to_teach_with_starts_with_the_demos_prompt(command, out, said):
    # As the demo itself says that it is made.
    [hint] = [line for line in out.splitlines() if "demo --html" in line]
    done = command(*hint.split()[-3:])
    assert done.code == 0, done.err
    assert "  teach.html" in done.out.splitlines()
    page = Path("teach.html").read_text(encoding="utf-8")
    start = json.loads(page.split('id="data">')[1].split("</script>")[0])
    names = [task["name"] for task in start["tasks"]]
    # After the tasks come examples of none.
    assert start["start"]["counts"] == [*map(said["votes"].get, names), 0]
    assert start["words"][start["start"]["query"]] == telling_query(country_tasks())
    # Older pages are replaced.
    pages = [Path("teach.html"), Path("construct-demo-report.html")]
    older = [path.read_text(encoding="utf-8") for path in pages]
    assert command("demo", "--html", "teach.html", "--query", "Japan").code == 0
    newer = [path.read_text(encoding="utf-8") for path in pages]
    assert all(new != old for new, old in zip(newer, older, strict=True))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--html", "mine.html"], "mine.html exists and is not a page to teach with"),
        (["--out", "mine"], "mine-report.html exists and is not a report"),
        (["--html", "."], "name a file that ends in .html"),
        (["--html", "t.html", "--design", "decoder"], "take the design 'theorem'"),
        (["--html", "t.html", "--query", "Paris"], "no answer for 'Paris'"),
    ],
)
def test_a_page_that_cannot_be_is_said_and_writes_nothing(command, arguments, said):
    mine = {Path("mine.html"), Path("mine-report.html")}
    for path in mine:
        path.write_text("mine")
    done = command("demo", *arguments)
    assert done.code == 2
    assert said in done.err
    assert set(Path().iterdir()) == mine
    assert {path.read_text() for path in mine} == {"mine"}


def test_a_folder_that_is_not_there_is_said(command):
    done = command("demo", "--html", "nowhere/teach.html")
    assert done.code == 2
    assert "cannot write nowhere/teach.html" in done.err
