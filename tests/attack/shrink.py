"""The smallest case that still shows a finding: one thing left out or simplified at a time."""

import copy
import time
from collections.abc import Callable, Iterator
from fractions import Fraction as Q
from typing import Any

from attack.outcome import Case, Finding, Outcome
from attack.paths import at, leaves
from attack.reckoning import as_text, number

Check = Callable[[Case], Outcome]


def shrink(case: Case, finding: Finding, check: Check, seconds: float = 60) -> Case:
    """Take the first smaller case that shows a finding of the same kind; again, from there."""
    end = time.monotonic() + seconds

    def shows(candidate: Case) -> bool:
        try:
            return any(f.kind == finding.kind for f in check(candidate).findings)
        except Exception:
            return False  # no case at all

    only = narrowed(case, finding)
    case = only if only is not case and shows(only) else case
    progress = True
    while progress and time.monotonic() < end:
        progress = False
        for candidate in smaller(case):
            if time.monotonic() >= end:
                break
            if shows(candidate):
                case, progress = candidate, True
                break
    return case


def narrowed(case: Case, finding: Finding) -> Case:
    """The case with nothing but the prompt, the change or the point of the finding."""
    at = finding.at
    if at is None:
        return case
    if case["check"] == "interrupts":
        return {**case, "point": at}
    key = "changes" if case["check"] == "claims" else "prompts"
    return {**case, key: [case[key][at]]} if key in case else case


def smaller(case: Case) -> Iterator[Case]:
    """Cases with one thing less, the largest steps first."""
    if "prompts" in case:
        yield from _prompts(case)
    if "file" in case and case["check"] != "claims":
        yield from _tasks(case)


def _prompts(case: Case) -> Iterator[Case]:
    prompts = case["prompts"]
    if len(prompts) > 1:
        for prompt in prompts:
            yield {**case, "prompts": [prompt]}
        return
    if not prompts:
        return
    [prompt] = prompts
    examples = prompt["examples"]
    count = len(examples)
    for kept in (examples[: count // 2], examples[count // 2 :]):
        if len(kept) < count:
            yield _with_prompt(case, {**prompt, "examples": kept})
    for i in range(count if count <= 16 else 0):
        yield _with_prompt(case, {**prompt, "examples": examples[:i] + examples[i + 1 :]})
    if count < case["m"] and case["m"] > 1:
        yield {**case, "m": max(count, 1)}
    if count <= 16:
        for simpler in simplified(prompt):
            yield _with_prompt(case, simpler)


def _with_prompt(case: Case, prompt: dict[str, Any]) -> Case:
    return {**case, "prompts": [prompt]}


def _tasks(case: Case) -> Iterator[Case]:
    file = case["file"]
    tasks = file["tasks"]
    if len(tasks) > 1:
        for i in range(len(tasks)):
            yield {**case, "file": {**file, "tasks": tasks[:i] + tasks[i + 1 :]}}
    for i, task in enumerate(tasks):
        for fewer in _features(task):
            yield {**case, "file": {**file, "tasks": [*tasks[:i], fewer, *tasks[i + 1 :]]}}
    if file.get("d", 1) > 1:
        for i in range(file["d"]):
            without = _without(case, i)
            if without is not None:
                yield without
    for simpler in simplified({k: file[k] for k in ("domain",) if k in file}):
        yield {**case, "file": {**file, **simpler}}
    for i, task in enumerate(tasks):
        numbers = {k: task[k] for k in ("A", "b", "C", "by", "features") if k in task}
        if len(task.get("features", ())) <= 4:
            for simpler in simplified(numbers):
                changed = [*tasks[:i], {**task, **simpler}, *tasks[i + 1 :]]
                yield {**case, "file": {**file, "tasks": changed}}


def _features(task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The task without a feature, or half of them."""
    count = len(task.get("features", ()))
    keeps = [range(count // 2), range(count // 2, count)] if count > 1 else []
    keeps += [[v for v in range(count) if v != u] for u in range(count)] if 1 < count < 9 else []
    for keep in keeps:
        C = [[row[u] for u in keep] for row in task["C"]]
        yield {**task, "features": [task["features"][u] for u in keep], "C": C}


def _without(case: Case, i: int) -> Case | None:
    """The case without entry i of every vector, where its tasks are matrices."""
    file, d = case["file"], case["file"]["d"]
    tasks = []
    for task in file["tasks"]:
        if task["kind"] in ("permutation", "lookup", "word-sum", "relu-sum") or "modulo" in task:
            return None
        new = dict(task)
        for key in ("b", "by"):
            if key in task:
                new[key] = _cut(task[key], i)
        if "A" in task:
            matrices = task["A"] if isinstance(task["A"], dict) else {"1": task["A"]}
            new["A"] = {p: [_cut(row, i) for row in _cut(A, i)] for p, A in matrices.items()}
        tasks.append(new)
    prompts = [
        {
            "examples": [[_cut(v, i) for v in example] for example in prompt["examples"]],
            "query": [_cut(v, i) for v in prompt["query"]],
        }
        for prompt in case.get("prompts", ())
    ]
    new_file = {**file, "d": d - 1, "tasks": tasks}
    return {**case, "file": new_file, **({"prompts": prompts} if prompts else {})}


def _cut(values: list, i: int) -> list:
    return values[:i] + values[i + 1 :]


def simplified(value: Any) -> Iterator[Any]:
    """The JSON value with one of its numbers simpler."""
    for path in leaves(value):
        old = number(at(value, path))
        for new in simpler_numbers(old):
            changed = copy.deepcopy(value)
            at(changed, path[:-1])[path[-1]] = as_text(new)
            yield changed


def simpler_numbers(x: Q) -> list[Q]:
    """0, 1, a whole number, a few digits: those that are simpler than x."""
    found = [Q(0), Q(1), Q(-1), Q(round(x)), x.limit_denominator(8), x.limit_denominator(1000)]
    return [y for y in dict.fromkeys(found) if _size(y) < _size(x)]


def _size(x: Q) -> tuple[int, int]:
    return len(str(abs(x.numerator))) + len(str(x.denominator)), abs(x.numerator) + (x < 0)
