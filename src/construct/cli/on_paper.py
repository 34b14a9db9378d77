"""`construct plan --design`: what a construction of a softmax design would be."""

from pathlib import Path
from typing import Any

from construct.errors import ConstructError

# What `construct build` says of its output alone.
OF_A_BUILD = ("artifact", "warnings")


def counted(
    name: str,
    tasks: Any,
    m: int,
    n: int | None,
    held: Any,
    domain: Any,
    vocabulary: Any,
    scratch: int | None,
    most_tokens: int,
) -> tuple[Any, Any]:
    """The construction on paper, and its cost.

    Raises:
        ConstructError: as `build`; if there are more tokens.
    """
    from construct.compiler.softmax import on_paper
    from construct.cost.softmax import OnPaper, cost_of

    design, plan, domain = on_paper(name, tasks, m, n, held, domain, vocabulary, scratch)
    if plan.sizes.tokens > most_tokens:
        raise ConstructError("m and n give more than 2^256 tokens; choose a smaller --m or --n.")
    cost = cost_of(design, plan)
    given = {"tasks": tuple(tasks), "held": held, "domain": domain, "vocabulary": vocabulary}
    return OnPaper.of(design, plan, cost, **given), cost


def facts(made: Any) -> dict[str, Any]:
    """What `construct build --json` will say."""
    from construct.cli import softmax

    return {k: v for k, v in softmax.as_json(made, Path(), []).items() if k not in OF_A_BUILD}


def rows(made: Any, given: bool) -> list[tuple[str, object]]:
    """What `construct build` will say.

    Args:
        given: whether the domain is that of the task file.
    """
    from construct.cli import softmax

    return [row for row in softmax.rows(made, Path(), given) if row[0] != "written to"]
