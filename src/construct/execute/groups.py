"""Which heads and which hidden units of a layer run side by side in a sparse pass.

There may be a position for each task. What is alike at several positions is one group, with a
weight for each of them, so that a program is as long for many as for few.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, sparray

from construct.execute.weights import columns_of, nonzeros, rows_of, units
from construct.network.reach import OWN, Place, Reach, Tokens
from construct.network.transformer import Head, Mlp

# The numbers of the heads of a group, for each position that has its own.
Members = tuple[tuple[int, ...], ...]


def head_groups(heads: Sequence[Head], reaches: Mapping[int, Reach]) -> list[tuple[Reach, Members]]:
    """Heads of one shape and one reach; those of several positions with as many each together.

    Args:
        heads: of a layer.
        reaches: number -> reach of those that are not idle.
    """
    alike: dict[tuple, list[int]] = {}
    for k, reach in reaches.items():
        key = (heads[k].sparse("W_Q").shape, heads[k].sparse("W_V").shape, reach)
        alike.setdefault(key, []).append(k)
    stacks: dict[tuple, list[tuple[Reach, tuple[int, ...]]]] = {}
    for (*shapes, reach), members in alike.items():
        of_one = isinstance(reach.asks[1], int) and reach.reads[1] == OWN
        where = (reach.asks[0], reach.reads, len(members)) if of_one else reach
        stacks.setdefault((*shapes, where), []).append((reach, tuple(members)))
    return [_stacked(stack) for stack in stacks.values()]


def _stacked(stack: list[tuple[Reach, tuple[int, ...]]]) -> tuple[Reach, Members]:
    """Heads of one reach each, as one group."""
    reaches, members = zip(*stack, strict=True)
    [reach, *others] = reaches
    if others:
        positions = tuple(one.asks[1] for one in reaches)
        reach = Reach((reach.asks[0], positions), reach.reads)
    return reach, members


def by_position(
    weights: Sequence[sparray], join: Callable[..., sparray], members: Members
) -> list[sparray]:
    """The weights of all heads of a group, joined for each position."""
    count = len(members[0])
    return [join(weights[i : i + count]) for i in range(0, len(weights), count)]


@dataclass(frozen=True)
class UnitGroup:
    """Hidden units that run side by side: all of an MLP, or about as many at each position.

    Attributes:
        acts: the tokens where they can be other than 0; several positions are a tuple.
        W_in, W_out: one weight each, or one for each of several positions, with columns and
            rows of 0 where one has fewer units.
        writes: the coordinates that they write: the columns of W_out.
    """

    acts: Tokens
    W_in: list[csr_array]
    W_out: list[csr_array]
    writes: np.ndarray


def unit_groups(mlp: Mlp) -> list[UnitGroup]:
    """The units of an MLP by the tokens where they act.

    Units of one position each are taken together if their numbers have as many binary digits:
    so no weight is filled up to more than twice its size, and there are few groups.
    """
    if not mlp.parts:
        W_in, W_out, writes = units(mlp)
        return [UnitGroup(mlp.acts, [W_in], [W_out], writes)]
    W_in, W_out = nonzeros(mlp.sparse("W_in")), nonzeros(mlp.sparse("W_out"))
    used = np.zeros(W_in.shape[1], bool)
    used[np.intersect1d(columns_of([W_in]), rows_of([W_out]), assume_unique=True)] = True
    alike: dict[tuple, dict[Place, np.ndarray]] = {}
    for (example, position), own in _by_tokens(mlp).items():
        own = own[used[own]]
        if len(own):
            one = isinstance(position, int)
            key = (example, len(own).bit_length() if one else position)
            alike.setdefault(key, {})[position] = own
    return [_unit_group(example, own, W_in, W_out) for (example, _), own in alike.items()]


def _by_tokens(mlp: Mlp) -> dict[Tokens, np.ndarray]:
    """The numbers of the units that act at the same tokens."""
    ends = np.cumsum([count for count, _ in mlp.parts])
    found: dict[Tokens, list[np.ndarray]] = {}
    for (count, tokens), end in zip(mlp.parts, ends.tolist(), strict=True):
        found.setdefault(tokens, []).append(np.arange(end - count, end))
    return {tokens: np.concatenate(numbers) for tokens, numbers in found.items()}


def _unit_group(
    example: Place, own: dict[Place, np.ndarray], W_in: csr_array, W_out: csr_array
) -> UnitGroup:
    """Units of one example, or of all, by position."""
    most = max(map(len, own.values()))
    read = [W_in[:, numbers] for numbers in own.values()]
    written = [W_out[numbers] for numbers in own.values()]
    writes = columns_of(written)
    written = [W[:, writes] for W in written]
    for one, other in zip(read, written, strict=True):
        one.resize((one.shape[0], most))
        other.resize((most, other.shape[1]))
    [place, *others] = own
    if others:
        place = tuple(position for position in own if isinstance(position, int))
    return UnitGroup((example, place), read, written, writes)
