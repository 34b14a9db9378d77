"""Builds every example, and K=4, d=16, m=32, and proves each artifact in Rocq.

Then, for three small artifacts, of which one has a flat gate and one a scratch token, the forward
pass in Rocq against the exact executor, and a change of every single weight: all must be rejected,
by name.
"""

import sys
import time
from pathlib import Path

import construct
from construct.checking.sampling import random_prompts
from construct.prove.mutations import survivors
from construct.prove.proof import agrees, prove
from construct.prove.rocq import development

EXAMPLES = Path(__file__).parent.parent / "examples"


def artifacts():
    """(name, construction) of each example, and of the README's."""
    for file in sorted(EXAMPLES.glob("*.json")):
        if not file.stem.endswith("-prompt"):
            tasks = construct.parse_tasks(file.read_text())
            made = construct.build(
                tasks.tasks, n=tasks.n, domain=tasks.domain, vocabulary=tasks.vocabulary
            )
            yield file.stem, made
    yield "K=4 d=16 m=32", construct.build(construct.random_tasks(4, 16), m=32)
    waves = [
        construct.formula(f"sin{k}", [f"sin(x[1])/{k}"], epsilon="1/1000") for k in range(1, 5)
    ]
    yield "four sines", construct.build(waves, m=8, domain=construct.Domain(4, 8, "1/10"))


def small_ones():
    """(name, construction) of artifacts small enough to change every weight of them."""
    yield "K=2 d=2 m=2", construct.build(construct.random_tasks(2, 2), m=2)
    square = construct.formula("square", ["x[1]^2"], epsilon="1/4")
    double = construct.affine("double", [[2]])
    domain = construct.Domain(1, 2, 1)
    yield "K=2 d=1 m=1 flat", construct.build([square, double], m=1, domain=domain)
    kinks = [
        construct.relu_sum(
            f"kink{k}", [[{"a": [1], "e": -1}, {"c": -2, "a": [2], "e": k}]], [[1]], [[2]], [1]
        )
        for k in range(2)
    ]
    yield "K=2 d=1 m=1 scratch", construct.build(kinks, m=1, n=2, scratch=1)


def main() -> int:
    """Exit 1 if an artifact is not proved."""
    start = time.perf_counter()
    development()
    print(f"the development, compiled once: {time.perf_counter() - start:.1f} s")
    failed = 0
    for name, made in artifacts():
        start = time.perf_counter()
        verdict = prove(made)
        seconds = time.perf_counter() - start
        kinds = ", ".join(sorted({task.definition["kind"] for task in made.tasks}))
        kinds += ", flat gate" if made.margins.flat else ""
        said = "proved" if verdict.proved else f"NOT PROVED: {verdict.reason}"
        print(f"{name:15} n={made.sizes.n} D={made.sizes.D:4} {seconds:5.1f} s  {said}  ({kinds})")
        failed += not verdict.proved
    for name, small in small_ones():
        [prompt] = random_prompts(small, 1, exact=True)
        same = agrees(small, prompt)
        print(f"forward pass in Rocq, {name}: {'equal to' if same else 'NOT'} the exact executor")
        start = time.perf_counter()
        tried, accepted = survivors(small)
        seconds = time.perf_counter() - start
        rejected = f"{tried - accepted} rejected by name, {seconds:.0f} s"
        print(f"{tried} single changes of a weight, {name}: {rejected}")
        failed += accepted + (not same)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
