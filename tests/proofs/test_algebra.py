"""Each proof by computer algebra goes through, and each can fail."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import z3

from construct import Construction, Domain, affine, embed, prepare, unembed
from construct import build as build_artifact
from construct.checking.sampling import random_prompts

ALGEBRA = Path(__file__).parents[2] / "proofs" / "algebra"
# At the end: tests/theorem is a package with the name of a proof.
sys.path.append(str(ALGEBRA))

import artifacts  # noqa: E402
import network  # noqa: E402
from symbolic import Signs, Symbols, Unproved, rational  # noqa: E402

LEMMAS = ("gather", "label", "query", "superpose", "pool", "square", "divide")
FLAT_LEMMAS = ("gather", "fetch", "superpose", "level", "pool", "square", "divide")
PROOFS = ("codes", *LEMMAS, "fetch", "level", "theorem")


def proof(name: str):
    """The file of a proof as a module."""
    spec = importlib.util.spec_from_file_location(f"algebra_{name}", ALGEBRA / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refuses(name: str, made: Construction) -> str:
    """What the proof objects to."""
    with pytest.raises(Unproved) as refusal:
        proof(name).on_weights(made)
    return str(refusal.value)


@pytest.mark.parametrize("name", PROOFS)
def test_each_file_proves_its_statement_by_itself_from_any_directory(name, tmp_path):
    command = [sys.executable, "-W", "error", ALGEBRA / f"{name}.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(line.startswith(name) for line in lines)
    of = {"fetch": artifacts.flat, "level": artifacts.flat}
    of |= dict.fromkeys(("label", "query", "superpose"), artifacts.plain)
    wanted = sum(of.get(name, artifacts.either)(build()) for build in artifacts.SMALL)
    assert sum("K=" in line for line in lines) == wanted > 1


# --- Mutations -----------------------------------------------------------------


def with_part(made: Construction, layer: int, head: int | None, part) -> Construction:
    """The artifact with another head, or another MLP, in one layer."""
    layers = list(made.transformer.layers)
    if head is None:
        layers[layer] = replace(layers[layer], mlp=part)
    else:
        heads = list(layers[layer].heads)
        heads[head] = part
        layers[layer] = replace(layers[layer], heads=tuple(heads))
    return replace(made, transformer=replace(made.transformer, layers=tuple(layers)))


def negated(made: Construction, layer: int) -> Iterator[tuple[str, Construction]]:
    """The artifact with one non-zero weight of a layer negated, for each of them."""
    own = made.transformer.layers[layer]
    for head, part in [*enumerate(own.heads), (None, own.mlp)]:
        for tensor in part.WEIGHTS:
            for at in zip(*np.nonzero(getattr(part, tensor)), strict=True):
                name = f"{own.name}, head {head}, {tensor}{at}"
                yield name, with_part(made, layer, head, negate(part, tensor, at))


def negate(part, tensor: str, at: tuple[int, int]):
    """A head or an MLP with one entry negated, also where it stands exactly."""
    W, entries = getattr(part, tensor).copy(), dict(part.exact.get(tensor, {}))
    W[at] = -W[at]
    if at in entries:
        entries[at] = -entries[at]
    return replace(part, **{tensor: W}, exact={**part.exact, tensor: entries})


def goes_through(prove: Callable[[Construction], str], made: Construction) -> bool:
    try:
        prove(made)
    except Unproved:
        return False
    return True


@pytest.mark.parametrize("name", LEMMAS)
def test_each_lemma_refuses_every_sign_error_in_its_layer(name):
    made = artifacts.slot_and_dictionary_tasks() if name == "query" else artifacts.slot_tasks()
    prove, mutants = proof(name).on_weights, list(negated(made, LEMMAS.index(name)))
    assert mutants
    assert [mutation for mutation, mutant in mutants if goes_through(prove, mutant)] == []


@pytest.mark.parametrize("name", ["gather", "query"])
def test_lemmas_of_scratch_tokens_refuse_every_sign_error(name):
    """In the copying head too, and in the gate of every hinge."""
    made, prove = artifacts.scratch_tasks(), proof(name).on_weights
    mutants = list(negated(made, LEMMAS.index(name)))
    assert mutants
    assert [mutation for mutation, mutant in mutants if goes_through(prove, mutant)] == []


def two_of_one_dimension() -> Construction:
    """With a flat gate, and few weights."""
    tasks = [affine("next", [[1]], [1]), affine("twice", [[2]])]
    return build_artifact(tasks, m=1, domain=Domain(R=2, Ry=8, delta=1, tau=Fraction(1, 4)))


@pytest.mark.parametrize("name", ["fetch", "superpose", "level", "square"])
def test_lemmas_of_the_flat_gate_refuse_every_sign_error(name):
    made = artifacts.near_tasks() if name == "fetch" else two_of_one_dimension()
    prove = proof("level" if name == "superpose" else name).on_weights
    mutants = list(negated(made, FLAT_LEMMAS.index(name)))
    assert mutants
    assert [mutation for mutation, mutant in mutants if goes_through(prove, mutant)] == []


@pytest.mark.parametrize("layer", range(7), ids=FLAT_LEMMAS)
def test_the_theorem_refuses_sign_errors_in_every_layer_of_the_flat_gate(layer):
    made = artifacts.near_tasks()
    mutants = [mutant for name, mutant in negated(made, layer) if "W_V" in name or "W_out" in name]
    for mutant in (mutants[0], mutants[-1]):
        refuses("theorem", mutant)


@pytest.mark.parametrize("layer", range(7), ids=LEMMAS)
def test_the_theorem_refuses_sign_errors_in_every_layer(layer):
    made = artifacts.slot_and_dictionary_tasks()
    mutants = [mutant for name, mutant in negated(made, layer) if "W_V" in name or "W_out" in name]
    for mutant in (mutants[0], mutants[-1]):
        refuses("theorem", mutant)


def test_the_embedding_is_proved_too():
    made = artifacts.slot_tasks()
    for tensor in ("W_E", "W_pos"):
        W = getattr(made.transformer, tensor)
        for at in zip(*np.nonzero(W), strict=True):
            mutant = W.copy()
            mutant[at] = -mutant[at]
            refuses(
                "codes", replace(made, transformer=replace(made.transformer, **{tensor: mutant}))
            )


# --- Margins, domain, tasks ------------------------------------------------------


def slot_tasks_with(monkeypatch, **margins) -> Construction:
    """An artifact whose domain is given, with margins that the compiler would not choose."""
    chosen = replace(artifacts.slot_tasks().margins, **margins)
    monkeypatch.setattr("construct.compiler.choose_margins", lambda *_: chosen)
    return artifacts.slot_tasks()


def test_a_B_below_its_threshold_is_refused(monkeypatch):
    delta = artifacts.slot_tasks().domain.delta
    made = slot_tasks_with(monkeypatch, B=1 / (2 * delta**2))
    assert "below 1/delta^2" in refuses("superpose", made)
    assert "layer superpose" in refuses("theorem", made)


def test_a_C_below_its_threshold_is_refused(monkeypatch):
    made = slot_tasks_with(monkeypatch, C=artifacts.slot_tasks().margins.C // 4)
    assert "may pass" in refuses("superpose", made)
    assert "layer superpose" in refuses("theorem", made)


def with_margins(monkeypatch, build: Callable[[], Construction], **margins) -> Construction:
    chosen = replace(build().margins, **margins)
    with monkeypatch.context() as patched:
        patched.setattr("construct.compiler.choose_margins", lambda *_: chosen)
        return build()


def test_a_flat_gate_outside_its_thresholds_is_refused(monkeypatch):
    build = artifacts.tau_tasks
    B, C = build().margins.B, build().margins.C
    faults = [("below", {"B": Fraction(B) / 2}), ("above", {"a": 1 + Fraction(1, 64)})]
    for message, margins in [*faults, ("may pass", {"C": C // 64})]:
        made = with_margins(monkeypatch, build, **margins)
        assert message in refuses("level", made)
        refuses("theorem", made)


def test_a_gate_of_hinges_that_is_not_closed_is_refused(monkeypatch):
    made = with_margins(monkeypatch, artifacts.scratch_tasks, L=2)
    assert "of token" in refuses("query", made)
    refuses("theorem", made)


def test_a_scratch_token_that_copies_something_else_is_refused():
    made = artifacts.slot_and_scratch_tasks()
    changed = made.transformer.W_pos.copy()
    n, residual = made.sizes.n, made.sizes.residual
    u = changed[n - 1, residual["sq"].at][0] - 1
    changed[n - 1, residual["sq"].at], changed[n - 1, residual["rec"].at] = u, 1 - u**2
    other = replace(made, transformer=replace(made.transformer, W_pos=changed))
    for name in ("codes", "theorem"):
        refuses(name, other)


def test_margins_are_refused_on_a_wider_domain():
    made = artifacts.slot_tasks()
    R, Ry, delta = made.domain.R, made.domain.Ry, made.domain.delta
    for wider in (Domain(4 * R, Ry, delta), Domain(R, 4 * Ry, delta), Domain(R, Ry, delta / 2)):
        for name in ("superpose", "theorem"):
            refuses(name, replace(made, domain=wider))


def test_a_table_of_reciprocals_with_another_scale_is_refused():
    made = artifacts.affine_tasks()
    refuses("square", replace(made, margins=replace(made.margins, s=2 * made.margins.s)))


def test_other_tasks_are_refused():
    made = artifacts.affine_tasks()
    other = replace(made, tasks=(made.tasks[0], affine("other", [[1, 0], [0, 1]])))
    refuses("superpose", other)
    refuses("theorem", other)


# --- What the proofs rest on -------------------------------------------------------


def test_a_refused_proof_says_so_and_exits_with_1(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["superpose.py"])
    monkeypatch.setattr(artifacts, "SMALL", (artifacts.affine_tasks,))

    def refuse(made: Construction) -> str:
        raise Unproved("some step")

    assert artifacts.report("superpose", refuse) == 1
    assert "superpose: NOT PROVED. some step" in capsys.readouterr().err


def test_a_sign_that_z3_does_not_know_is_refused(monkeypatch):
    symbols = Symbols(artifacts.affine_tasks())
    x, R = symbols.query[0, 0], symbols.made.domain.R
    assert Signs(symbols).relu(x - R) == 0
    symbols.decided.clear()
    monkeypatch.setattr(z3.Solver, "check", lambda *_: z3.unknown)
    with pytest.raises(Unproved, match="is open"):
        Signs(symbols).relu(x - R)


def test_a_relu_is_what_the_signs_on_the_domain_say():
    symbols = Symbols(artifacts.affine_tasks())
    x, y, R = symbols.query[0, 0], symbols.query[0, 1], symbols.made.domain.R
    relu = Signs(symbols).relu
    assert relu(x * y + R**2) == x * y + R**2
    assert relu(x * y - R**2) == 0
    for open_sign in (x, x * y, x + R - 1, x * y - R**2 + 1):
        with pytest.raises(Unproved):
            relu(open_sign)
    assert Signs(symbols, zero=[x - y - 1]).relu(3 * x - 3 * y) == 3
    assert Signs(symbols, positive=[x - y]).relu(y - x) == 0
    assert not Signs(symbols, zero=[x, x - 1]).consistent


@pytest.mark.parametrize("build", artifacts.SMALL)
def test_the_forward_pass_on_constants_is_that_of_the_exact_executor(build):
    made = build()
    symbols = Symbols(made)
    for prompt in random_prompts(made, 3, exact=True):
        stream = embed(made.transformer, prompt)
        states = prepare("exact", made.transformer, "exact")(stream, trace=True).states
        h = constants(symbols, stream)
        for layer, state in zip(made.transformer.layers, states[1:], strict=True):
            h = network.forward(h, layer, Signs(symbols).relu)
            assert (h == constants(symbols, state)).all()
        answer = constants(symbols, unembed(made.transformer, states[-1]))
        assert (network.unembed(symbols, h) == answer).all()


def constants(symbols: Symbols, stream: np.ndarray) -> np.ndarray:
    """A stream of rationals as one of polynomials."""
    numbers = [symbols.ring.ground_new(rational(t)) for t in stream.flat]
    return np.array([*numbers, None], dtype=object)[:-1].reshape(stream.shape)
