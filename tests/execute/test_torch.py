import doctest

import hand
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

import construct
from construct import Prompt, affine, build, embed, load, prepare, save
from construct.execute import torch_
from construct.execute.torch_ import TransformerModule
from definitions import forward


def test_parameters_are_the_tensors_of_the_artifact_by_name():
    construction = build([affine("f", [[1]]), affine("g", [[2]])], m=2)
    tensors = construction.transformer.tensors()
    state = TransformerModule(construction.transformer).state_dict()
    assert state.keys() == tensors.keys()
    assert all(state[name].numpy().tolist() == w.tolist() for name, w in tensors.items())


def test_a_module_of_other_weights_takes_the_artifacts_weights():
    one, other = (build([affine("f", [[a]])], m=2).transformer for a in (1, 2))
    first, second = TransformerModule(one), TransformerModule(other)
    stream = torch.from_numpy(embed(one, Prompt.of([[[1], [1]]], [[3]]).astype("float64")))
    assert first(stream)[0].tolist() != second(stream)[0].tolist()
    second.load_state_dict(first.state_dict())
    assert first(stream)[0].tolist() == second(stream)[0].tolist()


def of_thirds(a: str) -> construct.Construction:
    """Float64 rounds some of its weights, in heads and in MLPs."""
    return build([affine("f", [[a]]), affine("g", [[2]])], m=3)


def saved(folder, dense: bool) -> dict[str, torch.Tensor]:
    return load_file(save(of_thirds("1/3"), folder / "a", dense=dense) / "model.safetensors")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_file_of_whole_matrices_is_loaded_strictly(tmp_path, dtype):
    file = saved(tmp_path, dense=True)
    exact = {name.partition(".exact")[0] for name in file if ".exact" in name}
    assert {name.rpartition(".")[2] for name in exact} >= {"W_Q", "W_out"}
    module = TransformerModule(of_thirds("5/3").transformer, dtype)
    assert str(module.load_state_dict(file)) == "<All keys matched successfully>"
    wanted = TransformerModule(of_thirds("1/3").transformer, dtype).state_dict()
    assert all(torch.equal(module.state_dict()[name], w) for name, w in wanted.items())
    # As a part of a larger module too.
    whole = torch.nn.ModuleDict({"a": TransformerModule(of_thirds("5/3").transformer)})
    whole.load_state_dict({f"a.{name}": w for name, w in file.items()})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.pop("layers.3.heads.0.W_Q"), "Missing key"),
        (lambda file: file.update({"layers.3.heads.0.W_X": torch.ones(1)}), "Unexpected key"),
        (lambda file: file.update({"layers.3.heads.0.W_Q.at": torch.ones(1)}), "Unexpected key"),
        (lambda file: file.update({"layers.3.heads.0.W_X.exact": torch.ones(1)}), "Unexpected key"),
        (lambda file: file.update({"W_E.exact": torch.ones(1)}), "Unexpected key"),
        (lambda file: file.update({"W_E": torch.ones(2, 2)}), "size mismatch"),
    ],
)
def test_a_file_of_other_tensors_is_refused(tmp_path, change, said):
    file = saved(tmp_path, dense=True)
    change(file)
    with pytest.raises(RuntimeError, match=said):
        TransformerModule(of_thirds("1/3").transformer).load_state_dict(file)


def test_a_file_of_non_zeros_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="Unexpected key"):
        TransformerModule(of_thirds("1/3").transformer).load_state_dict(saved(tmp_path, False))


@pytest.mark.parametrize("dense", [False, True])
def test_the_recipes_of_the_docstring_run(tmp_path, monkeypatch, dense):
    monkeypatch.chdir(tmp_path)
    made = of_thirds("1/3")
    save(made, "turn-and-flip", dense=dense)
    names = {"construct": construct, "load_file": load_file, "TransformerModule": TransformerModule}
    [recipe] = doctest.DocTestFinder(recurse=False).find(TransformerModule, "module", globs=names)
    assert len(recipe.examples) == 2
    if not dense:
        del recipe.examples[1]
    runner = doctest.DocTestRunner()
    assert runner.run(recipe, clear_globs=False).failed == 0
    state = recipe.globs["module"].state_dict()
    tensors = made.transformer.tensors()
    assert state.keys() == tensors.keys()
    assert all(state[name].numpy().tolist() == w.tolist() for name, w in tensors.items())


def test_the_module_has_weights_of_its_own():
    transformer = build([affine("f", [[1]])], m=2).transformer
    module = TransformerModule(transformer)
    module.W_U.zero_()
    assert transformer.W_U.any()


def test_a_loaded_artifact_runs_without_a_warning(tmp_path):
    # Its arrays are read-only; warnings are errors here.
    saved = save(build([affine("f", [[1]])], m=2), tmp_path / "artifact")
    transformer = load(saved).transformer
    prepare("torch", transformer)(transformer.W_pos)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_module_is_the_definition(seed):
    model, batch = hand.random(seed)
    stream, attended, states = TransformerModule(model)(torch.from_numpy(batch))
    wanted, totals = forward(model, batch)
    # The numbers are dyadic and small: float64 holds them exactly.
    assert torch.stack(states).tolist() == wanted.tolist()
    assert stream.tolist() == wanted[-1].tolist()
    assert attended.tolist() == totals.tolist()


def test_no_weight_asks_for_a_gradient():
    assert not any(w.requires_grad for w in TransformerModule(hand.by_hand()).parameters())


@pytest.mark.parametrize("asked", ["highest", "high", "medium"])
def test_products_are_ieee_whatever_the_process_asks_for_and_its_setting_stays(asked, monkeypatch):
    seen = []
    run_layers = torch_.run_layers

    def spy(*given):
        seen.append([backend.fp32_precision for backend in BACKENDS])
        return run_layers(*given)

    monkeypatch.setattr(torch_, "run_layers", spy)
    torch.set_float32_matmul_precision(asked)
    try:
        before = [backend.fp32_precision for backend in BACKENDS]
        done = prepare("torch", hand.by_hand(), "float32")(hand.STREAM)
        assert [backend.fp32_precision for backend in BACKENDS] == before
        assert torch.get_float32_matmul_precision() == asked
    finally:
        torch.set_float32_matmul_precision("highest")
    assert seen == [["ieee", "ieee"]]
    assert done.stream.tolist() == hand.AFTER


BACKENDS = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul
