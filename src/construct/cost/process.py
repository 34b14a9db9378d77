"""A command as a process: seconds and bytes from its start to its end.

What a machine does in a second, and what a small artifact takes, are measured each time
(`machine`). The constants say how much of that a larger one needs, stage by stage; where they
come from stands beside them. `benchmarks/plan.py` compares whole commands.
"""

from dataclasses import dataclass
from typing import Any

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
#   BUILD_HINGE  homes, bounds, units and limits of a hinge in `build`: 1.2 thousandths at K = 64
#           tasks of twelve, d = 4; 1.3 to 1.6 of formulas with 640 and with 6450;
#   LOAD_HINGE  the same in `load`: 0.7 thousandths and 0.4.
READ, WEIGHT, HEAD, PROMPT, BUILD_HINGE, LOAD_HINGE = 10, 1, 2500, 0.25, 3000, 1200

# A weight of softmax attention, its power and what is done to it in blocks, takes as long as so
# many products: 2.4 to 3.6 ns, at 24 and 28 GFLOP a second.
POWER = 25

# Bytes of the same, by what the resident memory rose to in each stage: 107 MB for 251 thousand
# words and pairs, 80 to 90 for a weight that is built or loaded, 32 (jax) to 58 (sparse) for
# one that is prepared, 32 for a number of a prompt, and 4,300 for a hinge. To hold formulas,
# `build` imports SymPy and flint.
READ_BYTES, WEIGHT_BYTES, PREPARED_BYTES, PROMPT_BYTES, HINGE_BYTES = 430, 80, 45, 32, 4300
FORMULA_BYTES = 46 << 20


@dataclass(frozen=True)
class Load:
    """What is read, whoever runs it.

    Attributes:
        words: words of a vocabulary, and the numbers of the tasks that are not 0.
        heads: those that are not idle.
        weights: non-zeros.
        prompt: numbers of a prompt as long as there is room for.
        hinges: of all tasks.
        holding: seconds that it takes here to find what the network holds of formulas.
        formulas: whether there are any.
    """

    words: int
    heads: int
    weights: int
    prompt: int
    hinges: int = 0
    holding: float = 0.0
    formulas: bool = False

    @classmethod
    def of(cls, cost: Cost, words: int, **held: Any) -> "Load":
        """Of a construction, with tasks of so many numbers and words.

        Args:
            held: hinges, holding and formulas, where they are not 0.
        """
        heads = sum(layer.heads for layer in cost.layers)
        prompt = cost.sizes.tokens * cost.sizes.d
        return cls(words, heads, cost.entries.nonzeros, prompt, **held)

    @property
    def objects(self) -> int:
        """The work of reading or making it all, prompt and hinges aside."""
        return READ * self.words + WEIGHT * self.weights + HEAD * self.heads

    @property
    def bytes(self) -> int:
        """What is held of it, the prompt aside."""
        return READ_BYTES * self.words + WEIGHT_BYTES * self.weights + HINGE_BYTES * self.hinges


def build(load: Load, machine: Machine) -> Command:
    """`construct build`: tasks read or drawn, weights emitted, and the artifact written."""
    small, objects = machine.build, load.objects + BUILD_HINGE * load.hinges
    seconds = small.seconds + load.holding + objects / machine.objects
    return Command(seconds, small.bytes + load.bytes + FORMULA_BYTES * load.formulas)


def run(way: str, cost: Cost, load: Load, machine: Machine, itemsize: int) -> Command:
    """`construct run` on a prompt that is full: a dense or a sparse pass."""
    small, sizes = machine.run[way], cost.sizes
    # What is embedded is touched; a sparse pass gives it back in a stream of its own.
    streams = sizes.tokens * sizes.D * (1 if way == "dense" else 2)
    fresh = streams * itemsize + PROMPT_BYTES * load.prompt
    objects = load.objects + LOAD_HINGE * load.hinges + PROMPT * load.prompt
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
    products = 2 * (work.dense + POWER * work.powers) / machine.flops
    gathered = work.terms / machine.terms
    return products + gathered + held_by(way, cost, itemsize) / machine.fresh
