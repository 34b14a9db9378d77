"""The check of the softmax designs: every query of a prompt, by every executor.

Votes are those of `reckoning`, in Fractions; the answer is within `made.error` of what they
imply, and the worst share of that bound is kept. A decoder answers at each query, after the
examples before it: so one prompt has as many counts as it has examples.
"""

from fractions import Fraction as Q
from functools import lru_cache
from typing import Any

import numpy as np

from attack.outcome import Case, Outcome
from attack.reckoning import (
    Prompt,
    Reckoned,
    Vector,
    Verdict,
    as_text,
    compact,
    in_format,
    judge,
    read_prompt,
    square,
)
from attack.targets import can_be_written, held, near_enough, rounds_out
from construct import (
    Answer,
    ConstructError,
    Construction,
    OutsideDomain,
    build,
    mixture,
    parse_tasks,
    predictions,
    prepare,
    run,
)
from construct.checking.promise import error_bound
from construct.reading import embedded
from construct.spec.prompt import Prompt as Given

NO_WORD = "a token that is no word"


def designed(file: dict[str, Any], m: int, design: str) -> Construction:
    """Build a task file in a design, from its JSON text."""
    return _designed(compact(file), m, design)


@lru_cache(maxsize=8)
def _designed(text: str, m: int, design: str) -> Construction:
    file = parse_tasks(text)
    how = {"domain": file.domain, "vocabulary": file.vocabulary}
    return build(file.tasks, m=m, n=file.n, design=design, **how)


def check_predictions(case: Case) -> Outcome:
    """Run the prompts of a case in a design, through one executor in one format."""
    out = Outcome()
    design, dtype = case["design"], case["dtype"]
    out.counts["builds"] += 1
    try:
        made = designed(case["file"], case["m"], design)
    except ConstructError:
        out.counts["builds refused"] += 1
        return out
    except Exception as error:
        out.crash(error, f"build of the design {design}")
        return out
    if dtype != "exact" and dtype not in made.certified:
        out.counts[f"{design}, not certified: {dtype}"] += 1
        return out
    file = {"domain": made.domain.to_json(), **case["file"]}
    task_set = Reckoned.of(file, case["m"], held(made))
    if made.leak > Q(1, 1 << 54):
        out.add("leak", f"all votes may be off by {float(made.leak):.3g}, more than 2^-54")
    for i, prompt in enumerate(map(read_prompt, filter(can_be_written, case["prompts"]))):
        verdict = judge(task_set, prompt, dtype)
        if made.softmax is not None and made.softmax.logits and not _of_words(prompt):
            verdict = Verdict("outside", NO_WORD)
        out.counts[f"prompts {verdict.state}"] += 1
        out.counts.update(f"with {kind}" for kind in verdict.kinds)
        if _may_not_round_out(verdict, dtype, task_set):
            rounds_out(out, task_set, prompt, verdict, i)
        if verdict.state != "unclear":
            _prompt(out, made, task_set, prompt, verdict, case, i)
    return out


def _prompt(
    out: Outcome,
    made: Construction,
    task_set: Reckoned,
    prompt: Prompt,
    verdict: Verdict,
    case: Case,
    i: int,
) -> None:
    executor, dtype = case["executor"], case["dtype"]
    given = Given.of(prompt["examples"], prompt["query"])
    name = f"{case['design']} on {executor} {dtype}"
    try:
        if verdict.state != "inside":
            _refused(out, made, given, verdict, (executor, dtype), i)
            return
        found = predictions(made, given, executor=executor, dtype=dtype)
    except Exception as error:
        out.crash(error, name, i)
        return
    own = in_format(prompt, dtype)
    assert own is not None
    explains = verdict.explains
    votes = [tuple(sum(row[:e]) for row in explains) for e in range(len(own["examples"]) + 1)]
    queries = [*(example[:-1] for example in own["examples"]), own["query"]]
    if case["design"] == "encoder":
        votes, queries = votes[-1:], queries[-1:]
    if len(found) != len(queries):
        out.add("queries", f"{name} has {len(found)} answers at {len(queries)} queries", i)
        return
    for answer, c, X in zip(found, votes, queries, strict=True):
        out.counts[f"answers of {name}"] += 1
        if tuple(answer.votes) != c:
            out.add("votes", f"{name} says {tuple(map(float, answer.votes))} for {c}", i)
            return
        _answer(out, made, task_set, answer, c, X, name, dtype, i)
    _near(out, made, task_set, found[-1], verdict, own, dtype, i)
    _specified(out, made, given.astype(dtype), verdict, i)
    if dtype == "exact":
        _leak(out, made, given, i)


def _may_not_round_out(verdict: Verdict, dtype: str, task_set: Reckoned) -> bool:
    """Whether a prompt outside has to be outside as rationals too."""
    outside = verdict.state == "outside" and verdict.why != NO_WORD
    return outside and dtype != "exact" and not task_set.near


def _leak(out: Outcome, made: Construction, given: Given, i: int) -> None:
    """All votes together are as near to whole numbers as is said, before they are rounded."""
    [stream] = embedded(made, [given.astype("exact")])
    done = prepare("exact", made.transformer, "exact")(stream)
    votes = made.softmax.votes(made.plan.sizes, done.attended, len(given.X))
    left = sum((abs(Q(v) - round(v)) for v in votes.flat), Q(0))
    out.measure("leak of all votes, of what is said", float(left / made.leak))
    if left > made.leak:
        out.add("leak", f"all votes are off by {float(left):.3g}, not {float(made.leak):.3g}", i)


def _of_words(prompt: Prompt) -> bool:
    """Whether each vector is one 1 and zeros."""
    vectors = [v for vectors in (*prompt["examples"], prompt["query"]) for v in vectors]
    return all(sorted(v) == [0] * (len(v) - 1) + [1] for v in vectors)


def _refused(
    out: Outcome, made: Construction, given: Given, verdict: Verdict, how: tuple[str, str], i: int
) -> None:
    """What is outside the domain has to be refused, as what it is."""
    wanted = OutsideDomain if verdict.state == "outside" else ConstructError
    executor, dtype = how
    try:
        run(made, given, executor=executor, dtype=dtype)
    except wanted:
        return
    except ConstructError as error:
        out.add("refusal", f"{how}: {verdict.state} ({verdict.why}), and run says: {error}", i)
        return
    out.add("admitted", f"{how} answers a prompt {verdict.state}: {verdict.why}", i)


def _answer(
    out: Outcome,
    made: Construction,
    task_set: Reckoned,
    answer: Answer,
    votes: tuple[int, ...],
    X: list[Vector],
    name: str,
    dtype: str,
    i: int,
) -> None:
    """The answer at one query, within its bound of what the network holds of each task."""
    if not np.isfinite(answer.answer.astype(float)).all():
        out.add("answer", f"{name} is not finite", i)
        return
    wanted, total = [Q(0)] * task_set.d, sum(votes)
    for f, one, c in zip(task_set.maps, task_set.held, votes, strict=True):
        if c:
            value = f(X) if one is None else one.map(X)
            wanted = [w + Q(c, total) * v for w, v in zip(wanted, value, strict=True)]
    bound = Q(made.error["float64" if dtype == "exact" else dtype])
    off = max(abs(Q(x) - w) for x, w in zip(answer.answer.tolist(), wanted, strict=True))
    out.measure(f"{name}, K = {made.sizes.K}, m = {made.sizes.m}", float(off / bound))
    if off > bound:
        said = f"{name} is off by {float(off):.3g}, and {float(bound):.3g} is proved"
        out.add("answer", f"{said}: votes {votes}, query {as_text(X)}", i)
    if made.vocabulary is None:
        return
    words = {word for word, w in zip(made.vocabulary.words, wanted, strict=True) if w}
    if answer.distribution.keys() != words:
        out.add("words", f"{name} gives {set(answer.distribution)} for {words}", i)


def _near(
    out: Outcome,
    made: Construction,
    task_set: Reckoned,
    answer: Answer,
    verdict: Verdict,
    own: Prompt,
    dtype: str,
    i: int,
) -> None:
    """An answer of formulas is within its error bound of the mixture of the formulas."""
    if not any(task_set.held):
        return
    for X in (*(example[:-1] for example in own["examples"]), own["query"]):
        near_enough(out, task_set, X, i)
    given = Given.of(own["examples"], own["query"]).astype(dtype)
    bound = error_bound(made, given, verdict.votes, dtype)
    far = square([Q(x) for x in answer.answer.tolist()], verdict.answer)
    out.measure("softmax designs, of the error bound of formulas", float(far / bound**2) ** 0.5)
    if far > (bound + Q(1, 1 << 150) * max(1, *map(abs, verdict.answer))) ** 2:
        out.add("answer", f"{float(far) ** 0.5:.6g} from the mixture: {float(bound):.6g}", i)


def _specified(out: Outcome, made: Construction, given: Given, verdict: Verdict, i: int) -> None:
    """The specification counts the same votes."""
    wanted = mixture(made.tasks, given, delta=made.domain.delta, tau=made.domain.tau)
    if wanted.votes != verdict.votes:
        out.add("specification", f"it counts {wanted.votes} for {verdict.votes}", i)
