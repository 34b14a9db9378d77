"""The one list of executors. Nothing here imports NumPy: the command line reads it.

To add an executor, write its module with `prepare(transformer, dtype)`, as
`construct.execute` has it, and describe it here: commands, messages, `construct verify`
and the tests loop over this list.
"""

from dataclasses import dataclass
from typing import Any, Literal

from construct.errors import ConstructError, shown

# The number formats: those of floats, and that of exact rationals.
FLOATS, RATIONALS = ("float64", "float32"), "exact"


@dataclass(frozen=True)
class Executor:
    """What is known of an executor before it is imported.

    Attributes:
        name: what `--executor` and `prepare` call it.
        module: where its `prepare` is.
        formats: the number formats that it computes in, the default first.
        package: what to install where it is missing, as pip takes it.
        requires: the module of that package which is there once it is installed.
        scores: which scores of a head it computes, and how. "held": all N^2, as one
            matrix; "streamed": all N^2, in blocks; "in reach": those in the head's reach.
        takes_mesh: whether it shards prompts over several devices.
        softmax: whether it has softmax attention as well.
    """

    name: str
    module: str
    formats: tuple[str, ...]
    package: str
    requires: str
    scores: Literal["held", "streamed", "in reach"]
    takes_mesh: bool = False
    softmax: bool = False


NUMPY = Executor(
    "numpy", "construct.execute.numpy_", FLOATS, "numpy", "numpy", "held", softmax=True
)
JAX = Executor(
    "jax",
    "construct.execute.jax_",
    FLOATS,
    "jax",
    "jax",
    "streamed",
    takes_mesh=True,
    softmax=True,
)
SPARSE = Executor(
    "sparse", "construct.execute.sparse", FLOATS, "jax", "jax", "in reach", takes_mesh=True
)
TORCH = Executor(
    "torch", "construct.execute.torch_", FLOATS, "torch==2.13.0", "torch", "held", softmax=True
)
EXACT = Executor(
    "exact",
    "construct.execute.exact",
    (RATIONALS,),
    "python-flint",
    "flint",
    "held",
    softmax=True,
)

EXECUTORS = {one.name: one for one in (NUMPY, JAX, SPARSE, TORCH, EXACT)}

# The most scores for which the dense pass is the default: it takes a few seconds on a
# small machine.
MOST_DENSE_SCORES = 1 << 30


def named(name: Any) -> Executor:
    """The executor of that name.

    Raises:
        ConstructError: naming the executors that there are.
    """
    if not isinstance(name, str) or name not in EXECUTORS:
        raise ConstructError(
            f"there is no executor {shown(name)}; choose one of: {', '.join(EXECUTORS)}."
        )
    return EXECUTORS[name]


def refuse_without_softmax(executor: Executor) -> None:
    """Refuse an executor that has no softmax attention.

    Raises:
        ConstructError: naming those that have.
    """
    if not executor.softmax:
        able = ", ".join(one.name for one in EXECUTORS.values() if one.softmax)
        raise ConstructError(
            f"the executor {executor.name!r} has no softmax attention; choose one of: {able}."
        )


def chosen(name: str | None, K: int, N: int, softmax: bool = False) -> Executor:
    """The executor of that name; without one the default for K heads on N tokens.

    That is the dense one, by JAX, as long as a pass takes seconds, and the sparse one beyond; for
    softmax attention, which none has by its reach, that by JAX.
    """
    if name is not None:
        return named(name)
    return JAX if softmax or K * N**2 <= MOST_DENSE_SCORES else SPARSE
