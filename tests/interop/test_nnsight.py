"""nnsight: the folder that is exported for Hugging Face, traced and patched.

In a process of its own: importing nnsight gives every Python object a method `save`.
"""

import json
import subprocess
import sys
from fractions import Fraction as Q

import numpy as np
import pytest

from construct import mixture
from construct.interop.export import export
from exported import ASKED, PROMPT, asked, of_words

SCRIPT = """
import json, sys, torch
from pathlib import Path
from nnsight import TransformersModel

model = TransformersModel(
    "out", task="text-generation", dtype=torch.float64, dispatch=True, attn_implementation="eager"
)
about = json.loads(Path("out/construct.json").read_text())
fields = {
    one["field"]: slice(one["start"], one["start"] + one["width"])
    for one in about["residual_stream"]
}
text, blocks, said = Path("prompt.txt").read_text(), model.transformer.h, {}
with torch.no_grad(), model.trace(text):
    tokens = blocks[0].input[0, :, fields["tok"]].save()
    pattern = blocks[0].attn.output[1][0].save()
    votes = blocks[0].output[0, :, fields["vote"]].save()
    counts = blocks[1].attn.output[0][0, -1, fields["count"]].save()
    fired = blocks[1].mlp.act.output[0, -1].save()
    out = blocks[1].mlp.output[0, -1, fields["out"]].save()
    logits = blocks[2].output[0, -1, fields["tok"]].save()
    shares = model.lm_head.output[0, -1].softmax(-1).save()
with torch.no_grad(), model.trace(text):
    blocks[0].output[0, 2, fields["vote"]] = torch.tensor([0.0, 1, 0], dtype=torch.float64)
    patched = model.lm_head.output[0, -1].softmax(-1).save()
names = "tokens pattern votes counts fired out logits shares patched"
print(json.dumps({name: globals()[name].tolist() for name in names.split()}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What one trace saves, and the shares of all words after a patch."""
    folder = tmp_path_factory.mktemp("nnsight")
    export(of_words(), "huggingface", folder / "out", dtype="float64")
    (folder / "prompt.txt").write_text("\n".join([*PROMPT, ASKED]))
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return {name: np.array(found) for name, found in json.loads(ran.stdout).items()}


def test_a_trace_reads_the_votes_and_the_mixture(said):
    wanted = np.zeros((12, 3))
    wanted[[2, 4, 6, 10]] = [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]
    assert np.allclose(said["votes"], wanted, rtol=0, atol=2**-40)
    made = of_words()
    answer = mixture(made.tasks, asked(made)).answer
    for share, word in zip(said["shares"].tolist(), answer, strict=False):
        assert abs(Q(share) - word) <= made.error["float64"]


def test_named_fields_stand_where_the_table_of_the_document_says(said):
    def near(name, wanted):
        assert np.allclose(said[name], wanted, rtol=0, atol=2**-40), name

    ids = [0, 1, 3, 5, 4, 3, 5, 2, 3, 4, 0]
    near("tokens", np.vstack([np.zeros(6), np.eye(6)[ids]]))
    assert said["pattern"][:3, 2::2].argmax(-1).tolist() == [
        [1, 0, 0, 0, 9],
        [0, 3, 0, 0, 0],
        [0, 0, 5, 0, 0],
    ]
    near("counts", [2, 1, 1])
    assert sorted(said["fired"][said["fired"] > 0.5].round()) == [1, 1, 1, 2]
    near("out", [0, 2, 1, 0, 0, 0])
    near("logits", [-128, np.log(2), 0, -128, -128, -128])


def test_a_vote_that_is_moved_from_one_task_to_another_moves_one_of_four(said):
    words = of_words().vocabulary.words
    pairs = zip(words, said["shares"].tolist(), said["patched"].tolist(), strict=False)
    moved = {word: Q(after) - Q(before) for word, before, after in pairs}
    for word, wanted in {"Paris": Q(-1, 4), "euro": Q(1, 4), "Tokyo": 0}.items():
        assert abs(moved[word] - wanted) <= 2 * of_words().error["float64"]
