import base64
import hashlib
import json
import os
import zlib
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import strategies as st
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors

from construct import (
    ConstructError,
    Domain,
    Prompt,
    Task,
    Vocabulary,
    affine,
    build,
    load,
    lookup,
    parse_tasks,
    random_tasks,
    relu_sum,
    run,
    save,
)
from construct.artifact.config import checksum
from construct.certify import certify
from construct.checking.provenance import first_difference
from construct.rational import rational, to_json
from construct.spec.normal_form import same_map
from generators import whole_cases
from share import tried

CONFIG, MODEL = "config.json", "model.safetensors"
WORDS = Vocabulary(["b", "a", "c"])
TABLE = {"a": "b", "b": "c"}


def small(entry="1/3"):
    task = affine("f", [[entry, 0], [0, 1]], ["1/7", 0])
    return build([task], m=2, domain=Domain(2, 4, Fraction(1, 3)))


@pytest.fixture
def saved(tmp_path):
    return save(small(), tmp_path / "artifact")


def described(transformer):
    """What the layers say of themselves."""
    return [
        [layer.name, layer.lemma, layer.mlp.purpose, layer.mlp.acts]
        + [(head.name, head.purpose, head.reach) for head in layer.heads]
        for layer in transformer.layers
    ]


def same(one, other):
    """Whether two constructions agree in every number and every word."""
    first, second = one.transformer, other.transformer
    a, b = first.tensors(), second.tensors()
    return (
        a.keys() == b.keys()
        and all(np.array_equal(a[name], b[name]) for name in a)
        and [p.exact for _, p in first.parts()] == [p.exact for _, p in second.parts()]
        and (first.sizes, first.answer) == (second.sizes, second.answer)
        and described(first) == described(second)
        and all(same_map(f, g) for f, g in zip(one.tasks, other.tasks, strict=True))
        and [f.name for f in one.tasks] == [g.name for g in other.tasks]
        and (one.domain, one.margins) == (other.domain, other.margins)
        and one.certificates == other.certificates
        and list(one.vocabulary or []) == list(other.vocabulary or [])
    )


# --- Round trip --------------------------------------------------------------


@tried(20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=whole_cases())
def test_what_is_loaded_is_what_was_saved(case, tmp_path):
    construction, prompt = case.build()
    loaded = load(save(construction, tmp_path / "artifact"))
    assert same(construction, loaded)
    said = [run(c, prompt, executor="numpy").answer.tolist() for c in (construction, loaded)]
    assert said[0] == said[1]


def test_rationals_survive_exactly(saved):
    loaded = load(saved)
    assert same(small(), loaded)
    assert Fraction(1, 3) in {
        value
        for _, part in loaded.transformer.parts()
        for entries in part.exact.values()
        for value in entries.values()
    }
    prompt = Prompt.of([[[1, 0], ["10/21", 0]]], [["1/11", 0]])
    answer = run(loaded, prompt, executor="exact").answer
    assert answer.tolist() == [Fraction(1, 33) + Fraction(1, 7), 0]


def test_words_keep_their_order(tmp_path):
    construction = build([lookup("t", TABLE, vocabulary=WORDS)], m=2, vocabulary=WORDS)
    assert same(construction, load(save(construction, tmp_path / "artifact")))


def test_a_table_built_without_its_vocabulary_comes_back_as_the_same_map(tmp_path):
    construction = build([lookup("t", TABLE, vocabulary=WORDS)], m=2)
    assert same(construction, load(save(construction, tmp_path / "artifact")))


def test_a_task_without_a_definition_is_saved_in_the_general_form(tmp_path):
    f = relu_sum("f", [[{"a": [1]}]], [["1/3"]], A=[[2]], b=[-1])
    g = affine("g", {2: [[5]]})
    bare = [Task(t.name, t.A, t.b, t.features, t.C) for t in (f, g)]
    loaded = load(save(build(bare, m=1), tmp_path / "artifact"))
    assert [same_map(t, back) for t, back in zip((f, g), loaded.tasks, strict=True)] == [True] * 2


def test_saving_twice_writes_the_same_bytes(tmp_path):
    one, other = (save(small(), tmp_path / name) for name in ("one", "other"))
    for name in (CONFIG, MODEL):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_an_artifact_is_two_files_and_its_config_is_plain_json(saved):
    assert {path.name for path in saved.iterdir()} == {CONFIG, MODEL}
    config = json.loads((saved / CONFIG).read_text())
    sizes = small().sizes
    assert config["sizes"]["D"] == sizes.D
    assert config["tensors"].keys() == small().transformer.tensors().keys()
    assert config["checksums"][MODEL] == hashlib.sha256((saved / MODEL).read_bytes()).hexdigest()


def long_numbers():
    """Decimals and fractions of up to 600 digits, of any size, as a file may write them."""
    digits = st.integers(1, 600).flatmap(lambda n: st.integers(10 ** (n - 1), 10**n - 1))
    decimals = st.text("0123456789", min_size=1, max_size=590).map(lambda t: f"0.{t}")
    fractions = st.builds(lambda p, q: f"{p}/{q}", digits, digits)
    powers = st.builds(lambda c, e: f"{c}e{e}", st.integers(1, 99), st.integers(-390, 300))
    floats = st.floats(allow_nan=False, allow_infinity=False)
    unsigned = decimals | fractions | powers | st.integers(0, 2**70)
    signed = st.builds(lambda sign, x: f"{sign}{x}", st.sampled_from(["", "-"]), unsigned)
    return signed | floats | st.integers(-(2**70), 2**70) | st.sampled_from(["1/3", 5e-324, 0.1])


def built(number, bounds, kind):
    """The construction; None if it is refused."""
    hinges = [{"a": {1: [number[3]]}, "e": number[4], "c": number[5]}, {"a": [number[6]]}]
    with suppress(ConstructError):
        tasks = [
            affine("f", [[number[0]]], [number[1]]),
            relu_sum("g", [hinges], [[number[7]]], b=[number[8]]),
        ]
        R, Ry, delta, grid = map(rational, bounds)
        domain = None if kind == "none" else Domain(R, Ry, delta, grid if kind == "grid" else None)
        return build(tasks, m=1, domain=domain)
    return None


@tried(80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_builds_loads_again_and_means_the_same(tmp_path, data):
    x = long_numbers()
    positive = x.map(lambda t: t.lstrip("-") if isinstance(t, str) else abs(t) or 1)
    made = built(
        [data.draw(x) for _ in range(9)],
        [data.draw(positive) for _ in range(4)],
        data.draw(st.sampled_from(["none", "wide", "grid"])),
    )
    event("built" if made else "refused")
    if made is not None:
        loaded = load(save(made, tmp_path / "artifact"))
        assert same(made, loaded)
        assert first_difference(loaded) is None


def test_a_third_in_500_digits_builds_and_is_read(tmp_path):
    """It was built, and its artifact could not be read."""
    task = {"name": "f", "kind": "affine", "A": [["third"]]}
    text = json.dumps({"tasks": [task]}).replace('"third"', "0." + "3" * 500)
    file = parse_tasks(text)
    made = build(file.tasks, m=1)
    loaded = load(save(made, tmp_path / "artifact"))
    assert same(made, loaded)
    assert loaded.tasks[0]([1]).tolist() == [Fraction(int("3" * 500), 10**500)]


@pytest.mark.parametrize("written", ["0.1", "1e-1", "0.10", '"1/10"'])
def test_a_decimal_in_a_config_is_the_decimal_of_a_task_file(saved, written):
    """0.1 was the double there, and 1/10 in a task file."""
    rewrite(saved, lambda config: config["tasks"][0]["A"][0].__setitem__(1, json.loads(written)))
    text = (saved / CONFIG).read_text()
    plain = f'[["1/3", {json.dumps(json.loads(written))}]'
    assert plain in text
    (saved / CONFIG).write_text(text.replace(plain, f'[["1/3", {written}]'))
    assert load(saved).tasks[0].A[1][0, 1] == Fraction(1, 10)


def test_a_config_with_a_key_twice_is_refused(saved):
    text = (saved / CONFIG).read_text()
    (saved / CONFIG).write_text(text.replace('"version": 2', '"version": 2, "version": 2'))
    with pytest.raises(ConstructError, match="'version' twice"):
        load(saved)


def test_weights_whose_fractions_no_file_holds_are_refused_by_the_build():
    """Sums of hinges with many different long denominators."""
    primes = [10**599 + k for k in (1, 3, 7, 9, 11, 13, 17, 19)]
    features = [[{"a": [1]}]] * len(primes)
    task = relu_sum("f", features, [[Fraction(1, p) for p in primes]])
    with pytest.raises(ConstructError, match="is a fraction of more than 4000 digits"):
        build([task], m=1, domain=Domain(1, 1, 1))


@pytest.mark.parametrize("name", ["R", "Ry", "delta", "grid"])
def test_a_bound_that_no_file_holds_is_refused_by_the_build(name):
    bounds = {"R": 1, "Ry": 1, "delta": 1, name: Fraction(10**700, 3)}
    with pytest.raises(ConstructError, match=f"{name} of the domain is too long"):
        build([affine("f", [[1]])], m=1, domain=Domain(**bounds))


# --- Writing whole or not at all ---------------------------------------------


def contents(folder: Path):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_older_artifact_and_an_empty_folder_are_replaced(tmp_path):
    target = tmp_path / "artifact"
    target.mkdir()
    for entry in ("1/3", "1/5"):
        save(small(entry), target)
        assert same(load(target), small(entry))
    assert os.listdir(tmp_path) == ["artifact"]


def test_missing_parents_are_made(tmp_path):
    assert same(load(save(small(), tmp_path / "a" / "b" / "artifact")), small())


@pytest.mark.parametrize("names", [["notes.txt"], [CONFIG, MODEL, "notes.txt"], [MODEL]], ids=str)
def test_a_folder_with_other_files_is_left_alone(tmp_path, names):
    target = tmp_path / "folder"
    target.mkdir()
    for name in names:
        (target / name).write_text("{}")
    before = contents(target)
    with pytest.raises(ConstructError, match="is not an artifact of construct"):
        save(small(), target)
    assert contents(target) == before


@pytest.mark.parametrize("config", ["{}", '{"architectures": ["LlamaForCausalLM"]}', "not json"])
def test_a_model_folder_of_another_program_is_left_alone(tmp_path, config):
    target = tmp_path / "model"
    target.mkdir()
    (target / CONFIG).write_text(config)
    (target / MODEL).write_bytes(b"weights")
    with pytest.raises(ConstructError, match="is not an artifact of construct"):
        save(small(), target)
    assert contents(target) == {CONFIG: config.encode(), MODEL: b"weights"}


def test_a_file_and_a_link_are_left_alone(tmp_path, saved):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("text")
    link.symlink_to(saved)
    for target in (file, link):
        with pytest.raises(ConstructError, match="is not an artifact"):
            save(small("1/5"), target)
    assert file.read_text() == "text"
    assert link.is_symlink()
    assert same(load(saved), small())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(ConstructError, match=r"cannot write .*artifact"):
        save(small(), tmp_path / "file" / "artifact")


@pytest.mark.parametrize(
    ("call", "failing", "older"),
    [
        ("mkdir", 1, False),
        ("fsync", 1, False),
        ("fsync", 2, False),
        ("fsync", 3, False),
        ("rename", 1, False),
        ("mkdir", 1, True),
        ("fsync", 1, True),
        ("fsync", 2, True),
        ("fsync", 3, True),
        ("rename", 1, True),
        ("rename", 2, True),
    ],
)
def test_a_write_that_fails_leaves_what_was_there_and_no_debris(
    tmp_path, monkeypatch, call, failing, older
):
    target = tmp_path / "artifact"
    if older:
        save(small(), target)
    before = contents(target) if older else None
    real, calls = getattr(os, call), []

    def fail(*args, **options):
        calls.append(args)
        if (len(calls) == failing and call != "mkdir") or "new-" in str(args[0]):
            raise OSError(28, "No space left on device")
        return real(*args, **options)

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ConstructError, match=r"cannot write .*: No space left on device"):
        save(small("1/5"), target)
    assert os.listdir(tmp_path) == (["artifact"] if older else [])
    assert (contents(target) if older else None) == before


# --- Reading what is damaged -------------------------------------------------


@pytest.mark.parametrize("name", [CONFIG, MODEL])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(ConstructError, match=f"cannot read .*{name}"):
        load(saved)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ConstructError, match=r"cannot read .*nowhere.*construct build"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [CONFIG, MODEL])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(saved, name, share):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(ConstructError, match=name):
        load(saved)


def test_every_flipped_byte_of_the_weights_is_noticed(saved):
    content = bytearray((saved / MODEL).read_bytes())
    for place in range(0, len(content), len(content) // 50):
        content[place] ^= 1
        (saved / MODEL).write_bytes(content)
        with pytest.raises(ConstructError, match="corrupted"):
            load(saved)
        content[place] ^= 1


def test_every_changed_digit_of_the_config_is_noticed(saved):
    text = (saved / CONFIG).read_text()
    digits = [i for i, c in enumerate(text) if c.isdecimal()]
    for place in digits[:: len(digits) // 40]:
        changed = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        (saved / CONFIG).write_text(changed)
        with pytest.raises(ConstructError):
            load(saved)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_config_that_is_none_is_refused(saved, content):
    (saved / CONFIG).write_bytes(content)
    with pytest.raises(ConstructError, match=CONFIG):
        load(saved)


def rewrite(saved: Path, change) -> None:
    """Change the config, and make its checksum true again."""
    config = json.loads((saved / CONFIG).read_text())
    change(config)
    config["checksums"][MODEL] = hashlib.sha256((saved / MODEL).read_bytes()).hexdigest()
    config["checksums"][CONFIG] = checksum(config)
    (saved / CONFIG).write_text(json.dumps(config))


@pytest.mark.parametrize("version", [0, 1, "2", None])
def test_another_version_is_named(saved, version):
    rewrite(saved, lambda config: config.update(version=version))
    with pytest.raises(ConstructError, match="this construct reads version 2"):
        load(saved)


def test_a_rewritten_config_with_a_true_checksum_is_read(saved):
    rewrite(saved, lambda config: None)
    assert same(load(saved), small())


@pytest.mark.parametrize(
    "key",
    ["sizes", "domain", "margins", "tasks", "vocabulary", "storage"],
)
def test_a_config_that_lacks_a_part_is_refused(saved, key):
    rewrite(saved, lambda config: config.pop(key))
    with pytest.raises(ConstructError):
        load(saved)


NAME = "layers.3.heads.0.W_Q"


def damaged(tensors: dict, how: str) -> tuple[dict, str]:
    """The tensors with one fault, and the name of the faulty one."""
    at, values, place = tensors[f"{NAME}.at"], tensors[NAME], f"{NAME}.at"
    low = at - np.array([[0], [20]], dtype=np.int32)
    faults = {
        "missing": (NAME, None),
        "missing places": (place, None),
        "surplus": ("surplus", np.zeros(1)),
        "shape": (NAME, np.zeros((1, 1))),
        "length": (NAME, values[1:]),
        "type": (NAME, values.astype(np.float32)),
        "type of places": (place, at.astype(np.int64)),
        "one axis": (place, at[0]),
        "three axes": (place, np.stack([at, at])),
        "place below 0": (place, low),
        "place too far": (place, at + np.int32(100)),
        "unsorted": (place, np.ascontiguousarray(at[:, ::-1])),
        "twice": (place, np.zeros_like(at)),
        "exact without places": ("layers.3.heads.0.W_K.exact.at", None),
        "exact of an idle weight": ("layers.0.heads.0.W_Q.exact", np.zeros((2, 1), np.int64)),
    }
    name, tensor = faults[how]
    changed = {k: v for k, v in tensors.items() if k != name}
    return changed if tensor is None else changed | {name: tensor}, name


FAULTS = (
    "missing",
    "missing places",
    "surplus",
    "shape",
    "length",
    "type",
    "type of places",
    "one axis",
    "three axes",
    "place below 0",
    "place too far",
    "unsorted",
    "twice",
    "exact without places",
    "exact of an idle weight",
)


@pytest.mark.parametrize("how", FAULTS)
def test_a_faulty_tensor_is_named(saved, how):
    tensors, name = damaged(tensors_of(saved), how)
    replace_model(saved, tensors)
    with pytest.raises(ConstructError, match=name.removesuffix(".at").removesuffix(".exact")):
        load(saved)


# --- Claims with true checksums ------------------------------------------------


def rich():
    tasks = [
        affine("sum", {1: [[1]], 2: [["1/3"]]}),
        relu_sum("kink", [[{"a": {2: [1]}}]], [[2]]),
        affine("first", [[-1]], [2]),
    ]
    return build(tasks, m=2, domain=Domain(2, 8, 1))


def worded():
    return build([lookup("t", TABLE, vocabulary=WORDS)], m=2, vocabulary=WORDS)


def claims(value, path=()):
    """The path of everything that a config holds, lists and objects included."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from claims(value[key], (*path, key))


def kinds_of_claims(config):
    """A path of each kind: of entries of a list, and of tensors, the last."""
    kinds = {}
    for path in claims(config):
        if path and path[0] != "checksums":
            keys = ["*" if type(key) is int or "." in key else key for key in path]
            kinds[tuple(keys)] = path
    return kinds.values()


def others(value):
    """Other values of the same kind, and of another."""
    match value:
        case bool() | None:
            return [1]
        case int():
            return [value + 1, -value, 2**70, str(value + 1)]
        case str():
            return ["", value + "0", 1]
        case list():
            return [value[::-1], value[1:], [*value, *value[:1]]]
        case dict():
            keys = [*value]
            exchanged = dict(zip(keys, [*value.values()][::-1], strict=True))
            return [exchanged, {k: value[k] for k in keys[1:]}, {**value, "x": 1}, []]


# What cannot be derived: a file that says another thing here is another artifact.
SAID = [("tasks",), ("domain",), ("vocabulary",), ("sizes", "m"), ("sizes", "n"), ("sizes", "d")]


@pytest.mark.parametrize("make", [small, rich, worded])
def test_every_claim_of_a_config_is_refused_or_not_believed(tmp_path, make):
    made, target = make(), tmp_path / "artifact"
    save(made, target)
    text = (target / CONFIG).read_text()
    tried = 0
    for path in kinds_of_claims(json.loads(text)):
        for k in range(4):
            config = place = json.loads(text)
            for step in path[:-1]:
                place = place[step]
            wanted = others(place[path[-1]])[k : k + 1]
            if not wanted or wanted[0] == place[path[-1]]:
                continue
            place[path[-1]] = wanted[0]
            (target / CONFIG).write_text(json.dumps(config))
            rewrite(target, lambda config: None)
            tried += 1
            try:
                loaded = load(target)
            except ConstructError:
                continue
            if any(path[: len(said)] == said for said in SAID) or path == ("sizes",):
                as_it_says(loaded, config)
            else:
                assert same(loaded, made), (path, wanted)
    assert tried > 120


def as_it_says(loaded, config):
    """Whether an artifact of other tasks or another domain is judged as such."""
    assert loaded.domain == Domain.from_json(config["domain"])
    words = loaded.vocabulary is not None
    assert to_json([t.as_json(words=words) for t in loaded.tasks]) == config["tasks"]
    assert [h.name for h in loaded.transformer.layers[3].heads] == [t.name for t in loaded.tasks]
    anew = build(
        loaded.tasks,
        m=loaded.sizes.m,
        n=loaded.sizes.n,
        domain=loaded.domain,
        vocabulary=loaded.vocabulary,
    )
    if loaded.margins == anew.margins:
        assert loaded.certificates == anew.certificates
        assert (first_difference(loaded) is None) == same(loaded, anew)


def test_load_derives_what_it_does_not_read_without_compiling(saved, monkeypatch):
    """A build takes seconds at sizes at which a load takes less than one."""

    def refuse(*args):
        raise AssertionError("a weight was emitted")

    monkeypatch.setattr("construct.network.primitives._stack", refuse)
    assert load(saved).certified == ("float32", "float64")
    with pytest.raises(AssertionError, match="a weight was emitted"):
        small()


def test_layers_exchanged_in_the_config_are_where_they_belong(saved):
    """The names and reaches of layers 2 and 4 exchanged gave votes 8 and 0 for 1 and 2."""

    def exchange(config):
        one, other = config["layers"][1], config["layers"][3]
        config["layers"][1], config["layers"][3] = other, one

    rewrite(saved, exchange)
    assert same(load(saved), small())


def test_a_certificate_is_not_read(tmp_path):
    """A domain with a label bound so large that no float format is certified."""
    made = build([affine("f", [[1]])], m=2, domain=Domain(10**9, 10**9, 1))
    assert made.certified == ()
    saved = save(made, tmp_path / "artifact")
    rewrite(saved, lambda config: config.update(certificates={"float32": [], "float64": []}))
    assert load(saved).certified == ()


@pytest.mark.parametrize(
    ("margin", "value", "said"),
    [
        ("B", 3, "is 3; it must be a power of two"),
        ("B", 0, "is 0; it must be a power of two"),
        ("B", -4, "is -4; it must be a power of two"),
        ("C", "1/3", "is 1/3; it must be a power of two"),
        ("s", "1/2", "is 1/2; it must be a power of two, at least 1"),
        ("s", None, "is None; write a finite number"),
        ("B", 1024, "is 1024, but the weights hold 16"),
        ("C", 2**20, "is 1048576, but the weights hold"),
        ("s", 4096, "is 4096, but the weights hold 2"),
    ],
)
def test_margins_that_are_not_in_the_weights_are_refused(saved, margin, value, said):
    rewrite(saved, lambda config: config["margins"].update({margin: value}))
    with pytest.raises(ConstructError, match=rf"margin {margin} in config.json {said}"):
        load(saved)


@pytest.mark.parametrize("change", [{"Ry": 10**6}, {"R": 10**6, "Ry": 10**6}, {"delta": "1/64"}])
def test_margins_too_small_for_the_domain_are_refused(saved, change):
    """The weights are what the tasks compile to for these margins; votes would be wrong."""
    rewrite(saved, lambda config: config["domain"].update(change))
    with pytest.raises(ConstructError, match=r"B = .* and C = .* are too small for its tasks and"):
        load(saved)


def test_larger_margins_than_a_build_would_choose_are_judged_as_they_are(saved):
    rewrite(saved, lambda config: config["domain"].update(delta=1))
    loaded = load(saved)
    anew = build(loaded.tasks, m=loaded.sizes.m, n=loaded.sizes.n, domain=loaded.domain)
    assert loaded.margins.B > anew.margins.B
    assert loaded.certificates == certify(
        loaded.sizes, loaded.wiring, loaded.domain, loaded.margins
    )
    assert first_difference(loaded) is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(saved, value):
    tensors = tensors_of(saved)
    tensors["W_pos"][0] = value
    replace_model(saved, tensors)
    with pytest.raises(ConstructError, match="W_pos is not finite"):
        load(saved)


def test_two_tasks_of_one_name_are_refused(saved):
    rewrite(saved, lambda config: config["tasks"].append(config["tasks"][0]))
    with pytest.raises(ConstructError, match="rename one"):
        load(saved)


OLD = json.loads((Path(__file__).parent / "old" / "version2.json").read_text())


@pytest.mark.parametrize("name", OLD)
def test_artifacts_saved_before_load_and_answer_the_same(tmp_path, name):
    """Built when load still compared the config with itself: its claims are not read."""
    old = OLD[name]
    for file, key in ((CONFIG, "config"), (MODEL, "model")):
        (tmp_path / file).write_bytes(zlib.decompress(base64.b64decode(old[key])))
    loaded = load(tmp_path)
    assert first_difference(loaded) is None
    assert list(loaded.certified) == old["certified"]
    answer = run(loaded, Prompt.of(old["examples"], old["query"]), executor="exact")
    assert [str(x) for x in answer.answer] == old["answer"]
    assert list(answer.votes) == old["votes"]


def tensors_of(saved: Path) -> dict:
    return read_tensors((saved / MODEL).read_bytes())


def replace_model(saved: Path, tensors: dict, large: dict | None = None) -> None:
    metadata = {"exact": json.dumps(large or {})}
    (saved / MODEL).write_bytes(write_tensors(tensors, metadata=metadata))
    rewrite(saved, lambda config: None)


def test_tensors_written_back_are_read(saved):
    replace_model(saved, tensors_of(saved))
    assert same(load(saved), small())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((-1, 0), (1, 3)),
        ((500, 0), (1, 3)),
        ((0, 500), (1, 3)),
        ((0, 0), (1, 3)),
        ((0, 26), (0, 1)),
        ((0, 26), (1, 0)),
        ((0, 26), (2, -6)),
        ((0, 26), (4, 2)),
        ((0, 26), (2**62 + 1, 2**62)),
    ],
    ids=str,
)
def test_exact_values_that_no_entry_rounds_are_refused(saved, place, value):
    # Unit 1 of the table writes s/1 = 2 to rec, the last coordinate of 27.
    assert small().transformer.layers[5].mlp.W_out[0, -1] == 2
    name, tensors = "layers.5.mlp.W_out", tensors_of(saved)
    tensors[f"{name}.exact"] = np.array(value, dtype=np.int64)[:, None]
    tensors[f"{name}.exact.at"] = np.array(place, dtype=np.int32)[:, None]
    replace_model(saved, tensors)
    with pytest.raises(ConstructError, match=r"exact|not a whole artifact"):
        load(saved)


@pytest.mark.parametrize(
    ("tensor", "place", "value"),
    [
        ("W_E", "0,0", "1/3"),
        ("layers.5.mlp.W_out", "-1,0", "1/3"),
        ("layers.5.mlp.W_out", "500,0", "1/3"),
        ("layers.5.mlp.W_out", "0,0", "0"),
        ("layers.5.mlp.W_out", "0,0", "1e400"),
        ("layers.5.mlp.W_out", "0,0", "abc"),
        ("layers.5.mlp.W_out", "0", "1/3"),
        ("layers.5.mlp.W_out", "0,0,0", "1/3"),
    ],
)
def test_large_exact_values_that_no_entry_rounds_are_refused(saved, tensor, place, value):
    replace_model(saved, tensors_of(saved), {tensor: {place: value}})
    with pytest.raises(ConstructError, match=r"exact|not a whole|not one of"):
        load(saved)


def test_an_exact_value_twice_at_one_place_is_refused(tmp_path):
    saved = save(build([affine("f", [[Fraction(1, 3**50)]])], m=1), tmp_path / "artifact")
    model = (saved / MODEL).read_bytes()
    length = int.from_bytes(model[:8], "little")
    large = json.loads(json.loads(model[8 : 8 + length])["__metadata__"]["exact"])
    [(place, value)] = large["layers.3.heads.0.W_K"].items()
    large["layers.3.heads.0.W_K"] = {f"0{place}": "1/7", place: value}
    replace_model(saved, tensors_of(saved), large)
    with pytest.raises(ConstructError, match="W_K is given an exact value twice"):
        load(saved)


# --- Sparse and dense ----------------------------------------------------------


LARGE = ["1/3", Fraction(1, 3**50), 2**60 + 1, Fraction(10**30, 7)]


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("entry", LARGE, ids=str)
def test_exact_values_of_any_size_survive_in_both_forms(tmp_path, entry, dense):
    made = build([affine("f", [[entry]], [Fraction(1, 7)])], m=3)
    loaded = load(save(made, tmp_path / "artifact", dense=dense))
    assert same(made, loaded)
    held = {x for e in loaded.transformer.exact_entries().values() for x in e.values()}
    assert Fraction(entry) in held


@pytest.mark.parametrize("dense", [False, True])
def test_the_smallest_numbers_survive(tmp_path, dense):
    """1e-310 is a subnormal; 1e-390 is 0 as a float and stays exact."""
    task = affine("f", [[Fraction(1, 10**310), 0], [0, Fraction(1, 10**390)]])
    made = build([task], m=1)
    loaded = load(save(made, tmp_path / "artifact", dense=dense))
    assert same(made, loaded)


def test_a_dense_artifact_holds_each_weight_as_a_matrix(tmp_path):
    made = small()
    tensors = tensors_of(save(made, tmp_path / "artifact", dense=True))
    wanted = made.transformer.tensors()
    assert {name for name in tensors if ".exact" not in name} == set(wanted)
    assert all(tensors[name].tolist() == wanted[name].tolist() for name in wanted)


def test_a_sparse_artifact_is_read_with_three_lines_of_numpy(tmp_path):
    made = small()
    saved = save(made, tmp_path / "artifact")
    tensors, shapes = tensors_of(saved), json.loads((saved / CONFIG).read_text())["tensors"]
    for name, wanted in made.transformer.tensors().items():
        W = np.zeros(shapes[name])
        if name in tensors:
            W[tuple(tensors[f"{name}.at"])] = tensors[name]
        assert W.tolist() == wanted.tolist()


def test_a_dense_file_that_says_it_is_sparse_is_refused(tmp_path):
    saved = save(small(), tmp_path / "artifact", dense=True)
    rewrite(saved, lambda config: config.update(storage="sparse"))
    with pytest.raises(ConstructError, match="missing"):
        load(saved)


def test_the_size_on_disk_is_that_of_the_non_zeros(tmp_path):
    made = build(random_tasks(16, 32), m=256)
    saved = save(made, tmp_path / "artifact")
    size = sum(path.stat().st_size for path in saved.iterdir())
    assert size <= 3 * 8 * made.transformer.nonzeros + 65_536


# --- Reach -----------------------------------------------------------------------


def test_the_reach_is_stored_by_head_and_comes_back(saved):
    config = json.loads((saved / CONFIG).read_text())
    [head] = config["layers"][3]["heads"]
    assert head["reach"] == {"asks": ["all", 0], "reads": ["own", "own"]}
    assert config["layers"][5]["mlp"]["acts"] == [2, 1]
    loaded, made = load(saved).transformer, small().transformer
    for one, other in zip(loaded.layers, made.layers, strict=True):
        assert [h.reach for h in one.heads] == [h.reach for h in other.heads]
        assert one.mlp.acts == other.mlp.acts


def test_another_reach_is_not_believed(saved):
    def narrow(config):
        config["layers"][4]["heads"][0]["reach"]["reads"] = [0, 0]

    rewrite(saved, narrow)
    assert same(load(saved), small())
