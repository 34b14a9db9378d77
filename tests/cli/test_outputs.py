"""Files that commands write: what is no file of ours is refused, and a pipe is never waited for."""

import os
from pathlib import Path

import pytest

from construct import affine, build, save

PROMPT = '{"examples": [[[1], [2]]], "query": [[3]]}'
KINDS = {
    ".html": ["report", "made", "prompt.json", "--executor", "numpy", "-o"],
    ".npz": ["inspect", "made", "--prompt", "prompt.json", "--npz"],
    ".svg": ["inspect", "made", "--picture"],
}


@pytest.fixture
def ready(command):
    save(build([affine("f", [[2]])], m=1), "made")
    Path("prompt.json").write_text(PROMPT)
    return command


@pytest.mark.parametrize("suffix", KINDS)
def test_a_pipe_a_folder_and_no_name_are_refused(suffix, ready):
    pipe, folder = f"pipe{suffix}", f"folder{suffix}"
    os.mkfifo(pipe)
    Path(folder).mkdir()
    expected = {pipe: "exists and is not", folder: "is a folder", "-": "name a file", "": "name a"}
    for name, said in expected.items():
        done = ready(*KINDS[suffix], name)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert said in done.err


@pytest.mark.parametrize("suffix", KINDS)
def test_our_own_file_is_replaced_and_no_other(suffix, ready):
    mine, other = f"mine{suffix}", Path(f"other{suffix}")
    for _ in range(2):
        assert ready(*KINDS[suffix], mine).code == 0
    other.write_text("something else")
    done = ready(*KINDS[suffix], str(other))
    assert done.code == 2
    assert "exists and is not" in done.err
    assert other.read_text() == "something else"


@pytest.mark.parametrize("suffix", KINDS)
def test_nothing_is_written_into_an_artifact(suffix, ready):
    done = ready(*KINDS[suffix], f"made/mine{suffix}")
    assert done.code == 2
    assert "in the folder of the artifact" in done.err
    assert not Path(f"made/mine{suffix}").exists()


def test_the_page_to_teach_with_is_not_the_report(command):
    done = command("demo", "-o", "new", "--html", "new-report.html")
    assert done.code == 2
    assert "is the report's own name" in done.err
    assert not Path("new").exists()
