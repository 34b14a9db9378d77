"""The check of construct's own prompts: `sample` and `verify` stay inside the domain."""

from fractions import Fraction as Q

import numpy as np

from attack.outcome import Case, Outcome
from attack.reckoning import Prompt, as_text, judge
from attack.targets import builds, reckoned
from construct import verify
from construct.checking.sampling import random_prompts
from construct.spec.prompt import Prompt as Given


def check_sample(case: Case) -> Outcome:
    """Every random prompt is inside, in its own numbers and in each certified format."""
    out = Outcome()
    made = builds(case["file"], case["m"], out)
    if made is None:
        return out
    task_set = reckoned(case["file"], case["m"], made)
    for exact in (True, False):
        if not exact and not made.certified:
            continue
        try:
            drawn = random_prompts(made, case["count"], case["seed"], exact=exact)
        except Exception as error:
            out.crash(error, f"random_prompts(exact={exact})")
            continue
        for number, one in enumerate(drawn):
            prompt = fractions(one)
            for dtype in ("exact",) if exact else made.certified:
                out.counts[f"sampled, as {dtype}"] += 1
                verdict = judge(task_set, prompt, dtype)
                if verdict.state != "inside":
                    said = f"prompt {number} as {dtype} is {verdict.state}: {verdict.why}"
                    out.add("sample", f"{said}: {as_text(prompt)}")
    for dtype in ("exact", *made.certified):
        try:
            executor = "exact" if dtype == "exact" else "numpy"
            report = verify(made, executor, dtype, 5, seed=case["seed"])
        except Exception as error:
            out.crash(error, f"verify in {dtype}")
            continue
        out.counts["verify"] += 1
        if not report.passed:
            out.add("verify", f"{dtype}: {report.failures[0]}")
    return out


def fractions(prompt: Given) -> Prompt:
    """The rationals that a prompt's numbers are."""

    def exact(array: np.ndarray) -> list:
        return [Q(x) for x in array.tolist()]

    examples = [[*map(exact, X), exact(y)] for X, y in zip(prompt.X, prompt.Y, strict=True)]
    return {"examples": examples, "query": [exact(x) for x in prompt.query]}
