"""Runs the command line in this process: `command(...)` -> exit code, stdout, stderr."""

import sys
from dataclasses import dataclass

import pytest

from construct.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["construct", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return Done(exit_.value.code or 0, captured.out, captured.err)

    return run
