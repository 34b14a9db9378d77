"""A folder that `transformers` loads by its own classes.

decoder of words     `GPT2LMHeadModel`, with a tokenizer that takes the text of a prompt
decoder of vectors   `LlamaForCausalLM`, by embeddings
encoder              `T5EncoderModel`, by embeddings
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from construct.compiler import Construction
from construct.compiler.softmax import SoftmaxConstruction
from construct.errors import CheckFailed, ConstructError
from construct.interop import Forward, Library, Progress, description, inputs
from construct.interop.huggingface import card, gpt2, llama, t5, tokenizer, vectors
from construct.spec.prompt import Prompt

EXTRA = "huggingface"
# Before 5.16 the softmax of T5 is one in float32, whatever its weights are.
LIBRARIES = (Library("transformers", "5.16"), Library("torch", "2.4"))

# Bytes of one file of weights.
SHARD = "2GB"


def kind(construction: SoftmaxConstruction) -> Any:
    """The module of the stock class for this design."""
    if construction.softmax.logits:
        return gpt2
    return llama if construction.transformer.attention.causal else t5


def refuse(construction: Construction, dtype: str) -> None:
    """Refuse what the stock class cannot have.

    Raises:
        ConstructError: if its class computes in float32 where float64 is asked for.
    """
    assert isinstance(construction, SoftmaxConstruction)
    if kind(construction) is llama and dtype != "float32":
        raise ConstructError(
            f"a decoder of vectors becomes a {llama.CLASS}, whose norms compute in float32 "
            "whatever its weights are; export it with --dtype float32."
        )


def cost(construction: Construction, dtype: str, words: int | None = None) -> int:
    """The bytes of the weights, and about those of the other files."""
    assert isinstance(construction, SoftmaxConstruction)
    stock = kind(construction)
    sizes = stock.Sizes.of(construction, words)
    count = sizes.parameters
    if stock is not gpt2:
        count += vectors.parameters(construction, sizes.width)
    return count * np.dtype(dtype).itemsize


def model(
    construction: SoftmaxConstruction,
    dtype: str = "float32",
    progress: Progress = lambda what, done, total: None,
) -> Any:
    """The stock model in memory."""
    import torch
    import transformers

    stock = kind(construction)
    sizes = stock.Sizes.of(construction)
    config = getattr(transformers, stock.CONFIG)(**stock.config(sizes, dtype))
    tensors = stock.weights(construction, sizes, dtype, progress)
    state = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
    with quiet():
        made = getattr(transformers, stock.CLASS).from_pretrained(
            None, config=config, state_dict=state
        )
    return made.eval()


def write(construction: Construction, folder: Path, dtype: str, progress: Progress) -> None:
    """Write the model, its tokenizer or embedding, `construct.json` and the model card."""
    assert isinstance(construction, SoftmaxConstruction)
    stock = kind(construction)
    sizes = stock.Sizes.of(construction)
    if stock is gpt2:
        tokenizer.save(tokenizer.tokenizer(construction), folder)
        more = {
            "coordinates": {"balance": sizes.balance, "zero": sizes.zero},
            "tokens": {"bos": sizes.bos, "pad": sizes.pad},
        }
    else:
        vectors.save(construction, sizes.width, folder, dtype)
        more = {}
    made = model(construction, dtype, progress)
    progress("write", 0, 1)
    with quiet():
        if stock is gpt2:
            made.generation_config.max_new_tokens = 1
        made.save_pretrained(folder, max_shard_size=SHARD)
    facts = description.described(construction, dtype, model=stock.CLASS, **more)
    description.write(facts, folder)
    (folder / card.NAME).write_text(card.card(construction, stock, sizes, dtype), encoding="utf-8")
    progress("write", 1, 1)


def load(construction: Construction, folder: Path, dtype: str) -> Forward:
    """Load the folder as a user would, and run prompts one by one."""
    assert isinstance(construction, SoftmaxConstruction)
    import transformers

    stock = kind(construction)
    auto = "AutoModelForCausalLM" if stock is not t5 else stock.CLASS
    with quiet():
        made = getattr(transformers, auto).from_pretrained(folder, dtype="auto").eval()
    if str(made.dtype) != f"torch.{dtype}":
        raise ConstructError(f"transformers has stored {made.dtype} in place of {dtype}.")
    run = (_words if stock is gpt2 else _vectors)(construction, made, folder)

    def forward(prompt: Prompt) -> np.ndarray:
        import torch

        with torch.no_grad():
            found = run(prompt).numpy()
        return found[inputs.queries(construction, prompt)]

    return forward


def _words(construction: Construction, made: Any, folder: Path) -> Any:
    """Prompt -> (tokens, words and BOS) of logits; the prompt goes in as text."""
    from transformers import AutoTokenizer

    own, bos = AutoTokenizer.from_pretrained(folder), construction.sizes.d

    def run(prompt: Prompt) -> Any:
        given = own(tokenizer.written(construction, prompt), return_tensors="pt")
        if given.input_ids[0].tolist() != inputs.numbers(construction, prompt).tolist():
            raise CheckFailed(
                "the tokenizer that was written does not read a prompt as construct does; nothing "
                "was written."
            )
        return made(**given).logits[0, :, : bos + 1]

    return run


def _vectors(construction: Construction, made: Any, folder: Path) -> Any:
    """Prompt -> (tokens, d)."""
    import torch
    from safetensors.torch import load_file

    tensors = load_file(folder / vectors.NAME)
    outside = not hasattr(made, "lm_head")

    def run(prompt: Prompt) -> Any:
        tokens = torch.from_numpy(inputs.rows(construction, prompt))
        given = made(inputs_embeds=vectors.embedded(tensors, tokens))
        return given.last_hidden_state[0] @ tensors["W_U"] if outside else given.logits[0]

    return run


@contextmanager
def quiet() -> Iterator[None]:
    """Without the progress bars of transformers: a command has its own."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
