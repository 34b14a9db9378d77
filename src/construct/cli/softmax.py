"""What `construct build` prints of a softmax design."""

from pathlib import Path
from typing import Any


def as_json(made: Any, target: Path, warnings: list[str]) -> dict[str, Any]:
    """The facts of a construction."""
    from construct.cli.held import as_json as held_json
    from construct.cli.show import above, machine

    sizes, transformer, margins = made.sizes, made.transformer, made.margins
    return {
        "artifact": str(target),
        "design": made.design,
        "attention": str(transformer.attention),
        "layers": len(transformer.layers),
        "heads": sizes.heads,
        "width": sizes.D,
        "formula": sizes.formula,
        "parameters": transformer.parameters,
        "nonzeros": transformer.nonzeros,
        "sizes": {s: getattr(sizes, s) for s in ("K", "d", "m", "n", "N")},
        "tasks": [task.name for task in made.tasks],
        "held": held_json(made),
        "domain": made.domain.to_json(),
        "margins": {
            name: machine(getattr(margins, name)) for name in ("gamma", "beta", "top", "far")
        },
        "certified": list(made.certified),
        "not_certified": {k: why for k, why in made.certificates.items() if why},
        "leak": above(made.leak),
        "answer_error": {name: above(made.answer_error[name]) for name in made.certified},
        "limits": {
            name: {"m": limit.m, "times": machine(limit.times)}
            for name, limit in made.limits.items()
        },
        "warnings": warnings,
    }


def rows(made: Any, target: Path, given: bool) -> list[tuple[str, object]]:
    """The same as a table.

    Args:
        given: whether the domain is that of the task file.
    """
    from construct.certify.limits import MOST_SLOTS
    from construct.cli.held import as_json as held_json
    from construct.cli.held import rows as held_rows
    from construct.cli.show import power, rounded_up

    sizes, margins, transformer = made.sizes, made.margins, made.transformer
    names = [task.name for task in made.tasks]
    listed = ", ".join(names[:8]) + (f", ... ({len(names)} in all)" if len(names) > 8 else "")
    law, _ = sizes.width.split(": ")
    found: list[tuple[str, object]] = [
        ("tasks", listed),
        *held_rows(held_json(made)),
        ("design", f"{made.design} of {made.softmax.of}: {transformer.attention} attention"),
        ("layers", len(transformer.layers)),
        ("heads per layer", sizes.heads),
        ("width D", sizes.D),
        ("", law),
        ("", sizes.formula),
        ("examples", f"m = {sizes.m} slots of n = {sizes.n} tokens"),
        ("context N", f"{sizes.N} tokens"),
        ("parameters", f"{transformer.parameters:,}"),
        ("non-zeros", f"{transformer.nonzeros:,}"),
        ("domain", f"{made.domain}{'' if given else ' (chosen)'}"),
        ("margins", f"gamma = {margins.gamma}"),
    ]
    if margins.beta:
        found.append(("", f"beta = {power(margins.beta)}, C = {power(margins.far)}"))
    found += [
        ("leak", f"all votes together are off by at most {rounded_up(made.leak)}"),
        ("certified", ", ".join([*made.certified, "exact (in balls)"])),
    ]
    for name, reasons in made.certificates.items():
        found += [(f"not {name}", reason) for reason in reasons]
    for i, name in enumerate(made.certified):
        error = rounded_up(made.answer_error[name])
        found.append(("" if i else "answer", f"{name}: each entry within {error} of the mixture"))
    for i, (name, limit) in enumerate(made.limits.items()):
        slots = f"m up to {limit.m:,}" if limit.m < MOST_SLOTS - 1 else "m up to 2^32"
        slots = slots if limit.m else "no m"
        bound = f"up to {float(limit.times):.4g} times" if limit.times else "none at this m"
        also = "" if made.softmax.logits else f", or R and R_y {bound}"
        found.append(("" if i else "limits", f"{name}: {slots}{also}"))
    return [*found, ("written to", target)]
