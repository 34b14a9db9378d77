"""Artifacts: a directory with `config.json` and `model.safetensors`.

`config.json` holds all that is not a weight: sizes, domain, margins, tasks,
vocabulary, the fields of the residual stream, layers and heads by name with their
reach, the shape of every weight, and the checksums. `load` believes what cannot be
derived: m, n, d, tasks, vocabulary, domain, and the margins, if the weights hold them
and layer 4 is right with them.
All else that stands there is for other readers: it is derived anew and never read.
`model.safetensors` holds the weights by their non-zeros: for each NAME that is not all
zero

    NAME            (nonzeros,) float64, row by row
    NAME.at         (2, nonzeros) int32, the rows and columns of these
    NAME.exact      (2, r) int64, numerators and denominators of the r entries that
                    float64 rounds
    NAME.exact.at   (2, r) int32, their rows and columns

or, on request, the dense (rows, columns) matrix under each NAME in place of the first
two. Exact values beyond int64 stand in the metadata. No pickle anywhere.
"""

import hashlib
import json
import os
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors
from scipy.sparse import coo_array, csr_array

from construct.arguments import checked, instance, path, truth
from construct.artifact import swap
from construct.certify import Margins
from construct.certify.bounds import Bounds
from construct.certify.margins import below_thresholds
from construct.compiler import Construction, validate
from construct.designs.theorem import formulas
from construct.designs.theorem.embedding import embedding_shapes
from construct.designs.theorem.sizes import WIDTH, Sizes
from construct.errors import ConstructError
from construct.network.primitives import Shapes
from construct.network.transformer import Entries, Layer, Part, Transformer
from construct.rational import FLOAT64, MOST_DIGITS, is_float, rational, read_json, to_json
from construct.spec.domain import Domain
from construct.spec.taskfile import tasks_from_json

FORMAT = "construct-artifact"
VERSION = 2
CONFIG, MODEL = "config.json", "model.safetensors"
INT64 = 1 << 63  # it holds all whole numbers below
MOST_DIGITS_HELD = 4 * MOST_DIGITS  # of a margin: B may be 1/delta^2
_DECIMAL = re.compile(r"[\[:,\s]-?[0-9]+[.eE]")  # a JSON number that Python would round


@checked(
    construction=instance(Construction, "a construct.Construction"), directory=path, dense=truth
)
def save(construction: Construction, directory: str | Path, *, dense: bool = False) -> Path:
    """Write an artifact, whole or not at all; an older artifact there is replaced.

    Whatever interrupts it, the older or the new one is there, or comes back under its
    name with the next `save` or `load` of it (`construct.artifact.swap`).

    Args:
        dense: write each weight as a dense matrix, zeros included, for programs that
            want it so.

    Raises:
        ConstructError: if `directory` cannot be written, or exists and is no artifact.
    """
    target = Path(directory)
    if target.name in ("", ".."):
        raise ConstructError(f"{target} is not the name of a folder; choose another.")
    if os.path.lexists(target):
        _refuse_others(target)
    model = _model(construction.transformer, dense)
    config = json.dumps(_config(construction, model, dense), indent=1, ensure_ascii=False) + "\n"
    files = {MODEL: model, CONFIG: config.encode()}
    try:
        swap.replace(target, files, whole=_is_whole, check=_refuse_others)
    except OSError as error:
        raise ConstructError(f"cannot write {target}: {error.strerror or error}.") from error
    return target


@checked(directory=path)
def load(directory: str | Path) -> Construction:
    """Read an artifact and check its version, checksums, margins, shapes and dtypes.

    Names, order, reach, lemmas and certificates are those of the tasks, the domain and
    the margins, whatever the config says of them. That the weights are those that the
    tasks compile to is another question: `provenance.first_difference`.

    Raises:
        ConstructError: if anything is missing, altered or of another version.
    """
    source = Path(directory)
    try:
        config, model = _read_files(source)
    except ConstructError:
        # Another process may be replacing it now, or was interrupted when it did.
        config, model = _read_again(source)
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
        RecursionError,
        SafetensorError,
    ) as error:
        raise ConstructError(
            f"{source} is not a whole artifact ({error}); build it anew."
        ) from error


# --- Writing -----------------------------------------------------------------


def _config(construction: Construction, model: bytes, dense: bool) -> dict[str, Any]:
    transformer, sizes = construction.transformer, construction.sizes
    margins = construction.margins
    config: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "sizes": {key: getattr(sizes, key) for key in ("K", "d", "m", "n", "S", "P", "N", "D")},
        "width": f"{WIDTH}: {sizes.formula}",
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
                "heads": [
                    {"name": h.name, "purpose": h.purpose, "reach": h.reach.to_json()}
                    for h in layer.heads
                ],
                "mlp": {"purpose": layer.mlp.purpose, "acts": list(layer.mlp.acts)},
            }
            for layer in transformer.layers
        ],
        "storage": "dense" if dense else "sparse",
        "tensors": {name: list(w.shape) for name, w in transformer.weights().items()},
    }
    config["checksums"] = {MODEL: hashlib.sha256(model).hexdigest()}
    config["checksums"][CONFIG] = _config_checksum(config)
    return config


def _config_checksum(config: dict[str, Any]) -> str:
    """Over everything in the config but itself, spaces aside."""
    sums = {name: s for name, s in config["checksums"].items() if name != CONFIG}
    rest = json.dumps({**config, "checksums": sums}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(rest.encode()).hexdigest()


def _model(transformer: Transformer, dense: bool) -> bytes:
    """The content of `model.safetensors`."""
    tensors: dict[str, np.ndarray] = {}
    large: dict[str, dict[str, str]] = {}
    for name, weight in transformer.weights().items():
        if dense:
            tensors[name] = weight.toarray()
        elif weight.nnz:
            tensors[name] = weight.data
            tensors[f"{name}.at"] = np.stack(coo_array(weight).coords).astype(np.int32)
    for name, entries in transformer.exact_entries().items():
        numerators, denominators = entries.numerators, entries.denominators
        fits = np.array((abs(numerators) < INT64) & (denominators < INT64), dtype=bool)
        if fits.any():
            values = np.stack([numerators[fits], denominators[fits]])
            tensors[f"{name}.exact"] = values.astype(np.int64)
            # The file has rows one after the other, whatever the order in memory.
            tensors[f"{name}.exact.at"] = entries.at[:, fits].astype(np.int32, order="C")
        for place in np.flatnonzero(~fits):
            i, j = entries.at[:, place]
            text = f"{numerators[place]}/{denominators[place]}"
            large.setdefault(name, {})[f"{i},{j}"] = text
    # A single key: the order of several is not the same in each file.
    return write_tensors(tensors, metadata={"exact": json.dumps(large)})


def _refuse_others(target: Path) -> None:
    """What is replaced is an artifact (never a link to one), or an empty folder."""
    if not _replaceable(target):
        raise ConstructError(
            f"{target} exists and is not an artifact of construct; choose another folder."
        )


def _replaceable(target: Path) -> bool:
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


# --- Reading -----------------------------------------------------------------


def _read_files(source: Path) -> tuple[dict[str, Any], bytes]:
    """The config and the weights, if both are as they were written."""
    config = _read_config(source)
    model = _read(source / MODEL)
    if hashlib.sha256(model).hexdigest() != config["checksums"][MODEL]:
        raise ConstructError(f"{source / MODEL} is corrupted: its checksum differs; build it anew.")
    return config, model


def _read_again(source: Path) -> tuple[dict[str, Any], bytes]:
    """The same while nobody replaces it, and after giving it its name again."""
    with swap.locked(source.parent):
        try:
            swap.restore(source, _is_whole)
        except OSError as error:
            raise ConstructError(f"cannot restore {source}: {error.strerror or error}.") from error
        return _read_files(source)


def _is_whole(folder: Path) -> bool:
    try:
        _read_files(folder)
    except ConstructError:
        return False
    return True


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
        text = _read(path).decode()
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
        intact = _config_checksum(plain) == config["checksums"][CONFIG]
    except (KeyError, TypeError, AttributeError):
        intact = False
    if not intact:
        raise ConstructError(f"{path} is corrupted: its checksum differs; build it anew.")
    return config


def _metadata(model: bytes) -> dict[str, dict[tuple[int, int], Fraction]]:
    """The exact values that int64 does not hold."""
    length = int.from_bytes(model[:8], "little")
    entries = read_json(json.loads(model[8 : 8 + length])["__metadata__"]["exact"], MODEL)
    large = {}
    for name, tensor in entries.items():
        places = [(int(i), int(j)) for i, j in (key.split(",") for key in tensor)]
        if len(set(places)) < len(places):
            raise _wrong(name, "exact twice at one place")
        large[name] = dict(zip(places, map(Fraction, tensor.values()), strict=True))
    return large


class _Reader:
    """The tensors of a file, taken one by one and checked."""

    def __init__(self, tensors: dict[str, np.ndarray], large: dict[str, Any], dense: bool) -> None:
        self.tensors, self.large, self.dense = dict(tensors), dict(large), dense

    def weight(self, name: str, shape: tuple[int, ...]) -> csr_array:
        """The matrix of that name."""
        if self.dense:
            return csr_array(_finite(name, self._take(name, np.float64, shape)))
        if name not in self.tensors and f"{name}.at" not in self.tensors:
            return csr_array(shape)
        at = self._places(f"{name}.at", shape)
        values = self._take(name, np.float64, (at.shape[1],))
        return csr_array(coo_array((_finite(name, values), at), shape))

    def exact(self, name: str, weight: csr_array) -> Entries | None:
        """The entries of a weight that float64 rounds; None if there are none."""
        found = []
        if f"{name}.exact" in self.tensors or f"{name}.exact.at" in self.tensors:
            at = self._places(f"{name}.exact.at", weight.shape)
            values = self._take(f"{name}.exact", np.int64, (2, at.shape[1])).astype(object)
            found.append(Entries(at, *values))
        if name in self.large:
            found.append(Entries.of(self.large.pop(name)))
        if not found:
            return None
        entries = Entries.join(found)
        _refuse_other_values(name, weight, entries)
        return entries

    def part(self, prefix: str, shapes: Shapes) -> dict[str, Any]:
        """The weights of a head or an MLP, and the entries that float64 rounds."""
        found: dict[str, Any] = {}
        exact = {}
        for name, shape in shapes.items():
            found[name] = self.weight(f"{prefix}.{name}", shape)
            entries = self.exact(f"{prefix}.{name}", found[name])
            if entries is not None:
                exact[name] = entries
        return {**found, "exact": exact}

    def close(self) -> None:
        """Refuse what nobody asked for."""
        for name in [*self.tensors, *self.large]:
            raise _wrong(name, "one too many")

    def _take(self, name: str, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
        if name not in self.tensors:
            raise _wrong(name, "missing")
        found = self.tensors.pop(name)
        if found.dtype != dtype or found.shape != shape:
            raise _wrong(name, f"not {np.dtype(dtype)} of shape {list(shape)}")
        return found

    def _places(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """(2, count) places within the shape, row by row, none twice."""
        count = self.tensors[name].shape[-1] if name in self.tensors else 0
        at = self._take(name, np.int32, (2, count)).astype(np.int64)
        rows, columns = shape
        inside = (at >= 0).all() and (at[0] < rows).all() and (at[1] < columns).all()
        if not inside or (np.diff(at[0] * columns + at[1]) <= 0).any():
            raise _wrong(name, f"not a list of places in a matrix of shape {list(shape)}")
        return at


def _finite(name: str, values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise _wrong(name, "not finite throughout")
    return values


def _wrong(name: str, what: str) -> ConstructError:
    return ConstructError(f"tensor {name} is {what}; build the artifact anew.")


def _refuse_other_values(name: str, weight: csr_array, entries: Entries) -> None:
    """Exact values are in lowest terms, of entries that float64 rounds, and only of those."""
    rows, columns = entries.at
    inside = (rows >= 0) & (rows < weight.shape[0]) & (columns >= 0) & (columns < weight.shape[1])
    nearest, right = _nearest(entries)
    right &= inside
    right[inside] &= weight[rows[inside], columns[inside]] == nearest[inside]
    for i, j in entries.at[:, ~right].T:
        raise ConstructError(
            f"the exact value of {name}[{i}, {j}] is not one that float64 rounds to the "
            "entry; build the artifact anew."
        )


def _nearest(entries: Entries) -> tuple[np.ndarray, np.ndarray]:
    """The nearest float64 of each value, and whether it is another number."""
    p, q = entries.numerators, entries.denominators
    small = np.array((abs(p) < FLOAT64) & (q > 0) & (q < FLOAT64), dtype=bool)
    nearest, rounds = np.zeros(len(p)), np.zeros(len(p), dtype=bool)
    # A quotient of two floats is rounded once; in lowest terms it is a float if the
    # denominator is a power of two.
    a, b = p[small].astype(np.int64), q[small].astype(np.int64)
    nearest[small], rounds[small] = a / b, (np.gcd(a, b) == 1) & (b & (b - 1) != 0)
    for k in np.flatnonzero(~small):
        value = Fraction(p[k], q[k])
        nearest[k] = float(value)
        rounds[k] = not is_float(value)
    return nearest, rounds


def _restore(
    config: dict[str, Any], tensors: dict[str, np.ndarray], large: dict[str, Any]
) -> Construction:
    """From tasks, domain, m, n and margins all but the weights follows; nothing else is read."""
    sizes, vocabulary = config["sizes"], config["vocabulary"]
    fields = {"tasks": config["tasks"], "d": sizes["d"], "vocabulary": vocabulary}
    tasks = tasks_from_json({k: v for k, v in fields.items() if v is not None}, CONFIG)
    wiring, sizes = validate(tasks.tasks, sizes["m"], sizes["n"], tasks.vocabulary)
    domain, margins = Domain.from_json(config["domain"]), _margins(config["margins"], sizes)
    reader = _Reader(tensors, large, dense=config["storage"] == "dense")
    layers = []
    for i, layer in enumerate(formulas(sizes, wiring, margins)):
        heads = [
            head.given(reader.part(f"layers.{i}.heads.{k}", head.shapes))
            for k, head in enumerate(layer.heads)
        ]
        mlp = layer.mlp.given(reader.part(f"layers.{i}.mlp", layer.mlp.shapes))
        layers.append(Layer(layer.name, layer.lemma, tuple(heads), mlp))
    outer = {name: reader.weight(name, shape) for name, shape in embedding_shapes(sizes).items()}
    reader.close()
    transformer = Transformer(sizes, tuple(layers), **outer, answer=sizes.tokens - 1)
    _refuse_other_margins(transformer, margins)
    if below_thresholds(Bounds.of(wiring, domain), domain, margins):
        raise ConstructError(
            f"the margins B = {margins.B} and C = {margins.C} in {CONFIG} are too small for its "
            "tasks and its domain, and votes could be wrong; build the artifact anew."
        )
    return Construction(transformer, tasks.tasks, domain, margins, tasks.vocabulary)


def _margins(listed: dict[str, Any], sizes: Sizes) -> Margins:
    """B, C and s: the build has chosen them, the certificate judges them."""
    found = {}
    for name in "BCs":
        what = f"margin {name} in {CONFIG}"
        value = found[name] = rational(listed[name], what, digits=MOST_DIGITS_HELD)
        halves = value.numerator * value.denominator
        if value <= 0 or halves & (halves - 1) or (name == "s" and type(value) is not int):
            raise ConstructError(
                f"margin {name} in {CONFIG} is {value}; it must be a power of two"
                f"{', at least 1' if name == 's' else ''}; build the artifact anew."
            )
    return Margins(B=found["B"], C=found["C"], s=int(found["s"]), N=sizes.N)


def _refuse_other_margins(transformer: Transformer, margins: Margins) -> None:
    """The certificate judges the margins: they have to be those that the weights hold."""
    residual, d = transformer.sizes.residual, transformer.sizes.d
    first, table = transformer.layers[3].heads[0], transformer.layers[5].mlp
    entries: dict[str, tuple[Part, str, tuple[int, int]]] = {
        "B": (first, "W_Q", (residual["lab"].start, 0)),  # of -B (f - lab)
        "C": (first, "W_Q", (residual["pe"].start, d)),  # of C pe
        "s": (table, "W_out", (0, residual["rec"].start)),  # of s/1
    }
    for name, (part, weight, at) in entries.items():
        held = _value(part, weight, at)
        if held != getattr(margins, name):
            raise ConstructError(
                f"margin {name} in {CONFIG} is {getattr(margins, name)}, and the weights hold "
                f"{held}; build the artifact anew."
            )


def _value(part: Part, weight: str, at: tuple[int, int]) -> Fraction:
    """An entry, exactly; without an index of the exact ones, which may be millions."""
    exact = Entries.of(part.exact.get(weight, {}))
    for k in np.flatnonzero((exact.at == np.array([at]).T).all(axis=0)):
        return Fraction(exact.numerators[k], exact.denominators[k])
    return Fraction(float(part.sparse(weight)[at]))
