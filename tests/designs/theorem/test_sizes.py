import math

from hypothesis import given
from hypothesis import strategies as st

from construct import Sizes

positive = st.integers(1, 2000)
some_sizes = st.builds(
    Sizes,
    K=positive,
    d=positive,
    m=positive,
    n=st.integers(2, 20),
    S=st.integers(0, 4),
    P=st.integers(0, 50),
)


@given(some_sizes)
def test_width_is_the_formula_and_the_sum_of_the_fields(sizes):
    d, m, n, S, P = (getattr(sizes, name) for name in "dmnSP")
    logarithms = math.ceil(math.log2(m + 1)) + math.ceil(math.log2(n))
    assert (4 + 2 * S) * d + 2 * P + logarithms + 6 == sizes.D
    assert sizes.residual.width == sizes.D
    assert sizes.formula.endswith(f"= {sizes.D}")
    assert eval(sizes.formula.split("=")[0]) == sizes.D


@given(some_sizes, positive)
def test_width_does_not_depend_on_K(sizes, K):
    other = Sizes(K, sizes.d, sizes.m, sizes.n, sizes.S, sizes.P)
    assert other.D == sizes.D
    assert other.residual == sizes.residual


def test_width_of_the_worked_example_is_77():
    assert Sizes(K=4, d=16, m=32, n=2).D == 77


@given(some_sizes)
def test_fields_follow_each_other_without_gap_or_overlap(sizes):
    start = 0
    for field in sizes.residual.fields:
        assert field.start == start
        assert field.width > 0
        assert (field.at.start, field.at.stop) == (start, start + field.width)
        start = field.at.stop
    names = [field.name for field in sizes.residual.fields]
    assert len(set(names)) == len(names)


@given(some_sizes)
def test_fields_are_those_of_the_construction(sizes):
    S, P = sizes.S, sizes.P
    names = {field.name: field.width for field in sizes.residual.fields}
    wide = ["tok", "lab", "qry", "out"]
    wide += [f"{slot}{s}" for slot in ("slot", "qslot") for s in range(1, S + 1)]
    scalars = ["one", "ctx", "cnt", "tot", "sq", "rec"]
    wanted = dict.fromkeys(wide, sizes.d) | dict.fromkeys(scalars, 1)
    wanted |= {"pe": sizes.ell_e, "pt": sizes.ell_t} | ({"gx": P, "gq": P} if P else {})
    assert names == wanted
    assert all(name in sizes.residual for name in wanted)
    assert ("gx" in sizes.residual) == (P > 0)


@given(some_sizes)
def test_context_is_the_least_power_of_two_that_holds_all_tokens(sizes):
    assert sizes.tokens == (sizes.m + 1) * sizes.n
    assert sizes.N & (sizes.N - 1) == 0
    assert sizes.N >= sizes.tokens > sizes.N // 2
    assert sizes.m * sizes.K == sizes.M
