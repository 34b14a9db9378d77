"""The attack on formulas, scratch tokens and the flat gate draws what it says, and finds faults."""

from collections import Counter
from fractions import Fraction as Q
from random import Random

import mpmath
import pytest

from attack import formulasets, near, smooth, targets
from attack.campaign import CHECKS
from attack.curves import curves, irrational
from attack.prompts import Prompts
from attack.reckoning import Reckoned, judge, read_prompt

# --- The reckoning ---------------------------------------------------------------

WAVE = {"name": "f", "kind": "formula", "f": ["sin(x[1]) + x[2, 1]^2"]}
SQUARE = {"name": "f", "kind": "formula", "f": ["x[1]^2"]}


def task_set(task, held=(), **domain):
    file = {"d": 1, "n": 2, "tasks": [task], "domain": {"R": 2, "Ry": 8, "delta": 1, **domain}}
    return Reckoned.of(file, 4, held)


def labelled(x, y):
    return {"examples": [[[Q(x)], [Q(y)]]], "query": [[Q(x)]]}


def test_a_formula_is_evaluated_as_it_is_written():
    [value] = curves(WAVE)([[Q(1, 2)], [Q(-3)]])
    with mpmath.workprec(300):
        gap = mpmath.mpf(value.numerator) / value.denominator - mpmath.sin(0.5) - 9
        assert abs(gap) < mpmath.mpf(2) ** -230
    assert curves(SQUARE)([[Q(-4, 3)]]) == [Q(16, 9)]
    assert irrational(WAVE)
    assert not irrational(SQUARE)


@pytest.mark.parametrize(
    ("off", "dtype", "state", "votes"),
    [
        (Q(1, 4), "exact", "inside", 1),
        (Q(1, 4) + Q(1, 10**30), "exact", "outside", 0),
        (1, "exact", "inside", 0),
        (Q(1, 4) * (1 + Q(1, 1 << 13)), "float32", "inside", 1),
        (Q(1, 4) * (1 + Q(1, 1 << 11)), "float32", "outside", 0),
        (Q(1, 4) * (1 + Q(1, 1 << 27)), "float64", "inside", 1),
        (Q(1, 4) * (1 + Q(1, 1 << 25)), "float64", "outside", 0),
    ],
)
def test_labels_match_up_to_tau(off, dtype, state, votes):
    verdict = judge(task_set(SQUARE, tau="1/4"), labelled(1, 1 + off), dtype)
    assert verdict.state == state
    assert sum(verdict.votes) == votes


def test_without_a_tau_labels_of_an_irrational_formula_match_within_a_64th_of_delta():
    assert task_set(WAVE | {"f": ["exp(x[1])"]}).domain.tau == Q(1, 64)
    assert task_set(SQUARE).domain.tau == 0


def test_what_is_too_near_to_an_edge_to_be_told_is_not_judged():
    one = task_set({**WAVE, "f": ["exp(x[1])"]}, tau="1/8")
    [value] = one.maps[0]([[Q(1)]])
    for edge in (Q(1, 8), Q(1)):
        assert judge(one, labelled(1, value + edge), "exact").state == "unclear"
    little = Q(1, 1 << 100)
    assert judge(one, labelled(1, value + Q(1, 8) - little), "exact").votes == (1,)
    assert judge(one, labelled(1, value + Q(1, 8) + little), "exact").state == "outside"


CHORD = {"kind": "relu-sum", "features": [[{"a": [1]}]], "C": [[2]], "A": [[-1]], "epsilon": "1/4"}


def test_what_a_network_holds_is_read_off_its_definition():
    """-x + 2 relu(x) is |x|: x^2 less a quarter at 1/2, and equal to it at 0 and 1."""
    one = task_set(SQUARE | {"epsilon": "1/3"}, [CHORD])
    [held] = one.held
    assert (held.epsilon, held.asked) == (Q(1, 4), Q(1, 3))
    assert [one.gaps2([[x]])[0] for x in (Q(0), Q(1), Q(1, 2))] == [0, 0, Q(1, 16)]
    assert near.knots(one) == [(((1, 0, 1),), [0])]
    kinds = judge(one, read_prompt(labelled(0, 0)), "exact").kinds
    assert {"an input at a knot", "a vote of a formula"} <= set(kinds)
    verdict = judge(one, read_prompt(labelled(Q(1, 2), Q(1, 4))), "exact")
    assert (verdict.answer, verdict.held) == ((Q(1, 4),), (Q(1, 2),))


# --- What is drawn ---------------------------------------------------------------


def test_formulas_of_every_form_and_in_every_domain_are_drawn():
    seen: Counter = Counter()
    for number in range(400):
        file, _ = formulasets.of_formulas(Random(number))
        domain, tasks = file["domain"], file["tasks"]
        own = [task for task in tasks if task["kind"] == "formula"]
        text = " ".join(entry for task in own for entry in task["f"])
        seen.update(name for name in ("sin", "cos", "tanh", "exp", "softplus") if name in text)
        seen.update(name for name in ("sigmoid", "abs", "relu", "log", "sqrt") if name in text)
        seen.update(
            name for name in ("max", "min", ")^2", ")^3", ")^4", "]*x", "1/(") if name in text
        )
        seen["explicit epsilon"] += any("epsilon" in task for task in own)
        seen["no epsilon"] += any("epsilon" not in task for task in own)
        seen.update(f"with {key}" if key in domain else f"no {key}" for key in ("grid", "tau"))
        seen["formulas alone"] += own == tasks
        seen["among others"] += own != tasks
        seen["two formulas"] += len(own) > 1
        seen.update([f"scratch {file.get('scratch')}"])
    assert len(seen) >= 17 + 9 + 3
    assert min(seen.values()) >= 4, seen


def test_every_number_of_scratch_tokens_is_drawn():
    seen: Counter = Counter()
    for number in range(200):
        file, _ = formulasets.with_scratch(Random(number))
        seen.update([file["scratch"]])
        seen["tau"] += "tau" in file["domain"]
        seen["labels as large as inputs"] += file["domain"]["R"] == file["domain"]["Ry"]
    assert set(seen) >= set(range(5))
    assert min(seen.values()) >= 3, seen


# What a prompt or its network has to be now and then.
LAYOUTS = {
    "networks with a flat gate",
    "networks with scratch tokens",
    "networks with a hinge for one home",
    "networks of formulas",
    "networks of formulas that are held exactly",
}
KINDS = {
    *("at tau", "at delta", "tie", "noise", "blank slots", "an input at a knot"),
    *("a vote of a formula", "a match that is held far off", "all mK votes"),
    "a mismatch that is held too near",
}


def test_layouts_and_prompts_of_every_kind_are_drawn():
    """Without running any: until all were seen, in 150 draws at most."""
    seen: set[str] = set()
    for number in range(150):
        rng = Random(f"kinds {number}")
        drawn = (formulasets.of_formulas, formulasets.with_scratch)[number % 4 == 3](rng)
        made = smooth.construction(*drawn)
        if made is None:
            continue
        seen.update(targets.layout(made))
        one = targets.reckoned(*drawn, made)
        source = Prompts(rng, one, "exact")
        for prompt in (*(source.draw() for _ in range(4)), source.unanimous()):
            seen.update(judge(one, prompt, "exact").kinds)
        if seen >= LAYOUTS | KINDS:
            break
    assert seen >= LAYOUTS | KINDS, (LAYOUTS | KINDS) - seen


def test_inputs_of_formulas_stay_in_the_box():
    one = task_set(SQUARE, [CHORD])
    source = Prompts(Random(1), one, "exact")
    for kind in near.INPUTS:
        for _ in range(20):
            [[x]] = source.inputs_of(kind)
            assert abs(x) <= 2


# --- What is found ---------------------------------------------------------------


def case_of(task):
    file = {"d": 1, "n": 2, "tasks": [task], "domain": {"R": 2, "Ry": 8, "delta": 1}}
    return {"check": "held", "file": file, "m": 1, "count": 30, "seed": 1}


def test_an_epsilon_that_is_understated_is_found(monkeypatch):
    case = case_of(SQUARE)
    assert not CHECKS["held"](case).findings
    true = targets.held

    def understated(made):
        return [{**one, "epsilon": str(Q(one["epsilon"]) * Q(9, 10))} for one in true(made)]

    monkeypatch.setattr(targets, "held", understated)
    assert {f.kind for f in CHECKS["held"](case).findings} == {"epsilon"}


def test_an_epsilon_beyond_what_was_asked_for_is_found(monkeypatch):
    true = targets.held

    def overstated(made):
        return [{**one, "epsilon": "1/3"} for one in true(made)]

    monkeypatch.setattr(targets, "held", overstated)
    assert {f.kind for f in CHECKS["held"](case_of(SQUARE)).findings} == {"epsilon"}


def test_an_answer_farther_than_its_error_bound_is_found(monkeypatch):
    case = {
        **{**case_of(SQUARE), "check": "prompts", "executor": "exact", "dtype": "exact"},
        "prompts": [labelled_text("1", "1", "5/4")],
    }
    assert not CHECKS["prompts"](case).findings
    monkeypatch.setattr(targets, "error_bound", lambda *_: Q(1, 1000))
    assert {f.kind for f in CHECKS["prompts"](case).findings} == {"answer"}


def labelled_text(x, y, query):
    return {"examples": [[[x], [y]]], "query": [[query]]}
