"""A page to teach with: sliders, the prompt that they make, its answer, and every layer.

The network itself is evaluated in the page, from its weights (network.js), when a slider moves.
It is one file that asks nothing of the network.

network.js  any construction with ReLU attention, in doubles
prompt.js   the examples that a setting gives, and the address that keeps it
words.js    what each layer does, in a sentence
answer.js   sliders, prompt, bars and formula
stream.js   the map of tokens by fields, and what stands at one place of it
page.js     what is shown, and what the reader does
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from construct.arguments import checked, instance, optional, text
from construct.compiler import Construction
from construct.show.frame import filled, has_mark
from construct.show.teach.data import data_of

SCRIPTS = ("network.js", "prompt.js", "words.js", "answer.js", "stream.js", "page.js")

# What stands in page.html where something is put in.
STYLE, DATA, SCRIPT = "/* style */", "/* data */", "/* script */"

# By which such a page is known; page.html has it.
MARK = b'<meta name="generator" content="construct: a page to teach with">'


@checked(made=instance(Construction, "a construct.Construction"), query=optional(text))
def page(
    made: Construction, *, counts: Mapping[str, int] | None = None, query: str | None = None
) -> str:
    """The page of a construction whose tasks are look-ups of one word, as HTML.

    Args:
        counts: task name -> examples that it shows at first; by default about as many of each.
        query: the word that it asks for at first.

    Raises:
        ConstructError: if the construction has other tasks or another design, or does not know
            a task or the query.
    """
    data = json.dumps(data_of(made, counts, query), ensure_ascii=False, separators=(",", ":"))
    parts = {
        STYLE: _read("../theme.css") + _read("page.css"),
        # Nothing in it ends the element that it stands in.
        DATA: data.replace("<", "\\u003c"),
        SCRIPT: "\n".join(map(_read, SCRIPTS)),
    }
    return filled(_read("page.html"), parts)


def is_page(path: Path) -> bool:
    """Whether a file is a page that `page` made."""
    return has_mark(path, MARK)


def _read(name: str) -> str:
    folder = files("construct.show") / "teach"
    if name.startswith("../"):
        folder, name = files("construct.show"), name.removeprefix("../")
    return (folder / name).read_text(encoding="utf-8")
