"""What is known of the inside of an export: `construct.json`, for programs."""

import json
from pathlib import Path
from typing import Any

from construct.compiler import Construction
from construct.compiler.softmax import SoftmaxConstruction
from construct.network.transformer import Layer
from construct.rational import above, to_json

NAME = "construct.json"


def described(construction: Construction, dtype: str, **more: Any) -> dict[str, Any]:
    """Tasks, domain, certificate, and what is where: fields by coordinates, heads by purpose.

    A field stands at the coordinates `start` to `start + width - 1` of the residual stream.

    Args:
        more: what a target adds.
    """
    sizes, vocabulary = construction.sizes, construction.vocabulary
    softmax = construction.softmax
    return {
        "format": "construct-export",
        "version": 1,
        "design": construction.design + (f" of {softmax.of}" if softmax is not None else ""),
        "dtype": dtype,
        "sizes": {name: getattr(sizes, name) for name in ("K", "d", "m", "n", "N", "D")},
        "tasks": construction.definitions,
        "words": list(vocabulary) if vocabulary is not None else None,
        "domain": construction.domain.to_json(),
        "certificate": _certificate(construction, dtype),
        "residual_stream": sizes.residual.to_json(),
        "layers": [_layer(layer) for layer in construction.transformer.layers],
        **more,
    }


def write(facts: dict[str, Any], folder: Path) -> None:
    """Write `construct.json`."""
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def _certificate(construction: Construction, dtype: str) -> dict[str, Any]:
    """Of the theorem's design the error follows from the votes of a prompt."""
    if not isinstance(construction, SoftmaxConstruction):
        return {"certified": construction.certified}
    return {
        "gamma": to_json(construction.margins.gamma),
        "leak": above(construction.leak),
        "answer_error": above(construction.answer_error[dtype]),
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "lemma": layer.lemma,
        "heads": [
            {"head": k, "name": head.name, "purpose": head.purpose}
            for k, head in enumerate(layer.heads)
            if not head.silent
        ],
        "mlp": None if layer.mlp.idle else layer.mlp.purpose,
    }
