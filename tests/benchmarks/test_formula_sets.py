"""The benchmarks of formulas, at their least sizes."""

import json
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import common
import epsilon
import horizon
import plan
from construct import mixture, parse_prompt, parse_tasks
from construct.spec.domain import check_domain

TENTH = Fraction(1, 10)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_labels_are_near_a_task_up_to_tau_in_each_format(dtype):
    tasks, domain = common.formula_tasks("1/10"), common.FORMULA_DOMAIN
    prompt = common.near_prompt(tasks, 200, seed=3).astype(dtype)
    check_domain(prompt, tasks, domain, 200)
    wanted = mixture(tasks, prompt, delta=domain.delta, tau=domain.tau)
    assert not wanted.unexplained
    assert min(wanted.votes) > 30
    gaps = [np.linalg.norm(task(prompt.X).astype(float) - prompt.Y, axis=-1) for task in tasks]
    share = np.min(gaps, axis=0) / float(domain.tau)
    assert 60 < (share > 0.99).sum() < 140


def test_hinges_stand_beside_the_optimum_and_proposition_a1():
    exp = epsilon.FUNCTIONS[1]
    assert exp.bending == pytest.approx(2 * (math.e - 1 / math.e))
    row = epsilon.hinges(exp, TENTH**2)
    assert row["hinges"] <= math.ceil(1.1 * row["optimum"]) < row["M of Definition 12"]
    assert row["worst seen"] <= row["proved error"] <= 0.01
    # On [-2, 2] the largest of exp, 2 exp and 4 exp is 4 e^2.
    largest = 4 * math.e**2
    asked = (largest / 0.01) ** 2 * math.log(1 + largest / 0.01)
    assert row["Proposition A.1, without C(k)"] == pytest.approx(asked)


def test_a_product_is_made_of_two_squares():
    row = epsilon.product_hinges(TENTH)
    assert row["optimum"] == pytest.approx(16 / math.sqrt(0.1))
    assert 0.9 < row["hinges"] / row["optimum"] < 1.1


@pytest.mark.parametrize(
    ("change", "said"),
    [({"value": np.cos}, "exp.x. is off by"), ({"most": 0.1}, "hinges, not")],
)
def test_what_is_not_as_proved_ends_the_benchmark(change, said):
    with pytest.raises(SystemExit, match=said):
        epsilon.hinges(replace(epsilon.FUNCTIONS[1], **change), TENTH)


def test_a_width_that_changes_with_epsilon_ends_the_benchmark():
    rows = [{"epsilon": e, "width": w, "hidden units": 9} for e, w in ((0.1, 24), (0.01, 25))]
    with pytest.raises(SystemExit, match="the width changes with epsilon"):
        epsilon.summary(rows, [])


def test_the_power_of_epsilon_is_that_of_a_power_law():
    rows = [{"epsilon": 10.0**-k, "hinges": 7 * 10 ** (k / 2)} for k in range(1, 6)]
    assert epsilon.power(rows, "hinges") == pytest.approx(1 / 2)


def test_a_horizon_says_what_is_certified_and_what_comes_out():
    sine, several = horizon.formulas()
    row = horizon.measure(sine, "float32", 5, 1, math.inf)
    assert (row["certified"], row["wrong"], row["how"]) == (True, 0, None)
    assert several.build(1).certified == ("float64",)
    said = horizon.horizon([{"m": 1, "wrong": 1, "how": "a vote is lost"}], 0)
    assert said["certified to m"] == "none: no m is certified"
    assert (said["right up to m"], said["first wrong at m"]) == ("none", 1)


def test_an_answer_beyond_what_is_proved_at_the_limit_is_wrong():
    sine = horizon.formulas()[0]
    row = horizon.measure(sine, "float32", 5, 1, -1.0)
    assert row["wrong"] == 1
    assert "more than is proved at the limit" in row["how"]
    assert horizon.horizon([row], 21)["first wrong at m"] == 5


def test_sizes_go_through_the_limit():
    assert horizon.sizes(20, 1, 100) == [10, 20, 40, 80]
    assert horizon.sizes(0, 1, 9) == [1, 2, 4, 8]


def test_the_plan_of_formulas_is_about_a_file_and_a_prompt_that_fit(tmp_path):
    case = plan.Case(3, 2, 4, epsilon="1/10")
    arguments = case.write(tmp_path)
    sizes = ["--m", "4", "--design", "theorem"]
    assert arguments == ["--tasks", str(tmp_path / "tasks.json"), *sizes]
    file = parse_tasks((tmp_path / "tasks.json").read_text())
    prompt = parse_prompt((tmp_path / "prompt").read_text(), d=2, n=2)
    check_domain(prompt, file.tasks, file.domain, 4)
    assert json.loads((tmp_path / "tasks.json").read_text())["domain"]["tau"] == "1/64"
