"""Passes on many devices and on one: run as a program, in one process or in several.

    python many.py PROCESSES PROCESS PORT

Prints "equal" for each executor, format, mesh and kind of prompts, or what differs.
Where all sums are exact, every number has to be the same, bit by bit. Elsewhere the order
of a sum shows in its rounding: votes are the same, and answers within the proved bound.
"""

import sys
from itertools import product

import jax
import numpy as np

from construct import Pass, Prompt, add, affine, build, embed_all, prepare
from construct.answer import read_answer
from construct.checking.sampling import random_prompts
from construct.checking.verification import compare, specification
from construct.execute.devices import mesh


def whole(prompt: Prompt) -> bool:
    return all((x == np.round(x)).all() for x in (prompt.X, prompt.Y, prompt.query))


def whole_prompts(made, count: int) -> list[Prompt]:
    """Prompts of whole numbers: labels of every task, and some of none."""
    rng = np.random.default_rng(2)
    prompts = []
    for e in rng.integers(3, made.sizes.m, count, endpoint=True).tolist():
        X = rng.integers(-4, 4, (e, 2, 2), endpoint=True).astype(object)
        labels = [task(X) for task in made.tasks] + [rng.integers(-9, 9, (e, 2)).astype(object)]
        Y = np.stack([labels[kind][i] for i, kind in enumerate(rng.integers(0, len(labels), e))])
        prompts.append(Prompt(X, Y, X[rng.integers(e)]))
    return prompts


def differences(made, prompts, dtype, one: Pass, many: Pass) -> list[str]:
    found = [] if (one.attended == many.attended).all() else ["attended"]
    for i, prompt in enumerate(prompts):
        if whole(prompt) and (one.states[:, i] != many.states[:, i]).any():
            found.append(f"states of prompt {i}")
        answer = read_answer(made, Pass(many.stream[i], many.attended[i]), len(prompt.X))
        found += compare(made, prompt, specification(made, prompt), answer, dtype)[1]
    return found


def main(processes: int, process: int, port: str) -> None:
    if processes > 1:
        jax.distributed.initialize(f"127.0.0.1:{port}", processes, process)
    assert len(jax.devices()) == 8
    tasks = [affine("f", [[2, 1], [0, 1]]), affine("g", [[1, 0], [3, 1]], [1, 0])]
    made = build([*tasks, add("h", [1, 2], d=2)], m=11, n=3)
    # The same on every machine; most are not whole.
    drawn = [prompt for prompt in random_prompts(made, 40, seed=2) if not whole(prompt)]
    kinds = {"whole": whole_prompts(made, 5), "real": drawn[:5]}
    shards = {"float64": (1, 2, 8), "float32": (2,)} if processes == 1 else {"float64": (1, 2)}
    for name, dtype, (kind, drawn) in product(("jax", "sparse"), shards, kinds.items()):
        # Five prompts of either kind: the same program runs both.
        prompts = [prompt.astype(dtype) for prompt in drawn]
        assert len(prompts) == 5
        streams = embed_all(made.transformer, prompts)
        one = prepare(name, made.transformer, dtype)(streams, trace=True)
        for batch in shards[dtype]:
            run = prepare(name, made.transformer, dtype, mesh(batch=batch))
            found = differences(made, prompts, dtype, one, run(streams, trace=True))
            alone = run(streams[1]) if batch == 1 else Pass(one.stream[1], one.attended[1])
            if (alone.attended != one.attended[1]).any() or alone.states is not None:
                found.append("one prompt by itself")
            print(name, dtype, kind, batch, found or "equal")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
