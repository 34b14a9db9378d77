"""Code that runs in an exported folder, for its model card."""

from construct.checking.plausible import plausible_prompt
from construct.compiler import Construction
from construct.interop import description, snippets
from construct.interop.huggingface.tokenizer import form_of, written
from construct.interop.huggingface.vectors import NAME

LOAD = """\
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # the path of this folder
model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
tokenizer = AutoTokenizer.from_pretrained(folder)
"""

TEXT = """\
text = {text}
with torch.no_grad():
    logits = model(**tokenizer(text, return_tensors="pt")).logits
for share, token in zip(*logits[0, -1].softmax(-1).topk(min(5, logits.shape[-1]))):
    print(tokenizer.decode(token), float(share))
"""

GENERATE = """\
tokenizer.padding_side = "left"
query = "\\n".join(text.splitlines()[-{lines}:])  # without an example there is no word: BOS
batch = tokenizer([text, query], padding=True, return_tensors="pt")
tokens = model.generate(**batch)  # the most likely word; do_sample=True draws from the shares
print(tokenizer.batch_decode(tokens[:, -1:]))
"""

PADDED = """\
# Padded on the left, a plain call needs the places too; `generate` makes them by itself.
places = (batch.attention_mask.cumsum(-1) - 1).clamp(min=0)
with torch.no_grad():
    logits = model(**batch, position_ids=places).logits[:, -1]
"""

EMBEDDED = """\
{json}import numpy as np
import torch
from safetensors.torch import load_file
from transformers import {auto}

folder = "."  # the path of this folder
model = {auto}.from_pretrained(folder, dtype="auto")
embedding = load_file(f"{{folder}}/{name}")
{words}{tokens}stream = torch.from_numpy(tokens) @ embedding["W_E"]
stream += embedding["W_pos"][: tokens.shape[1]]
with torch.no_grad():
    answers = model(inputs_embeds=stream).{read}
print(answers[0, -1].tolist())
"""
WORDS = f"""\
with open(f"{{folder}}/{description.NAME}", encoding="utf-8") as file:
    words = json.load(file)["words"]
"""


def of_words(construction: Construction) -> list[tuple[str, str]]:
    """What each piece of code does, and the code: each goes on where the one before ends."""
    text = written(construction, plausible_prompt(construction))
    query = form_of(construction).written(["word"] * (construction.sizes.n - 1))
    return [
        ("Text in, the distribution of the next word out:", LOAD + TEXT.format(text=_quoted(text))),
        (
            "The next word, of a batch that is padded:",
            GENERATE.format(lines=len(query.splitlines())),
        ),
        ("The distribution, of such a batch:", PADDED),
    ]


def of_vectors(
    construction: Construction, stock: str, dtype: str, outside: bool
) -> list[tuple[str, str]]:
    """The same for a model that is given embeddings.

    Args:
        stock: the name of the class.
        outside: whether the answer is read outside of the model.
    """
    in_words = construction.vocabulary is not None
    code = EMBEDDED.format(
        json="import json\n\n" if in_words else "",
        auto=stock if outside else "AutoModelForCausalLM",
        name=NAME,
        words=WORDS if in_words else "",
        tokens=snippets.tokens(construction, dtype),
        read='last_hidden_state @ embedding["W_U"]' if outside else "logits",
    )
    what = "Words" if in_words else "Vectors"
    return [(f"{what} in, the answer out (a token is a vector and a flag):", code)]


def _quoted(text: str) -> str:
    """A text as code, a line for each of its own."""
    lines = "\n".join(f"    {line!r}" for line in text.splitlines(keepends=True))
    return f"(\n{lines}\n)"
