"""An axiom, an `Admitted` or a main statement left out of the list fails the build.

Each is planted in a small development that compiles in no time: one file, and a list.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROOFS = Path(__file__).parents[2] / "proofs"
sys.path.append(str(PROOFS))

import axioms  # noqa: E402

needs_rocq = pytest.mark.skipif(shutil.which("coqchk") is None, reason="Rocq is not installed")

FLAGS = "-R . construct\n-arg -q\n-arg -w\n-arg -notation-overridden,-ambiguous-paths\n"
FILE = """Theorem here : 1 = 1.
Proof. reflexivity. Qed.
Theorem there : 2 = 2.
Proof. reflexivity. Qed.
"""
LIST = """From construct Require Import small.
Print Assumptions small.here.
Print Assumptions small.there.
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "_CoqProject").write_text(f"{FLAGS}small.v\nmain.v\n")
    (tmp_path / "main.v").write_text(LIST)
    (tmp_path / "small.v").write_text(FILE)
    return tmp_path


def compiled(folder: Path) -> Path:
    flags, files = axioms.project(folder)
    for file in files:
        subprocess.run(["coqc", *flags, file], cwd=folder, check=True, capture_output=True)
    return folder


def append(folder: Path, text: str, file: str = "small.v") -> None:
    path = folder / file
    path.write_text(f"{path.read_text()}\n{text}\n")


@needs_rocq
def test_a_development_without_axioms_passes(folder):
    assert axioms.faults(compiled(folder), quick=True) == []


@needs_rocq
@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ("Axiom cheat : False.", "construct.small.cheat is an axiom"),
        ("Lemma later : 1 = 2. Admitted.", "construct.small.later is an axiom"),
        ("Module M. Parameter cheat : False. End M.", "construct.small.M.cheat is an axiom"),
        ("Conjecture cheat : False.", "construct.small.cheat is an axiom"),
        (
            "Unset Guard Checking. Fixpoint loop (n : nat) : False := loop n.",
            "construct.small.loop is not known to terminate",
        ),
        (
            "Unset Universe Checking. Definition cheat : Type := (Type : Type).",
            "construct.small.cheat is checked without universes",
        ),
        (
            "Unset Positivity Checking. Inductive bad := Bad : (bad -> False) -> bad.",
            "construct.small.bad is not known to be positive",
        ),
    ],
)
def test_what_is_assumed_is_named_though_nothing_uses_it(folder, planted, fault):
    append(folder, planted)
    assert axioms.faults(compiled(folder), quick=True) == [fault]


@needs_rocq
def test_a_statement_that_uses_an_axiom_is_named(folder):
    cheated = FILE.replace("2 = 2.\nProof. reflexivity.", "2 = 2.\nProof. destruct cheat.")
    (folder / "small.v").write_text(f"Axiom cheat : False.\n{cheated}")
    assert axioms.faults(compiled(folder), quick=True) == [
        "small.there rests on Axioms: cheat : False",
        "construct.small.cheat is an axiom",
    ]


@needs_rocq
def test_a_main_statement_that_is_admitted_is_named(folder):
    append(folder, "Theorem later : 1 = 2. Admitted.")
    append(folder, "Print Assumptions small.later.", "main.v")
    found = axioms.faults(compiled(folder), quick=True)
    assert found[0].startswith("small.later rests on Axioms: later :")
    assert found[1:] == ["construct.small.later is an axiom"]


@needs_rocq
def test_a_main_statement_left_out_of_the_list_is_named(folder):
    (folder / "main.v").write_text(LIST.replace("Print Assumptions small.there.\n", ""))
    assert axioms.faults(compiled(folder), quick=True) == [
        "small.there is a Theorem, and main.v does not ask for its assumptions"
    ]


@needs_rocq
def test_main_v_says_nothing_else(folder):
    append(folder, 'Goal True. idtac "Closed". Abort.', "main.v")
    [fault] = axioms.faults(compiled(folder), quick=True)
    assert fault.startswith("small.there rests on Closed under the global context Closed")


@needs_rocq
def test_a_file_that_does_not_fit_its_compiled_form_is_refused(folder):
    compiled(folder)
    append(folder, "Print Assumptions no_such_name.", "main.v")
    assert any("main.v does not compile" in fault for fault in axioms.faults(folder, quick=True))


def test_a_file_outside_the_project_is_named(folder):
    (folder / "more.v").write_text("Axiom cheat : False.")
    (folder / "main.v").write_text("")
    assert "more.v is not in _CoqProject" in axioms.faults(folder, quick=True)


# --- The list of the real development, as text -----------------------------------


def test_every_theorem_of_the_development_is_in_the_list():
    _, files = axioms.project(axioms.ROCQ)
    assert list(axioms.not_asked(axioms.ROCQ, files)) == []
    assert len(axioms.theorems(axioms.ROCQ, files)) >= 20


def test_the_statements_that_the_readme_names_are_theorems_in_the_list():
    readme = (PROOFS / "README.md").read_text()
    text = readme[readme.index("## In Rocq") : readme.index("### Where each lemma is")]
    named = re.findall(r"`(\w+)` +\(\[(\w+)\.v\]", re.sub(r"\s+", " ", text))
    listed = axioms.asked((axioms.ROCQ / "main.v").read_text())
    # Definitions are named there too; a statement is what Rocq has a proof of.
    proved = {
        name
        for name, file in named
        if re.search(rf"^(Theorem|Lemma) {name}\b", (axioms.ROCQ / f"{file}.v").read_text(), re.M)
    }
    assert len(proved) >= 6
    assert proved <= {name.split(".")[-1] for name in listed}


def test_comments_hold_no_statements():
    text = "Theorem a : P. (* Theorem b : Q. (* Theorem c : Q. *) Theorem d : R. *) Theorem e : P."
    assert re.findall(r"Theorem (\w)", axioms.without_comments(text)) == ["a", "e"]


SUMMARY = """
CONTEXT SUMMARY
===============

* Theory: Set is predicative
  
* Axioms:
    Coq.Floats.PrimFloat.add
    mathcomp.ssreflect.finset.Imset.imset
    construct.margins.cheat
  
* Constants/Inductives relying on type-in-type: <none>
  
* Constants/Inductives relying on unsafe (co)fixpoints:
    construct.margins.loop
  
* Inductives whose positivity is assumed: <none>
  
"""  # noqa: W293


def test_the_checkers_summary_is_read_section_by_section():
    ours = [
        "construct.margins.cheat is an axiom",
        "construct.margins.loop is not known to terminate",
    ]
    assert list(axioms.not_checked(SUMMARY, quick=True)) == ours
    imset = "mathcomp.ssreflect.finset.Imset.imset is an axiom"
    assert list(axioms.not_checked(SUMMARY, quick=False)) == [imset, *ours]


def test_a_summary_without_its_sections_is_a_fault():
    assert len(list(axioms.not_checked("", quick=False))) == len(axioms.SECTIONS)
    cut = SUMMARY[: SUMMARY.index("* Inductives")]
    assert any("says nothing of" in fault for fault in axioms.not_checked(cut, quick=True))


def test_each_file_lists_definitions_that_it_has():
    _, files = axioms.project(axioms.ROCQ)
    for file in files:
        text = (axioms.ROCQ / file).read_text()
        header = text[: text.index("*)")]
        listed = [line.split("==")[0] for line in header.splitlines() if " == " in line]
        assert listed or file == "main.v", file
        for names in listed:
            first = re.match(r"\s*(\w+)", names)[1]
            assert re.search(rf"\b(Definition|Fixpoint|Record|Inductive|Lemma) {first}\b", text), (
                first
            )
