"""The model card of an export: what it is, how it is loaded, and what is known of its inside."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from construct import __version__
from construct.compiler.softmax import SoftmaxConstruction
from construct.errors import brief
from construct.interop import description
from construct.interop.huggingface import gpt2, snippets, t5
from construct.rational import rounded_up

NAME = "README.md"
# Rows of a table of tasks or of heads; construct.json has them all.
MOST = 32


def card(construction: SoftmaxConstruction, stock: Any, sizes: Any, dtype: str) -> str:
    """The text of the card.

    Args:
        stock: the module of the stock class.
        sizes: its sizes.
    """
    words = stock is gpt2
    code = (
        snippets.of_words(construction)
        if words
        else snippets.of_vectors(construction, stock.CLASS, dtype, outside=stock is t5)
    )
    parts = [
        _head(words),
        _what(construction, stock.CLASS, dtype),
        "## Use\n",
        *(f"{what}\n\n```python\n{text}```\n" for what, text in code),
        _limits(construction, dtype, words),
        _inside(construction, stock.CLASS, sizes),
    ]
    return "\n".join(parts)


def _head(words: bool) -> str:
    tag = "text-generation" if words else "other"
    return (
        "---\nlibrary_name: transformers\n"
        f"pipeline_tag: {tag}\ntags: [construct, in-context-learning, interpretability]\n---\n"
    )


def _what(made: SoftmaxConstruction, name: str, dtype: str) -> str:
    sizes = made.sizes
    several = "s" if sizes.K > 1 else ""
    rows = [(_cell(task.name), _cell(task.described(60))) for task in made.tasks]
    where = "at the last token"
    if made.transformer.attention.causal:
        several_inputs = "at the last input of every example and of the query"
        where = "at every input" if sizes.n == 2 else several_inputs
    return (
        f"# {sizes.K} task{several} in superposition: a `{name}`\n\n"
        f"Weights that were not trained but compiled, by construct {__version__}: from up to "
        f"{sizes.m} examples in its prompt the model finds out which of its {sizes.K} "
        f"task{several} they are of, and answers a query by all of them, each in proportion to "
        f"its examples. {_answer(made, where)}\n\n"
        f"{_table(('task', 'computes'), rows)}\n"
    )


def _answer(made: SoftmaxConstruction, where: str) -> str:
    if made.softmax.logits:
        return (
            f"Its own softmax, {where}, is that mixture. BOS stands for no word: it has the share "
            "of tasks that have no entry for the query, and all where no example is of any task."
        )
    return f"The answer, {where}, is that mixture; it is 0 where no example is of any task."


def _limits(made: SoftmaxConstruction, dtype: str, words: bool) -> str:
    lines = [
        f"* Prompts have at most {made.sizes.m} examples of {made.sizes.n} tokens"
        + (", and a query; further positions do not exist." if words else ", and a query."),
        f"* The domain: {made.domain}.",
        f"* In {dtype} every entry of an answer is within {rounded_up(made.answer_error[dtype])} "
        f"of the mixture, and all votes together leak at most {rounded_up(made.leak)}. That is "
        "certified for the network in plain arithmetic of the format, with which this folder was "
        f"compared when it was written, by transformers {version('transformers')}. TF32, "
        "bfloat16 and float16 are other formats.",
    ]
    if words:
        lines.append(
            "* Words are those of the tasks; an unknown one is an error of the tokenizer.\n"
            "* Padding may stand on either side, under an attention mask. BOS, the sink of all "
            "heads, has place 0 and the words count on from it: after padding on the left a plain "
            "call needs `position_ids` from the mask, as above."
        )
    return "## What it promises\n\n" + "\n".join(lines) + "\n"


def _inside(made: SoftmaxConstruction, name: str, sizes: Any) -> str:
    fields = [
        (f"`{f.name}`", f"{f.start} to {f.start + f.width - 1}", _cell(f.holds))
        for f in made.sizes.residual.fields
    ]
    if name == gpt2.CLASS:
        fields += [
            ("`balance`", str(sizes.balance), "minus the sum of all others: the mean is 0"),
            ("`zero`", str(sizes.zero), "0; what is read has columns that add up to 0 by it"),
        ]
    layers = made.transformer.layers
    heads = [
        (f"{i} `{layer.name}`", str(k), _cell(head.purpose))
        for i, layer in enumerate(layers)
        for k, head in enumerate(layer.heads)
        if not head.silent
    ]
    mlps = [
        (f"{i} `{n.name}`", "MLP", n.mlp.purpose) for i, n in enumerate(layers) if not n.mlp.idle
    ]
    lemmas = "\n".join(f"* after layer {i}, `{n.name}`: {n.lemma}" for i, n in enumerate(layers))
    return (
        "## Inside\n\nThe residual stream has named fields. With `output_hidden_states=True` the "
        "model gives it in `hidden_states`: number 0 before the first layer, number i + 1 after "
        "layer i. Heads that are not listed write nothing. "
        f"`{description.NAME}` says all this to programs.\n\n"
        f"{_table(('field', 'coordinates', 'holds'), fields)}\n"
        f"{_table(('layer', 'head', 'does'), heads)}\n{_table(('layer', '', 'does'), mlps)}\n"
        f"{lemmas}\n\n"
        "Norms do nothing: their eps is 2^100 and their weight 2^50"
        + (", so that LayerNorm takes away a mean that is 0.\n" if name == gpt2.CLASS else ".\n")
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    listed = list(rows)
    lines = [header, ("---",) * len(header), *listed[:MOST]]
    if len(listed) > MOST:
        lines.append((f"... {len(listed)} in all", *("",) * (len(header) - 1)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    """A text as a cell of a table."""
    return brief(text, 200).replace("\\", "\\\\").replace("|", "\\|")
