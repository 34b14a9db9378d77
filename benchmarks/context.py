"""How a forward pass scales with the prompt: time and memory from 2^10 to 2^20 tokens.

    python benchmarks/context.py            sparse to 2^20, dense to 2^14: ten minutes
    python benchmarks/context.py --quick    sparse to 2^14, dense to 2^12

K = 4, d = 16, n = 2, float64; every slot holds an example, one in four is noise. Each size
is a process of its own. Beside it the vectorised specification, on the same prompt, in
turns. float32 is certified to mK = 2896 votes only, so long prompts run in float64, and
their answers are rounded to float32 at the end.
"""

from typing import Any

import numpy as np

from common import (
    DOMAIN,
    apart,
    check,
    draw,
    figure,
    options,
    paired_tasks,
    peak_memory,
    random_prompt,
    seconds,
    side_by_side,
    slope,
    write,
)
from construct import build, embed, mixture, prepare, unembed
from construct.checking.verification import largest_term, specification, ulp
from construct.spec.prompt import exactly

K, D, NOISE = 4, 16, 0.25
# From here on a pass takes long enough for its slope to mean something.
LONG = 14


def measure(executor: str, log2N: int, times: int) -> dict[str, Any]:
    """One size: build it, run a full prompt, check the answer, take the times."""
    tasks = paired_tasks(K, D)
    made = build(tasks, m=2 ** (log2N - 1) - 1, domain=DOMAIN)
    built = peak_memory()
    prompt = random_prompt(tasks, made.sizes.m, noise=NOISE)
    stream = embed(made.transformer, prompt)
    forward = prepare(executor, made.transformer)
    first = seconds(lambda: forward(stream))
    done = forward(stream)
    memory = peak_memory()
    ulps = check(made, prompt, done, "float64")
    works = {
        "forward": lambda: forward(stream),
        "specification": lambda: mixture(tasks, prompt),
        "embed": lambda: embed(made.transformer, prompt),
    }
    return {
        "executor": executor,
        "N": made.sizes.N,
        "examples": len(prompt.X),
        **side_by_side(works, times),
        "first": first,
        "memory": memory,
        "memory of the build": built,
        "stream": stream.nbytes,
        "ulps": ulps,
        "float32 ulps": rounded_error(made, prompt, unembed(made.transformer, done.stream)),
    }


def rounded_error(made: Any, prompt: Any, answer: np.ndarray) -> float:
    """The error in float32 ulp of the largest term, once the answer is rounded to float32."""
    wanted = specification(made, prompt)
    got, query = exactly(answer.astype(np.float32).astype(float)), exactly(prompt.query)
    terms = (largest_term(t, query) for t, c in zip(made.tasks, wanted.votes, strict=True) if c)
    return float(max(abs(got - wanted.answer)) / ulp(max(terms), 24))


def plot(rows: list[dict[str, Any]], quick: bool) -> None:
    fig, axes = figure(2, sharex=True)
    time, memory = axes[0]
    for executor, colour in (("sparse", "C0"), ("jax", "C1")):
        some = [row for row in rows if row["executor"] == executor]
        N, label = [row["N"] for row in some], {"jax": "dense"}.get(executor, executor)
        time.plot(N, [row["forward"] for row in some], "o-", color=colour, label=label, ms=4)
        memory.plot(N, [row["memory"] / 2**30 for row in some], "o-", color=colour, ms=4)
        if executor == "sparse":
            spec = [row["specification"] for row in some]
            time.plot(N, spec, "s--", color="0.5", label="specification", ms=3)
            stream = [row["stream"] / 2**30 for row in some]
            memory.plot(N, stream, "--", color="0.5", label="the stream alone")
            memory.legend()
    time.set(ylabel="seconds, warm", title="one forward pass", yscale="log")
    memory.set(ylabel="GiB at most, build and all", title="memory of the process", yscale="log")
    for axis in (time, memory):
        axis.set_xscale("log", base=2)
        axis.set_xlabel("prompt tokens N")
    time.legend()
    draw(fig, "context", quick)


def main() -> None:
    quick = options(__doc__, measure).quick
    longest = {"sparse": LONG if quick else 20, "jax": 12 if quick else 14}
    rows = []
    for executor, most in longest.items():
        for log2N in range(10, most + 1, 2 if quick else 1):
            times = 3 if quick or log2N > 17 or executor == "jax" else 7
            rows.append(apart(__file__, executor=executor, log2N=log2N, times=times))
    sparse = [row for row in rows if row["executor"] == "sparse"]
    dense = [row for row in rows if row["executor"] == "jax"]
    long = [row for row in sparse if row["N"] >= 2**LONG] if not quick else sparse[-2:]
    last = sparse[-1]
    summary = {
        "slope of sparse": slope([r["N"] for r in long], [r["forward"] for r in long]),
        "slope of dense": slope([r["N"] for r in dense[-3:]], [r["forward"] for r in dense[-3:]]),
        "longest": last["N"],
        "seconds there": last["forward"],
        "seconds there, compiled on the way": last["first"],
        "GiB there": last["memory"] / 2**30,
        "times the specification there": last["forward"] / last["specification"],
        "worst float32 ulp": max(row["float32 ulps"] for row in rows),
        "worst float64 ulp": max(row["ulps"] for row in rows),
    }
    write("context", quick, summary, rows=rows)
    plot(rows, quick)


if __name__ == "__main__":
    main()
