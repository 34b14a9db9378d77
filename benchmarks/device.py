"""The forward pass on an accelerator, against what the accelerator can do.

    python benchmarks/device.py            on the device that JAX chooses
    python benchmarks/device.py --quick    smaller

On a GPU or a TPU: the dense pass at N = 8192, K = 16, d = 64, the sparse pass over a long
prompt, and a batch of small prompts, in float32 and where there is one in float64. The
peak is that of a large matrix product in the same run, at the precision that construct
asks for (HIGHEST) and at JAX's default, which may be TF32 or bfloat16. Without an
accelerator a small form runs on the CPU, and says so.

The tests of the executors, over the same device:

    python -m pytest tests/execute/test_jax.py tests/theorem/test_theorem.py
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from common import (
    DOMAIN,
    check,
    draw,
    figure,
    options,
    paired_tasks,
    random_prompt,
    side_by_side,
    write,
)
from construct import Construction, Pass, build, embed, prepare
from construct.designs.theorem.embedding import embed_all
from construct.execute import jax_, sparse
from forward import full_prompt, heads_flops

TESTS = __doc__.split("    ")[-1].strip()
# Sizes of the dense pass, the matrix product, the long prompt and the batch.
SMALL = {"dense": (4, 64, 1024), "side": 1024, "long": 12, "batch": 16}
FULL = {"dense": (16, 64, 8192), "side": 8192, "long": 20, "batch": 4096}
QUICK = {"dense": (16, 64, 4096), "side": 4096, "long": 17, "batch": 256}


def resident(made: Construction, stream: np.ndarray, executor: str) -> Callable[[], Any]:
    """A jitted pass over what is on the device already; nothing comes back."""
    sizes, (N, D) = made.sizes, stream.shape[-2:]
    batch, dtype = stream.shape[:-2], str(stream.dtype)
    module: Any = {"jax": jax_, "sparse": sparse}[executor]
    static, weights = module.cast(made.transformer, dtype)
    if executor == "jax":
        keep: dict[str, Any] = {"stacks": static, "K": sizes.K, "N": N}
    else:
        keep = {"steps": static, "N": N}
        stream = stream[..., : sizes.tokens, :].reshape(*batch, sizes.m + 1, sizes.n, D)
    go = module._forward_batch if batch else module._forward
    return partial(_ready, go, weights, jnp.asarray(stream), **keep)


def _ready(go: Callable[..., Any], *given: Any, **keep: Any) -> Any:
    return jax.block_until_ready(go(*given, **keep, trace=False))


def products(side: int, dtype: str) -> dict[str, Callable[[], Any]]:
    """A matrix product at each precision."""
    rng = np.random.default_rng(0)
    a, b = (jnp.asarray(rng.standard_normal((side, side)), dtype) for _ in "ab")
    precisions = {"matmul, highest": "highest", "matmul, default": "default"}
    return {
        name: partial(
            lambda go: go(a, b).block_until_ready(), jax.jit(partial(jnp.matmul, precision=p))
        )
        for name, p in precisions.items()
    }


def cases(dtype: str, size: dict[str, Any]) -> tuple[dict[str, Callable[[], Any]], int]:
    """What is timed, once its answers are checked; and the FLOPs of the dense pass."""
    K, d, N = size["dense"]
    works, flops = products(size["side"], dtype), 0
    made = build(paired_tasks(K, d), m=N // 2 - 1, domain=DOMAIN)
    flops = heads_flops(made.transformer)
    alone = {"dense": (made, "jax", full_prompt(made))}
    # float32 is to count no more than some 2900 votes: most of a long prompt is noise.
    made = build(paired_tasks(4, 16), m=2 ** (size["long"] - 1) - 1, domain=DOMAIN)
    prompt = full_prompt(made)
    alone["sparse, long"] = (made, "sparse", prompt)
    for name, (made, executor, prompt) in alone.items():
        numbers = prompt.astype(dtype)
        stream = embed(made.transformer, numbers).astype(dtype)
        done = prepare(executor, made.transformer, dtype)(stream)
        check(made, numbers, done, dtype)
        works[name] = resident(made, stream, executor)
    made = build(paired_tasks(4, 16), m=32, domain=DOMAIN)
    prompts = [
        random_prompt(made.tasks, 32, noise=0.25, seed=seed).astype(dtype)
        for seed in range(size["batch"])
    ]
    streams = embed_all(made.transformer, prompts).astype(dtype)
    for name, executor in (("dense", "jax"), ("sparse", "sparse")):
        done = prepare(executor, made.transformer, dtype)(streams)
        for i, prompt in enumerate(prompts[:256]):
            check(made, prompt, Pass(done.stream[i], done.attended[i]), dtype)
        works[f"{name}, batch"] = resident(made, streams, executor)
        works[f"{name}, one prompt"] = resident(made, streams[0], executor)
    return works, flops


def measure(dtype: str, size: dict[str, Any], times: int) -> dict[str, Any]:
    with jax.enable_x64(dtype == "float64"):
        works, flops = cases(dtype, size)
        took = side_by_side(works, times)
    peaks = {name: 2 * size["side"] ** 3 / took[name] for name in took if "matmul" in name}
    rate = flops / took["dense"]
    return {
        "dtype": dtype,
        "seconds": took,
        "TFLOP/s, dense": rate / 1e12,
        **{f"TFLOP/s, {name}": peak / 1e12 for name, peak in peaks.items()},
        "share of highest": rate / peaks["matmul, highest"],
        "share of default": rate / peaks["matmul, default"],
        "batch over one by one, dense": _batched(took, "dense", size["batch"]),
        "batch over one by one, sparse": _batched(took, "sparse", size["batch"]),
    }


def _batched(took: dict[str, float], name: str, count: int) -> float:
    return took[f"{name}, one prompt"] * count / took[f"{name}, batch"]


def plot(rows: list[dict[str, Any]], device: str, quick: bool) -> None:
    fig, [[rate, time]] = figure(2)
    fig.set_size_inches(9, 3.4)
    names = ("matmul, default", "matmul, highest", "dense")
    for i, row in enumerate(rows):
        at = np.arange(3) + (i - (len(rows) - 1) / 2) * 0.35
        bars = rate.bar(at, [row[f"TFLOP/s, {name}"] for name in names], 0.35, label=row["dtype"])
        rate.bar_label(bars, fmt="%.3g", fontsize=8)
        took = {name: t for name, t in row["seconds"].items() if "matmul" not in name}
        places = np.arange(len(took)) + (i - (len(rows) - 1) / 2) * 0.35
        bars = time.barh(places, [t * 1e3 for t in took.values()], 0.35)
        time.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
        time.set_yticks(range(len(took)), list(took))
    rate.set_xticks(
        range(3), ["matrix product,\ndefault", "matrix product,\nhighest", "dense pass"]
    )
    rate.set(ylabel="TFLOP/s")
    time.set(xlabel="milliseconds", xscale="log")
    time.margins(x=0.2)
    time.invert_yaxis()
    rate.legend()
    fig.suptitle(device)
    draw(fig, "device", quick)


def main() -> None:
    quick = options(__doc__).quick
    found = jax.default_backend() != "cpu"
    device = jax.devices()[0].device_kind if found else "cpu, no accelerator found"
    size = SMALL if not found else QUICK if quick else FULL
    rows, skipped = [], {}
    for dtype in ("float32", "float64"):
        try:
            rows.append(measure(dtype, size, 5 if quick else 15))
        except jax.errors.JaxRuntimeError as error:  # a device without float64
            if dtype == "float32":
                raise
            skipped[dtype] = str(error).splitlines()[0]
    summary = {"device": device, "tests there": TESTS}
    for row in rows:
        for key in ("share of highest", "share of default", "TFLOP/s, dense"):
            summary[f"{key}, {row['dtype']}"] = row[key]
    write("device", quick, summary, device=device, size=size, rows=rows, skipped=skipped)
    plot(rows, device, quick)


if __name__ == "__main__":
    main()
