"""Faults planted one by one: does the attack find each of them?

    make plants
    python -m attack.plants [--seconds 120] [--only NAME] [--whole]

A plant changes a few words of a copy of `src/`. The attack runs on it until it finds
something, with the hint that stands beside the plant, or with --whole without one. A plant
whose words no longer stand in the code is *stale*, and fails, as one that is not found.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from attack.faults import FAULTS

SOURCE = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Plant:
    """A fault: in each file, words that occur once and what stands there instead."""

    name: str
    hint: str
    edits: tuple[tuple[str, str, str], ...]


def plant(name: str, hint: str, file: str, old: str, new: str) -> Plant:
    return Plant(name, hint, ((file, old, new),))


_HALF = '__import__("fractions").Fraction(1, 2)'
_SUPERPOSE, _MARGINS = "designs/theorem/superpose.py", "certify/margins.py"
_QUERY, _EMBEDDING = "designs/theorem/query.py", "designs/theorem/embedding.py"
_HOLD = "approximation/hold.py"
PLANTS = (
    # The layers.
    plant("B halved", "mixtures", _SUPERPOSE, "(-B * e, e)", f"(-B * {_HALF} * e, e)"),
    plant(
        *("C halved", "edges", _SUPERPOSE),
        *("plan.margins.B, plan.margins.C", f"plan.margins.B, {_HALF} * plan.margins.C"),
    ),
    plant(
        *("the gate does not ask for an example", "mixtures", _SUPERPOSE),
        *('2 * C * read("ctx")', '2 * C * read("one")'),
    ),
    plant(
        *("the query side reads the example's features", "mixtures", _SUPERPOSE),
        *('g="gq"', 'g="gx"'),
    ),
    plant(
        *("s twice as large in the division", "mixtures", "designs/theorem/divide.py"),
        *("Fraction(sizes.N, plan.margins.s)", "Fraction(sizes.N, 2 * plan.margins.s)"),
    ),
    plant(
        *("an entry of the table off by one", "mixtures", "designs/theorem/square.py"),
        *('"one": 1 - v**2', '"one": 1 - v**2 + (v == 3)'),
    ),
    plant(
        *("features told apart by their first hinge", "mixtures", "designs/theorem/wiring.py"),
        *("dictionary.setdefault(u, len", "dictionary.setdefault(u[:1], len"),
    ),
    plant(
        *("columns of equal features are not added up", "merged", "matrix.py"),
        "return Matrix.from_sum((self.shape[0], columns), at, self.values)",
        "return Matrix.from_entries((self.shape[0], columns), {(i, j): (i, j, v) "
        "for i, j, v in zip(*at.tolist(), self.values)}.values())",
    ),
    # The certificate. Dropped alone, label and off were not found: without label the limits move
    # by a third at most, up to where another condition stops them.
    plant(
        *("condition mismatch dropped", "limits", _MARGINS),
        *("if 8 * max(eta / least, gamma, gamma_e) > 1 or room < gamma * partial:", "if False:"),
    ),
    plant(
        *("whole: eight times as far", "full", _MARGINS),
        *("if table > limit:", "if table > 8 * limit:"),
    ),
    plant(
        *("condition range dropped", "sizes", _MARGINS),
        *("if max(weights + reached) * 4 >= 1 << fmt.largest:", "if False:"),
    ),
    plant(
        *("the size of a label left out", "edges", "certify/bounds.py"),
        *("row.reach(x, R) + Ry", "row.reach(x, R)"),
    ),
    plant(
        *("bound of an answer halved", "limits", "certify/accuracy.py"),
        "found[some] += before * (1 + after) + after * mean",
        "found[some] += (before * (1 + after) + after * mean) / 2",
    ),
    # The executors.
    plant(
        *("the reach of the query's head", "mixtures", "designs/theorem/query.py"),
        *("reach=Reach(EVERY, (sizes.m, OWN))", "reach=Reach(EVERY, (0, OWN))"),
    ),
    plant(
        *("N divided out before the sum", "tiny", "execute/sparse/layer.py"),
        '_dot("tq,td->qd", scores, reads).reshape',
        '(_dot("tq,td->qd", scores / 1024, reads) * 1024).reshape',
    ),
    plant(
        *("the mesh keeps one device's share of a sum", "mesh", "execute/sparse/layer.py"),
        "sums, totals = jax.lax.psum((sums, totals), axis)",
        "sums, totals = sums, totals",
    ),
    plant(
        *("the mesh stops one device early", "mesh", "execute/jax_.py"),
        *("fori_loop(0, devices, add", "fori_loop(0, devices - 1, add"),
    ),
    plant(
        *("exact weights ignored", "mixtures", "execute/exact.py"),
        *("found[int(self._exact.at[1, entry])] = fmpq(*value)", "pass"),
    ),
    # What is judged and read.
    Plant(
        *("an entry equal to R is refused", "mixtures"),
        (
            ("spec/domain.py", "array.max() <= bound:", "array.max() < bound:"),
            ("spec/domain.py", "else array) > bound", "else array) >= bound"),
        ),
    ),
    plant(
        *("separate at float32's distance in float64", "mixtures", "spec/domain.py"),
        *(
            "(delta * (1 - Fraction(1, 2 ** (p // 2)))) ** 2",
            "(delta * (1 - Fraction(1, 4096))) ** 2",
        ),
    ),
    plant(
        *("the grid is not checked", "grids", "spec/domain.py"),
        *(
            "        if domain.grid is not None:\n            rules",
            "        if False:\n            rules",
        ),
    ),
    plant(
        *("a match at four times its distance", "mixtures", "spec/matching.py"),
        *("rounded = delta**2 / (1 << (p + 7))", "rounded = delta**2 / (1 << (p + 3))"),
    ),
    plant(
        *("the answer is read beside its token", "mixtures", "designs/theorem/embedding.py"),
        *("transformer.answer, :]", "transformer.answer - 1, :]"),
    ),
    plant(
        *("votes are read from another layer", "mixtures", "designs/theorem/__init__.py"),
        *("given = attended[place(margins, superpose)]", "given = attended[place(margins, pool)]"),
    ),
    plant(
        *("examples are drawn without a look at the domain", "samples", "checking/sampling.py"),
        *("if self._inside(x, y):", "if True:"),
    ),
    # The flat gate.
    plant(
        *("the flat gate's B halved", "gates", _SUPERPOSE, "(-B * e, e)"),
        f"(-B * (1 if plan.margins.a == 1 else {_HALF}) * e, e)",
    ),
    plant(
        *("the flat gate's top halfway down", "gates", _SUPERPOSE),
        *("gate(plan, k, plan.margins.a, 1,", f"gate(plan, k, (plan.margins.a + 1) * {_HALF}, 1,"),
    ),
    plant(
        *("the second half of the gate as high as the first", "gates", "designs/theorem/level.py"),
        *("top = plan.margins.a - 1", "top = plan.margins.a"),
    ),
    plant(
        *("the gate does not know of epsilon", "gates", _MARGINS),
        "tau, delta, epsilon = domain.tau, Fraction(domain.delta), bounds.epsilon",
        "tau, delta, epsilon = domain.tau, Fraction(domain.delta), 0",
    ),
    plant(
        *("the gate does not know of tau", "gates", _MARGINS),
        "match, mismatch = (tau + epsilon) ** 2,",
        "match, mismatch = epsilon**2,",
    ),
    plant(
        *("the table of a flat gate has one half", "gates", "designs/theorem/square.py"),
        *("(0, M + u - 1, Fraction(-s, u)) for u in whole", ""),
    ),
    plant(
        *("floats have no room beside tau", "gates", "spec/matching.py"),
        *("(tau * (1 + Fraction(1, 1 << (p // 2)))) ** 2", "tau**2"),
    ),
    # Scratch tokens.
    plant(
        *("L four times too small", "scratch", "certify/bounds.py"),
        *("L = math.ceil(least / step) * step", "L = math.ceil(least / step) * step / 4"),
    ),
    plant(
        *("gates four times too weak", "scratch", _QUERY),
        *("half, ell = Fraction(plan.margins.L, 2)", "half, ell = Fraction(plan.margins.L, 8)"),
    ),
    plant(
        *("hinges act one position too early", "scratch", _QUERY),
        *("bits = code(unit.at - 1, ell)", "bits = code(max(unit.at - 2, 0), ell)"),
    ),
    plant(
        *("C knows of a home's own features alone", "scratch", "certify/bounds.py"),
        "anywhere.append(_entries(matrices, most) if gated else rows[-1])",
        "anywhere.append(rows[-1])",
    ),
    plant(
        *("scratch tokens copy the token after", "scratch", _EMBEDDING),
        "copied = sizes.length - np.array(scratch)",
        "copied = sizes.length - 1 - np.array(scratch)",
    ),
    plant(
        *("scratch tokens stay empty", "scratch", _EMBEDDING),
        *("rec[sizes.n - 1 : -1] = 1 - copied**2", "rec[sizes.n - 1 : -1] = -(copied**2)"),
    ),
    plant(
        *("tasks live at scratch tokens of another operand", "scratch", "designs/theorem/homes.py"),
        *("return source is None or self.source in (0, source)", "return True"),
    ),
    plant(
        *("the reach of the copy head", "scratch", "designs/theorem/gather.py"),
        *("(OWN, tuple(p - 1 for p in sources))", "(OWN, tuple(p for p in sources))"),
    ),
    # Formulas.
    plant(
        *("epsilon understated", "formulas", _HOLD),
        *("return min(Fraction(root, 2**bits), epsilon)",),
        *("return min(Fraction(root, 2**bits), epsilon) / 2",),
    ),
    plant(
        *("a knot displaced", "formulas", _HOLD),
        "[_hinge(c, form, sign, -sign * t, d) for c, sign, t in hinges]",
        "[_hinge(c, form, sign, -sign * (t + Fraction(1, 64)), d) for c, sign, t in hinges]",
    ),
    plant(
        *("every second knot of a grid, whatever the form", "formulas", "approximation/grid.py"),
        *("2 * grid if cancel else grid", "2 * grid"),
    ),
    plant(
        *("the bound of an answer of formulas halved", "formulas", "checking/promise.py"),
        "return sum((Fraction(c) * task.epsilon for",
        "return sum((Fraction(c) * task.epsilon / 2 for",
    ),
    plant(
        *("labels are drawn beside tau without a look", "samples", "checking/near.py"),
        *("keep = self.admitted(X, Y)", "keep = np.ones(len(X), dtype=bool)"),
    ),
    # Files.
    plant(
        *("verify does not look at epsilon", "claims", "checking/provenance.py"),
        *("if found.epsilon != wanted.epsilon:", "if False:"),
    ),
    plant(
        *("save does not put the old artifact back", "interrupts", "artifact/swap.py"),
        *("os.path.lexists(old) and not os.path.lexists(target)", "False"),
    ),
    plant(
        *("load believes the margins", "claims", "artifact/restore.py"),
        *("    _refuse_other_margins(transformer, margins)\n", ""),
    ),
    *(plant(name, hint, *edit) for name, hint, edit in FAULTS),
)


def planted(one: Plant, folder: Path) -> str | None:
    """A copy of the sources with the fault; what is stale, if something is."""
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in one.edits:
        path = folder / "construct" / file
        text = path.read_text() if path.exists() else ""
        if text.count(old) != 1:
            return f"{file} has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new))
    return None


def attacked(folder: Path, seconds: float, seed: int, hint: str | None) -> tuple[bool, str]:
    """Whether the attack finds something on these sources, and what."""
    command = [sys.executable, "-m", "attack", "--first", "--shrink", "0"]
    command += [*("--seconds", str(seconds)), *("--seed", str(seed))]
    command += ["--save", str(folder / "finding.json")]
    command += ["--only", hint] if hint else []
    tests = Path(__file__).parents[1]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tests}{os.pathsep}{folder}",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Most passes are the same in every copy.
        "JAX_COMPILATION_CACHE_DIR": str(folder.parent / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        return False, done.stderr[-300:]
    found = re.search(r"the first of each kind:\n +(.*)", done.stdout)
    return done.returncode == 1, found[1] if found else done.stderr[-300:]


def main() -> int:
    """1 if a plant is stale or not found, or if something is found without any."""
    parser = argparse.ArgumentParser(prog="python -m attack.plants", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", metavar="NAME")
    parser.add_argument("--whole", action="store_true", help="without the hints")
    options = parser.parse_args()
    chosen = [p for p in PLANTS if not options.only or any(o in p.name for o in options.only)]
    lost = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number, one in enumerate(chosen, 1):
            begun = time.monotonic()
            folder = Path(scratch) / str(number)
            stale = planted(one, folder)
            hint = None if options.whole else one.hint
            found, what = (
                (False, "") if stale else attacked(folder, options.seconds, options.seed, hint)
            )
            state = "STALE" if stale else "found" if found else "NOT FOUND"
            lost += state != "found"
            gone = time.monotonic() - begun
            print(f"{number:>2}  {state:<10}{gone:>5.0f} s  {one.name:<50}{(stale or what)[:150]}")
            sys.stdout.flush()
            shutil.rmtree(folder)
    print(f"{len(chosen) - lost} of {len(chosen)} found")
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
