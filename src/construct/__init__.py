"""construct: explicit transformer weights that perform K tasks in superposition.

The public names below are imported when they are first used, so that the command
line starts fast. Type checkers see ordinary imports of the same names.
"""

import importlib
from typing import TYPE_CHECKING, Any

# What type checkers read; a test holds it and _HOMES together.
if TYPE_CHECKING:
    from construct.answer import Answer as Answer
    from construct.answer import predictions as predictions
    from construct.answer import run as run
    from construct.answers import run_all as run_all
    from construct.approximation.bai import ReluSum as ReluSum
    from construct.approximation.bai import Smoothness as Smoothness
    from construct.approximation.bai import definition12 as definition12
    from construct.approximation.bai import smoothness as smoothness
    from construct.approximation.univariate import Approximation as Approximation
    from construct.approximation.univariate import approximate as approximate
    from construct.artifact import load as load
    from construct.artifact import save as save
    from construct.checking.verification import Report as Report
    from construct.checking.verification import verify as verify
    from construct.compiler import Construction as Construction
    from construct.compiler import build as build
    from construct.compiler import random_tasks as random_tasks
    from construct.designs.theorem.embedding import embed as embed
    from construct.designs.theorem.embedding import embed_all as embed_all
    from construct.designs.theorem.embedding import unembed as unembed
    from construct.designs.theorem.plan import Margins as Margins
    from construct.designs.theorem.sizes import Sizes as Sizes
    from construct.errors import CheckFailed as CheckFailed
    from construct.errors import ConstructError as ConstructError
    from construct.errors import OutsideDomain as OutsideDomain
    from construct.execute.passes import Pass as Pass
    from construct.execute.passes import prepare as prepare
    from construct.inside.scores import Pairs as Pairs
    from construct.inside.tokens import Token as Token
    from construct.inside.trace import Trace as Trace
    from construct.inside.trace import trace as trace
    from construct.network.residual import Residual as Residual
    from construct.network.transformer import Head as Head
    from construct.network.transformer import Layer as Layer
    from construct.network.transformer import Mlp as Mlp
    from construct.network.transformer import Transformer as Transformer
    from construct.spec.domain import Domain as Domain
    from construct.spec.domain import check_domain as check_domain
    from construct.spec.formula import Formula as Formula
    from construct.spec.formula import formula as formula
    from construct.spec.hinge import Hinge as Hinge
    from construct.spec.kinds import absolute as absolute
    from construct.spec.kinds import add as add
    from construct.spec.kinds import affine as affine
    from construct.spec.kinds import clip as clip
    from construct.spec.kinds import lookup as lookup
    from construct.spec.kinds import maximum as maximum
    from construct.spec.kinds import minimum as minimum
    from construct.spec.kinds import permutation as permutation
    from construct.spec.kinds import relu as relu
    from construct.spec.kinds import relu_sum as relu_sum
    from construct.spec.kinds import retrieval as retrieval
    from construct.spec.kinds import shift as shift
    from construct.spec.kinds import word_sum as word_sum
    from construct.spec.mixture import Mixture as Mixture
    from construct.spec.mixture import mixture as mixture
    from construct.spec.prompt import Prompt as Prompt
    from construct.spec.promptfile import parse_prompt as parse_prompt
    from construct.spec.taskfile import TaskFile as TaskFile
    from construct.spec.taskfile import parse_tasks as parse_tasks
    from construct.spec.tasks import Task as Task
    from construct.spec.vocabulary import Vocabulary as Vocabulary

__version__ = "0.1.0"
__distribution__ = "construct-icl"

_HOMES = {
    "construct.answer": ("Answer", "predictions", "run"),
    "construct.answers": ("run_all",),
    "construct.approximation.bai": ("ReluSum", "Smoothness", "definition12", "smoothness"),
    "construct.approximation.univariate": ("Approximation", "approximate"),
    "construct.artifact": ("load", "save"),
    "construct.checking.verification": ("Report", "verify"),
    "construct.compiler": ("Construction", "build", "random_tasks"),
    "construct.designs.theorem.embedding": ("embed", "embed_all", "unembed"),
    "construct.designs.theorem.plan": ("Margins",),
    "construct.designs.theorem.sizes": ("Sizes",),
    "construct.errors": ("CheckFailed", "ConstructError", "OutsideDomain"),
    "construct.execute.passes": ("Pass", "prepare"),
    "construct.inside.scores": ("Pairs",),
    "construct.inside.tokens": ("Token",),
    "construct.inside.trace": ("Trace", "trace"),
    "construct.network.residual": ("Residual",),
    "construct.network.transformer": ("Head", "Layer", "Mlp", "Transformer"),
    "construct.spec.domain": ("Domain", "check_domain"),
    "construct.spec.formula": ("Formula", "formula"),
    "construct.spec.hinge": ("Hinge",),
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
        "word_sum",
    ),
    "construct.spec.mixture": ("Mixture", "mixture"),
    "construct.spec.prompt": ("Prompt",),
    "construct.spec.promptfile": ("parse_prompt",),
    "construct.spec.taskfile": ("TaskFile", "parse_tasks"),
    "construct.spec.tasks": ("Task",),
    "construct.spec.vocabulary": ("Vocabulary",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


# To a type checker a module with a __getattr__ has every name there is.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module 'construct' has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
