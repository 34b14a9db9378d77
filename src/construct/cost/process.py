"""A command as a process: seconds and bytes from its start to its end.

What a machine does in a second, and what a small artifact takes, are measured each time
(`machine`). The constants say how much of that a larger one needs, stage by stage; where they
come from stands beside them. `benchmarks/plan.py` compares whole commands.
"""

from dataclasses import dataclass

from construct.cost.counts import Cost
from construct.cost.machine import Command, Machine

# Each stage of `run` was timed by itself, in seconds of the processor, and divided by what
# it works on and by the seconds of one of `Machine.objects` (0.44 millionths then):
#   READ    the config and `tasks_from_json`, for a word or a number of the tasks that is not 0:
#           5 millionths at 50,257 words, 3.7 at K = 64, d = 256;
#   WEIGHT  the tensors of a file and `prepare`, for a weight: 0.4 at 50,257 words;
#   HEAD    the same for a head that is not idle, with its names: a thousandth at K = 64;
#   PROMPT  the prompt and `fitting`, for a number of it: 0.1 at 50,257 words (since then
#           `fitting` has come down to 0.03, a twentieth of the command).
#   HINGE   homes, bounds and units of a hinge: 1.2 thousandths in `build`, 0.7 in `load`, at
#           K = 64 tasks of twelve, d = 4.
READ, WEIGHT, HEAD, PROMPT, HINGE = 10, 1, 2500, 0.25, 2000

# Bytes of the same, by what the resident memory rose to in each stage: 107 MB for 251 thousand
# words and pairs, 80 to 90 for a weight that is built or loaded, 32 (jax) to 58 (sparse) for
# one that is prepared, and 32 for a number of a prompt.
READ_BYTES, WEIGHT_BYTES, PREPARED_BYTES, PROMPT_BYTES = 430, 80, 45, 32


@dataclass(frozen=True)
class Load:
    """What is read, whoever runs it.

    Attributes:
        words: words of a vocabulary, and the numbers of the tasks that are not 0.
        heads: those that are not idle.
        weights: non-zeros.
        prompt: numbers of a prompt as long as there is room for.
        hinges: of all tasks.
    """

    words: int
    heads: int
    weights: int
    prompt: int
    hinges: int = 0

    @classmethod
    def of(cls, cost: Cost, words: int, hinges: int = 0) -> "Load":
        """Of a construction, with tasks of so many numbers and words, and so many hinges."""
        heads = sum(layer.heads for layer in cost.layers)
        return cls(words, heads, cost.entries.nonzeros, cost.sizes.tokens * cost.sizes.d, hinges)

    @property
    def objects(self) -> int:
        """The work of reading or making it all, the prompt aside."""
        work = READ * self.words + WEIGHT * self.weights + HEAD * self.heads
        return work + HINGE * self.hinges

    @property
    def bytes(self) -> int:
        """What is held of it, the prompt aside."""
        return READ_BYTES * self.words + WEIGHT_BYTES * self.weights


def build(load: Load, machine: Machine) -> Command:
    """`construct build`: tasks read or drawn, weights emitted, and the artifact written."""
    small = machine.build
    seconds = small.seconds + load.objects / machine.objects
    return Command(seconds, small.bytes + load.bytes)


def run(way: str, cost: Cost, load: Load, machine: Machine, itemsize: int) -> Command:
    """`construct run` on a prompt that is full: a dense or a sparse pass."""
    small, sizes = machine.run[way], cost.sizes
    # What is embedded is touched; a sparse pass gives it back in a stream of its own.
    streams = sizes.tokens * sizes.D * (1 if way == "dense" else 2)
    fresh = streams * itemsize + PROMPT_BYTES * load.prompt
    objects = load.objects + PROMPT * load.prompt
    seconds = objects / machine.objects + fresh / machine.fresh
    held = load.bytes + PREPARED_BYTES * load.weights + fresh + held_by(way, cost, itemsize)
    return Command(
        small.seconds + seconds + seconds_of(way, cost, machine, itemsize),
        small.bytes + held,
    )


def held_by(way: str, cost: Cost, itemsize: int) -> int:
    """The bytes that a pass holds on one device, its input and the weights aside."""
    return itemsize * (cost.dense_numbers() if way == "dense" else cost.sparse_numbers())


def seconds_of(way: str, cost: Cost, machine: Machine, itemsize: int) -> float:
    """A pass on one device, compiled: products, numbers that are gathered, new memory."""
    work = cost.dense if way == "dense" else cost.sparse
    products, gathered = 2 * work.dense / machine.flops, work.terms / machine.terms
    return products + gathered + held_by(way, cost, itemsize) / machine.fresh
