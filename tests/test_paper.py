"""The four task sets of the paper: right on every input, as example and as query.

What a task gives is said here in plain Python, number words spelled out included.
"""

import itertools
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from construct import Prompt, build, mixture, parse_tasks, prepare, run, unembed, verify
from construct.answers import run_all
from construct.designs.theorem.embedding import embed_all

FOLDER = Path(__file__).parent.parent / "examples" / "paper"
EXAMPLES = {"add_translate": 80, "country": 60, "AB": 60, "word": 80}
PAIRS = [(a, b) for a in range(10, 100) for b in range(10, 100)]

# --- Number words ----------------------------------------------------------------

TO_19 = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze "
    "quinze seize dix-sept dix-huit dix-neuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce "
    "quince dieciséis diecisiete dieciocho diecinueve",
}
TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "fr": "vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}
VEINTI = (
    "veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
)


def below_20(n, language):
    return TO_19[language].split()[n]


def tens(n, language):
    return TENS[language].split()[n // 10 - 2]


def english(n):
    if n >= 100:
        return "one hundred" + (f" and {english(n - 100)}" if n > 100 else "")
    if n < 20:
        return below_20(n, "en")
    return tens(n, "en") + (f"-{below_20(n % 10, 'en')}" if n % 10 else "")


def french(n):
    if n >= 100:
        return "cent" + (f" {french(n - 100)}" if n > 100 else "")
    if n < 20:
        return below_20(n, "fr")
    units = n % 20 if n >= 60 else n % 10  # by twenties from 60 on
    if not units:
        return tens(n, "fr") + ("s" if n == 80 else "")
    joint = " et " if units in (1, 11) and n < 80 else "-"
    return tens(n, "fr") + joint + below_20(units, "fr")


def spanish(n):
    if n >= 100:
        return f"ciento {spanish(n - 100)}" if n > 100 else "cien"
    if n < 20:
        return below_20(n, "es")
    if 20 < n < 30:
        return VEINTI.split()[n - 21]
    return tens(n, "es") + (f" y {below_20(n % 10, 'es')}" if n % 10 else "")


# --- What the tasks are -----------------------------------------------------------

NUMBERS = {"digits": str, "english": english, "french": french, "spanish": spanish}
MEANINGS = {
    "add_translate": {
        name: lambda a, b, word=word: word(int(a) + int(b)) for name, word in NUMBERS.items()
    },
    "AB": {"A": lambda a, b: a, "B": lambda a, b: b, "A+B": lambda a, b: str(int(a) + int(b))},
    "country": {"upper case": lambda w: w.upper()},
    "word": {
        "first letter": lambda w: w[0],
        "last letter": lambda w: w[-1],
        "lower case": lambda w: w.lower(),
        "upper case": lambda w: w.upper(),
    },
}


@cache
def task_file(name):
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    return parse_tasks(text), json.loads(text)


@cache
def made(name, m):
    file, _ = task_file(name)
    return build(file.tasks, m=m, vocabulary=file.vocabulary, format=file.format)


def inputs(name):
    """All inputs of a set, as words."""
    if name in ("AB", "add_translate"):
        return [(str(a), str(b)) for a, b in PAIRS]
    return [(word,) for word in task_file(name)[1]["tasks"][0]["table"]]


def answers(name):
    """Task -> the word that it gives for each input, in the order of `inputs`."""
    told = MEANINGS[name]
    tables = {task["name"]: task.get("table") for task in task_file(name)[1]["tasks"]}
    return {
        task: [told[task](*x) if task in told else table[x[0]] for x in inputs(name)]
        for task, table in tables.items()
    }


def indices(name):
    """The numbers of the words: (count, n-1) inputs, and (K, count) answers."""
    index = task_file(name)[0].vocabulary.index
    X = [[index(word) for word in x] for x in inputs(name)]
    return np.array(X), np.array([[index(word) for word in own] for own in answers(name).values()])


def shown_with(name):
    """For each query (K,) examples, the i-th labelled by task i: each input once for each task."""
    X, Y = indices(name)
    count, K = len(X), len(Y)
    return (np.arange(count)[:, None] + 1 + np.arange(K) * count // 5) % count


def prompts(name):
    """A prompt for each query, with the examples of `shown_with`."""
    X, Y = indices(name)
    d = len(task_file(name)[0].vocabulary)
    for query, shown in zip(X, shown_with(name), strict=True):
        yield Prompt.of_words(X[shown], Y[range(len(Y)), shown], query, d)


def mixtures(name):
    """(count, d): what comes out for each query, by counting."""
    X, Y = indices(name)
    shown = shown_with(name)
    labels = Y[np.arange(len(Y)), shown]  # (count, K)
    votes = np.array([(own[shown] == labels).sum(-1) for own in Y])  # (K, count)
    found = np.zeros((len(X), len(task_file(name)[0].vocabulary)))
    for own, cast in zip(Y, votes, strict=True):
        found[np.arange(len(X)), own] += cast / votes.sum(0)
    return found


# --- Tests -----------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_specification_of_each_task_is_what_it_is_in_python(name):
    X, Y = indices(name)
    d = len(task_file(name)[0].vocabulary)
    one_hot = np.zeros((*X.shape, d), dtype=np.int8)
    np.put_along_axis(one_hot, X[..., None], 1, axis=-1)
    for task, own in zip(task_file(name)[0].tasks, Y, strict=True):
        found = task(one_hot)
        assert (found.sum(-1) == 1).all()
        assert (np.take_along_axis(found, own[:, None], -1) == 1).all()
        assert np.count_nonzero(found) == len(found)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_network_is_right_on_every_input_as_query_and_as_example(name):
    """Most examples vote for one task, so that each has its share: 1/4 of four."""
    construction, wanted = made(name, len(answers(name))), mixtures(name)
    forward = prepare("sparse", construction.transformer, "float64")
    rest, got = prompts(name), []
    while batch := list(itertools.islice(rest, 16)):
        streams = embed_all(construction.transformer, [p.astype("float64") for p in batch])
        got += [*unembed(construction.transformer, forward(streams).stream)]
    np.testing.assert_allclose(np.array(got), wanted, rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_prompt_is_of_the_form_of_the_paper(name):
    text = (FOLDER / f"{name}-prompt.txt").read_text(encoding="utf-8")
    m = EXAMPLES[name]
    construction = made(name, m)
    prompt = construction.prompt(text)
    assert len(prompt.X) == m
    shown = {x.tobytes() for x in prompt.X.astype(float)}
    assert len(shown) == m
    assert prompt.query.astype(float).tobytes() not in shown
    K = construction.sizes.K
    wanted = mixture(construction.tasks, prompt)
    assert (wanted.unexplained, wanted.ambiguous) == ((), ())
    assert wanted.votes == (m // K,) * K
    got = run(construction, prompt, executor="numpy")
    assert got.votes == wanted.votes
    assert "float64" in construction.certified


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_set_is_verified(name):
    report = verify(made(name, EXAMPLES[name]), "numpy", "float64", 2, seed=1)
    assert report.prompts == 2
    assert report.failures == ()


@pytest.mark.parametrize("name", ["country", "word"])
def test_tables_of_one_operand_are_certified_in_float32_too(name):
    construction = made(name, EXAMPLES[name])
    assert construction.certified == ("float32", "float64")
    some = list(prompts(name))[:5]
    for got, prompt in zip(
        run_all(construction, some, executor="numpy", dtype="float32"), some, strict=True
    ):
        assert got.votes == mixture(construction.tasks, prompt).votes


def test_four_languages_on_8100_pairs_share_a_dictionary_of_181_features():
    # The sums; a home for itself spares a task the knots of the others.
    assert made("add_translate", 4).sizes.P == 179
