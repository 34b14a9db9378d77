"""Outside a head's reach every score is exactly 0, and outside an MLP's every unit."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Sizes,
    absolute,
    add,
    affine,
    build,
    embed,
    prepare,
    random_tasks,
    relu,
    retrieval,
)
from construct.network.reach import ALL, EVERY, OWN, Reach
from generators import whole_cases


def chosen(place, own: int, value: int) -> bool:
    """Whether a place of a reach names `value`, for an asking token at `own`."""
    return place == ALL or value == (own if place == OWN else place)


def scores(reach: Reach, asking: tuple[int, int], read: tuple[int, int]) -> bool:
    """Whether the token (example, position) that asks may score the one that it reads."""
    (asks_e, asks_p), (reads_e, reads_p) = reach.asks, reach.reads
    if isinstance(asks_p, tuple):
        if asking[1] not in asks_p:
            return False
        if isinstance(reads_p, tuple):
            reads_p = reads_p[asks_p.index(asking[1])]
        asks_p = asking[1]
    return all(
        chosen(place, own, value)
        for place, own, value in zip(
            (asks_e, asks_p, reads_e, reads_p), asking * 2, (*asking, *read), strict=True
        )
    )


def pairs(reach: Reach, sizes: Sizes) -> np.ndarray:
    """(N, N): whether token i may score token j, token by token."""
    found = np.zeros((sizes.N, sizes.N), dtype=bool)
    grid = [(token, divmod(token, sizes.length)) for token in range(sizes.tokens)]
    for i, asking in grid:
        for j, read in grid:
            found[i, j] = scores(reach, asking, read)
    return found


def test_pairs_are_what_a_reach_says():
    sizes = Sizes(K=1, d=1, m=1, n=2)
    assert pairs(Reach(), sizes).all()
    own_last = pairs(Reach(EVERY, (OWN, 1)), sizes)
    assert np.argwhere(own_last).tolist() == [[0, 1], [1, 1], [2, 3], [3, 3]]
    home = pairs(Reach((ALL, 0), (OWN, OWN)), sizes)
    assert np.argwhere(home).tolist() == [[0, 0], [2, 2]]
    answer = pairs(Reach(sizes.answer, EVERY), sizes)
    assert np.argwhere(answer).tolist() == [[3, 0], [3, 1], [3, 2], [3, 3]]
    longer = Sizes(K=1, d=1, m=1, n=3, w=2)
    copies = pairs(Reach((ALL, (2, 3)), (OWN, (1, 0))), longer)
    assert np.argwhere(copies).tolist() == [[2, 1], [3, 0], [7, 6], [8, 5]]


@settings(max_examples=60)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@given(case=whole_cases())
def test_outside_the_reach_every_score_is_exactly_0(dtype, case):
    construction, prompt = case.build()
    assume(dtype in construction.certified)
    transformer, sizes = construction.transformer, construction.sizes
    stream = embed(transformer, prompt.astype(dtype))
    states = prepare("numpy", transformer, dtype)(stream, trace=True).states
    for layer, h, after in zip(transformer.layers, states[:-1], states[1:], strict=True):
        update = np.zeros_like(h)
        for head in layer.heads:
            W_Q, W_K, W_V, W_O = (getattr(head, name).astype(dtype) for name in head.WEIGHTS)
            given = np.maximum((h @ W_Q) @ (h @ W_K).T, 0)
            assert not given[~pairs(head.reach, sizes)].any(), (layer.name, head.name)
            update = update + (given / sizes.N) @ (h @ W_V) @ W_O
        units = np.maximum((h + update) @ layer.mlp.W_in.astype(dtype), 0)
        start = 0
        for count, acts in layer.mlp.parts or ((units.shape[1], layer.mlp.acts),):
            outside = ~pairs(Reach(acts, EVERY), sizes).any(axis=1)
            assert not units[outside, start : start + count].any(), layer.name
            start += count
        assert start == units.shape[1]
        assert np.allclose(h + update + units @ layer.mlp.W_out.astype(dtype), after)


@settings(max_examples=30)
@given(case=whole_cases())
def test_every_reach_is_linear_in_the_tokens(case):
    """Each asking token reads one token, or there is one asking token."""
    construction, _ = case.build()
    sizes = construction.sizes
    for layer in construction.transformer.layers:
        for head in layer.heads:
            if head.name != "idle":
                assert pairs(head.reach, sizes).sum() <= sizes.tokens
    assert construction.transformer.layers[5].mlp.acts == sizes.answer


def test_a_reach_that_is_too_narrow_would_be_noticed():
    """Every pair in the reach of label, query and divide does score on some prompt."""
    transformer = build(random_tasks(2, 2), m=2).transformer
    stream = transformer.W_pos.copy()
    for i in (1, 2):
        head = transformer.layers[i].heads[0]
        scores = np.maximum((stream @ head.W_Q) @ (stream @ head.W_K).T, 0)
        assert ((scores > 0) == pairs(head.reach, transformer.sizes)).all()


def test_the_reach_of_each_layer():
    """Heads at home positions 1, 1 and 2; positions 1 and 2 of "sum" need one slot."""
    tasks = [affine("f", [[1, 0], [0, 2]]), add("plus", [1, 2], d=2), retrieval("second", 2, d=2)]
    sizes, layers = (made := build(tasks, m=4, n=3)).sizes, made.transformer.layers
    table = [[h.reach for h in layer.heads if h.name != "idle"] for layer in layers]
    assert table == [
        [Reach((ALL, ALL), (OWN, slot - 1)) for slot in made.wiring.slots],
        [Reach(EVERY, (OWN, 2))],
        [Reach(EVERY, (4, OWN))],
        [Reach((ALL, home - 1), (OWN, OWN)) for home in made.wiring.homes],
        [Reach((4, 2), EVERY)],
        [Reach((4, 2), (4, 2))],
        [Reach(EVERY, (4, 2))],
    ]
    assert (sizes.S, len(table[0]), len(table[3])) == (1, 1, 3)


PLACES = st.sampled_from([ALL, 0, 1])
ASKED = st.tuples(PLACES, PLACES | st.sampled_from([(0,), (1, 0)]))


@given(ASKED, st.integers(1, 4), st.integers(2, 4), st.data())
def test_counts_are_those_of_the_pairs(asks, m, n, data):
    position = st.sampled_from([OWN, 0, 1])
    if isinstance(asks[1], tuple):
        position |= st.tuples(*(st.sampled_from([0, 1]) for _ in asks[1]))
    one = st.tuples(st.sampled_from([OWN, 0, 1]), position)
    reads = data.draw(st.just(EVERY) | one)
    reach, found = Reach(asks, reads), pairs(Reach(asks, reads), Sizes(K=1, d=1, m=m, n=n))
    here = found.any(axis=1).sum(), found.any(axis=0).sum(), found.sum()
    assert reach.counts(m, n) == here


@pytest.mark.parametrize("asks", [(OWN, 0), (-1, 0), (0, True)])
def test_a_place_that_is_none_is_refused(asks):
    with pytest.raises(ConstructError, match="'asks' of a reach holds"):
        Reach(asks=asks)


def test_positions_that_do_not_fit_together_are_refused():
    for asks, reads in (((ALL, (0, 1)), (OWN, (0,))), ((ALL, 0), (OWN, (0,))), (EVERY, (OWN, ()))):
        with pytest.raises(ConstructError, match="must read one from each"):
            Reach(asks, reads)
    for asks, reads in ((((0, 1), 0), EVERY), (EVERY, ((0, 1), OWN))):
        with pytest.raises(ConstructError, match="names several examples"):
            Reach(asks, reads)
    with pytest.raises(ConstructError, match="'asks' of a reach holds"):
        Reach((ALL, (0, -1)))


def test_the_reach_of_scratch_tokens_and_of_the_units_of_each_home():
    tasks = [relu("plain", 1, d=2), absolute("size", 2, d=2), retrieval("second", 2, d=2)]
    made = build(tasks, m=4, n=3, scratch=2)
    assert (made.wiring.homes, made.wiring.scratch) == ((1, 2, 3), (2, 1))
    gather, _, query = made.transformer.layers[:3]
    assert gather.heads[0].reach == Reach((ALL, (2, 3)), (OWN, (1, 0)))
    # Two hinges of two entries, and one hinge; for the example and for the query.
    assert query.mlp.parts == ((4, (ALL, 0)), (8, (ALL, 1)))
