"""The network in the page to teach with: its numbers are those of numpy, its weights all count.

All weights of look-ups are whole numbers but the reciprocals s/v, and N is a power of two, so
that every sum is exact in float64 and one multiplication by a reciprocal rounds: in the page as
in numpy. The streams are compared for equality, bit for bit but for the sign of 0.
"""

import json
import random
from importlib.resources import files

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

import construct
from construct.answer import read_answer
from construct.checking.sampling import random_prompts
from construct.checking.verification import compare, specification
from construct.execute.passes import Pass
from construct.show.teach.data import network_of
from teaching import SAID, SET, STATES, countries, dense, written

SEED = 14
SETTINGS = 200


@pytest.fixture
def page(opened, tmp_path) -> Page:
    return opened(written(tmp_path))


def counts_of(rng: random.Random, tasks: int, most: int) -> list[int]:
    """Numbers of examples, often all that there can be, or more."""
    counts = [rng.choice([0, 1, 2, rng.randint(0, most)]) for _ in range(tasks)]
    rng.shuffle(counts)
    return counts


def test_at_random_settings_the_streams_are_those_of_numpy(page):
    made, rng = countries(), random.Random(SEED)
    queries, seen = page.evaluate("construct.data.queries"), set()
    for _ in range(SETTINGS):
        counts = counts_of(rng, len(made.tasks) + 1, made.sizes.m)
        chosen = {"counts": counts, "query": rng.choice(queries)}
        chosen |= {"others": rng.random() < 0.5, "several": rng.random() < 0.3}
        page.evaluate(SET, chosen)
        text, states, answer = json.loads(page.evaluate(SAID))
        prompt = made.prompt(text)
        # Sliders that ask for more than there is room for are held back.
        left, expected = made.sizes.m, []
        for count in counts:
            expected.append(min(count, left))
            left -= expected[-1]
        assert len(prompt.X) == sum(expected)
        trace = construct.trace(made, prompt, executor="numpy", dtype="float64")
        assert np.array_equal(dense(states, made), trace.states)
        assert np.array_equal(answer, trace.answer.answer)
        seen.add(text)
    assert len(seen) > SETTINGS * 0.9


# What becomes of a pass when a weight changes its sign: the settings to try are given.
CHANGED = """([name, row, column, settings]) => {
    const { network, set, show, shown } = window.construct;
    const unlike = (a, b) => a.some((x, i) => x !== b[i]);
    const differ = (one, other) => unlike(one.answer, other.answer)
        || one.states.some((rows, layer) => rows.some((vector, token) => {
            const changed = other.states[layer][token];
            if (vector === null || changed === null) return vector !== changed;
            return unlike(vector, changed);
        }));
    for (const [number, setting] of settings.entries()) {
        set(setting);
        const before = shown().pass;
        const old = network.change(name, row, column, 0);
        network.change(name, row, column, -old);
        show();
        const after = shown().pass;
        network.change(name, row, column, old);
        if (differ(before, after)) return number;
    }
    return null;
}"""

# Settings whose prompts have a word in an example, or ask for it or for what has it as its answer.
HAVING = """([words, seeds]) => {
    const { data } = window.construct;
    const K = data.tasks.length;
    const each = Math.floor(data.sizes.m / K);
    const found = [];
    for (const word of words) {
        const gives = (query) => data.tasks.some(
            (task) => task.table.some(([input, image]) => input === query && image === word));
        const asked = data.queries.filter((query) => query === word || gives(query));
        for (const query of asked.slice(0, 3)) {
            const counts = [...data.tasks.map(() => each), 0];
            found.push({ counts, query, seed: 1, several: false });
        }
        for (let k = 0; k <= K; k += 1) {
            for (let seed = 1; seed <= seeds; seed += 1) {
                const counts = data.start.counts.map((_, i) => (i === k ? data.sizes.m : 0));
                const setting = { counts, query: data.start.query, seed, several: seed % 2 === 0 };
                const examples = examplesOf(data, setting);
                if (examples.some(([input, label]) => input === word || label === word)) {
                    found.push(setting);
                    if (found.length % 8 === 0) break;
                }
            }
        }
    }
    return found;
}"""


def words_at(name: str, place: tuple[int, int]) -> list[int]:
    """The words whose coordinates, in whatever field, a weight reads or writes."""
    d, D = countries().sizes.d, countries().sizes.D
    shape = countries().transformer.weights()[name].shape
    fields = [f for f in countries().sizes.residual.fields if f.width == d]
    found = []
    for at, size in zip(place, shape, strict=True):
        if size == D:
            found += [at - f.start for f in fields if f.start <= at < f.start + d]
        elif size in (d, d + 1) and at < d:
            found.append(at)
    return found


def sampled(rng: random.Random) -> list[tuple[str, int, int]]:
    """A non-zero weight of each tensor that has any."""
    weights = {n: w.tocoo() for n, w in countries().transformer.weights().items() if w.nnz}
    picked = {name: rng.randrange(weight.nnz) for name, weight in weights.items()}
    return [(n, int(weights[n].row[i]), int(weights[n].col[i])) for n, i in picked.items()]


def test_a_changed_weight_changes_what_the_page_shows(page):
    made, rng = countries(), random.Random(SEED)
    noticed, inert = [], []
    for weight in sampled(rng):
        settings = page.evaluate(HAVING, [words_at(weight[0], weight[1:]), 40])
        queries = page.evaluate("construct.data.queries")
        for several in (False, True) * 3:
            counts = [*[made.sizes.m // 4 - 1] * 4, 4]
            query = rng.choice(queries)
            settings.append(
                {"counts": counts, "query": query, "seed": rng.randint(1, 99), "several": several}
            )
        found = page.evaluate(CHANGED, [*weight, settings])
        (inert if found is None else noticed).append(weight)
    print(f"noticed {len(noticed)}, inert {inert}")
    assert len(noticed) >= 20
    lives = Lives()
    assert [weight for weight in inert if not lives.multiplies_nothing(*weight)] == []
    # What explains the others does not explain these.
    assert [weight for weight in noticed if lives.multiplies_nothing(*weight)] == []


class Lives:
    """Which coordinates are ever other than 0 where a weight reads them, with the page's prompts.

    Taken from numpy's passes over every example of a task, every word as a label that no task
    explains, and every query with an example of each task: up to layer 4 a token holds what
    depends on its own example and the query alone, and later layers add that up.
    """

    def __init__(self) -> None:
        made = countries()
        self.made, self.transformer = made, made.transformer
        self.alive: dict[str, np.ndarray] = {}
        tables = [task["table"] for task in made.definitions]
        pairs = sorted({pair for table in tables for pair in table.items()})
        self.most = made.sizes.m * max(sum(table.get(x) == y for table in tables) for x, y in pairs)
        m, asked = made.sizes.m, pairs[0][0]
        pairs += [(pairs[-1][0], word) for word in made.vocabulary or ()]
        prompts = [(pairs[i : i + m], asked) for i in range(0, len(pairs), m)]
        for query in tables[0]:
            some = [next(x for x in table.items() if x[0] != query) for table in tables]
            prompts.append((some, query))
        for examples, query in prompts:
            lines = [f"{x} -> {y}" for x, y in examples]
            self.take(construct.trace(made, made.prompt("\n".join([*lines, f"{query} ->"]))))

    def take(self, trace: construct.Trace) -> None:
        """Mark what is not 0 in one pass."""
        self.mark("W_U", trace.states[-1][[self.transformer.answer]])
        for layer, k in trace.scores:
            h, head = trace.states[layer - 1], self.transformer.layers[layer - 1].heads[k]
            prefix = f"layers.{layer - 1}.heads.{k}"
            read = h[np.unique(trace.scores[layer, k].reads)]
            self.mark(f"{prefix}.W_V", read)
            self.mark(f"{prefix}.W_O", read @ head.sparse("W_V"))
            for name in ("W_Q", "W_K"):
                self.mark(f"{prefix}.{name}", h)
                self.mark(f"{prefix}.{name} gives", h @ head.sparse(name))

    def mark(self, name: str, rows: np.ndarray) -> None:
        on = (rows != 0).any(axis=0)
        self.alive[name] = self.alive.get(name, np.zeros_like(on)) | on

    def multiplies_nothing(self, name: str, row: int, column: int) -> bool:
        """Whether a product with this weight is 0 in each of these passes."""
        own = name.split(".")[-1]
        if own in ("W_in", "W_out"):
            # Unit v - 1 of the reciprocals fires at v votes alone.
            votes = 1 + (row if own == "W_out" else column)
            return votes > self.most
        if own in ("W_E", "W_pos"):
            return False
        if not self.alive[name][row]:
            return True
        other = {"W_Q": "W_K", "W_K": "W_Q"}.get(own)
        return other is not None and not self.alive[f"{name[:-3]}{other} gives"][column]


def turn_and_flip() -> list:
    return [construct.affine("turn", [[0, -1], [1, 0]]), construct.permutation("flip", [2, 1])]


def operands() -> list:
    return [construct.add("sum", [1, 2], d=2), construct.maximum("max", [1, 2], d=2)]


def formulas() -> list:
    root = construct.formula("root", ["sqrt(x[1] + 9)", "x[2]"], d=2, epsilon="1/8")
    return [root, construct.permutation("flip", [2, 1])]


# Task sets, with a domain where one is needed: a gate that is flat, and two layers that test.
NEAR = {"R": 4, "Ry": 32, "delta": "1"}
GENERAL = {turn_and_flip: None, operands: None, formulas: NEAR}


@pytest.mark.parametrize(("tasks", "domain"), GENERAL.items())
@pytest.mark.parametrize("scratch", [0, 1])
def test_it_evaluates_any_construction_of_relu_attention(tasks, domain, scratch, chromium: Browser):
    """Held to the specification as an executor is: votes equal, the answer within its bound."""
    made = construct.build(tasks(), m=4, scratch=scratch, domain=domain)
    assert made.margins.flat == (domain is not None)
    page = chromium.new_page()
    page.set_content("<!doctype html><title>network</title>")
    page.add_script_tag(content=(files("construct.show") / "teach/network.js").read_text())
    page.evaluate("data => { window.network = new Network(data); }", network_of(made.transformer))
    for prompt in random_prompts(made, 10, SEED):
        examples = zip(prompt.X, prompt.Y, strict=True)
        vectors = {
            "examples": [[entries(v) for v in (*X, y)] for X, y in examples],
            "query": [entries(v) for v in prompt.query],
        }
        states, attended = page.evaluate(f"given => (({RUN})(network.run(given)))", vectors)
        done = Pass(dense(states, made)[-1], np.array(attended))
        answer = read_answer(made, done, len(prompt.X))
        _, wrong = compare(made, prompt, specification(made, prompt), answer, "float64")
        assert wrong == []
    page.close()


RUN = f"pass => [({STATES})(pass), pass.attended.map(heads => heads.map(given => [...given]))]"


def entries(vector: np.ndarray) -> list[tuple[int, float]]:
    """[coordinate, value] of what is not 0."""
    return [(i, float(x)) for i, x in enumerate(vector) if x]
