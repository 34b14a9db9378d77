"""Rocq accepts what the compiler builds, of every kind of task, and nothing else."""

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import construct
from construct.checking.sampling import random_prompts
from construct.errors import CheckFailed, ConstructError
from construct.prove import proof, rocq
from construct.prove.mutations import survivors
from construct.spec.domain import Domain
from construct.spec.kinds import from_definition
from generators import cases, search
from kinds import KINDS, NEED_WORDS
from marks import needs_rocq
from sabotage import with_entry, with_weight

pytestmark = pytest.mark.usefixtures("rocq_development")

WORDS = construct.Vocabulary(["a", "b", "c"])

SETS = {
    "affine": lambda: [
        construct.affine("f", {1: [["1/3", 0], [2, 0]], 2: [[0, 1], [1, "-5/7"]]}, [0, "1/2"]),
        construct.affine("g", {2: [[1, 0], [0, 1]], 3: [[1, 1], [0, 1]]}),
    ],
    "permutation": lambda: construct.random_tasks(3, 3),
    "retrieval": lambda: [construct.retrieval(f"ret{p}", p, d=2) for p in (1, 3, 8)],
    "shift": lambda: [construct.shift("up", [1, "1/2"]), construct.shift("down", [-1, 0])],
    "sum": lambda: [construct.add("all", [1, 2, 3], d=2), construct.add("two", [2, 3], d=2)],
    "lookup": lambda: [
        construct.lookup("next", {"a": "b", "b": "c"}, vocabulary=WORDS),
        construct.lookup("same", {"c": "c"}, vocabulary=WORDS),
        construct.lookup("pair", {("a", "b"): "c", ("b", "b"): "c"}, vocabulary=WORDS),
    ],
    "word-sum": lambda: [
        construct.word_sum("sum", {"a": 1, "b": 2}, {2: "b", 3: "c"}, vocabulary=WORDS),
        construct.word_sum(
            "less", {"a": 1, "b": "1/2"}, {0: "a"}, (2, 1), (1, -1), vocabulary=WORDS
        ),
    ],
    "relu-sum": lambda: [
        construct.relu_sum(
            "kinks",
            features=[[{"a": {"1": [1, 0], "2": ["1/3", -1]}, "e": 1}, {"a": [0, 1], "c": -2}], []],
            C=[[1, 0], [2, "3/5"]],
            A=[[1, 0], [0, 1]],
            b=[1, 0],
        ),
        construct.retrieval("second", 2, d=2),
    ],
    "absolute": lambda: [construct.absolute("abs", d=2), construct.absolute("abs2", 2, d=2)],
    "maximum": lambda: [construct.maximum("max", d=2), construct.minimum("min", d=2)],
    "clip": lambda: [construct.clip("clip", "-1/2", 1, d=2)],
}


def of_kind(kind: str) -> list[construct.Task]:
    """Several tasks, or the example of the kind and what gives it slots."""
    if kind in SETS:
        return SETS[kind]()
    definition = {"name": "f", "kind": kind, **KINDS[kind].example(2)}
    return [
        from_definition(definition, d=2, vocabulary=None),
        construct.retrieval("second", 2, d=2),
    ]


def build(kind: str) -> construct.Construction:
    vocabulary = WORDS if kind in NEED_WORDS else None
    return construct.build(of_kind(kind), m=3, vocabulary=vocabulary)


@needs_rocq
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_task_is_proved(kind):
    assert proof.prove(build(kind)) == proof.Verdict(True)


@needs_rocq
def test_generated_sets_of_tasks_are_proved():
    """Every two of several tasks, slots and features in all four ways.

    Proving takes seconds; proofs/bridge.py proves the weights of all examples.
    """

    def shape(case):
        sizes = case.construction.sizes
        return {(sizes.K > 1, sizes.S > 0, sizes.P > 0)}

    shapes = {one for one in itertools.product([False, True], repeat=3) if sum(one) % 2 == 0}
    found = search(cases(), shape, shapes)
    assert found.keys() == shapes
    for case in found.values():
        assert proof.prove(case.construction) == proof.Verdict(True)


@needs_rocq
def test_a_domain_of_fractions_is_proved():
    domain = Domain(R=Fraction(7, 3), Ry=Fraction(1, 10), delta=Fraction(1, 9))
    made = construct.build([construct.affine("f", [["2/3"]], [1])], m=5, domain=domain)
    assert proof.prove(made).proved


@needs_rocq
def test_a_task_with_a_repeated_feature_is_proved_as_it_is_certified():
    # The weights hold x + max(x, 0); the sum of |50| and |-49| would exceed every margin.
    hinge = [{"a": [1]}]
    task = construct.relu_sum("f", [hinge, hinge], [[50, -49]], A=[[1]])
    made = construct.build([task], m=2, domain=Domain(R=8, Ry=32, delta=1))
    assert proof.prove(made) == proof.Verdict(True)


@pytest.fixture
def made():
    return construct.build(construct.random_tasks(2, 2), m=2)


@needs_rocq
@pytest.mark.parametrize(
    ("name", "row", "column", "words"),
    [
        ("layers.3.heads.1.W_Q", 1, 0, r"layer 4 \(superpose\), head 2 \(task2\), W_Q\[1, 0\], "),
        ("layers.5.mlp.W_in", 3, 2, r"layer 6 \(square\), MLP, W_in\[3, 2\], at lab\[1\] "),
        (
            "layers.1.heads.0.W_O",
            0,
            16,
            r"layer 2 \(label\), head 1 \(label\), W_O\[0, 16\], at rec",
        ),
        ("W_pos", 7, 8, r"W_pos\[7, 8\], at pe\[0\] of the residual stream, is 1; .* has 0"),
        ("W_E", 0, 1, r"W_E\[0, 1\], at tok\[1\] .* is 1; the construction has 0"),
        ("W_U", 16, 1, r"W_U\[16, 1\], at rec .* is 1; the construction has 0"),
    ],
)
def test_a_changed_weight_is_named(made, name, row, column, words):
    value = made.transformer.tensors()[name][row, column] + 1
    verdict = proof.prove(with_entry(made, name, (row, column), value))
    assert not verdict.proved
    assert re.match(words, verdict.reason), verdict.reason


@needs_rocq
def test_every_single_change_of_a_small_artifact_is_rejected_by_name():
    """Of the smallest with two tasks; proofs/bridge.py changes every weight of a larger one."""
    tasks = [construct.affine("f", [[2]], [1]), construct.affine("g", [[3]])]
    made = construct.build(tasks, m=1)
    tried, accepted = survivors(made)
    tensors = made.transformer.tensors().values()
    assert tried == sum(t.size + np.count_nonzero(t) for t in tensors)
    assert accepted == 0


@needs_rocq
@pytest.mark.parametrize("margin", ["B", "C"])
def test_a_margin_below_its_threshold_is_rejected(made, margin):
    halved = {margin: getattr(made.margins, margin) / Fraction(64)}
    verdict = proof.prove(replace(made, margins=replace(made.margins, **halved)))
    assert "do not meet the conditions" in verdict.reason


@needs_rocq
def test_another_task_or_a_wider_domain_is_rejected(made):
    other = construct.random_tasks(2, 2, seed=1)
    assert not proof.prove(replace(made, tasks=tuple(other), held=tuple(other))).proved
    wider = Domain(made.domain.R * 64, made.domain.Ry, made.domain.delta)
    assert "do not meet the conditions" in proof.prove(replace(made, domain=wider)).reason


def test_a_float_that_is_not_its_exact_value_rounded_is_rejected():
    made = construct.build([construct.affine("third", [["1/3"]])], m=1)
    made = with_entry(made, "layers.3.heads.0.W_K", (0, 0), 1 / 3 + 2**-53)
    verdict = proof.prove(made)
    assert verdict.reason == "layers.3.heads.0.W_K[0, 0] is not its exact value rounded to float64"


def test_another_answer_token_is_named(made):
    other = replace(made.transformer, answer=4)
    verdict = proof.prove(replace(made, transformer=other))
    assert verdict.reason == "the answer token is 4; the construction has 5"


def test_a_tensor_of_another_width_and_nan_are_refused(made):
    wide = with_weight(made, "W_U", lambda W: W)
    object.__setattr__(wide.transformer, "W_U", np.zeros((99, 2)))
    with pytest.raises(ConstructError, match="width D = 17"):
        proof.prove(wide)
    with pytest.raises(ConstructError, match="NaN"):
        proof.prove(with_entry(made, "W_U", (0, 0), np.nan))


@needs_rocq
def test_a_missing_unit_is_a_wrong_shape(made):
    square = made.transformer.layers[5]
    mlp = replace(square.mlp, W_in=square.mlp.W_in[:, :-1], W_out=square.mlp.W_out[:-1])
    layers = list(made.transformer.layers)
    layers[5] = replace(square, mlp=mlp)
    short = replace(made.transformer, layers=tuple(layers))
    verdict = proof.prove(replace(made, transformer=short))
    assert verdict.reason == (
        "layer 6 (square), MLP, W_in does not have the shape that it has in the construction"
    )


@needs_rocq
@pytest.mark.parametrize("kind", ["affine", "relu-sum", "lookup"])
def test_the_forward_pass_in_rocq_is_that_of_the_exact_executor(kind):
    made = build(kind)
    [prompt] = random_prompts(made, 1, seed=3, exact=True)
    assert proof.agrees(made, prompt)


@needs_rocq
def test_the_forward_pass_in_rocq_sees_a_changed_stream(made, monkeypatch):
    [prompt] = random_prompts(made, 1, seed=3, exact=True)
    intact = proof.prepare

    def other(*arguments):
        run = intact(*arguments)

        def forward(stream):
            done = run(stream)
            done.stream[0, 0] += 1
            return done

        return forward

    assert proof.agrees(made, prompt)
    monkeypatch.setattr(proof, "prepare", other)
    assert not proof.agrees(made, prompt)


@needs_rocq
def test_tables_of_many_words_are_proved():
    words = construct.Vocabulary([f"w{i}" for i in range(60)])
    table = {a: words.words[(7 * i + 3) % 60] for i, a in enumerate(words.words) if i % 3}
    pairs = {(a, b): "w5" for a in words.words[:3] for b in words.words[20:23]}
    tasks = [
        construct.lookup("table", table, vocabulary=words),
        construct.lookup("second", table, 2, vocabulary=words),
        construct.lookup("pairs", pairs, vocabulary=words),
    ]
    assert proof.prove(construct.build(tasks, m=2)) == proof.Verdict(True)


def test_without_rocq_it_is_said_what_to_install(made, monkeypatch):
    monkeypatch.setattr(rocq.shutil, "which", lambda name: None)
    with pytest.raises(ConstructError, match="apt-get install coq"):
        proof.prove(made)


def with_text(tmp_path, monkeypatch, file, text):
    """The compiled development, in a copy in which one file has more text."""
    copy = tmp_path / "rocq"
    shutil.copytree(rocq.development(), copy)
    with (copy / file).open("a") as end:
        end.write(text)
    command = ["coqc", *rocq.FLAGS, "-R", str(copy), "construct", str(copy / file)]
    subprocess.run(command, check=True, capture_output=True)
    monkeypatch.setattr(rocq, "development", lambda progress=None: copy)


@needs_rocq
@pytest.mark.parametrize(
    "text",
    [
        "Axiom cheat : False.",
        "Axiom Private_cheat : False.",
        "Lemma cheat : False. Admitted.",
        "Module M. Parameter cheat : False. End M.",
    ],
)
def test_an_axiom_in_an_imported_file_is_refused_though_nothing_uses_it(
    made, tmp_path, monkeypatch, text
):
    with_text(tmp_path, monkeypatch, "mutations.v", text)
    with pytest.raises(CheckFailed, match=r"assumptions: .*cheat: False"):
        proof.prove(made)


@needs_rocq
def test_a_theorem_that_rests_on_an_axiom_is_refused(made, tmp_path, monkeypatch):
    cheated = """
From construct Require Import artifact reader quick.
Axiom cheat : forall P : Prop, P.
Definition quick_is_enough w E : quick w None E = true ->
  computes_the_mixture (read_plan w) (read_weights E) := fun _ => cheat _.
"""
    with_text(tmp_path, monkeypatch, "mutations.v", cheated)
    theorem = f"From construct Require Import mutations.\n{proof.EXACTLY}"
    monkeypatch.setattr(proof, "EXACTLY", theorem)
    with pytest.raises(CheckFailed, match=r"assumptions: Axioms: cheat"):
        proof.prove(made)


@needs_rocq
def test_a_development_that_does_not_compile_is_named(made, monkeypatch, tmp_path):
    shutil.copytree(rocq.sources(), tmp_path / "rocq", ignore=shutil.ignore_patterns("*.vo*"))
    (tmp_path / "rocq" / "numbers.v").write_text("Theorem wrong : 1 = 2. Proof. reflexivity. Qed.")
    monkeypatch.setattr(rocq, "sources", lambda: tmp_path / "rocq")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ConstructError, match=r"numbers\.v does not compile: .*unify"):
        proof.prove(made)
    assert not list((tmp_path / "cache" / "construct").iterdir())


def kinked(count: int) -> list[construct.Task]:
    """Tasks with ReLUs of their own, which scratch tokens give homes of their own."""
    return [
        construct.relu_sum(
            f"kink{k}", [[{"a": [1], "e": -1}, {"c": -2, "a": [2], "e": k}]], [[1]], [[2]], [1]
        )
        for k in range(count)
    ]


@needs_rocq
@pytest.mark.parametrize("scratch", [0, 1, 2])
def test_homes_at_scratch_tokens_and_gated_hinges_are_proved(scratch):
    sum_ = construct.add("sum", [1, 2], d=1)
    made = construct.build([*kinked(3), sum_], m=2, n=3, scratch=scratch)
    assert made.sizes.w == scratch
    assert proof.prove(made).proved
    assert proof.agrees(made, random_prompts(made, 1, seed=0)[0])


@needs_rocq
def test_a_gate_that_is_too_low_is_named():
    made = construct.build(kinked(2), m=1, n=2, scratch=1)
    L = made.margins.L
    assert L > 0
    low = replace(made, margins=replace(made.margins, L=1))
    assert "do not meet the conditions" in proof.prove(low).reason


@needs_rocq
def test_every_change_of_a_weight_with_scratch_tokens_is_rejected():
    """Of one task; proofs/bridge.py changes every weight of two."""
    made = construct.build(kinked(1), m=1, n=2, scratch=1)
    assert made.sizes.w == 1
    tried, accepted = survivors(made)
    assert tried > 1000
    assert accepted == 0
