import hand
import pytest
import torch

from construct import Prompt, affine, build, embed, load, prepare, save
from construct.execute.torch_ import TransformerModule


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


def test_no_weight_asks_for_a_gradient():
    assert not any(w.requires_grad for w in TransformerModule(hand.by_hand()).parameters())


@pytest.mark.parametrize("asked", ["highest", "high", "medium"])
def test_products_are_ieee_whatever_the_process_asks_for_and_its_setting_stays(asked, monkeypatch):
    seen = []
    forward = TransformerModule.forward

    def spy(module, h):
        seen.append([backend.fp32_precision for backend in BACKENDS])
        return forward(module, h)

    monkeypatch.setattr(TransformerModule, "forward", spy)
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
