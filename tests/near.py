"""Task sets of which the network holds something else than f, as far off as it may be.

The tasks are those of `generators`, with meanings that share no code with the package. What is
held in the place of f is f moved by a vector of length epsilon: the worst that `Task.epsilon`
admits. Labels lie at every distance that decides, along that vector and against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction as Q
from unittest import mock

from hypothesis import assume
from hypothesis import strategies as st

from construct import Construction, Domain, Prompt, Task, build, compiler, embed, prepare
from generators import Known, calling_the_package, fewest_slots, shapes, task_sets

R, RY = 3, 64
ROOMS = Q(1, 64), Q(1, 2), Q(1)


def stand_in(tasks: Sequence[Task], held: Sequence[Task], **said) -> Construction:
    """The construction of some tasks that holds others in their place."""
    with mock.patch.object(compiler, "hold_tasks", lambda tasks, domain: (tuple(held), domain)):
        return build(list(tasks), **said)


def direction(d: int, i: int, sign: int) -> list[Q]:
    """A vector of length 1: along an entry, or 3/5 and 4/5."""
    found = [Q(0)] * d
    if d > 1 and i % 3 == 2:
        found[0], found[1] = Q(3 * sign, 5), Q(4, 5)
    else:
        found[i % d] = Q(sign)
    return found


def moved(task: Task, by: Sequence[Q], epsilon: Q) -> Task:
    """What is held of a task: it is off by this vector everywhere."""
    return replace(task, b=task.b + [b * epsilon for b in by], epsilon=epsilon)


@dataclass(frozen=True, eq=False)
class NearCase:
    """A construction and a prompt of its domain, and what is to come of it.

    Attributes:
        votes: c_k, by the meanings of the tasks.
    """

    construction: Construction
    prompt: Prompt
    known: tuple[Known, ...]
    votes: tuple[int, ...]


def square(a: Sequence, b: Sequence) -> Q:
    return sum(((Q(x) - Q(y)) ** 2 for x, y in zip(a, b, strict=True)), Q(0))


@st.composite
@calling_the_package
def near_cases(draw, lengths: Sequence[int] = (2, 2, 3), rooms=ROOMS, part: int = 2):
    """Any construction with a flat gate, with scratch tokens or without.

    Args:
        rooms: what delta is above tau + 2 epsilon.
        part: inputs are whole multiples of one part in so many.
    """
    shape = draw(shapes(lengths))
    known = draw(task_sets(shape))
    S, K, d = fewest_slots([one.reads for one in known], shape.n), len(known), shape.d
    assume(K > 1 or not S)
    epsilon, tau = draw(st.sampled_from([(Q(1, 8), Q(0)), (Q(0), Q(1, 4)), (Q(1, 16), Q(1, 8))]))
    delta = tau + 2 * epsilon + draw(st.sampled_from(rooms))
    ways = [direction(d, draw(st.integers(0, 5)), draw(st.sampled_from([1, -1]))) for _ in range(K)]
    inexact = [not epsilon or k == 0 or draw(st.booleans()) for k in range(K)]
    held = [
        moved(one.task, way, epsilon) if off and epsilon else one.task
        for one, way, off in zip(known, ways, inexact, strict=True)
    ]
    scratch = draw(st.sampled_from([None, 0, 1])) if S < K > 1 else None
    m = draw(st.integers(1, 4))
    made = stand_in(
        [one.task for one in known],
        held,
        m=m,
        n=shape.n,
        domain=Domain(R, RY, delta, None, tau),
        scratch=scratch,
    )
    steps = [Q(0), tau, -tau, delta, -delta, delta * 2, tau / 2]
    entry = st.integers(-part * R, part * R).map(lambda i: Q(i, part))
    X = st.lists(
        st.lists(entry, min_size=d, max_size=d), min_size=shape.n - 1, max_size=shape.n - 1
    )
    examples, votes = [], [0] * K
    for _ in range(draw(st.integers(0, m))):
        x, k, step = draw(X), draw(st.integers(0, K - 1)), draw(st.sampled_from(steps))
        y = [Q(v) + step * w for v, w in zip(known[k].meaning(x), ways[k], strict=True)]
        squares = [square(one.meaning(x), y) for one in known]
        if max(map(abs, y)) > RY or any(tau**2 < s < delta**2 for s in squares):
            continue
        examples.append([*x, y])
        votes = [c + (s <= tau**2) for c, s in zip(votes, squares, strict=True)]
    return NearCase(made, Prompt.of(examples, draw(X)), known, tuple(votes))


def states(made, prompt):
    """The pass in rationals, with the stream before layer 1 and after each layer."""
    return prepare("exact", made.transformer, "exact")(
        embed(made.transformer, prompt.astype("exact")), trace=True
    )


def layer_of(made, name: str) -> int:
    return [layer.name for layer in made.transformer.layers].index(name)


def field(made, done, name: str, of: str):
    """A field of all tokens after a layer."""
    return done.states[layer_of(made, name) + 1][:, made.sizes.residual[of].at]
