"""Runs Rocq: the development is compiled once, then each artifact in seconds.

All that is trusted in this file is that it passes on Rocq's answer: a file with the
theorem about an artifact compiles, or it does not.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from construct.errors import ConstructError

INSTALL = "on Debian, apt-get install coq libcoq-mathcomp-algebra-tactics"

# coqc needs this; in one of our files it would warn of notations that MathComp redefines.
FLAGS = ("-q", "-w", "-notation-overridden,-ambiguous-paths,-abstract-large-number")

# The last file that the check of an artifact needs; main.v and others come after it.
LAST = "mutations.v"

# What is assumed in a file, whether or not anything uses it: `Admitted` is a Conjecture.
ASSUMED = "is:Axiom | is:Parameter | is:Conjecture | is:Hypothesis | is:Variable | is:Primitive"

# The check of an artifact takes far less.
SECONDS = 1800


def find_coqc() -> str:
    """The path of `coqc`.

    Raises:
        ConstructError: if Rocq is not installed.
    """
    coqc = shutil.which("coqc")
    if coqc is None:
        raise ConstructError(f"'construct prove' needs Rocq (coqc) and MathComp: {INSTALL}.")
    return coqc


def sources() -> Path:
    """The folder of the development: `proofs/rocq`, which the package has as `rocq`.

    Raises:
        ConstructError: if it is missing.
    """
    folder = Path(__file__).resolve().parents[1] / "rocq"
    if not (folder / "_CoqProject").is_file():
        raise ConstructError(f"{folder} lacks the sources of the proof; install construct anew.")
    return folder


def development_files() -> list[str]:
    """The files that a check of an artifact loads, in the order of compilation."""
    words = (sources() / "_CoqProject").read_text().split()
    files = [word for word in words if word.endswith(".v")]
    return files[: files.index(LAST) + 1]


def assumptions() -> str:
    """Commands that print every axiom of the development's compiled files; nothing if none.

    Rocq's own answer about what it has loaded: the cache is asked, not the sources.
    """
    names = " ".join(file.removesuffix(".v") for file in development_files())
    inside = " ".join(f"construct.{name}" for name in names.split())
    return (
        f"From construct Require {names}.\n"
        'Remove Search Blacklist "Private_" "_subterm".\n'
        f"Search [ {ASSUMED} ] inside {inside}.\n"
    )


def development(progress: Callable[[str], None] = lambda file: None) -> Path:
    """A folder with the compiled development: made on first use, then cached.

    Its name holds a digest of sources and compiler, so that a change of either compiles
    anew.

    Raises:
        ConstructError: if a file does not compile.
    """
    folder, coqc, files = sources(), find_coqc(), development_files()
    digest = hashlib.sha256(subprocess.run([coqc, "--version"], capture_output=True).stdout)
    for file in files:
        digest.update((folder / file).read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    target = home / "construct" / f"rocq-{digest.hexdigest()[:16]}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        work = Path(scratch) / "rocq"
        work.mkdir()
        for file in files:
            shutil.copy(folder / file, work)
        for file in files:
            progress(file)
            done = _coqc(coqc, work, work / file)
            if done.returncode:
                raise ConstructError(f"{file} does not compile: {_message(done)}.")
        try:
            os.rename(work, target)
        except OSError:  # another process was faster
            if not target.is_dir():
                raise
    return target


def run(text: str, progress: Callable[[str], None] = lambda file: None) -> tuple[bool, str]:
    """Compile a file that uses the development.

    Returns:
        Whether it compiled, and what it printed.
    """
    target, coqc = development(progress), find_coqc()
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "artifact_proof.v"
        file.write_text(text)
        done = _coqc(coqc, target, file)
    return done.returncode == 0, done.stdout if done.returncode == 0 else _message(done)


def _coqc(coqc: str, folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    command = [coqc, *FLAGS, "-R", str(folder), "construct", str(file)]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ConstructError(f"Rocq took more than {SECONDS} s on {file.name}.") from error
    except OSError as error:
        raise ConstructError(f"cannot run coqc: {error.strerror}.") from error


def _message(done: subprocess.CompletedProcess[str]) -> str:
    """The first error, on one line."""
    text = done.stderr or done.stdout or f"coqc ended with {done.returncode}"
    found = re.search(r"Error:\s*(.*?)(?:\n\n|\Z)", text, re.S)
    return " ".join((found.group(1) if found else text).split())[:300].rstrip(".")
