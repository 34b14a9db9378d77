"""Many devices: prompts sharded over a mesh, by JAX's own runtime.

A mesh has two axes: over `batch` the prompts of a batch are sharded, over `sequence` the
tokens of each. With several processes, call `jax.distributed.initialize` first, then the
same code in each; every process gets the whole result.
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

# Bytes of an array beyond which a copy is to be avoided.
NOT_SMALL = 1 << 20


def mesh(devices: Sequence[Any] | None = None, *, batch: int = 1) -> Mesh:
    """A mesh of all devices of all processes, or of those given.

    Args:
        devices: those of `jax.devices()`, or some of them.
        batch: how many shards a batch of prompts is cut into; the tokens of a prompt are
            sharded over the devices of one.

    Raises:
        ConstructError: if the number of devices is not a multiple of `batch`.
    """
    found = np.array(jax.devices() if devices is None else devices)
    if type(batch) is not int or batch < 1 or found.size % batch or not found.size:
        raise ConstructError(
            f"{found.size} devices cannot be cut into batch = {batch!r} equal shards; "
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


def replicate(tree: Any, on: Mesh) -> Any:
    """The arrays of a tree on every device."""
    whole = NamedSharding(on, PartitionSpec())
    return jax.tree.map(lambda x: jax.device_put(np.asarray(x), whole), tree)


def put(array: np.ndarray) -> jax.Array:
    """An array on the one device; on a CPU a large one that is aligned is not copied."""
    # `device_put` takes longer to begin than a small array takes to be copied.
    return jax.device_put(array) if array.nbytes > NOT_SMALL else jnp.asarray(array)


def shard(stream: np.ndarray, axes: tuple[str | None, ...], on: Mesh) -> jax.Array:
    """An array sharded along its first axes, with padding of zeros to shards of one size."""
    short = [
        -n % on.shape[axis] if axis else 0 for n, axis in zip(stream.shape, axes, strict=False)
    ]
    short += [0] * (stream.ndim - len(short))
    if any(short):
        stream = np.pad(stream, [(0, more) for more in short])
    place = NamedSharding(on, PartitionSpec(*axes))
    return jax.make_array_from_callback(stream.shape, place, lambda index: stream[index])


def gather(array: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The whole of a sharded array, in every process, without its padding."""
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
        array = process_allgather(array, tiled=True)
    found = np.asarray(array)
    return found if found.shape == shape else found[tuple(map(slice, shape))]


def on_mesh(function: Callable, on: Mesh, ins: Any, outs: Any) -> Callable:
    """Run a function on every device's shard, jitted; specs are tuples of axes."""

    def spec(axes: tuple) -> PartitionSpec:
        return PartitionSpec(*axes)

    def is_axes(x: Any) -> bool:
        return isinstance(x, tuple) and all(a is None or isinstance(a, str) for a in x)

    ins, outs = (jax.tree.map(spec, tree, is_leaf=is_axes) for tree in (ins, outs))
    sharded = jax.shard_map(function, mesh=on, in_specs=ins, out_specs=outs, check_vma=False)
    return jax.jit(sharded)
