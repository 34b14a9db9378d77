"""What commands say of scratch tokens: how many there are, and what they change."""

from dataclasses import asdict
from typing import Any

import click

from construct.cli import Whole

OPTION = click.option(
    "--scratch",
    type=Whole(min=0),
    help="Scratch tokens of each example; by default those that give the least width.",
)


def found(made: Any) -> Any:
    """The layout of a construction beside the other one, or None."""
    if made.softmax is not None:
        return None
    return layouts(made.held, made.sizes, made.wiring, made.domain)


def layouts(held: Any, sizes: Any, wiring: Any, domain: Any) -> Any:
    """The same of sizes and a wiring, with the tasks as the network holds them."""
    from construct.certify import choose_margins
    from construct.cost import layouts
    from construct.designs.theorem.wiring import Wiring

    def margins(sizes: Any, wiring: Any) -> Any:
        return choose_margins(sizes, wiring, domain)

    return layouts.layouts(Wiring.of(held), sizes, wiring, margins)


def law(w: int) -> str:
    """The width formula with or without scratch tokens."""
    from construct.designs.theorem.sizes import SCRATCH_FORMULA, WIDTH_FORMULA

    return SCRATCH_FORMULA if w else WIDTH_FORMULA


def as_json(both: Any) -> dict[str, Any] | None:
    """{"chosen": ..., "other": ...}; null where there is nothing to choose."""
    if both is None:
        return None
    return {name: asdict(one) for name, one in zip(("chosen", "other"), both, strict=True)}


def rows(both: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Lines of a table, from what `as_json` gives."""
    from construct.cli.show import count

    if both is None:
        return []
    with_, without = sorted(both.values(), key=lambda one: -one["w"])
    tokens = f"{with_['w']} token{'s' if with_['w'] > 1 else ''} an example"
    chosen = bool(both["chosen"]["w"])
    first = f"w = {tokens}" if chosen else f"none; with w = {tokens}"
    lines = [
        f"{first}: width {with_['width']:,} instead of {without['width']:,},",
        f"N = {count(with_['N'])} tokens instead of {count(without['N'])},",
        f"{count(with_['dense_scores'])} scores in a dense pass "
        f"instead of {count(without['dense_scores'])}",
    ]
    return [("" if i else "scratch", line) for i, line in enumerate(lines)]
