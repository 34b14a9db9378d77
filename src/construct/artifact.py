"""Artifacts: a directory with `config.json` and `model.safetensors`.

`config.json` holds all that is not a weight: sizes, domain, margins, tasks,
vocabulary, the fields of the residual stream, layers and heads by name, and the
checksums. `model.safetensors` holds the float64 weights by layer and head, and in
its metadata the exact values of those that float64 rounds. No pickle anywhere.
"""

import hashlib
import json
import os
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors

from construct.certify import Domain, Margins
from construct.compiler import Construction, validate
from construct.errors import ConstructError
from construct.rational import rational, to_json
from construct.taskfile import tasks_from_json
from construct.transformer import Head, Layer, Mlp, Transformer

FORMAT = "construct-artifact"
VERSION = 1
CONFIG, MODEL = "config.json", "model.safetensors"


def save(construction: Construction, directory: str | Path) -> Path:
    """Write an artifact, whole or not at all; an older artifact there is replaced.

    Raises:
        ConstructError: if `directory` cannot be written, or exists and is no artifact.
    """
    target = Path(directory)
    if target.exists() and not _replaceable(target):
        raise ConstructError(
            f"{target} exists and is not an artifact of construct; choose another folder."
        )
    model = write_tensors(construction.transformer.tensors(), metadata=_exact_values(construction))
    config = json.dumps(_config(construction, model), indent=1, ensure_ascii=False) + "\n"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
            fresh = Path(scratch) / "new"
            fresh.mkdir()
            _write(fresh / MODEL, model)
            _write(fresh / CONFIG, config.encode())
            _swap(fresh, target, Path(scratch) / "old")
    except OSError as error:
        raise ConstructError(f"cannot write {target}: {error.strerror or error}.") from error
    return target


def load(directory: str | Path) -> Construction:
    """Read an artifact and check its version, checksums, names, shapes and dtypes.

    Raises:
        ConstructError: if anything is missing, altered or of another version.
    """
    source = Path(directory)
    config = _read_config(source)
    model = _read(source / MODEL)
    if hashlib.sha256(model).hexdigest() != config["checksums"][MODEL]:
        raise ConstructError(f"{source / MODEL} is corrupted: its checksum differs; build it anew.")
    try:
        return _restore(config, read_tensors(model), _metadata(model))
    except ConstructError:
        raise
    except (
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
        SafetensorError,
    ) as error:
        raise ConstructError(
            f"{source} is not a whole artifact ({error}); build it anew."
        ) from error


# --- Writing -----------------------------------------------------------------


def _config(construction: Construction, model: bytes) -> dict[str, Any]:
    transformer, sizes = construction.transformer, construction.sizes
    margins = construction.margins
    config: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "sizes": {key: getattr(sizes, key) for key in ("K", "d", "m", "n", "S", "P", "N", "D")},
        "width": f"(4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2 n) + 6: {sizes.formula}",
        "answer_token": transformer.answer,
        "domain": construction.domain.to_json(),
        "margins": {key: to_json(getattr(margins, key)) for key in ("B", "C", "s", "N")},
        "certificates": construction.certificates,
        "tasks": [
            task.as_json(words=construction.vocabulary is not None) for task in construction.tasks
        ],
        "vocabulary": construction.vocabulary and list(construction.vocabulary),
        "residual_stream": [
            {"field": f.name, "start": f.start, "width": f.width, "holds": f.holds}
            for f in sizes.residual.fields
        ],
        "layers": [
            {
                "name": layer.name,
                "lemma": layer.lemma,
                "heads": [{"name": h.name, "purpose": h.purpose} for h in layer.heads],
                "mlp": layer.mlp.purpose,
            }
            for layer in transformer.layers
        ],
        "tensors": {name: list(t.shape) for name, t in transformer.tensors().items()},
    }
    config["checksums"] = {MODEL: hashlib.sha256(model).hexdigest()}
    config["checksums"][CONFIG] = _config_checksum(config)
    return config


def _config_checksum(config: dict[str, Any]) -> str:
    """Over everything in the config but itself, spaces aside."""
    sums = {name: s for name, s in config["checksums"].items() if name != CONFIG}
    rest = json.dumps({**config, "checksums": sums}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(rest.encode()).hexdigest()


def _exact_values(construction: Construction) -> dict[str, str]:
    """{"exact": JSON {tensor: {"row,column": "p/q"}}}: the entries that float64 rounds."""
    exact = {
        f"{prefix}.{name}": {f"{i},{j}": str(v) for (i, j), v in entries.items()}
        for prefix, part in construction.transformer.parts()
        for name, entries in part.exact.items()
    }
    # A single key: the order of several is not the same in each file.
    return {"exact": json.dumps(exact)}


def _replaceable(target: Path) -> bool:
    """An artifact (never a link to one), or an empty folder."""
    if target.is_symlink() or not target.is_dir():
        return False
    names = {path.name for path in target.iterdir()}
    if not names or not names <= {CONFIG, MODEL}:
        return not names
    try:
        config = json.loads((target / CONFIG).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and config.get("format") == FORMAT


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Put `fresh` in the place of `target`; if that fails, `target` is as it was."""
    replaced = target.exists()
    if replaced:
        os.rename(target, old)
    try:
        os.rename(fresh, target)
    except OSError:
        if replaced:
            os.rename(old, target)
        raise


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


# --- Reading -----------------------------------------------------------------


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConstructError(
            f"cannot read {path}: {error.strerror or error}; an artifact is a folder "
            f"with {CONFIG} and {MODEL}, written by 'construct build'."
        ) from error


def _read_config(source: Path) -> dict[str, Any]:
    path = source / CONFIG
    try:
        config = json.loads(_read(path).decode())
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
        intact = _config_checksum(config) == config["checksums"][CONFIG]
    except (KeyError, TypeError, AttributeError):
        intact = False
    if not intact:
        raise ConstructError(f"{path} is corrupted: its checksum differs; build it anew.")
    return config


def _metadata(model: bytes) -> dict[str, dict[tuple[int, int], Fraction]]:
    length = int.from_bytes(model[:8], "little")
    entries = json.loads(model[8 : 8 + length])["__metadata__"]["exact"]
    return {
        name: {
            (int(i), int(j)): Fraction(value)
            for key, value in tensor.items()
            for i, j in [key.split(",")]
        }
        for name, tensor in json.loads(entries).items()
    }


def _restore(
    config: dict[str, Any],
    tensors: dict[str, np.ndarray],
    exact: dict[str, dict[tuple[int, int], Fraction]],
) -> Construction:
    if set(tensors) != set(config["tensors"]):
        name = min(set(tensors) ^ set(config["tensors"]))
        raise ConstructError(f"tensor {name} is missing or too many; build the artifact anew.")
    for name, shape in config["tensors"].items():
        found = tensors[name]
        if list(found.shape) != shape or len(shape) != 2 or found.dtype != np.float64:
            raise ConstructError(f"tensor {name} is not float64 of shape {shape}; build it anew.")

    def weights(prefix: str, names: tuple[str, ...]) -> dict[str, Any]:
        full = {name: f"{prefix}.{name}" for name in names}
        found = {name: exact[path] for name, path in full.items() if path in exact}
        return {**{name: tensors[path] for name, path in full.items()}, "exact": found}

    sizes, vocabulary = config["sizes"], config["vocabulary"]
    fields = {"tasks": config["tasks"], "d": sizes["d"], "vocabulary": vocabulary}
    tasks = tasks_from_json({k: v for k, v in fields.items() if v is not None}, CONFIG)
    _, sizes = validate(tasks.tasks, sizes["m"], sizes["n"], tasks.vocabulary)
    layers = tuple(
        Layer(
            entry["name"],
            entry["lemma"],
            tuple(
                Head(h["name"], h["purpose"], **weights(f"layers.{i}.heads.{k}", Head.WEIGHTS))
                for k, h in enumerate(entry["heads"])
            ),
            Mlp(entry["mlp"], **weights(f"layers.{i}.mlp", Mlp.WEIGHTS)),
        )
        for i, entry in enumerate(config["layers"])
    )
    transformer = Transformer(
        sizes, layers, tensors["W_E"], tensors["W_pos"], tensors["W_U"], sizes.tokens - 1
    )
    margins = {key: rational(config["margins"][key]) for key in "BCs"}
    made = Construction(
        transformer,
        tasks.tasks,
        Domain.from_json(config["domain"]),
        Margins(B=margins["B"], C=margins["C"], s=int(margins["s"]), N=sizes.N),
        config["certificates"],
        tasks.vocabulary,
    )
    _refuse_other_values(transformer, tensors, exact)
    _refuse_other_claims(made, config)
    return made


def _refuse_other_claims(made: Construction, config: dict[str, Any]) -> None:
    """What the config says of sizes, margins, fields and layers is what its tasks imply."""
    implied = json.loads(json.dumps(_config(made, b"")))
    for key in set(implied) - {"tasks", "checksums"}:
        if implied[key] != config[key]:
            raise ConstructError(
                f"{key!r} in {CONFIG} is not what the artifact's tasks imply; build it anew."
            )


def _refuse_other_values(
    transformer: Transformer,
    tensors: dict[str, np.ndarray],
    exact: dict[str, dict[tuple[int, int], Fraction]],
) -> None:
    """Nothing but the transformer's tensors; exact values are of entries that are rounded."""
    if set(tensors) != set(transformer.tensors()):
        name = min(set(tensors) ^ set(transformer.tensors()))
        raise ConstructError(f"tensor {name} is missing or too many; build the artifact anew.")
    known = {f"{prefix}.{name}" for prefix, part in transformer.parts() for name in part.WEIGHTS}
    for name, entries in exact.items():
        for (i, j), value in entries.items():
            inside = name in known and 0 <= i < len(tensors[name]) and j >= 0
            if not inside or tensors[name][i, j] != float(value) or value == float(value):
                raise ConstructError(
                    f"the exact value of {name}[{i}, {j}] is not one that float64 rounds to the "
                    "entry; build the artifact anew."
                )
