"""`config.json`: all that is not a weight, and its checksum."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from construct.compiler import Construction
from construct.errors import ConstructError
from construct.network.transformer import Mlp
from construct.rational import MOST_DIGITS, read_json, to_json
from construct.spec.tasks import Task

FORMAT = "construct-artifact"
VERSION = 2
CONFIG, MODEL = "config.json", "model.safetensors"
MOST_DIGITS_HELD = 4 * MOST_DIGITS  # of a margin: B may be 1/delta^2
_DECIMAL = re.compile(r"[\[:,\s]-?[0-9]+[.eE]")  # a JSON number that Python would round


def config_of(construction: Construction, model: bytes, dense: bool) -> dict[str, Any]:
    """What `config.json` says of a construction whose weights are these bytes."""
    transformer, sizes = construction.transformer, construction.sizes
    config: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        **_design(construction),
        "sizes": _sizes(construction),
        "width": sizes.width,
        "answer_token": transformer.answer,
        "domain": construction.domain.to_json(),
        "margins": margins_of(construction),
        "certificates": construction.certificates,
        "tasks": construction.definitions,
        "vocabulary": construction.vocabulary and list(construction.vocabulary),
        "prompt_format": construction.format,
        "residual_stream": sizes.residual.to_json(),
        "layers": [
            {
                "name": layer.name,
                "lemma": layer.lemma,
                "heads": [
                    {"name": h.name, "purpose": h.purpose, "reach": h.reach.to_json()}
                    for h in layer.heads
                ],
                "mlp": _mlp(layer.mlp),
            }
            for layer in transformer.layers
        ],
        "storage": "dense" if dense else "sparse",
        "tensors": {name: list(w.shape) for name, w in transformer.weights().items()},
    }
    held = [_held(task) for task, of in _pairs(construction) if task is not of]
    if held:
        config["held"] = held
    config["checksums"] = {MODEL: hashlib.sha256(model).hexdigest()}
    config["checksums"][CONFIG] = checksum(config)
    return config


def _design(construction: Construction) -> dict[str, Any]:
    """The design and its attention; nothing for the theorem's, as in artifacts of before."""
    if construction.softmax is None:
        return {}
    return {"design": construction.design, "attention": str(construction.transformer.attention)}


def _sizes(construction: Construction) -> dict[str, Any]:
    sizes = construction.sizes
    if construction.softmax is not None:
        return _fields(sizes, ("K", "d", "m", "n", "N", "D", "heads"), {})
    return _fields(sizes, ("K", "d", "m", "n", "S", "P", "N", "D"), {"w": 0})


def margins_of(construction: Construction) -> dict[str, Any]:
    """The margins as JSON."""
    if construction.softmax is not None:
        return _fields(construction.margins, ("gamma", "beta", "top", "far"), {})
    return _fields(construction.margins, ("B", "C", "s", "N"), {"L": 0, "a": 1})


def _fields(of: Any, always: Sequence[str], usually: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON; those that are as usual are left out, as in artifacts of before."""
    some = [key for key, value in usually.items() if getattr(of, key) != value]
    return {key: to_json(getattr(of, key)) for key in (*always, *some)}


def _pairs(construction: Construction) -> Iterator[tuple[Task, Any]]:
    """Each task as the network holds it, and as it is specified."""
    return zip(construction.held, construction.tasks, strict=True)


def _held(task: Task) -> dict[str, Any]:
    """What the network holds of a formula: `load` needs no computer algebra."""
    return {**task.as_json(words=False), "epsilon": to_json(task.epsilon)}


def _mlp(mlp: Mlp) -> dict[str, Any]:
    listed = {"purpose": mlp.purpose, "acts": list(mlp.acts)}
    parts = [{"units": count, "acts": list(tokens)} for count, tokens in mlp.parts]
    return listed | ({"parts": parts} if parts else {})


def written(config: dict[str, Any]) -> str:
    """The config as text: a line for each task and for the words, which may be many."""
    fields = []
    for key, value in config.items():
        if key in ("tasks", "held"):
            text = "[\n  " + ",\n  ".join(map(_compact, value)) + "\n ]"
        elif key == "vocabulary":
            text = _compact(value)
        else:
            text = json.dumps(value, indent=1, ensure_ascii=False).replace("\n", "\n ")
        fields.append(f' "{key}": {text}')
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def checksum(config: dict[str, Any]) -> str:
    """The checksum of everything in the config but the checksum itself; spaces do not count."""
    sums = {name: s for name, s in config["checksums"].items() if name != CONFIG}
    rest = json.dumps({**config, "checksums": sums}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(rest.encode()).hexdigest()


def read_bytes(path: Path) -> bytes:
    """A file of an artifact."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConstructError(
            f"cannot read {path}: {error.strerror or error}; an artifact is a folder "
            f"with {CONFIG} and {MODEL}, written by 'construct build'."
        ) from error


def read_config(source: Path) -> dict[str, Any]:
    """The config of an artifact, if it is as it was written."""
    path = source / CONFIG
    try:
        text = read_bytes(path).decode()
        # Numbers are exact as in a task file; the checksum is that of JSON's own reading.
        config = read_json(text, str(path), digits=MOST_DIGITS_HELD)
        plain = json.loads(text) if _DECIMAL.search(text) else config
    except (ValueError, RecursionError) as error:
        if isinstance(error, ConstructError):
            raise
        raise ConstructError(f"{path} is corrupted: {error}; build it anew.") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ConstructError(f"{path} is not the config of an artifact of construct.")
    if config.get("version") != VERSION:
        raise ConstructError(
            f"{path} is of artifact version {config.get('version')!r}; this construct "
            f"reads version {VERSION}: build it anew."
        )
    try:
        intact = checksum(plain) == config["checksums"][CONFIG]
    except (KeyError, TypeError, AttributeError):
        intact = False
    if not intact:
        raise ConstructError(f"{path} is corrupted: its checksum differs; build it anew.")
    return config
