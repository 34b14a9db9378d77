"""Many devices: prompts are sharded over a mesh, by JAX's own runtime.

A mesh has two axes: `batch`, over which prompts are shared out, and `sequence`, over
which the tokens of each are. With several processes, call `jax.distributed.initialize`
first, then the same code in each; every process gets the whole result.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from construct.errors import ConstructError

BATCH, SEQUENCE = "batch", "sequence"


def mesh(devices: Sequence[Any] | None = None, *, batch: int = 1) -> Mesh:
    """A mesh of all devices of all processes, or of those given.

    Args:
        batch: how many shares a batch of prompts is cut into; the devices of each
            share one prompt's tokens.

    Raises:
        ConstructError: if the devices cannot be shared out so.
    """
    found = np.array(jax.devices() if devices is None else devices)
    if type(batch) is not int or batch < 1 or found.size % batch or not found.size:
        raise ConstructError(
            f"{found.size} devices cannot be cut into batch = {batch!r} equal shares; "
            "choose a divisor."
        )
    return Mesh(found.reshape(batch, -1), (BATCH, SEQUENCE))


def warn_where_nothing_is_certified(on: Mesh | None) -> None:
    """A TPU multiplies float32 in passes of bfloat16 and emulates float64.

    The proof of the certificates (proofs/floats/floats.md) is about IEEE arithmetic, which CPUs and
    GPUs have at the precision that the executors ask for.
    """
    if "tpu" in platforms(on):
        warnings.warn(
            "no number format is certified on a TPU, which computes float32 in passes of "
            "bfloat16 and emulates float64; set JAX_PLATFORMS=cpu for certified answers.",
            stacklevel=2,
        )


def platforms(on: Mesh | None) -> set[str]:
    """What the devices are that a pass will run on: cpu, gpu, tpu."""
    devices = jnp.zeros(()).devices() if on is None else on.devices.flat
    return {device.platform for device in devices}


def replicated(tree: Any, on: Mesh) -> Any:
    """The arrays of a tree on every device."""
    whole = NamedSharding(on, PartitionSpec())
    return jax.tree.map(lambda x: jax.device_put(np.asarray(x), whole), tree)


def spread(stream: np.ndarray, axes: tuple[str | None, ...], on: Mesh) -> jax.Array:
    """An array with its first axes shared out, filled up with zeros to equal shares."""
    short = [
        -n % on.shape[axis] if axis else 0 for n, axis in zip(stream.shape, axes, strict=False)
    ]
    short += [0] * (stream.ndim - len(short))
    if any(short):
        stream = np.pad(stream, [(0, more) for more in short])
    place = NamedSharding(on, PartitionSpec(*axes))
    return jax.make_array_from_callback(stream.shape, place, lambda share: stream[share])


def collect(array: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The whole of an array, in every process, without what it was filled up with."""
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
        array = process_allgather(array, tiled=True)
    found = np.asarray(array)
    return found if found.shape == shape else found[tuple(map(slice, shape))]


def on_mesh(function: Callable, on: Mesh, ins: Any, outs: Any) -> Callable:
    """Run a function on every device's share, jitted; specs are tuples of axes."""

    def spec(axes: tuple) -> PartitionSpec:
        return PartitionSpec(*axes)

    def is_axes(x: Any) -> bool:
        return isinstance(x, tuple) and all(a is None or isinstance(a, str) for a in x)

    ins, outs = (jax.tree.map(spec, tree, is_leaf=is_axes) for tree in (ins, outs))
    shared = jax.shard_map(function, mesh=on, in_specs=ins, out_specs=outs, check_vma=False)
    return jax.jit(shared)
