"""Arguments of public functions: one of a wrong type is one sentence, whoever calls.

@checked(prompt=instance(Prompt, "a construct.Prompt"), m=whole(1))
def f(prompt: Prompt, m: int) -> ...
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from construct.errors import ConstructError, shown

# A rule takes a value and its name, and raises ConstructError.
Rule = Callable[[Any, str], None]
Function = TypeVar("Function", bound=Callable)

# Whole numbers are printed: Python prints some thousand digits.
MOST = 10**1000


def checked(**rules: Rule) -> Callable[[Function], Function]:
    """A function that looks at its arguments first, each by the rule of its name."""

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs).arguments
            for name, rule in rules.items():
                if name in given:
                    rule(given[name], name)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


def wrong(value: Any, name: str, right: str) -> ConstructError:
    """The sentence."""
    return ConstructError(f"{name} is {shown(value)}; it must be {right}.")


def instance(kind: Any, right: str) -> Rule:
    """A value of that type."""

    def rule(value: Any, name: str) -> None:
        if not isinstance(value, kind):
            raise wrong(value, name, right)

    return rule


def whole(least: int, most: int = MOST) -> Rule:
    """A whole number; True is none."""

    def rule(value: Any, name: str) -> None:
        if type(value) is not int or not least <= value < most:
            raise wrong(value, name, f"a whole number of at least {least}")

    return rule


def listed(one: Rule, right: str, least: int = 1) -> Rule:
    """A list or a tuple, each of it by a rule."""

    def rule(value: Any, name: str) -> None:
        if not isinstance(value, list | tuple) or len(value) < least:
            raise wrong(value, name, f"a list of at least {least} {right}")
        for i, entry in enumerate(value):
            one(entry, f"{name}[{i}]")

    return rule


def optional(rule: Rule) -> Rule:
    """The same, or None."""

    def of_some(value: Any, name: str) -> None:
        if value is not None:
            rule(value, name)

    return of_some


def number(value: Any, name: str) -> None:
    """A rational number above 0."""
    from construct.rational import rational

    if rational(value, name) <= 0:
        raise wrong(value, name, "above 0")


def text(value: Any, name: str) -> None:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise wrong(value, name, "a text")


def function(value: Any, name: str) -> None:
    """What can be called."""
    if not callable(value):
        raise wrong(value, name, "a function")


def truth(value: Any, name: str) -> None:
    """True or False."""
    if type(value) is not bool:
        raise wrong(value, name, "True or False")


def path(value: Any, name: str) -> None:
    """The name of a file or folder."""
    from pathlib import PurePath

    if not isinstance(value, str | PurePath) or not str(value) or "\0" in str(value):
        raise wrong(value, name, "a path, without the character NUL")
