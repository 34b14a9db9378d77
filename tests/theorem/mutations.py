"""Change single weights of an artifact, and see whether the suite's check notices.

`survey` takes every non-zero entry of every tensor of `Transformer.tensors()` (idle
heads and MLPs have none), applies each of the four `KINDS` of change, runs directed
prompts with the NumPy executor in float64, and lets `construct.checking.verification.compare`
judge: votes and lists of examples must be equal to those of the specification, the
answer may differ by rounding alone. A mutation is

killed       if `compare` objects on some prompt;
equivalent   if it is not killed, and `mutation_proofs` proves in exact arithmetic that
             no prompt of the domain can tell it from the original;
unexplained  otherwise.

The artifacts have a grid of whole numbers and delta = 1, so that B = 1/delta^2 has no
slack and all but the reciprocals is exact in float64.

    PYTHONPATH=tests python -m theorem.mutations      prints the tables
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from construct import (
    Construction,
    Domain,
    Prompt,
    Transformer,
    add,
    affine,
    build,
    clip,
    maximum,
    permutation,
    prepare,
    retrieval,
)
from construct.answer import read_answer
from construct.checking.verification import compare, specification
from construct.designs.theorem.embedding import embed_all, unembed
from construct.execute.passes import Pass
from theorem.mutation_prompts import directed_prompts
from theorem.mutation_proofs import Prover

KINDS: dict[str, Callable[[float], float]] = {
    "negate": lambda w: -w,
    "zero": lambda w: 0.0,
    "double": lambda w: 2 * w,
    "+1/1000": lambda w: w + 1e-3,
}


# --- The artifacts -----------------------------------------------------------


def affine_artifact() -> Construction:
    """n = 2, K = 3, d = 2, m = 3: permutations and an affine map.

    All three agree at (1, 1), the permutations wherever x_1 = x_2.
    """
    tasks = [
        permutation("same", [1, 2]),
        permutation("swap", [2, 1]),
        affine("shear", [[2, 1], [1, -1]], [-2, 1]),
    ]
    return build(tasks, m=3, domain=Domain(R=3, Ry=12, delta=1, grid=1), scratch=0)


def operand_artifact() -> Construction:
    """n = 3, K = 4, d = 2, m = 2, an operand slot and a dictionary of ReLU sums.

    All four agree at (0, 0), all but clip at (0, x) with x > 0.
    """
    tasks = [
        maximum("max", [1, 2], d=2),
        add("sum", [1, 2], d=2),
        retrieval("second", 2, d=2),
        clip("clip", -1, 2, d=2),
    ]
    return build(tasks, m=2, domain=Domain(R=3, Ry=8, delta=1, grid=1), scratch=0)


def slots_artifact() -> Construction:
    """n = 4, K = 3, d = 2, m = 4, two operand slots: longer codes, more blank slots.

    All three agree where x_1 = x_2 = 0, the first and the last where x_2 = 0 alone.
    """
    tasks = [
        add("sum", [1, 2, 3], d=2),
        retrieval("third", 3, d=2),
        affine("turned", {1: [[1, 0], [0, 1]], 2: [[0, 2], [-1, 0]], 3: [[1, 0], [0, 1]]}),
    ]
    return build(tasks, m=4, domain=Domain(R=2, Ry=10, delta=1, grid=1), scratch=0)


ARTIFACTS = {"affine": affine_artifact, "operand": operand_artifact, "slots": slots_artifact}


# --- The mutations -----------------------------------------------------------


@dataclass(frozen=True)
class Mutation:
    """One change of one entry of one tensor of `Transformer.tensors()`."""

    tensor: str
    index: tuple[int, int]
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} {self.tensor}{list(self.index)}"

    @property
    def place(self) -> tuple[int, ...]:
        """Layer and head; the layer alone in an MLP; () in (un)embeddings."""
        return tuple(int(part) for part in self.tensor.split(".") if part.isdecimal())

    def apply(self, transformer: Transformer) -> Transformer:
        """A copy of the transformer with that one entry changed."""
        weights = transformer.tensors()[self.tensor].copy()
        weights[self.index] = KINDS[self.kind](weights[self.index])
        return with_tensor(transformer, self.tensor, weights)


def mutations(transformer: Transformer) -> Iterator[Mutation]:
    """Every kind of change of every non-zero weight."""
    for name, weights in transformer.tensors().items():
        for row, column in np.argwhere(weights).tolist():
            for kind in KINDS:
                yield Mutation(name, (row, column), kind)


def with_tensor(transformer: Transformer, name: str, weights: np.ndarray) -> Transformer:
    """A copy in which the tensor of that name is another one."""
    *path, own = name.split(".")
    if not path:
        return replace(transformer, **{own: weights})
    layers = list(transformer.layers)
    i = int(path[1])
    if path[2] == "mlp":
        layers[i] = replace(layers[i], mlp=replace(layers[i].mlp, **{own: weights}))
    else:
        heads = list(layers[i].heads)
        heads[int(path[3])] = replace(heads[int(path[3])], **{own: weights})
        layers[i] = replace(layers[i], heads=tuple(heads))
    return replace(transformer, layers=tuple(layers))


# --- The check ---------------------------------------------------------------


class Check:
    """The suite's check on some prompts, for one mutant after the other.

    The streams of the original are kept: a mutant runs from the layer that differs.
    """

    def __init__(self, construction: Construction, prompts: Sequence[Prompt]) -> None:
        self.construction, self.prompts = construction, prompts
        self.wanted = [specification(construction, prompt) for prompt in prompts]
        self.votes = np.array([w.votes for w in self.wanted], dtype=float)
        self.answers = np.array([w.answer for w in self.wanted], dtype=float)
        self.original = self._embed_and_run(construction.transformer)

    def objections(self, mutation: Mutation) -> list[str]:
        """What `compare` finds wrong on the prompt where the mutant is furthest off."""
        mutant = mutation.apply(self.construction.transformer)
        if mutation.tensor in ("W_E", "W_pos"):
            done = self._embed_and_run(mutant)
        elif mutation.tensor == "W_U":
            done = self.original
        else:
            done = self._resume(mutant, mutation.place[0])
        names = [layer.name for layer in mutant.layers]
        votes = done.attended[:, names.index("superpose")].sum(axis=-1)
        answers = unembed(mutant, done.stream)
        off = abs(votes - self.votes).sum(axis=1) + abs(answers - self.answers).sum(axis=1)
        return self.judge(mutant, done, int(np.argmax(off)))

    def judge(self, transformer: Transformer, done: Pass, i: int) -> list[str]:
        """What `compare` finds wrong on prompt i."""
        construction, prompt = replace(self.construction, transformer=transformer), self.prompts[i]
        one = Pass(done.stream[i], done.attended[i])
        got = read_answer(construction, one, len(prompt.X))
        return compare(construction, prompt, self.wanted[i], got, "float64")[1]

    def _embed_and_run(self, transformer: Transformer) -> Pass:
        streams = embed_all(transformer, self.prompts)
        return prepare("numpy", transformer)(streams, trace=True)

    def _resume(self, mutant: Transformer, layer: int) -> Pass:
        """The mutant's pass; before that layer it is the original's."""
        rest = prepare("numpy", replace(mutant, layers=mutant.layers[layer:]))
        done = rest(self.original.states[layer])
        earlier = self.original.attended[:, :layer]
        return Pass(done.stream, np.concatenate([earlier, done.attended], axis=1))


# --- The survey --------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of a mutation; `proof` says why a survivor is equivalent."""

    mutation: Mutation
    killed: bool
    proof: str | None = None


@dataclass(frozen=True)
class Survey:
    """All mutations of an artifact."""

    outcomes: tuple[Outcome, ...]

    @property
    def killed(self) -> list[Mutation]:
        return [o.mutation for o in self.outcomes if o.killed]

    @property
    def survivors(self) -> list[Outcome]:
        return [o for o in self.outcomes if not o.killed]

    @property
    def unexplained(self) -> list[Mutation]:
        return [o.mutation for o in self.survivors if o.proof is None]

    def table(self) -> str:
        """A line a tensor, then a line a survivor."""
        lines = [f"{'tensor':<24}{'mutations':>10}{'killed':>8}{'survivors':>11}"]
        groups = {o.mutation.tensor: [] for o in self.outcomes}
        for o in self.outcomes:
            groups[o.mutation.tensor].append(o.killed)
        for name, killed in [*groups.items(), ("all", [o.killed for o in self.outcomes])]:
            left = len(killed) - sum(killed)
            lines.append(f"{name:<24}{len(killed):>10}{sum(killed):>8}{left:>11}")
        lines += [f"{o.mutation}: {o.proof or 'UNEXPLAINED'}" for o in self.survivors]
        return "\n".join(lines)


def survey(construction: Construction, prompts: Sequence[Prompt], chunk: int = 24) -> Survey:
    """Try every mutation on the prompts, a chunk at a time until one objects."""
    checks = [
        Check(construction, prompts[start : start + chunk])
        for start in range(0, len(prompts), chunk)
    ]
    prover = Prover(construction)
    outcomes = []
    for mutation in mutations(construction.transformer):
        killed = any(check.objections(mutation) for check in checks)
        proof = None if killed else prove(prover, mutation)
        outcomes.append(Outcome(mutation, killed, proof))
    return Survey(tuple(outcomes))


def prove(prover: Prover, mutation: Mutation) -> str | None:
    """The proof that a mutation is equivalent, or None; only scores have proofs."""
    if not mutation.tensor.endswith(("W_Q", "W_K")):
        return None
    return prover.equivalence(mutation.apply(prover.transformer), *mutation.place)


def main() -> int:
    """Print all tables; 1 if a survivor is unexplained."""
    unexplained = 0
    for name, artifact in ARTIFACTS.items():
        construction = artifact()
        found = survey(construction, directed_prompts(construction))
        print(f"{name}: {artifact.__doc__}\n{found.table()}\n")
        unexplained += len(found.unexplained)
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
