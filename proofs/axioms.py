"""Fails if the Rocq development rests on an axiom; standard library only.

The main statements are what the development calls `Theorem`; all else is a `Lemma`.
`main.v` asks Rocq for the assumptions of each of them. This script compares

- the statements that main.v asks for with the `Theorem`s in the files;
- what Rocq answers, statement by statement, with "Closed under the global context";
- what the independent checker coqchk finds in *all* compiled files, used or not: no
  axiom (an `Admitted` is one), no check of universes, termination or positivity that
  was switched off. The primitive integers and floats of Coq's library, which MathComp's
  arithmetic tactics load, are the only names that it may list.

    python3 proofs/axioms.py          the development must be compiled (make -C proofs/rocq)
    python3 proofs/axioms.py --quick  MathComp itself is not read again

Exit 0 if all of this holds; else 1, and each fault is named.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROCQ = Path(__file__).parent / "rocq"
MAIN = "main.v"
CLOSED = "Closed under the global context"

# What coqchk lists for primitive integers and floats, which compute and assume nothing false.
PRIMITIVE = ("Coq.Numbers.Cyclic.Int63.PrimInt63.", "Coq.Floats.PrimFloat.")
OURS = "construct."

# The parts of coqchk's summary, and what none of them may hold.
SECTIONS = {
    "Axioms": "is an axiom",
    "Constants/Inductives relying on type-in-type": "is checked without universes",
    "Constants/Inductives relying on unsafe (co)fixpoints": "is not known to terminate",
    "Inductives whose positivity is assumed": "is not known to be positive",
}


def project(folder: Path) -> tuple[list[str], list[str]]:
    """The flags of coqc, and the files in the order of compilation."""
    words = (folder / "_CoqProject").read_text().split()
    files = [word for word in words if word.endswith(".v")]
    return [word for word in words if word not in files and word != "-arg"], files


def without_comments(text: str) -> str:
    """The text of a file, its comments (which nest) left out."""
    depth, kept = 0, []
    for part in re.split(r"(\(\*|\*\))", text):
        if part in ("(*", "*)"):
            depth = max(depth + (1 if part == "(*" else -1), 0)
        elif not depth:
            kept.append(part)
    return " ".join(kept)


def theorems(folder: Path, files: Sequence[str]) -> list[str]:
    """The main statements, as file.name."""
    found = []
    for file in files:
        text = without_comments((folder / file).read_text())
        found += [f"{file[:-2]}.{name}" for name in re.findall(r"\bTheorem\s+([\w']+)", text)]
    return found


def asked(text: str) -> list[str]:
    """The statements that main.v asks Rocq about, as file.name."""
    return re.findall(r"\bPrint Assumptions\s+([\w'.]+?)\.(?:\s|$)", without_comments(text))


def not_asked(folder: Path, files: Sequence[str]) -> Iterator[str]:
    """Main statements that are not in the list, and what is in it and is none."""
    wanted, listed = theorems(folder, files), asked((folder / MAIN).read_text())
    for name in wanted:
        if name not in listed:
            yield f"{name} is a Theorem, and {MAIN} does not ask for its assumptions"
    for name in listed:
        if name not in wanted:
            yield f"{MAIN} asks for the assumptions of {name}, which is no Theorem of these files"


def not_closed(listed: Sequence[str], said: str) -> Iterator[str]:
    """Main statements of which Rocq says anything but that they are closed."""
    answers = re.split(rf"^(?={CLOSED}|Axioms:)", said, flags=re.MULTILINE)
    before, answers = answers[0], answers[1:]
    if before.strip() or len(answers) != len(listed):
        yield f"Rocq gave {len(answers)} answers to {len(listed)} questions: {said.strip()}"
        return
    for name, answer in zip(listed, answers, strict=True):
        if answer.strip() != CLOSED:
            yield f"{name} rests on {' '.join(answer.split())}"


def not_checked(said: str, quick: bool) -> Iterator[str]:
    """Names that coqchk lists and should not; sections of its summary that are missing.

    Args:
        said: what `coqchk -o` printed.
        quick: whether it took other libraries as they are: then what these keep
            sealed is listed too, and only our own names count.
    """
    parts = dict(re.findall(r"^\* ([^:\n]+):(.*(?:\n    .*)*)", said, re.MULTILINE))
    for section, what in SECTIONS.items():
        if section not in parts:
            yield f"coqchk says nothing of: {section}"
        for name in parts.get(section, "").split():
            allowed = name.startswith(PRIMITIVE) or (quick and not name.startswith(OURS))
            if name != "<none>" and not (section == "Axioms" and allowed):
                yield f"{name} {what}"


def faults(folder: Path, quick: bool = False) -> list[str]:
    """All that is wrong with a compiled development, in words; empty if nothing is."""
    flags, files = project(folder)
    stray = sorted(file.name for file in folder.glob("*.v") if file.name not in files)
    found = [f"{file} is not in _CoqProject" for file in stray]
    found += not_asked(folder, files)
    main = _run(["coqc", *flags, MAIN], folder)
    if main.returncode:
        return [*found, f"{MAIN} does not compile: {main.stderr.strip()}"]
    found += not_closed(asked((folder / MAIN).read_text()), main.stdout)
    names = [f"{OURS}{file[:-2]}" for file in files]
    modules = [word for name in names for word in (("-norec", name) if quick else (name,))]
    checked = _run(["coqchk", "-silent", "-o", *modules, "-R", ".", "construct"], folder)
    if checked.returncode:
        return [*found, f"coqchk fails: {checked.stderr.strip()}"]
    return [*found, *not_checked(checked.stdout + checked.stderr, quick)]


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def main() -> int:
    """The check, and what it found."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true", help="take MathComp as it is")
    quick = options.parse_args().quick
    found = faults(ROCQ, quick)
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        listed = asked((ROCQ / MAIN).read_text())
        print("\n".join(f"{name}: {CLOSED}" for name in listed))
        read = "the development" if quick else "the development and all that it loads"
        print(f"{len(listed)} main statements, no axioms; coqchk has read {read}.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
