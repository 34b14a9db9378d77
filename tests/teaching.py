"""The network of `construct demo`, its page, and what the page says of a pass."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from construct import Construction, build
from construct.cli.countries import country_tasks, telling_query
from construct.show import teach
from construct.spec.taskfile import tasks_from_json

COUNTS = {"capital": 8, "continent": 2, "french": 6, "german": 4}

# The streams of a pass: for each layer [token, coordinate, value] of what is not 0.
STATES = """pass => pass.states.map(rows => {
    const found = [];
    rows.forEach((vector, token) => vector?.forEach((x, i) => {
        if (x !== 0) found.push(token, i, x);
    }));
    return found;
})"""

# The prompt that the page says it has made, the streams and the answer, as JSON: numbers in it
# are read as they were, but for the sign of 0.
SAID = f"""() => {{
    const {{ pass }} = construct.shown();
    const text = document.getElementById("text").textContent;
    return JSON.stringify([text, ({STATES})(pass), [...pass.answer]]);
}}"""


@cache
def countries() -> Construction:
    """Four look-ups on 100 countries."""
    file = tasks_from_json(country_tasks(), "the countries")
    return build(file.tasks, vocabulary=file.vocabulary)


def written(folder: Path) -> Path:
    """The page of `countries`, in a file."""
    path = folder / "teach.html"
    query = telling_query(country_tasks())
    path.write_text(teach.page(countries(), counts=COUNTS, query=query), encoding="utf-8")
    return path


def dense(states: list, made: Construction) -> np.ndarray:
    """What `STATES` gives, as (L+1, N, D)."""
    sizes: Any = made.sizes
    found = np.zeros((len(states), sizes.N, sizes.D))
    for layer, entries in zip(found, states, strict=True):
        tokens, coordinates, values = np.array(entries).reshape(-1, 3).T
        layer[tokens.astype(int), coordinates.astype(int)] = values
    return found


# Move the sliders to these numbers of examples, from 0, one after the other, and the rest.
SET = """({ counts, query, others, several }) => {
    const tell = (id, kind) => document.getElementById(id)
        .dispatchEvent(new Event(kind, { bubbles: true }));
    for (const wanted of [counts.map(() => 0), counts]) {
        wanted.forEach((count, k) => {
            document.getElementById(`slider-${k}`).value = count;
            tell(`slider-${k}`, "input");
        });
    }
    document.getElementById("query").value = query;
    tell("query", "change");
    document.getElementById("several").checked = several;
    tell("several", "change");
    if (others) document.getElementById("others").click();
}"""
