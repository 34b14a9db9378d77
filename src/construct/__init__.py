"""construct: explicit transformer weights that perform K tasks in superposition.

The public names below are imported when they are first used, so that the command
line starts fast.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"
__distribution__ = "construct-icl"

_HOMES = {
    "construct.artifact": ("load", "save"),
    "construct.certify": ("Domain", "Margins"),
    "construct.compiler": ("Construction", "build", "random_tasks"),
    "construct.embedding": ("embed", "embed_all", "unembed"),
    "construct.errors": ("CheckFailed", "ConstructError", "OutsideDomain"),
    "construct.execute": ("Pass", "prepare"),
    "construct.mixture": ("Mixture", "mixture"),
    "construct.prompt": ("Prompt", "check_domain", "parse_prompt"),
    "construct.residual": ("Residual", "Sizes"),
    "construct.answer": ("Answer", "run"),
    "construct.taskfile": ("TaskFile", "parse_tasks"),
    "construct.tasks": (
        "Hinge",
        "Task",
        "absolute",
        "add",
        "affine",
        "clip",
        "lookup",
        "maximum",
        "minimum",
        "permutation",
        "relu",
        "relu_sum",
        "retrieval",
        "shift",
    ),
    "construct.transformer": ("Head", "Layer", "Mlp", "Transformer"),
    "construct.verification": ("Report", "verify"),
    "construct.vocabulary": ("Vocabulary",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'construct' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Keeps `construct.mixture` the function when the module is imported too."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _HOME_OF):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
