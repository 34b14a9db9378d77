"""The shapes and types of every signature, enforced as the modules of construct are imported.

jaxtyping's hook puts a frame of its own around every call: it binds the arguments and has them
checked twice. Where no shape stands in a signature beartype alone checks the same, many times
faster; most signatures are such.
"""

import inspect
import typing
from types import FunctionType

import jaxtyping
from beartype import beartype

with_frames = jaxtyping.jaxtyped


def enforce(package: str) -> None:
    """Before anything imports the package."""
    jaxtyping.jaxtyped = checked
    jaxtyping.install_import_hook(package, "beartype.beartype")


def checked(one: object = None, **options: object) -> object:
    """What the hook decorates with: `jaxtyping.jaxtyped`, but without frames that hold no shape."""
    if one is None:
        return lambda one: checked(one, **options)
    if isinstance(one, FunctionType) and not has_shapes(one):
        return beartype(one)
    return with_frames(one, **options)


def has_shapes(function: FunctionType) -> bool:
    """Whether a shape stands in its signature; also if that cannot be told."""
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError):
        return True
    return any(map(is_shaped, hints.values()))


def is_shaped(hint: object) -> bool:
    """Whether a type of jaxtyping is in it at any depth."""
    if inspect.isclass(hint) and issubclass(hint, (jaxtyping.AbstractArray, jaxtyping.PyTree)):
        return True
    return any(map(is_shaped, typing.get_args(hint)))
