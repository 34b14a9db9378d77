"""The report: one page about one pass, stepped through layer by layer.

data    what the page shows, as JSON: prompt, answer, votes
stream  the residual stream in it: each different content of a field once
heads   the attention in it: pairs of tokens, or squares of the heat map where there are many

The page is a frame of HTML with its style sheets, scripts and the data put into it. It asks nothing
of the network, and its scripts put words into it as text alone.
"""

import json
from pathlib import Path
from typing import Any

from construct.inside.trace import Trace
from construct.show.frame import filled, has_mark
from construct.show.report.data import Step, data, nothing

FOLDER = Path(__file__).parent
STYLES = (FOLDER.parent / "theme.css", FOLDER / "report.css")
# In the order in which they need each other.
SCRIPTS = ("data", "draw", "answer", "votes", "stream", "heads", "numbers", "report")
# By which a report is known; its frame has it.
MARK = b'<meta name="generator" content="construct report">'


def page(trace: Trace, *, step: Step = nothing) -> str:
    """The page about a pass, of any design, as the text of one HTML file.

    Args:
        step: is told how many parts of the work are done, and of how many.

    Raises:
        CheckFailed: if the pass gave NaN or infinity.
    """
    scripts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    parts = {
        "/*STYLE*/": "\n".join(path.read_text(encoding="utf-8") for path in STYLES),
        "/*DATA*/": embedded(data(trace, step)),
        "/*SCRIPT*/": "\n".join(scripts),
    }
    return filled((FOLDER / "report.html").read_text(encoding="utf-8"), parts)


def is_report(path: Path) -> bool:
    """Whether a file is a page that `page` made."""
    return has_mark(path, MARK)


def embedded(value: Any) -> str:
    """JSON that may stand in a script element: nothing in it ends the element, or begins a tag."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
