"""How long a prompt may be until the answer is wrong, in each float format.

    python benchmarks/horizon.py            float64 to 2^20 tokens or more: ten minutes
    python benchmarks/horizon.py --quick    coarser, float64 to 2^11 tokens or more

All m slots hold an example and every example has a vote. Each size runs past what is
certified, as `construct run` would refuse to, through the sparse executor. An answer is
wrong if a vote is, or if it is off by more than rounding is proved to explain. One task
has as many votes as examples; with four the certificate, mK, allows for ties that random
prompts do not have.

Formulas have real inputs, and labels within tau of their values, which the flat gate has to
count as whole votes. What rounding is proved to explain there grows beyond all sense past the
certified limit: an answer is then wrong if it is off by more than is proved at that limit. Where a
format is certified for no m at all, the row says so, and votes alone are judged.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from common import (
    DOMAIN,
    FORMULA_DOMAIN,
    compared,
    draw,
    figure,
    formula_tasks,
    near_prompt,
    options,
    paired_tasks,
    random_prompt,
    write,
)
from construct import Construction, Domain, Pass, Prompt, build, formula, prepare
from construct.certify.formats import BY_NAME
from construct.designs.theorem.embedding import embed_all

D = 16
# A domain in which float32 is certified for a formula.
SMALL_DOMAIN = Domain(R=4, Ry=4, delta=1, tau="1/64")
# Sizes beyond this are not built: no size that is run passes them.
MOST_BUILT = 1 << 20
COLOURS = {"float32": "C1", "float64": "C0"}


@dataclass(frozen=True)
class Family:
    """Tasks, their domain, and prompts of them.

    Attributes:
        name: what the rows and the figure call it.
        near: whether they are formulas.
        prompt: a prompt of so many examples, each with a vote, for a seed.
    """

    name: str
    tasks: Sequence[Any]
    domain: Domain
    near: bool
    prompt: Callable[[int, int], Prompt]

    def build(self, m: int) -> Construction:
        """The construction with m slots."""
        return build(self.tasks, m=m, domain=self.domain)


def affine(K: int) -> Family:
    """Signed permutations of R^16, whole numbers."""
    tasks = paired_tasks(K, D)
    return Family(f"K = {K}", tasks, DOMAIN, False, partial(_full, tasks))


def _full(tasks: Sequence[Any], m: int, seed: int) -> Prompt:
    return random_prompt(tasks, m, seed=seed)


def formulas() -> list[Family]:
    """A sine alone, and three formulas of R^2, all held within 1/100."""
    wave = [formula("wave", ["sin(x[1])"], epsilon="1/100")]
    several = formula_tasks("1/100")
    return [
        Family("sin, K = 1", wave, SMALL_DOMAIN, True, partial(_near, wave, SMALL_DOMAIN)),
        Family(
            "sin, exp, xy, K = 3",
            several,
            FORMULA_DOMAIN,
            True,
            partial(_near, several, FORMULA_DOMAIN),
        ),
    ]


def _near(tasks: Sequence[Any], domain: Domain, m: int, seed: int) -> Prompt:
    return near_prompt(tasks, m, domain, seed)


def measure(family: Family, dtype: str, m: int, prompts: int, most: float) -> dict[str, Any]:
    """How many of these prompts come out right, and the worst error.

    Args:
        most: ulp that an answer may be off by, beside what `compared` allows.
    """
    made = family.build(m)
    some = [family.prompt(m, seed).astype(dtype) for seed in range(prompts)]
    done = prepare("sparse", made.transformer, dtype)(embed_all(made.transformer, some))
    found = [
        compared(made, prompt, Pass(done.stream[i], done.attended[i]), dtype)
        for i, prompt in enumerate(some)
    ]
    for ulps, wrong in found:
        if ulps > most:
            wrong.append(f"the answer is off by {ulps:.3g} ulp, more than is proved at the limit")
    first = next((wrong[0] for _, wrong in found if wrong), None)
    return {
        "tasks": family.name,
        "K": made.sizes.K,
        "dtype": dtype,
        "m": m,
        "tokens": made.sizes.tokens,
        "prompts": prompts,
        "wrong": sum(bool(wrong) for _, wrong in found),
        "how": first,
        "worst error": max(ulps for ulps, _ in found) * float(2 * BY_NAME[dtype].u),
        "proved for m": made.accuracy[dtype].ulps,
        "certified": dtype in made.certified,
    }


def most_ulps(family: Family, dtype: str, limit: int) -> float:
    """What is proved of an answer to as many formulas' examples as are certified; else no limit."""
    if not family.near or not 0 < limit < MOST_BUILT:
        return math.inf
    return family.build(limit).accuracy[dtype].ulps


def sizes(limit: int, steps: int, most: int) -> list[int]:
    """From half the limit to `most`, `steps` sizes to a doubling; the limit is one."""
    start = max(limit, 1)
    found = {int(start * 2.0 ** (i / steps)) for i in range(-steps, 32 * steps)}
    return sorted(m for m in found if 1 <= m <= most)


def horizon(rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """The certified limit, the largest size before the first failure, and that failure."""
    first = next((row for row in rows if row["wrong"]), None)
    right = [row["m"] for row in rows if first is None or row["m"] < first["m"]]
    return {
        "certified to m": limit or "none: no m is certified",
        "right up to m": max(right, default="none"),
        "first wrong at m": first["m"] if first else "not reached",
        "how": first["how"] if first else None,
    }


def plot(rows: list[dict[str, Any]], limits: dict[tuple[str, str], int], quick: bool) -> None:
    fig, [panels] = figure(2)
    fig.set_size_inches(12.4, 3.8)
    names = list(dict.fromkeys(row["tasks"] for row in rows))
    for axis, own in zip(panels, (names[:2], names[2:]), strict=True):
        for name, mark, line in zip(own, "so", ("--", ":"), strict=True):
            for dtype in COLOURS:
                _curve(axis, rows, (name, dtype), limits.get((name, dtype)), mark, line)
        axis.plot([], [], "x", color="C3", ms=4, label="wrong")
        for name, line in zip(own, ("--", ":"), strict=True):
            axis.plot([], [], color="0.4", ls=line, lw=1, label=f"certified to here, {name}")
        axis.set(xscale="log", yscale="log", xlabel="prompt tokens", ylim=(3e-18, 1e4))
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    panels[0].set(title="signed permutations of whole numbers")
    panels[0].set_ylabel("worst error of an answer,\nas a share of its largest term")
    panels[1].set(title="formulas, held within 1/100, of real numbers")
    draw(fig, "horizon", quick)


def _curve(
    axis: Any,
    rows: list[dict[str, Any]],
    which: tuple[str, str],
    limit: int | None,
    mark: str,
    line: str,
) -> None:
    """The errors of one set of tasks in one format, and its limit."""
    name, dtype = which
    some = [row for row in rows if (row["tasks"], row["dtype"]) == which]
    if not some:
        return
    # An error below a quarter of an ulp is drawn as that.
    least = float(BY_NAME[dtype].u) / 4
    error = np.maximum([row["worst error"] for row in some], least)
    tokens = np.array([row["tokens"] for row in some])
    wrong = np.array([row["wrong"] > 0 for row in some])
    nothing = ": not certified" if not limit else ""
    style = {"color": COLOURS[dtype], "marker": mark, "ms": 3, "lw": 0.8}
    if nothing:
        style["mfc"] = "none"
    axis.plot(tokens[~wrong], error[~wrong], label=f"{dtype}, {name}{nothing}", **style)
    axis.plot(tokens[wrong], error[wrong], "x", color="C3", ms=4)
    if limit:
        each = some[0]["tokens"] // (some[0]["m"] + 1)
        axis.axvline(each * (limit + 1), color=COLOURS[dtype], ls=line, lw=1)


def main() -> None:
    quick = options(__doc__).quick
    rows, limits, summary = [], {}, {}
    steps, prompts = (1, 2) if quick else (8, 5)
    for family in (affine(1), affine(4), *formulas()):
        found = family.build(32).limits
        limits |= {(family.name, dtype): found[dtype].m for dtype in COLOURS}
        limit = found["float32"].m
        ulps = {dtype: most_ulps(family, dtype, found[dtype].m) for dtype in COLOURS}
        most = 8 * limit
        if family.near:
            most = 2**9 if quick else 2**13
        for m in sizes(limit, steps // 4 or 1 if family.near else steps, most):
            rows.append(measure(family, "float32", m, prompts, ulps["float32"]))
        if family.name == "K = 1":
            limits.pop((family.name, "float64"))
            continue
        for log2m in range(4, 11 if quick else 20, 3):
            rows.append(measure(family, "float64", 2**log2m - 1, 1, ulps["float64"]))
    for (name, dtype), limit in limits.items():
        some = [row for row in rows if (row["tasks"], row["dtype"]) == (name, dtype)]
        summary[f"{dtype}, {name}"] = horizon(some, limit)
    write("horizon", quick, summary, rows=rows)
    plot(rows, limits, quick)
    certified_wrong = [row for row in rows if row["certified"] and row["wrong"]]
    if certified_wrong:
        raise SystemExit(f"horizon.py: wrong where it is certified: {certified_wrong[0]['how']}.")


if __name__ == "__main__":
    main()
