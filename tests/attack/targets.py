"""The checks of prompts: every executor and format, alone and in a batch.

What construct says is compared with `reckoning`; the only number taken from construct is
the bound that it proves for an answer, which is itself held to a least one.
"""

import importlib.util
import json
from fractions import Fraction as Q
from functools import lru_cache
from typing import Any

import numpy as np

from attack.outcome import Case, Outcome
from attack.reckoning import (
    Prompt,
    Reckoned,
    Verdict,
    compact,
    in_format,
    judge,
    least_bound,
    read_prompt,
    square,
)
from construct import (
    Answer,
    CheckFailed,
    ConstructError,
    Construction,
    OutsideDomain,
    Pass,
    build,
    embed_all,
    mixture,
    parse_tasks,
    prepare,
    run,
)
from construct.answer import read_answer
from construct.checking.promise import error_bound
from construct.checking.verification import absolute_sums
from construct.spec.prompt import Prompt as Given

FLOATS = ("float64", "float32")
_MODULES = {"numpy": "numpy", "sparse": "jax", "jax": "jax", "torch": "torch", "exact": "flint"}
EXECUTORS = tuple(n for n, module in _MODULES.items() if importlib.util.find_spec(module))


def compiled(file: dict[str, Any], m: int) -> Construction:
    """Build a task file, from its JSON text."""
    return _compiled(compact(file), m)


@lru_cache(maxsize=8)
def _compiled(text: str, m: int) -> Construction:
    file = parse_tasks(text)
    how = {"domain": file.domain, "vocabulary": file.vocabulary, "scratch": file.scratch}
    return build(file.tasks, m=m, n=file.n, **how)


def builds(file: dict[str, Any], m: int, out: Outcome) -> Construction | None:
    """The construction; None where it is refused in a sentence, or crashes."""
    out.counts["builds"] += 1
    try:
        return compiled(file, m)
    except ConstructError:
        out.counts["builds refused"] += 1
    except Exception as error:
        out.crash(error, "build")
    return None


def reckoned(file: dict[str, Any], m: int, made: Construction) -> Reckoned:
    """The task set; where the file lacks a domain, the one that the artifact names."""
    return Reckoned.of({"domain": made.domain.to_json(), **file}, m, held(made))


def held(made: Construction) -> list[dict[str, Any] | None]:
    """The definitions of what is held of each formula, and their epsilons."""
    return [
        None if one is of else {**one.as_json(words=False), "epsilon": str(one.epsilon)}
        for one, of in zip(made.held, made.tasks, strict=True)
    ]


# What construct reads has 600 digits at most: of tiny and huge numbers a label may have more.
MOST = 10**600


def can_be_written(prompt: dict) -> bool:
    """Whether all numbers of a prompt in JSON have as many digits as construct reads."""
    read = read_prompt(prompt)
    vectors = [*read["query"], *(vector for example in read["examples"] for vector in example)]
    numbers = [Q(x) for vector in vectors for x in vector]
    return all(max(abs(x.numerator), x.denominator) < MOST for x in numbers)


def check_prompts(case: Case) -> Outcome:
    """Run the prompts of a case through one executor in one format."""
    out = Outcome()
    made = builds(case["file"], case["m"], out)
    if made is None:
        return out
    dtype, executor = case["dtype"], case["executor"]
    if dtype != "exact" and dtype not in made.certified:
        out.counts[f"not certified: {dtype}"] += 1
        return out
    task_set = reckoned(case["file"], case["m"], made)
    out.counts.update(layout(made))
    if made.domain.tau != task_set.domain.tau:
        out.add("domain", f"tau is {made.domain.tau}, and {task_set.domain.tau} is promised")
        return out
    prompts = [read_prompt(p) for p in case["prompts"] if can_be_written(p)]
    verdicts = [judge(task_set, p, dtype) for p in prompts]
    given = [Given.of(p["examples"], p["query"]) for p in prompts]
    for i, (prompt, verdict) in enumerate(zip(prompts, verdicts, strict=True)):
        _count(out, task_set, prompt, verdict, dtype)
        if verdict.state == "inside" and sum(verdict.votes) == 2896 == made.sizes.M:
            out.counts[f"full: {dtype} at mK = 2896"] += 1
        if dtype != "exact" and verdict.state == "outside" and not task_set.near:
            rounds_out(out, task_set, prompt, verdict, i)
        if verdict.state == "inside" and any(task_set.held):
            _held(out, task_set, prompt, dtype, i)
    if case.get("batch"):
        _in_a_batch(out, made, case, prompts, given, verdicts)
        return out
    for i, (prompt, one, verdict) in enumerate(zip(prompts, given, verdicts, strict=True)):
        if verdict.state == "unclear":
            continue
        answer = _one(out, made, one, verdict, (executor, dtype), i)
        if answer is not None:
            compare(out, made, prompt, verdict, answer, (executor, dtype), i)
            _specified(out, made, one.astype(dtype), verdict, i)
    return out


def _count(out: Outcome, task_set: Reckoned, prompt: Prompt, verdict: Verdict, dtype: str) -> None:
    out.counts[f"prompts {verdict.state}"] += 1
    out.counts.update(f"with {kind}" for kind in verdict.kinds)
    held = in_format(prompt, dtype)
    if verdict.state == "inside" and held is not None:
        ends = {
            abs(x) for vectors in (*held["examples"], held["query"]) for v in vectors for x in v
        }
        out.counts["with an entry at R"] += task_set.domain.R in ends


def layout(made: Construction) -> list[str]:
    """What kind of network it is."""
    found = {
        "networks with a flat gate": made.margins.flat,
        "networks with scratch tokens": made.sizes.w,
        "networks with a hinge for one home": made.margins.L,
        "networks of formulas": any(held(made)),
        "networks of formulas that are held exactly": any(
            one and one["epsilon"] == "0" for one in held(made)
        ),
    }
    return [name for name, is_one in found.items() if is_one]


def _held(out: Outcome, task_set: Reckoned, prompt: Prompt, dtype: str, i: int) -> None:
    """What is held of each formula is as near as it is said to be, at the inputs of a prompt."""
    own = in_format(prompt, dtype)
    assert own is not None
    for X in (*(example[:-1] for example in own["examples"]), own["query"]):
        near_enough(out, task_set, X, i)


def near_enough(out: Outcome, task_set: Reckoned, X: list, i: int | None = None) -> None:
    """||g_k(X) - f_k(X)|| <= epsilon_k, which is no more than was asked for."""
    for k, (one, gap) in enumerate(zip(task_set.held, task_set.gaps2(X), strict=True), 1):
        if one is None or gap is None:
            continue
        # The digits of f that are known.
        little = Q(1, 1 << 150) if task_set.irrational[k - 1] else Q(0)
        out.counts["points of formulas"] += 1
        if one.epsilon:
            out.measure("epsilon of a formula", float(gap / one.epsilon**2) ** 0.5)
        if one.epsilon > one.asked:
            out.add("epsilon", f"task {k} is held within {one.epsilon}, not {one.asked}", i)
        if gap > (one.epsilon + little) ** 2:
            share = float(gap) ** 0.5, float(one.epsilon)
            out.add("epsilon", f"task {k} is {share[0]:.6g} off, not {share[1]:.6g}: {X}", i)


def rounds_out(out: Outcome, task_set: Reckoned, prompt: Prompt, verdict: Verdict, i: int) -> None:
    """A prompt that is inside as rationals has to be inside as it is rounded."""
    if judge(task_set, prompt, "exact").state == "inside":
        out.add("rounded", f"inside as rationals, but not as rounded: {verdict.why}", i)


def _one(
    out: Outcome,
    made: Construction,
    prompt: Given,
    verdict: Verdict,
    how: tuple[str, str],
    i: int,
) -> Answer | None:
    """Run one prompt; None, and perhaps a finding, if it is refused."""
    executor, dtype = how
    wanted = {"inside": None, "outside": OutsideDomain, "refused": ConstructError}[verdict.state]
    try:
        answer = run(made, prompt, executor=executor, dtype=dtype)
    except ConstructError as error:
        right = wanted is not None and isinstance(error, wanted)
        if not right or isinstance(error, CheckFailed):
            said = f"{executor} {dtype}: {verdict.state} ({verdict.why}), and run says: {error}"
            out.add("refusal", said, i)
        return None
    except Exception as error:
        out.crash(error, f"run on {executor} {dtype}", i)
        return None
    if wanted is None:
        return answer
    out.add("admitted", f"{executor} {dtype} answers a prompt {verdict.state}: {verdict.why}", i)
    return None


def _in_a_batch(
    out: Outcome,
    made: Construction,
    case: Case,
    prompts: list[Prompt],
    given: list[Given],
    verdicts: list[Verdict],
) -> None:
    """All prompts that are inside, in one pass."""
    dtype, executor = case["dtype"], case["executor"]
    inside = [i for i, verdict in enumerate(verdicts) if verdict.state == "inside"]
    if not inside:
        return
    try:
        streams = embed_all(made.transformer, [given[i].astype(dtype) for i in inside])
        done = prepare(executor, made.transformer, dtype, case.get("mesh"))(streams)
    except Exception as error:
        out.crash(error, f"a batch on {executor} {dtype}")
        return
    for place, i in enumerate(inside):
        out.counts["prompts in a batch"] += 1
        try:
            one = Pass(done.stream[place], done.attended[place])
            answer = read_answer(made, one, len(prompts[i]["examples"]))
        except Exception as error:
            out.crash(error, f"the answer of a batch on {executor} {dtype}", i)
            continue
        compare(out, made, prompts[i], verdicts[i], answer, (executor, dtype), i)


def compare(
    out: Outcome,
    made: Construction,
    prompt: Prompt,
    verdict: Verdict,
    answer: Answer,
    how: tuple[str, str],
    i: int,
) -> None:
    """Votes, weights and lists equal; the answer within its bound."""
    executor, dtype = how
    name = f"{executor} {dtype}"
    out.counts[f"answers of {name}"] += 1
    votes = verdict.votes
    if tuple(answer.votes) != votes:
        out.add("votes", f"{name} says {tuple(map(float, answer.votes))} for {votes}", i)
        return
    voters = [sum(column) for column in zip(*verdict.explains, strict=False)]
    lists = (
        tuple(j for j, v in enumerate(voters) if v == 0),
        tuple(j for j, v in enumerate(voters) if v > 1),
    )
    if (answer.unexplained, answer.ambiguous) != lists:
        out.add("lists", f"{name} says {answer.unexplained, answer.ambiguous} for {lists}", i)
    total = sum(votes)
    if answer.weights != tuple(Q(c, total) if total else Q(0) for c in votes):
        out.add("weights", f"{name} says {answer.weights} for {votes}", i)
    _answer(out, made, prompt, verdict, answer.answer, how, i)


def _answer(
    out: Outcome,
    made: Construction,
    prompt: Prompt,
    verdict: Verdict,
    answer: np.ndarray,
    how: tuple[str, str],
    i: int,
) -> None:
    name, dtype = " ".join(how), how[1]
    if not all(np.isfinite(float(x)) for x in answer):
        out.add("answer", f"{name} is not finite", i)
        return
    numbers = [Q(x) for x in answer.tolist()]
    _near(out, made, prompt, verdict, numbers, how, i)
    # Of formulas the network mixes what it holds in their place.
    errors = [abs(x - w) for x, w in zip(numbers, verdict.held, strict=True)]
    if dtype == "exact":
        if any(errors):
            out.add("answer", f"{name} is off by {float(max(errors)):.3g}", i)
        return
    allowed = proved(made, prompt, verdict, dtype)
    if made.domain.grid is None:
        for bound, least in zip(allowed, least_bound(verdict, dtype), strict=True):
            if bound < least:
                out.add("bound", f"{dtype}: {float(bound):.3g} is proved; rounding takes more", i)
    for error, bound in zip(errors, allowed, strict=True):
        share = float(error / bound) if bound else float(bool(error)) * 1e9
        out.measure(name, share)
        if error > bound:
            out.add("answer", f"{name} is off by {share:.3g} proved bounds", i)


def _near(
    out: Outcome,
    made: Construction,
    prompt: Prompt,
    verdict: Verdict,
    answer: list[Q],
    how: tuple[str, str],
    i: int,
) -> None:
    """An answer of formulas is within its error bound of the mixture of the formulas."""
    if verdict.answer == verdict.held:
        return
    executor, dtype = how
    own = in_format(prompt, dtype)
    assert own is not None
    given = Given.of(own["examples"], own["query"]).astype(dtype)
    bound = error_bound(made, given, verdict.votes, dtype)
    far = square(answer, verdict.answer)
    share = float(far / bound**2) ** 0.5 if bound else 1e9
    out.measure(f"{executor} {dtype}, of the error bound", share)
    # The digits of the formulas that are known.
    if far > (bound + Q(1, 1 << 150) * max(1, *map(abs, verdict.answer))) ** 2:
        said = f"{executor} {dtype} is {float(far) ** 0.5:.6g} from the mixture"
        out.add("answer", f"{said}, farther than its error bound {float(bound):.6g}", i)


def proved(made: Construction, prompt: Prompt, verdict: Verdict, dtype: str) -> list[Q]:
    """The bound that construct proves for the answer: `verify` and `run --check` use it.

    In the absolute terms that the network adds up, of which equal features are one.
    """
    held = in_format(prompt, dtype)
    assert held is not None
    query = np.array(held["query"], dtype=object)
    voted = [k for k, c in enumerate(verdict.votes) if c]
    absolute = {k: absolute_sums(made.wiring.tasks[k], query) for k in voted}
    values = {k: np.array(verdict.of_held[k], dtype=object) for k in voted}
    return [Q(x) for x in made.accuracy[dtype].error(verdict.votes, absolute, values)]


def _specified(out: Outcome, made: Construction, prompt: Given, verdict: Verdict, i: int) -> None:
    """The specification has to count the same votes."""
    try:
        wanted = mixture(made.tasks, prompt, delta=made.domain.delta, tau=made.domain.tau)
    except Exception as error:
        out.crash(error, "mixture", i)
        return
    if wanted.votes != verdict.votes:
        said = f"the specification counts {wanted.votes} for {verdict.votes}"
        out.add("specification", said, i)


def read_json(text: str) -> Any:
    """JSON with exact decimals, as a task file is read."""
    return json.loads(text, parse_float=Q)
