import itertools
from fractions import Fraction as Q

import numpy as np
import pytest
from hypothesis import given
from tracing import feature

from construct import ConstructError, Domain, Prompt, absolute, add, build, retrieval, run, shift
from near import field, near_cases, states


@given(near_cases())
def test_after_layer_2_every_token_holds_its_label_and_the_query(case):
    made, prompt = case.construction, case.prompt
    sizes, length = made.sizes, made.sizes.length
    done = states(made, prompt)
    lab, qry = (field(made, done, "fetch", name) for name in ("lab", "qry"))
    for i, y in enumerate(prompt.Y):
        for p in range(length):
            assert lab[i * length + p].tolist() == y.tolist()
    for i in range(sizes.m + 1):
        for p, x in enumerate(prompt.query):
            assert qry[i * length + p].tolist() == x.tolist()
    names = [layer.name for layer in made.transformer.layers]
    assert names == ["gather", "fetch", "superpose", "level", "pool", "square", "divide"]
    assert all(len(layer.heads) == sizes.K for layer in made.transformer.layers)


@given(near_cases())
def test_operands_copies_and_the_dictionary_of_both_stand_at_every_token(case):
    """With scratch tokens a hinge acts at one position, in the query's features too."""
    made, prompt = case.construction, case.prompt
    sizes, wiring, inputs = made.sizes, made.wiring, made.sizes.n - 1
    done, zero = states(made, prompt), [0] * sizes.d
    blank = [[zero] * inputs] * (sizes.m - len(prompt.X))
    given_ = [*prompt.X.tolist(), *blank, prompt.query.tolist()]
    last = [*prompt.Y.tolist(), *[zero] * (sizes.m + 1 - len(prompt.Y))]
    held = [[*x, *(x[p - 1] for p in wiring.scratch), y] for x, y in zip(given_, last, strict=True)]
    qry = field(made, done, "fetch", "qry")[: sizes.tokens].tolist()
    assert qry == held[-1] * (sizes.m + 1)
    for s, position in enumerate(wiring.slots, start=1):
        qslot = field(made, done, "fetch", f"qslot{s}")[: sizes.tokens].tolist()
        assert qslot == [held[-1][position - 1]] * sizes.tokens
    for name, whose in [("gx", held), ("gq", [held[-1]] * len(held))] if sizes.P else []:
        wanted = []
        for own, p in itertools.product(whose, range(sizes.length)):
            operands = [own[p], *(own[slot - 1] for slot in wiring.slots)]
            wanted.append([feature(units, operands, p + 1) for units in wiring.dictionary])
        assert field(made, done, "fetch", name)[: sizes.tokens].tolist() == wanted


def test_a_single_task_fetches_its_label_in_layer_1():
    made = build([absolute("abs", d=1)], m=3, domain=Domain(4, 8, 1, None, Q(1, 4)))
    purposes = [[head.name for head in layer.heads] for layer in made.transformer.layers[:2]]
    assert purposes == [["label"], ["query"]]
    prompt = Prompt.of([[["-2"], ["9/4"]], [[2], [3]], [[1], [1]]], [[-3]])
    done = states(made, prompt)
    assert field(made, done, "gather", "lab")[:6, 0].tolist() == [
        v for y in prompt.Y[:, 0].tolist() for v in (y, y)
    ]
    for executor in ("exact", "numpy", "jax"):
        answer = run(made, prompt, executor=executor)
        assert (answer.votes, answer.answer.tolist()) == ((2,), [3])


def test_a_single_task_of_two_positions_is_refused_with_what_to_do():
    total, domain = add("sum", (1, 2), d=1), Domain(4, 8, 1, None, Q(1, 4))
    with pytest.raises(ConstructError, match=r"eight layers .* together with a second task"):
        build([total], m=2, domain=domain)
    made = build([total, retrieval("first", 1, d=1)], m=2, domain=domain)
    prompt = Prompt.of([[[1], [2], ["13/4"]]], [[2], [2]])
    assert run(made, prompt, executor="numpy").votes == (1, 0)
    # Where labels are equal to it, there is room.
    assert build([total], m=2, domain=Domain(4, 8, 1)).sizes.K == 1


def test_a_single_task_has_no_head_to_fill_scratch_tokens():
    """They would stay empty, where lemma 1 says that each holds a copy."""
    tasks, domain = [absolute("abs", d=1)], Domain(4, 8, 1, None, Q(1, 4))
    with pytest.raises(ConstructError, match=r"scratch = 1 and .* leave scratch out"):
        build(tasks, m=2, domain=domain, scratch=1)
    assert build(tasks, m=2, domain=Domain(4, 8, 1), scratch=1).sizes.w == 1
    assert build([*tasks, shift("next", [1])], m=2, domain=domain, scratch=1).sizes.w == 1


@pytest.mark.parametrize("tau", [0, Q(1, 4)])
def test_a_tau_above_0_alone_makes_the_layout_flat(tau):
    made = build([shift("next", [1])], m=1, domain=Domain(4, 8, 1, None, tau))
    assert made.margins.flat == bool(tau)
    assert ("level" in [layer.name for layer in made.transformer.layers]) == bool(tau)
    assert np.isclose(float(run(made, Prompt.of([[[1], [2]]], [[3]])).answer[0]), 4)
