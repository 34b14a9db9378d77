"""TransformerLens 4: the mixture, named fields by hooks, and patches that move the answer."""

from fractions import Fraction as Q

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from construct import CheckFailed, ConstructError, build, lookup, prepare, save
from construct.interop import transformerlens
from construct.interop.export import export
from construct.interop.transformerlens import folder as target
from construct.interop.transformerlens import native
from construct.reading import embedded
from exported import (
    ASKED,
    CASES,
    PROMPT,
    answers_of,
    asked,
    assert_gives_the_mixture,
    assert_is_the_answer,
    in_proportion,
    of_vectors,
    of_words,
)

TEXT = "\n".join([*PROMPT, ASKED])
# France -> Paris: capital; Japan -> yen: money; Tokyo -> Japan: back; yen -> euro: none;
# Japan -> Tokyo: capital. The label of example i stands at token 2 i.
VOTES = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0), (1, 0, 0)]
CAPITAL, MONEY, BACK, NOTHING = (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)
# What each task gives for France.
GIVES = {CAPITAL: "Paris", MONEY: "euro", BACK: "none"}


@pytest.fixture(scope="module")
def model():
    """The decoder of words in float64; the first test waits for TransformerLens' import."""
    return transformerlens.load(of_words(), "float64")


def field(made, name: str) -> slice:
    return made.sizes.residual[name].at


def shares(logits) -> dict[str, float]:
    """Of the last token: word -> share, BOS under "none"."""
    found = logits[0, -1].detach().double().softmax(-1).tolist()
    return dict(zip([*of_words().vocabulary.words, "none"], found, strict=True))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES)
def test_every_softmax_design_gives_the_mixture(case, dtype):
    made = CASES[case]()
    loaded = transformerlens.load(made, dtype)
    assert_gives_the_mixture(made, transformerlens.forward(made, loaded), dtype)


def test_text_is_taken_one_by_one_and_as_a_padded_batch(model):
    made = of_words()
    assert model.to_tokens(TEXT).tolist() == transformerlens.tokens(made, asked(made)).tolist()
    both = model(["Japan -> yen\nFrance ->", TEXT])
    alone = [model("Japan -> yen\nFrance ->"), model(TEXT)]
    for row, one in zip(both, alone, strict=True):
        assert torch.equal(row[: one.shape[1]].argmax(-1), one[0].argmax(-1))
        assert torch.allclose(row[: one.shape[1]], one[0], rtol=0, atol=2**-40)


@pytest.mark.parametrize("case", CASES)
def test_the_stream_after_each_block_is_ours_by_its_hook(case):
    made = CASES[case]()
    loaded, prompt = transformerlens.load(made, "float64"), _any(made)
    _, cache = loaded.run_with_cache(transformerlens.tokens(made, prompt, "float64"))
    stream = embedded(made, [prompt])[0]
    states = prepare("numpy", made.transformer, "float64")(stream, trace=True).states
    for i, state in enumerate(states[1:]):
        found = cache[f"blocks.{i}.hook_resid_post"][0].detach().numpy()
        assert np.allclose(found, state[: len(found)], rtol=2**-40, atol=2**-40)


def _any(made):
    from construct.checking.sampling import random_prompts

    return random_prompts(made, 1)[0].astype("float64")


def test_a_reader_finds_the_votes_at_labels_and_the_counts_at_the_query(model):
    made = of_words()
    logits, cache = model.run_with_cache(TEXT)
    votes = cache["blocks.0.hook_resid_post"][0, :, field(made, "vote")].detach().numpy()
    wanted = np.zeros_like(votes)
    wanted[2::2] = VOTES
    assert abs(votes - wanted).max() <= made.leak
    counts = cache["blocks.1.hook_attn_out"][0, -1, field(made, "count")].detach().numpy()
    assert counts.round(9).tolist() == [2, 1, 1]
    assert shares(logits)["Paris"] == pytest.approx(0.5, abs=float(made.error["float64"]))
    # Head k of the first layer is that of task k: from a label to its own input, or to BOS.
    pattern = cache["blocks.0.attn.hook_pattern"][0].argmax(-1)
    assert pattern[:, 2::2].tolist() == [[1, 0, 0, 0, 9], [0, 3, 0, 0, 0], [0, 0, 5, 0, 0]]


# hook, token, field, and what is there: the table of docs/interop.md for a decoder of words.
HOOKS = [
    ("blocks.0.hook_resid_pre", 3, "tok", [0, 0, 0, 1, 0, 0]),  # Japan
    ("blocks.0.hook_resid_pre", 3, "x", [1]),
    ("blocks.0.hook_resid_pre", 0, "sink", [1]),
    ("blocks.0.hook_attn_out", 4, "vote", MONEY),
    ("blocks.0.hook_resid_post", 4, "vote", MONEY),
    ("blocks.1.hook_attn_out", -1, "count", [2, 1, 1]),
    ("blocks.1.hook_resid_mid", -1, "count", [2, 1, 1]),
    ("blocks.1.hook_mlp_out", -1, "out", [0, 2, 1, 0, 0, 0]),  # Paris, euro
    ("blocks.1.hook_mlp_out", -1, "none", [1]),
    ("blocks.1.hook_resid_post", -1, "out", [0, 2, 1, 0, 0, 0]),
    ("blocks.1.hook_resid_post", -1, "tok", [0] * 6),
    ("blocks.2.hook_mlp_out", -1, "tok", [-128, np.log(2), 0, -128, -128, -128]),
    ("blocks.2.hook_resid_post", -1, "tok", [-128, np.log(2), 0, -128, -128, -128]),
    ("blocks.2.hook_resid_post", -1, "stop", [0]),
]


def test_named_fields_stand_at_the_hooks_of_the_table(model):
    _, cache = model.run_with_cache(TEXT)
    for hook, token, name, wanted in HOOKS:
        found = cache[hook][0, token, field(of_words(), name)].detach().numpy()
        assert np.allclose(found, wanted, rtol=0, atol=2**-40), (hook, name)
    logits = cache["unembed.hook_out"][0, -1].detach().numpy()
    assert np.allclose(logits, [-128, np.log(2), 0, -128, -128, -128, 0], rtol=0, atol=2**-40)
    # What the units of the second block fire: c_k where the word is that of the unit.
    fired = cache["blocks.1.mlp.hook_post"][0, -1]
    assert sorted(round(x) for x in fired[fired > 0.5].tolist()) == [1, 1, 1, 2]


@pytest.mark.parametrize("label", range(5))
@pytest.mark.parametrize("to", [CAPITAL, MONEY, BACK, NOTHING])
def test_a_patched_vote_moves_its_share_of_the_answer(model, label, to):
    """Of c votes in all each is 1/c of the answer."""
    made = of_words()

    def patch(stream, hook):
        stream[0, 2 + 2 * label, field(made, "vote")] = torch.tensor(to, dtype=stream.dtype)
        return stream

    logits = model.run_with_hooks(TEXT, fwd_hooks=[("blocks.0.hook_resid_post", patch)])
    counts = np.sum([vote if i != label else to for i, vote in enumerate(VOTES)], axis=0)
    wanted = {word: Q(0) for word in [*made.vocabulary.words, "none"]}
    for task, count in zip((CAPITAL, MONEY, BACK), counts.tolist(), strict=True):
        wanted[GIVES[task]] += Q(count, int(counts.sum()))
    for word, share in shares(logits).items():
        assert abs(Q(share) - wanted[word]) <= made.error["float64"]


def test_a_vote_from_one_task_to_another_moves_exactly_one_of_c(model):
    made, c = of_words(), 4

    def patch(stream, hook):
        stream[0, 2, field(made, "vote")] = torch.tensor(MONEY, dtype=stream.dtype)
        return stream

    before = shares(model(TEXT))
    after = shares(model.run_with_hooks(TEXT, fwd_hooks=[("blocks.0.hook_resid_post", patch)]))
    moved = {word: Q(after[word]) - Q(before[word]) for word in before}
    allowed = 2 * made.error["float64"]
    for word, share in {"Paris": Q(-1, c), "euro": Q(1, c), "none": 0, "Tokyo": 0}.items():
        assert abs(moved[word] - share) <= allowed < Q(1, 10**12)


# --- What is loaded is compared -----------------------------------------------------


@pytest.mark.parametrize(
    "name", ["embed.weight", "blocks.0.attn.q.weight", "blocks.1.mlp.in.weight"]
)
def test_a_weight_that_stays_zero_is_found(monkeypatch, name):
    """Aliases of the state dict once left zeros under a name, without an error."""
    given = native.state

    def some(*arguments):
        found = given(*arguments)
        found[name][:] = 0
        return found

    monkeypatch.setattr(native, "state", some)
    with pytest.raises(CheckFailed, match="differs by"):
        transformerlens.load(of_words())


def test_every_weight_of_the_model_is_given(model):
    """Whatever its forward pass reads: none is left as it was when it was made."""
    given = {
        (array.shape, array.tobytes()) for array in native.state(of_words(), "float64").values()
    }
    for name, parameter in model.original_model.named_parameters():
        array = parameter.detach().numpy()
        assert (array.shape, array.tobytes()) in given, name


# --- What is refused ------------------------------------------------------------------


def test_what_cannot_be_loaded_is_refused(tmp_path):
    with pytest.raises(ConstructError, match="ReLU attention"):
        transformerlens.load(of_words("theorem"))
    with pytest.raises(ConstructError, match="source is 3; it must be a folder or"):
        transformerlens.load(3)
    with pytest.raises(ConstructError, match="dtype is 16; it must be a text"):
        transformerlens.load(of_words(), 16)
    with pytest.raises(ConstructError, match="float16 is not certified for this artifact"):
        transformerlens.load(of_words(), "float16")


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("3.9.0", r"needs transformer-lens 4.0 or newer, and 3.9.0 is installed; upgrade"),
        (None, r"needs the package transformer-lens, which is not installed; install"),
    ],
)
def test_a_library_that_is_missing_or_too_old_is_named_with_its_extra(
    version, message, monkeypatch
):
    from importlib import metadata

    def found(name: str) -> str:
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", found)
    with pytest.raises(ConstructError, match=message) as told:
        transformerlens.load(of_words())
    assert str(told.value).endswith("pip install 'construct-icl[transformerlens]'")


# --- A folder ---------------------------------------------------------------------------


def test_an_artifact_is_loaded_from_its_folder(tmp_path, model):
    save(of_words(), tmp_path / "words")
    loaded = transformerlens.load(tmp_path / "words")
    assert loaded.W_E.dtype == torch.float32
    assert loaded.to_tokens(TEXT).tolist() == model.to_tokens(TEXT).tolist()


def page_of(folder) -> str:
    """The code that its page shows."""
    page = (folder / "README.md").read_text(encoding="utf-8")
    return page.split("```python\n")[1].split("```")[0]


@pytest.mark.parametrize("case", CASES)
def test_the_page_of_every_design(case, tmp_path, monkeypatch, capsys):
    made = CASES[case]()
    done = export(made, "transformerlens", tmp_path / "out", dtype="float64")
    tensors = load_file(done.folder / target.MODEL)
    assert sum(t.nbytes for t in tensors.values()) == target.cost(made, "float64")
    monkeypatch.chdir(done.folder)
    code = page_of(done.folder)
    assert code.count("\n") <= 15 or case != "words-decoder"
    exec(code, {})
    assert_is_the_answer(made, capsys.readouterr().out, "float64")


def test_the_cost_of_fewer_words_is_no_less_than_they_take():
    for design in ("decoder", "encoder"):
        large, small = in_proportion(90, design), in_proportion(20, design)
        told = target.cost(large, "float32", 20)
        assert target.cost(small, "float32") <= told < target.cost(large, "float32")
        assert target.cost(large, "float32", 90) == target.cost(large, "float32")


def test_a_folder_whose_weights_were_changed_is_found(tmp_path, model):
    made = of_vectors()
    done = export(made, "transformerlens", tmp_path / "out", dtype="float64")
    tensors = load_file(done.folder / target.MODEL)
    tensors["blocks.3.attn.o.weight"] *= 2
    save_file(tensors, done.folder / target.MODEL)
    from construct.interop.comparison import compare

    with pytest.raises(CheckFailed, match="differs by"):
        compare(made, target.load(made, done.folder, "float64"), "float64", lambda *_: None)


def test_words_that_no_stock_tokenizer_can_tell_apart_are_taken_by_number(tmp_path):
    from construct import Vocabulary

    words = Vocabulary(["a", "b -> c", "d"])
    task = lookup("t", {"a": "d", "d": "a"}, vocabulary=words)
    made = build([task], m=2, vocabulary=words, design="decoder", format="Q: {1}\nA: {y}")
    loaded = transformerlens.load(made)
    assert_gives_the_mixture(made, transformerlens.forward(made, loaded), "float32")
    done = export(made, "transformerlens", tmp_path / "out")
    assert (done.folder / "README.md").is_file()
    assert answers_of(made, np.zeros((1, 4))).tolist() == [[0.25] * 3]
