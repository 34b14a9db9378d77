"""How far answers of the softmax designs are off, beside their bound: votes drawn at random.

`limits.py` prints the table. Errors are in u, and of vectors in proportion to F, the largest sum of
absolute summands of an entry: as the bound is.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from attacks import EXECUTORS
from orders import ORDERS
from orders import prepare as in_order

from construct import Construction, Domain, Prompt, Vocabulary, affine, build, lookup, prepare
from construct.certify.formats import BY_NAME
from construct.certify.shares import mixed
from construct.execute.passes import Pass
from construct.reading import embedded, readings

# Design, K, m; words have d = K.
SHAPES = (
    *(("words", 4, 8), ("words", 4, 64), ("words", 6, 128)),
    *(("vectors", 4, 8), ("vectors", 4, 64), ("vectors", 16, 32)),
    *(("encoder", 4, 8), ("encoder", 4, 64), ("encoder", 16, 32)),
)
# Those that go furthest from libraries; a pass in one of them takes long.
FEW = [o for o in ORDERS if o.name in ("one by one", "positive first", "negative first, fused")]
LONGEST = 20


@dataclass(frozen=True)
class Answers:
    """The bound on an answer, and the worst that was seen, in u.

    Attributes:
        libraries, orders: of NumPy, JAX and PyTorch, and of sums in some order; None where the
            passes take too long.
    """

    design: str
    K: int
    m: int
    dtype: str
    bound: float
    libraries: float
    orders: float | None

    @property
    def ratio(self) -> float:
        """The bound over the worst."""
        return self.bound / max(self.libraries, self.orders or 0)


def answers(design: str, K: int, m: int, dtype: str, prompts: int = 100) -> Answers:
    """Random votes: of one task mostly, or of all alike; words and inputs at random."""
    made, drawn = _case(design, K, m, prompts)
    u = float(BY_NAME[dtype].u)
    runs = [prepare(name, made.transformer, dtype) for name in EXECUTORS]
    libraries = max(_worst(made, drawn, dtype, run) for run in runs)
    orders = None
    if m <= LONGEST:
        some = [in_order(made.transformer, dtype, order) for order in FEW]
        orders = max(_worst(made, drawn[:20], dtype, run) for run in some) / u
    bound = float(mixed(BY_NAME[dtype], made.softmax, made.plan)) / u
    return Answers(design, K, m, dtype, bound, libraries / u, orders)


def _case(design: str, K: int, m: int, prompts: int) -> tuple[Construction, list[Prompt]]:
    """Tasks that differ everywhere but at 0, and prompts in which some of them vote."""
    rng, drawn = np.random.default_rng(0), []
    if design == "words":
        words = Vocabulary([f"w{i}" for i in range(K)])
        tables = [{w: words.words[(i + k) % K] for i, w in enumerate(words)} for k in range(K)]
        tasks = [lookup(f"t{k}", t, vocabulary=words) for k, t in enumerate(tables)]
        made = build(tasks, m=m, vocabulary=words, design="decoder")
    else:
        maps = [affine(f"f{k}", [[k + 1, 0], [0, -k - 1]]) for k in range(K)]
        domain = Domain(64, 64 * K, 1, grid=1)
        made = build(maps, m=m, domain=domain, design=design.replace("vectors", "decoder"))
    for _ in range(prompts):
        shares = rng.dirichlet(np.full(K, rng.choice([0.2, 1, 5])))
        k = rng.choice(K, size=m, p=shares)
        if design == "words":
            x = rng.integers(K, size=m + 1)
            inputs = [[i] for i in x[:m].tolist()]
            drawn.append(Prompt.of_words(inputs, ((x[:m] + k) % K).tolist(), [int(x[m])], K))
        else:
            x = rng.integers(1, 65, (m + 1, 1, 2)) * (rng.random((m + 1, 1, 1)) < 0.9)
            drawn.append(Prompt(x[:m], x[:m, 0] * (k[:, None] + 1) * [1, -1], x[m]))
    return made, drawn


def _worst(made: Construction, prompts: list[Prompt], dtype: str, run: object) -> float:
    """The largest error of an entry, over all queries; of vectors in proportion to F."""
    numbers = [prompt.astype(dtype) for prompt in prompts]
    done, worst = run(embedded(made, numbers)), 0.0
    F = 1 if made.softmax.logits else 64 * made.sizes.K
    for i, prompt in enumerate(numbers):
        found = readings(made, Pass(done.stream[i], done.attended[i]), len(prompt.X))
        asked = [*prompt.X, prompt.query][-len(found) :]
        for reading, X in zip(found, asked, strict=True):
            total = int(reading.totals.sum())
            wanted = np.zeros(made.sizes.d, dtype=object)
            for task, c in zip(made.tasks, reading.totals.astype(int).tolist(), strict=True):
                if c:
                    value = task(X.astype(int)).astype(object)
                    wanted = wanted + Fraction(c, total) * value
            off = max(
                abs(Fraction(float(a)) - w) for a, w in zip(reading.answer, wanted, strict=True)
            )
            worst = max(worst, float(off / F))
    return worst
