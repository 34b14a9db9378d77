r"""TransformerLens 4: a construction as a `TransformerBridge`, of its own native model.

The native model can do without normalisation, and takes any number of heads, any head dimension
and either direction of attention: so the weights go in as they are, but for three things. Every
head has the dimensions of the widest and every MLP the units of the largest, by zeros; and W_Q is
doubled, as scores are divided by 2 (TransformerLens refuses to divide by 1). Neither rounds.

    model = load("my-artifact")
    logits, cache = model.run_with_cache("France -> Paris\nJapan ->")
    cache["blocks.0.hook_resid_post"][0, :, construction.sizes.residual["vote"].at]

Hooks see the stream, each head's pattern, and the MLPs by the names that TransformerLens has. Of
its native model `attn.hook_attn_scores` gives the pattern again, and not scores.
"""

from pathlib import Path
from typing import Any

import numpy as np

from construct import artifact
from construct.arguments import checked, instance, optional, text
from construct.compiler import Construction
from construct.errors import ConstructError
from construct.interop import Forward, target
from construct.interop.comparison import compare
from construct.interop.inputs import numbers, of_words, queries, rows
from construct.spec.prompt import Prompt


@checked(
    source=instance(str | Path | Construction, "a folder or a construct.Construction"),
    dtype=optional(text),
)
def load(source: str | Path | Construction, dtype: str | None = None) -> Any:
    """A `TransformerBridge` that computes what the construction computes, unprocessed.

    Its answers to sample prompts have been compared with our own executor. Of a decoder of words
    it takes text, if a stock tokenizer can tell its words apart.

    Args:
        source: a construction of a softmax design, or the folder of its artifact.
        dtype: by default the first certified one of float32 and float64.

    Raises:
        ConstructError: if TransformerLens is missing or too old, the design is the theorem's, or
            the format is not certified.
        CheckFailed: if an answer differs by more than the certificate allows.
    """
    from construct.interop.export import format_of
    from construct.interop.transformerlens.native import config, state

    target("transformerlens")
    construction = source if isinstance(source, Construction) else artifact.load(source)
    dtype = format_of(construction, dtype)
    model = assembled(config(construction), state(construction, dtype))
    compare(construction, forward(construction, model), dtype, lambda *_: None)
    model.tokenizer = tokenizer_of(construction)
    return model


def assembled(config: dict[str, Any], state: dict[str, np.ndarray]) -> Any:
    """A model of this configuration and these weights."""
    import torch
    from transformer_lens.model_bridge import TransformerBridge

    weights = {name: torch.from_numpy(array) for name, array in state.items()}
    model = TransformerBridge.boot_native(config, dtype=weights["embed.weight"].dtype)
    model.load_state_dict(weights)
    return model


def tokenizer_of(construction: Construction) -> Any:
    """That of the Hugging Face export; None where there is none.

    TransformerLens is given it after it has made a model: before, it would try it on a word that
    it may not have.
    """
    from construct.interop.huggingface.tokenizer import tokenizer

    if not of_words(construction):
        return None
    try:
        return tokenizer(construction)
    except ConstructError:  # no text can be split into its words
        return None


def tokens(construction: Construction, prompt: Prompt, dtype: str = "float32") -> Any:
    """What the model takes for a prompt: a batch of one.

    Of a decoder of words their numbers, (1, tokens), BOS first. Else the embedded tokens, (1,
    tokens, D), to which the model adds what its places hold.
    """
    import torch

    if of_words(construction):
        return torch.from_numpy(numbers(construction, prompt))[None]
    given = rows(construction, prompt).astype(dtype)
    return torch.from_numpy(given @ construction.transformer.W_E.astype(dtype))[None]


def forward(construction: Construction, model: Any) -> Forward:
    """The columns of W_U at each query of a prompt."""
    import torch

    def run(prompt: Prompt) -> np.ndarray:
        with torch.no_grad():
            given = tokens(construction, prompt, str(prompt.query.dtype))
            return model(given)[0, queries(construction, prompt)].numpy()

    return run
