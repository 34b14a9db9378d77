"""Change single weights of a softmax design, and see whether prompts notice.

Each non-zero weight is zeroed, negated, doubled or raised by 1/1000, one at a time; the mutant
runs prompts with the NumPy executor in float64. It is killed if, at some query, the votes are
others than the specification's or the answer is farther off than is certified. `construct verify`
finds every one of them by comparing weights with those of a new build; here prompts alone judge.

    PYTHONPATH=tests python -m softmax.mutations      prints the table: all weights, some minutes
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from construct import (
    Construction,
    Domain,
    Prompt,
    Vocabulary,
    add,
    affine,
    build,
    lookup,
    mixture,
    prepare,
    relu,
)
from construct.checking.sampling import random_prompts
from construct.execute.passes import Pass
from construct.reading import embedded, readings
from softmax.cases import before
from theorem.mutations import KINDS, Mutation, mutations

WANTED = list[tuple[tuple[int, ...], np.ndarray]]


def artifact(design: str) -> Construction:
    """Three tasks that agree somewhere: of words, or of vectors with a ReLU and two operands."""
    if design == "words":
        words = Vocabulary(["a", "b", "c", "d"])
        tables = [
            {"a": "b", "b": "c", "c": "d"},
            {"a": "b", "b": "a"},
            {"a": "c", "c": "d", "d": "d"},
        ]
        tasks = [lookup(f"t{k}", t, vocabulary=words) for k, t in enumerate(tables)]
        return build(tasks, m=4, vocabulary=words, design="decoder")
    tasks = [affine("f", [[1, 0], [0, 2]]), relu("g", d=2), add("p", [1, 2], d=2)]
    domain = Domain(3, 9, 1, grid=1)
    return build(tasks, m=4, n=3, domain=domain, design=design.replace("vectors", "decoder"))


def prompts(made: Construction, count: int = 48) -> list[Prompt]:
    """Random ones of verify, and those in which tasks agree: on the first word, and at 0."""
    drawn = [prompt.astype("float64") for prompt in random_prompts(made, count, 1)]
    tie = before(drawn[0], 0)
    X = np.zeros((made.sizes.m, *tie.query.shape))
    if made.vocabulary is not None:
        X[..., 0] = 1
    Y = np.stack([made.tasks[0](x) for x in X]).astype(float)
    some = [prompt.query for prompt in drawn[:8]]
    return [*drawn, *(Prompt(X[:e], Y[:e], query) for query in some for e in (1, made.sizes.m))]


class Check:
    """What prompts say of one mutant after the other."""

    def __init__(self, made: Construction, drawn: Sequence[Prompt]) -> None:
        self.made, self.prompts = made, list(drawn)
        self.error = float(made.error["float64"])
        self.wanted = [self._wanted(prompt) for prompt in drawn]

    def _wanted(self, prompt: Prompt) -> WANTED:
        causal = self.made.transformer.attention.causal
        asked = [before(prompt, i) for i in range(len(prompt.X) + 1)] if causal else [prompt]
        found = [mixture(self.made.tasks, one) for one in asked]
        return [(one.votes, np.array(one.answer, dtype=float)) for one in found]

    def notices(self, made: Construction) -> bool:
        """Whether some query of some prompt is answered otherwise."""
        run = prepare("numpy", made.transformer)
        with np.errstate(all="ignore"):
            done = run(embedded(made, self.prompts))
            return any(
                self._differs(made, Pass(done.stream[i], done.attended[i]), i)
                for i in range(len(self.prompts))
            )

    def _differs(self, made: Construction, one: Pass, i: int) -> bool:
        if not np.isfinite(one.stream).all() or not np.isfinite(one.attended).all():
            return True
        found = readings(made, one, len(self.prompts[i].X))
        return any(
            tuple(got.totals.tolist()) != votes or abs(got.answer - answer).max() > self.error
            for got, (votes, answer) in zip(found, self.wanted[i], strict=True)
        )


def survey(made: Construction, drawn: Sequence[Prompt], sample: int | None = None) -> Counter:
    """(tensor without its numbers, kind, killed) -> how many, of all mutations or of a sample."""
    check, every = Check(made, drawn), list(mutations(made.transformer))
    chosen = every if sample is None else Random(0).sample(every, sample)
    found: Counter = Counter()
    for mutation in chosen:
        mutant = replace(made, transformer=mutation.apply(made.transformer))
        found[_place(made, mutation), mutation.kind, check.notices(mutant)] += 1
    return found


def _place(made: Construction, mutation: Mutation) -> str:
    """The block, and the weight in it."""
    path = mutation.tensor.split(".")
    block = f"{made.transformer.layers[int(path[1])].name}." if len(path) > 1 else ""
    return block + path[-1]


def main() -> None:
    """Print for each weight and kind how many are killed."""
    for design in ("words", "vectors", "encoder"):
        made = artifact(design)
        found = survey(made, prompts(made))
        print(f"{design}: {sum(n for (*_, dead), n in found.items() if dead)} of {found.total()}")
        for place in dict.fromkeys(place for place, *_ in found):
            of = {k: (found[place, k, True], found[place, k, False]) for k in KINDS}
            said = "".join(f"{kind:>9} {a:>4} of {a + b:<4}" for kind, (a, b) in of.items())
            print(f"  {place:<18}{said}")


if __name__ == "__main__":
    main()
