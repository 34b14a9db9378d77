"""The target `transformerlens`: what `boot_native` and `load_state_dict` take, in a folder.

transformerlens.json    the configuration
model.safetensors       the state dict
tokenizer.json          of a decoder of words a stock tokenizer, where there is one for its words
construct.json          what is known of its inside
README.md               how it is loaded
"""

import json
from pathlib import Path

import numpy as np

from construct.compiler import Construction
from construct.interop import Forward, Library, Progress, snippets
from construct.interop.description import NAME, described
from construct.interop.description import write as write_description
from construct.interop.inputs import of_words
from construct.interop.page import NAME as PAGE
from construct.interop.page import page
from construct.interop.transformerlens import assembled, forward, tokenizer_of
from construct.interop.transformerlens.native import Dimensions, config, state

EXTRA = "transformerlens"
LIBRARIES = (Library("transformer-lens", "4.0"), Library("torch", "2.4"))
CONFIG, MODEL = "transformerlens.json", "model.safetensors"

LOAD = f"""\
import json, torch
import numpy as np
from pathlib import Path
from safetensors.torch import load_file
from transformer_lens.model_bridge import TransformerBridge

weights, config = load_file("{MODEL}"), json.loads(Path("{CONFIG}").read_text())
model = TransformerBridge.boot_native(config, dtype=weights["embed.weight"].dtype)
model.load_state_dict(weights)
"""
LIST = f"""\
words = json.loads(Path("{NAME}").read_text(encoding="utf-8"))["words"]
"""
WORDS = """\
logits, cache = model.run_with_cache(torch.tensor(ids))
print(dict(zip([*words, "none"], logits[0, -1].softmax(-1).tolist())))
"""
VECTORS = """\
embedded = torch.tensor(tokens) @ weights["embed.weight"]  # the model adds its places
answers, cache = model.run_with_cache(embedded)
print(answers[0, -1].tolist())
"""
NOTES = """\
`cache["blocks.0.hook_resid_post"][0, :, start:end]` is a field of the stream after the first layer,
`cache["blocks.0.attn.hook_pattern"][0, k]` what head k attends to. Scores are divided by 2, and W_Q
is doubled for it; the weights are not to be processed (folded, centred)."""
TEXT = """
Text is taken too, once the model has its tokenizer:
`model.tokenizer = transformers.AutoTokenizer.from_pretrained(".")`."""


def refuse(construction: Construction, dtype: str) -> None:
    """Every softmax design can be written so."""


def cost(construction: Construction, dtype: str, words: int | None = None) -> int:
    """The bytes of the state dict."""
    return Dimensions.of(construction, words).parameters * np.dtype(dtype).itemsize


def write(construction: Construction, folder: Path, dtype: str, progress: Progress) -> None:
    """Configuration and weights, a tokenizer, and what is known of them."""
    from safetensors.numpy import save_file

    from construct.interop.huggingface import tokenizer

    progress("write", 0, 1)
    save_file(state(construction, dtype), folder / MODEL)
    _write(folder / CONFIG, json.dumps(config(construction), indent=2) + "\n")
    write_description(described(construction, dtype), folder)
    made = tokenizer_of(construction)
    if made is not None:
        tokenizer.save(made, folder)
    notes = NOTES + (TEXT if made is not None else "")
    _write(folder / PAGE, page(construction, dtype, _recipe(construction, dtype), notes))
    progress("write", 1, 1)


def _recipe(construction: Construction, dtype: str) -> str:
    """A script that loads the folder and runs a prompt."""
    given = "" if construction.vocabulary is None else LIST
    run = WORDS if of_words(construction) else VECTORS
    return LOAD + given + snippets.tokens(construction, dtype) + run


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def load(construction: Construction, folder: Path, dtype: str) -> Forward:
    """By TransformerLens, from what was written alone."""
    from safetensors.numpy import load_file

    given = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return forward(construction, assembled(given, load_file(folder / MODEL)))
