import hand
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


def test_no_weight_asks_for_a_gradient_and_products_are_not_tf32():
    prepare("torch", hand.by_hand())
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not any(w.requires_grad for w in TransformerModule(hand.by_hand()).parameters())
