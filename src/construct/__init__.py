"""construct: explicit transformer weights that perform K tasks in superposition.

The public names below are imported when they are first used, so that the command
line starts fast.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__distribution__ = "construct-icl"

_HOMES = {
    "construct.answer": ("Answer", "run"),
    "construct.artifact": ("load", "save"),
    "construct.checking.verification": ("Report", "verify"),
    "construct.compiler": ("Construction", "build", "random_tasks"),
    "construct.designs.theorem.embedding": ("embed", "embed_all", "unembed"),
    "construct.designs.theorem.plan": ("Margins",),
    "construct.designs.theorem.sizes": ("Sizes",),
    "construct.errors": ("CheckFailed", "ConstructError", "OutsideDomain"),
    "construct.execute.passes": ("Pass", "prepare"),
    "construct.network.residual": ("Residual",),
    "construct.network.transformer": ("Head", "Layer", "Mlp", "Transformer"),
    "construct.spec.domain": ("Domain", "check_domain"),
    "construct.spec.kinds": (
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
    "construct.spec.mixture": ("Mixture", "mixture"),
    "construct.spec.prompt": ("Prompt",),
    "construct.spec.promptfile": ("parse_prompt",),
    "construct.spec.taskfile": ("TaskFile", "parse_tasks"),
    "construct.spec.tasks": ("Hinge", "Task"),
    "construct.spec.vocabulary": ("Vocabulary",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'construct' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
