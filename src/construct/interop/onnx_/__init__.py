"""The target `onnx`: one graph, for onnxruntime or whatever else reads it.

The graph is written node by node and not traced from PyTorch: some fifteen named nodes for each
layer are all there is to say, the same for every design, in float32 and float64; and neither
PyTorch nor onnxscript is needed, whose versions a traced graph depends on.

Inputs and outputs, of a batch:

    input_ids       (batch, tokens) int64, of a decoder of words: words by number, BOS is d; or
    tokens          (batch, tokens, d+1), of any other: the vector, and the flag last (`inputs`)
    logits          (batch, tokens, d+1), of a decoder of words: the last is that of BOS; or
    answers         (batch, tokens, d)
    after_LAYER     (batch, tokens, D), the stream after each layer
    pattern_LAYER   (batch, heads, tokens, tokens), the weights of its heads, in their order but
                    for those that write nothing

A decoder takes any number of tokens up to N; other designs take N.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from construct.compiler import Construction
from construct.interop import Forward, Library, Progress, snippets
from construct.interop.description import described
from construct.interop.description import write as write_description
from construct.interop.inputs import numbers, of_words, queries, rows
from construct.interop.onnx_.graph import after, input_of, model_of, output_of
from construct.interop.onnx_.size import parameters
from construct.interop.page import NAME as PAGE
from construct.interop.page import page
from construct.spec.prompt import Prompt

EXTRA = "onnx"
LIBRARIES = (Library("onnx", "1.17"), Library("onnxruntime", "1.20"))
MODEL, DATA = "model.onnx", "model.onnx.data"
# A file of protocol buffers ends at 2^31 bytes; nodes and names take some of them.
MOST = (1 << 31) - (1 << 26)


LOAD = f"""\
import json
import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("{MODEL}", providers=["CPUExecutionProvider"])
"""
LIST = """\
words = json.loads(session.get_modelmeta().custom_metadata_map["construct"])["words"]
"""
WORDS = """\
[logits] = session.run(["logits"], {"input_ids": ids})
shares = np.exp(logits[0, -1]) / np.exp(logits[0, -1]).sum()
print(dict(zip([*words, "none"], shares.tolist())))
"""
VECTORS = """\
[answers] = session.run(["answers"], {{"tokens": tokens}})
print(answers[0, {answer}].tolist())
"""
NOTES = """\
Outputs too: the stream after each layer, {names}, (batch, tokens, D), and the weights of its heads,
`pattern_...`, (batch, heads, tokens, tokens), without heads that write nothing. {tokens}"""
ANY = "Batches may have any size, and prompts any number of tokens up to {N}."
ALL = "Batches may have any size; prompts have all {N} tokens, those of unused examples 0."


def refuse(construction: Construction, dtype: str) -> None:
    """Every design can be written so."""


def cost(construction: Construction, dtype: str, words: int | None = None) -> int:
    """The bytes of the weights."""
    return parameters(construction, words) * np.dtype(dtype).itemsize


def write(construction: Construction, folder: Path, dtype: str, progress: Progress) -> None:
    """The graph; beyond 2 GB its weights stand in a file beside it."""
    import onnx

    progress("write", 0, 1)
    about = described(construction, dtype)
    model = model_of(construction, dtype, {"construct": json.dumps(about)})
    large = cost(construction, dtype) > MOST
    onnx.save(model, folder / MODEL, save_as_external_data=large, location=DATA if large else None)
    write_description(about, folder)
    (folder / PAGE).write_text(_page(construction, dtype), encoding="utf-8")
    progress("write", 1, 1)


def _page(construction: Construction, dtype: str) -> str:
    given = "" if construction.vocabulary is None else LIST
    answer = snippets.answer(construction)
    run = WORDS if of_words(construction) else VECTORS.format(answer=answer)
    recipe = LOAD + given + snippets.tokens(construction, dtype) + run
    network = construction.transformer
    names = ", ".join(f"`{after(layer)}`" for layer in network.layers)
    tokens = (ANY if network.attention.causal else ALL).format(N=network.sizes.N)
    return page(construction, dtype, recipe, NOTES.format(names=names, tokens=tokens))


def load(construction: Construction, folder: Path, dtype: str) -> Forward:
    """By onnxruntime, as it optimises by default."""
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / MODEL, providers=["CPUExecutionProvider"])
    return forward(construction, session)


def forward(construction: Construction, session: Any) -> Forward:
    """The columns of W_U at each query of a prompt."""

    def run(prompt: Prompt) -> np.ndarray:
        [columns] = session.run([output_of(construction)], feeds(construction, prompt))
        return columns[0, queries(construction, prompt)]

    return run


def feeds(construction: Construction, prompt: Prompt) -> dict[str, np.ndarray]:
    """What a session takes for a prompt: a batch of one."""
    given = numbers if of_words(construction) else rows
    return {input_of(construction): given(construction, prompt)[None]}
