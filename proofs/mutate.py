"""Mutations of the Rocq development: each changed definition must break a proof.

Each mutation of mutations.toml changes a hypothesis, a coefficient, a field or a
primitive in one definition of `rocq/`. In a copy of the development, the mutated file is
compiled anew, and after it the files that depend on it, to the first that fails. A
mutation is

noticed      if the proof of some lemma fails: it uses what was changed. (Whether the
             theorem needs it is another question, which `rocq/sharpness.v` answers.)
a survivor   if all files up to the theorem about artifacts compile: it does not depend
             on what was changed. Those in `EQUIVALENT` do so for a reason given there;
no verdict   if the time ran out, or the mutated definition itself makes no sense.

    python proofs/mutate.py               all of them; needs coqc and MathComp
    python proofs/mutate.py --sample 20   some of them
    python proofs/mutate.py --list        what they are

Exit 0 if every mutation is noticed or equivalent.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import textwrap
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROCQ = Path(__file__).parent / "rocq"
THEOREM = "artifact.v"  # the theorem about emitted weights, on which all lemmas bear
VERDICTS = NOTICED, SURVIVOR, SAME, UNDECIDED = "noticed", "survivor", "equivalent", "no verdict"

# File -> what is wrong with the mutant -> (text that occurs once, what replaces it).
TABLE = tomllib.loads((ROCQ.parent / "mutations.toml").read_text())
# "file: what is wrong" -> why a survivor changes nothing.
EQUIVALENT: dict[str, str] = TABLE.pop("equivalent")


@dataclass(frozen=True)
class Mutation:
    """A change of one definition: `old`, which occurs once in `file`, becomes `new`."""

    file: str
    what: str
    old: str
    new: str

    @property
    def equivalent(self) -> str:
        """Why it changes nothing; empty if it should."""
        return EQUIVALENT.get(f"{self.file}: {self.what}", "")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutation, and where: `file.lemma`."""

    mutation: Mutation
    verdict: str
    where: str = ""

    def row(self) -> str:
        """A line of the table."""
        where = self.where if self.verdict == NOTICED else f"{self.verdict} {self.where}".strip()
        return f"{self.mutation.file:<12} {self.mutation.what:<48} {where}"

    def reason(self) -> str:
        """Why a mutation that was not noticed changes nothing."""
        m = self.mutation
        return textwrap.fill(f"{m.file}, {m.what}: {m.equivalent}", 100, subsequent_indent="  ")


MUTATIONS = tuple(
    Mutation(file, what, old, new)
    for file, changes in TABLE.items()
    for what, (old, new) in changes.items()
)


# --- The development ---------------------------------------------------------------


class Development:
    """A compiled copy of the development, from which mutants start.

    Attributes:
        folder: where it is.
        files: its files, in the order of compilation.
        flags: the arguments of coqc.
        limit: seconds for a file.
    """

    def __init__(self, folder: Path, limit: float):
        words = (ROCQ / "_CoqProject").read_text().split()
        self.folder, self.limit = folder, limit
        self.files = [word for word in words if word.endswith(".v")]
        self.flags = [word for word in words if word not in self.files and word != "-arg"]
        for file in self.files:
            shutil.copy(ROCQ / file, folder)
        self.needs = {file: set(_imports((folder / file).read_text())) for file in self.files}

    def compile(self, folder: Path, file: str) -> str:
        """The compiler's complaint about a file; empty if it has none."""
        command = ["coqc", *self.flags, file]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=self.limit
        )
        return done.stderr or "coqc gave no reason" if done.returncode else ""

    def build(self) -> None:
        """Compile everything, unmutated.

        Raises:
            SystemExit: if a file fails.
        """
        for file in self.files:
            if complaint := self.compile(self.folder, file):
                sys.exit(f"the unmutated development fails: {complaint}")

    def after(self, changed: str) -> Iterator[str]:
        """The changed file, and those that depend on it, in order, up to the theorem."""
        stale, end = {changed}, self.files.index(THEOREM) + 1
        within = changed in self.files[:end]
        for file in self.files[:end] if within else self.files:
            if file == changed or self.needs[file] & stale:
                stale.add(file)
                yield file

    def outcome(self, mutation: Mutation) -> Outcome:
        """Mutate a copy and compile it to the first failure."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            path = folder / mutation.file
            path.write_text(path.read_text().replace(mutation.old, mutation.new))
            for file in self.after(mutation.file):
                try:
                    complaint = self.compile(folder, file)
                except subprocess.TimeoutExpired:
                    return Outcome(mutation, UNDECIDED, f"after {self.limit:.0f} s in {file}")
                if complaint:
                    return _broken(mutation, file, complaint, (folder / file).read_text())
        return Outcome(mutation, SAME if mutation.equivalent else SURVIVOR)


ERROR = re.compile(r'^File "[^"]*", line (\d+), characters [\d-]+:\s+Error', re.MULTILINE)
PROVED = ("Lemma", "Theorem", "Corollary", "Example", "Fact")
DEFINED = ("Definition", "Fixpoint", "Record", "Inductive", "Hypothesis", "Canonical")
STATEMENT = re.compile(rf"^({'|'.join(PROVED + DEFINED)}) (\w+)")


def _imports(text: str) -> Iterator[str]:
    for names in re.findall(r"^From construct Require Import ([^.]*)\.", text, re.MULTILINE):
        yield from (f"{name}.v" for name in names.split())


def _broken(mutation: Mutation, file: str, complaint: str, text: str) -> Outcome:
    """Noticed, if it is a proof that fails; a definition that fails says nothing."""
    error = ERROR.search(complaint)
    before = text.splitlines()[: int(error[1])] if error else []
    found = [match.groups() for line in before if (match := STATEMENT.match(line))]
    kind, name = found[-1] if found else ("", "?")
    verdict = NOTICED if kind in PROVED else UNDECIDED
    return Outcome(mutation, verdict, f"{file.removesuffix('.v')}.{name}")


# --- The command line ----------------------------------------------------------------


def check_table(mutations: Iterable[Mutation]) -> None:
    """Every text to replace occurs once in its file.

    Raises:
        SystemExit: if one does not: the development has changed, the table has not.
    """
    stale = [m for m in mutations if (ROCQ / m.file).read_text().count(m.old) != 1]
    if stale:
        lines = [f"  {m.file}: {m.what}: {m.old!r}" for m in stale]
        sys.exit("\n".join(["these texts do not occur exactly once:", *lines]))


def survey(development: Development, mutations: Sequence[Mutation], jobs: int) -> list[Outcome]:
    """All outcomes, each printed as soon as those before it are known."""
    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(development.outcome, mutations):
            print(outcome.row(), flush=True)
            outcomes.append(outcome)
    return outcomes


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The mutations that were not noticed, why if it is known, and how many of each kind."""
    open_ = [o.row() for o in outcomes if o.verdict in (SURVIVOR, UNDECIDED)]
    reasons = [o.reason() for o in outcomes if o.verdict == SAME]
    counts = ", ".join(f"{sum(o.verdict == v for o in outcomes)} {v}" for v in VERDICTS)
    last = f"{len(outcomes)} mutations, {seconds:.0f} s: {counts}"
    return "\n" + "\n\n".join([*reasons, *(["\n".join(open_)] if open_ else []), last])


def main() -> int:
    """Run the table, or a sample of it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--list", action="store_true", help="list the mutations")
    options.add_argument("--sample", type=int, metavar="N", help="only N of them, at random")
    options.add_argument("--seed", type=int, default=0, help="of the sample")
    options.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    options.add_argument("--limit", type=float, default=120, help="seconds for a file")
    chosen = options.parse_args()
    check_table(MUTATIONS)
    mutations = MUTATIONS
    if chosen.sample is not None:
        picked = random.Random(chosen.seed).sample(range(len(MUTATIONS)), chosen.sample)
        mutations = tuple(MUTATIONS[i] for i in sorted(picked))
    if chosen.list:
        print("\n".join(f"{m.file:<12} {m.what}" for m in mutations))
        return 0
    if not shutil.which("coqc"):
        sys.exit("coqc is not installed")
    return run(mutations, chosen.jobs, chosen.limit)


def run(mutations: Sequence[Mutation], jobs: int, limit: float) -> int:
    """Compile, mutate, print; 0 if every mutation is noticed or equivalent."""
    start = time.monotonic()
    with TemporaryDirectory() as folder:
        development = Development(Path(folder), limit)
        development.build()
        outcomes = survey(development, mutations, jobs)
    print(summary(outcomes, time.monotonic() - start))
    return int(any(o.verdict in (SURVIVOR, UNDECIDED) for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
