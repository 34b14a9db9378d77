"""Errors and warnings fit the terminal, and are one line where there is none."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

WIDTH = 40
WRONG = [
    ["run", "a folder that is not there", "prompt.json"],
    ["build", "--K", "2", "--d", "2", "--n", "-1"],
    ["build", "--tasks", "close.json", "--out", "close"],
]
CLOSE = """{"d": 1, "n": 2, "domain": {"R": 8, "Ry": 8, "delta": 2, "grid": 1}, "tasks": [
    {"name": "same", "kind": "shift", "by": [0]}, {"name": "next", "kind": "shift", "by": [1]}]}"""


def command(arguments: list[str], folder, stderr: int) -> None:
    """Run the command with this standard error; its input and its output are no terminal."""
    subprocess.run(
        [sys.executable, "-m", "construct", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        check=False,
    )


def on_a_terminal(arguments: list[str], folder) -> str:
    """What a terminal of `WIDTH` columns is sent as standard error."""
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
        command(arguments, folder, theirs)
        return os.read(ours, 1 << 16).decode().replace("\r\n", "\n")
    finally:
        os.close(ours)
        os.close(theirs)


def in_a_file(arguments: list[str], folder) -> str:
    """What a file is sent as standard error."""
    with open(folder / "said", "w+") as file:
        command(arguments, folder, file.fileno())
        file.seek(0)
        return file.read()


@pytest.mark.parametrize("arguments", WRONG, ids=["error", "usage", "warning"])
def test_what_is_said_wraps_between_words_on_a_terminal_alone(tmp_path, arguments):
    (tmp_path / "close.json").write_text(CLOSE)
    wrapped, plain = on_a_terminal(arguments, tmp_path), in_a_file(arguments, tmp_path)
    assert max(map(len, wrapped.splitlines())) <= WIDTH
    assert wrapped.split() == plain.split()
    assert max(map(len, plain.splitlines())) > WIDTH
    assert len(plain.splitlines()) == (4 if plain.startswith("Usage") else 1)
