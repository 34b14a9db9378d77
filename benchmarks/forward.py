"""How close a forward pass comes to the machine, to PyTorch, and to itself in a batch.

    python benchmarks/forward.py            N = 8192, K = 16, d = 64: five minutes
    python benchmarks/forward.py --quick    N = 2048, K = 4, d = 64

large    The dense pass in float32: the floating-point operations of the heads that are not
         idle a second, as a share of those of a plain matrix product in the same run, and
         the memory of the process.
small    K = 4, d = 16, m = 32, one prompt: JAX against PyTorch with the same weights, with
         and without the way from NumPy and back; and the sparse executor.
batch    256 such prompts at once, against one by one.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
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
    side_by_side,
    write,
)
from construct import Construction, Pass, Prompt, build, embed, prepare, run
from construct.designs.theorem.embedding import embed_all
from construct.execute import jax_
from construct.network.transformer import Transformer

# float32 tells totals up to some 2900 votes apart, whatever mK is.
MOST_VOTES = 2400


def heads_flops(transformer: Transformer) -> int:
    """A dense pass through the heads that score anything: projections, scores, values.

    Of a projection what its non-zeros take, however it is computed.
    """
    N, total = transformer.sizes.N, 0
    for head in (head for layer in transformer.layers for head in layer.heads):
        if not head.idle:
            r, c = head.sparse("W_Q").shape[1], head.sparse("W_V").shape[1]
            entries = sum(head.sparse(name).nnz for name in ("W_Q", "W_K", "W_V"))
            total += 2 * N * entries + 2 * N * N * (r + c)
    return total


def full_prompt(made: Construction, seed: int = 0) -> Prompt:
    """All slots hold an example; so many are noise that float32 can count the votes."""
    m = made.sizes.m
    noise = max(0.25, 1 - MOST_VOTES / m)
    return random_prompt(made.tasks, m, noise=noise, seed=seed)


def large(K: int, d: int, N: int, side: int, times: int) -> dict[str, Any]:
    """A dense pass against a matrix product of (side, side), in turns."""
    made = build(paired_tasks(K, d), m=N // 2 - 1, domain=DOMAIN)
    prompt = full_prompt(made).astype("float32")
    stream, forward = embed(made.transformer, prompt), prepare("jax", made.transformer, "float32")
    done = forward(stream)
    memory, ulps = peak_memory(), check(made, prompt, done, "float32")
    rng = np.random.default_rng(0)
    a, b = (jnp.asarray(rng.standard_normal((side, side), np.float32)) for _ in "ab")
    product = jax.jit(jnp.matmul)
    took = side_by_side(
        {
            "forward": lambda: forward(stream),
            "matmul": lambda: product(a, b).block_until_ready(),
        },
        times,
    )
    flops = heads_flops(made.transformer)
    rates = flops / took["forward"], 2 * side**3 / took["matmul"]
    return {
        "K": K,
        "d": d,
        "N": N,
        "side": side,
        **took,
        "flops": flops,
        "GFLOP/s": rates[0] / 1e9,
        "GFLOP/s of matmul": rates[1] / 1e9,
        "share": rates[0] / rates[1],
        "memory": memory,
        "ulps": ulps,
    }


def on_device(made: Construction, stream: np.ndarray) -> Callable[[], Any]:
    """The jitted dense pass alone: what it reads is on the device, nothing comes back."""
    stacks, weights = jax_.cast(made.transformer, "float32")
    h = jnp.asarray(stream, jnp.float32)

    def go() -> Any:
        done = jax_._forward(weights, h, stacks=stacks, K=made.sizes.K, N=made.sizes.N, trace=False)
        return jax.block_until_ready(done)

    return go


def small(times: int) -> dict[str, Any]:
    """One prompt of K = 4, d = 16, m = 32: seconds of each library, in turns."""
    import torch

    from construct.execute.torch_ import TransformerModule

    made = build(paired_tasks(4, 16), m=32, domain=DOMAIN)
    prompt = full_prompt(made).astype("float32")
    stream = embed(made.transformer, prompt).astype(np.float32)
    names = {"jax": "jax", "torch": "PyTorch", "sparse": "sparse"}
    runs = {name: prepare(name, made.transformer, "float32") for name in names}
    for forward in runs.values():
        check(made, prompt, forward(stream), "float32")
    module = TransformerModule(made.transformer, torch.float32).eval()
    h, threads = torch.tensor(stream), torch.get_num_threads()

    def with_threads(count: int, work: Callable[[], Any]) -> Callable[[], Any]:
        def go() -> None:
            torch.set_num_threads(count)
            with torch.inference_mode():
                work()

        return go

    works = {
        "JAX": on_device(made, stream),
        f"PyTorch, {threads} threads": with_threads(threads, lambda: module(h)),
        "PyTorch, 1 thread": with_threads(1, lambda: module(h)),
        "JAX, NumPy to NumPy": lambda: runs["jax"](stream),
        "PyTorch, NumPy to NumPy": with_threads(1, lambda: runs["torch"](stream)),
        "sparse, NumPy to NumPy": lambda: runs["sparse"](stream),
    }
    took = side_by_side(works, times)
    torch.set_num_threads(threads)
    return took


def batch(count: int, times: int) -> dict[str, Any]:
    """So many prompts at once and one by one: seconds of each, in turns."""
    made = build(paired_tasks(4, 16), m=32, domain=DOMAIN)
    prompts = [full_prompt(made, seed).astype("float32") for seed in range(count)]
    streams = embed_all(made.transformer, prompts).astype(np.float32)
    works: dict[str, Callable[[], Any]] = {}
    for name, executor in (("dense", "jax"), ("sparse", "sparse")):
        forward = prepare(executor, made.transformer, "float32")

        def one_by_one(forward: Any = forward) -> list[Pass]:
            return [forward(stream) for stream in streams]

        done, alone = forward(streams), one_by_one()
        for i, prompt in enumerate(prompts):
            check(made, prompt, Pass(done.stream[i], done.attended[i]), "float32")
            check(made, prompt, alone[i], "float32")
        works[f"{name}, one by one"] = one_by_one
        works[f"{name}, in a batch"] = lambda forward=forward: forward(streams)
    took = side_by_side(works, times)
    public = {"construct.run": lambda: [run(made, p, dtype="float32") for p in prompts[:16]]}
    took["construct.run, one by one"] = side_by_side(public, 3)["construct.run"] * count / 16
    return took


def measure(what: str, **case: Any) -> dict[str, Any]:
    return {"large": large, "small": small, "batch": batch}[what](**case)


def plot(data: dict[str, Any], count: int, quick: bool) -> None:
    fig, [[rate, one, many]] = figure(3)
    fig.set_size_inches(12, 3.2)
    whole, alone, together = data["large"], data["small"], data["batch"]
    rates = [whole["GFLOP/s of matmul"], whole["GFLOP/s"]]
    rate.bar(["matrix product", "dense pass"], rates, color=["0.7", "C0"], width=0.6)
    title = f"N = {whole['N']}: {whole['share']:.0%} of a matrix product"
    rate.set(ylabel="GFLOP/s, float32", title=title)
    for axis, took, scale, unit, title in (
        (one, alone, 1e6, "microseconds", "one prompt, K = 4, d = 16, m = 32"),
        (many, together, 1e6 / count, "microseconds a prompt", f"{count} prompts"),
    ):
        values = [seconds * scale for seconds in took.values()]
        colours = ["C1" if "PyTorch" in name else "C0" for name in took]
        bars = axis.barh(list(took), values, color=colours, height=0.6)
        axis.bar_label(bars, fmt="%.0f", padding=3, fontsize=8)
        axis.set(xlabel=unit, title=title, xlim=(0, max(values) * 1.2))
        axis.invert_yaxis()
    draw(fig, "forward", quick)


def main() -> None:
    quick = options(__doc__, measure).quick
    size = {"K": 4, "d": 64, "N": 2048, "side": 2048} if quick else LARGE
    count = 32 if quick else 256
    data = {
        "large": apart(__file__, what="large", **size, times=3 if quick else 5),
        "small": apart(__file__, what="small", times=30 if quick else 100),
        "batch": apart(__file__, what="batch", count=count, times=3 if quick else 9),
    }
    whole, one, many = data["large"], data["small"], data["batch"]
    torch = min(seconds for name, seconds in one.items() if name.endswith(("thread", "threads")))
    summary = {
        "share of the matrix product": whole["share"],
        "GiB": whole["memory"] / 2**30,
        "JAX over PyTorch, time": one["JAX"] / torch,
        "the same, NumPy to NumPy": one["JAX, NumPy to NumPy"] / one["PyTorch, NumPy to NumPy"],
        f"dense, one by one over a batch of {count}": many["dense, one by one"]
        / many["dense, in a batch"],
        "sparse, the same": many["sparse, one by one"] / many["sparse, in a batch"],
        "dense one by one over a sparse batch": many["dense, one by one"]
        / many["sparse, in a batch"],
        "construct.run one by one over a sparse batch": many["construct.run, one by one"]
        / many["sparse, in a batch"],
    }
    write("forward", quick, summary, **data)
    plot(data, count, quick)


LARGE = {"K": 16, "d": 64, "N": 8192, "side": 4096}

if __name__ == "__main__":
    main()
