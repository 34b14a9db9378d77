import random
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracing import feature

from construct import ConstructError, add, maximum, relu, retrieval
from construct.designs.theorem.slots import fewest_slots
from construct.designs.theorem.wiring import Wiring
from generators import definitions, named
from share import tried


@given(st.lists(st.sets(st.integers(1, 6)), max_size=5))
def test_slots_cover_all_positions_of_each_task_but_one_and_no_fewer_do(reads):
    def covers(slots):
        return all(len(r - set(slots)) <= 1 for r in reads)

    found = fewest_slots(reads)
    positions = set(chain(*reads))
    assert found <= positions
    assert covers(found)
    fewer = combinations(positions, len(found) - 1) if found else ()
    assert not any(map(covers, fewer))


def by_search(reads):
    """The rule of `fewest_slots` by plain search: later positions first, deeper and deeper."""

    def cover(chosen, budget):
        left = [r - chosen for r in reads if len(r - chosen) > 1]
        if not left:
            return chosen
        widest = max(left, key=len)
        if len(widest) - 1 > budget:
            return None
        found = (cover(chosen | {p}, budget - 1) for p in sorted(widest)[-2:][::-1])
        return next((one for one in found if one is not None), None)

    budgets = range(sum(map(len, reads)) + 1)
    return next(found for b in budgets if (found := cover(set(), b)) is not None)


@tried(300)
@given(
    st.lists(st.sets(st.integers(1, 6)), max_size=7)
    | st.lists(st.sets(st.integers(1, 12), min_size=2, max_size=2), max_size=12)
    | st.lists(st.sets(st.integers(1, 9), min_size=2, max_size=5), max_size=5)
)
def test_the_slots_are_those_of_a_plain_search(reads):
    assert fewest_slots(reads) == by_search(reads)


@pytest.mark.parametrize(
    ("reads", "fewest"),
    [
        ([{2 * i, 2 * i + 1} for i in range(500)], 500),
        ([{i, i + 1} for i in range(200)], 100),
        ([{i, (i + 1) % 201} for i in range(201)], 101),
        ([{0, i} for i in range(1, 500)], 1),
        ([set(range(1500))], 1499),
        ([set(range(i, i + 10)) for i in range(0, 90, 5)], 85),
        ([{i, 50 + j} for i in range(20) for j in range(20)], 20),
    ],
    ids=["disjoint", "path", "cycle", "star", "one task", "chain", "bipartite"],
)
def test_hundreds_of_positions_are_no_search(reads, fewest):
    found = fewest_slots(reads)
    assert len(found) == fewest
    assert all(len(r - found) <= 1 for r in reads)


def test_what_takes_a_long_search_is_refused_in_one_sentence():
    rng = random.Random(0)
    reads = [set(rng.sample(range(150), 2)) for _ in range(400)]
    with pytest.raises(ConstructError, match="too many combinations of positions"):
        fewest_slots(reads)


@given(st.integers(1, 2), st.integers(1, 3), st.data())
def test_f_k_over_the_fields_of_its_home_token_is_the_task(d, inputs, data):
    listed = data.draw(st.lists(definitions(d, inputs), min_size=1, max_size=3))
    entries = st.lists(st.integers(-3, 3), min_size=d, max_size=d)
    X = np.array(data.draw(st.lists(entries, min_size=inputs, max_size=inputs)), dtype=object)
    w = data.draw(st.integers(0, 3))
    wiring = Wiring.of(named(listed, d), inputs + 1, w)
    for k, task in enumerate(wiring.tasks):
        operands = [X[wiring.sources[k] - 1], *(X[p - 1] for p in wiring.slots)]
        fields = {f"slot{s}": x for s, x in enumerate(operands) if s}
        fields |= {"tok": operands[0], "one": np.array([1], dtype=object)}
        fields["gx"] = np.array(
            [feature(units, operands, wiring.homes[k]) for units in wiring.dictionary],
            dtype=object,
        )
        value = sum(np.asarray(W) @ fields[name] for name, W in wiring.f(k).matrices())
        assert value.tolist() == task(X).tolist()


def test_tasks_of_one_position_each_need_no_slot():
    wiring = Wiring.of([retrieval("ret1", 1, d=2), retrieval("ret2", 2, d=2)])
    assert wiring.slots == ()
    assert wiring.homes == (1, 2)


def test_one_slot_serves_a_sum_of_two_operands():
    wiring = Wiring.of([add("op1+op2", (1, 2), d=1), retrieval("op1", 1, d=1)])
    assert len(wiring.slots) == 1


def test_the_query_reads_the_fields_named_for_it():
    wiring = Wiring.of([add("op1+op2", (1, 2), d=1), maximum("max", (1, 2), d=1)])
    read = {name for k in range(2) for name, _ in wiring.f(k, "qry", "qslot", "gq").matrices()}
    assert read == {"qry", "qslot1", "gq", "one"}


def test_features_that_read_the_same_of_their_home_token_are_shared():
    both = Wiring.of([relu("relu1", 1, d=2), relu("relu2", 2, d=2)])
    assert both.homes == (1, 2)
    assert len(both.dictionary) == 2
    assert both.reads == ((0, 1), (0, 1))
