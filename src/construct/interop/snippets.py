"""Code that runs in an exported folder, for its page: a prompt as tokens, in NumPy alone."""

import numpy as np

from construct.checking.plausible import plausible_prompt
from construct.compiler import Construction
from construct.interop.inputs import of_words, queries

WORDS = """\
prompt = {prompt}
ids = np.array([[len(words), *map(words.index, prompt)]])  # BOS comes first
"""

# Words as vectors, of a design that takes these.
ONE_HOT = """\
vector = dict(zip(words, np.eye(len(words))))
examples = [[vector[word] for word in example] for example in {examples}]
query = [vector[word] for word in {query}]
"""
NUMBERS = """\
examples, query = {examples}, {query}
"""
# Of a decoder the flag stands at BOS alone; of others at the tokens of examples.
DECODER = """\
vectors = np.array([[0] * {d}, *(vector for example in examples for vector in example), *query])
flag = np.arange(len(vectors)) == 0  # BOS
tokens = np.hstack([vectors, flag[:, None]])[None].astype(np.{dtype})
"""
OTHERS = """\
tokens = np.zeros((1, {N}, {d} + 1), np.{dtype})
slots = tokens[0, {start} : {end}].reshape({slots}, {length}, {d} + 1)
slots[-1, :{inputs}, :-1] = query
for slot, example in zip(slots, examples):
    slot[[*range({inputs}), -1], :-1] = example
    slot[:, -1] = 1  # the flag of a real example
"""


def tokens(construction: Construction, dtype: str) -> str:
    """Code that makes `ids` or `tokens` of a prompt, a batch of one.

    Where there is a vocabulary it takes `words` from before.
    """
    sizes, softmax = construction.sizes, construction.softmax
    examples, query = _prompt(construction)
    if of_words(construction):
        flat = [word for example in [*examples, query] for word in example]
        return WORDS.format(prompt=flat)
    start = NUMBERS if construction.vocabulary is None else ONE_HOT
    code = start.format(examples=examples, query=query)
    if construction.transformer.attention.causal:
        return code + DECODER.format(d=sizes.d, dtype=dtype)
    first, slots = int(softmax is not None), sizes.m + 1
    places = {"start": first, "slots": slots, "end": first + slots * sizes.length}
    return code + OTHERS.format(
        **places, N=sizes.N, d=sizes.d, length=sizes.length, inputs=sizes.n - 1, dtype=dtype
    )


def answer(construction: Construction) -> int:
    """The token at which the answer of that prompt stands."""
    return queries(construction, plausible_prompt(construction))[-1]


def _prompt(construction: Construction) -> tuple[list[list], list]:
    """Examples and query of a prompt: words, or vectors as lists."""
    prompt = plausible_prompt(construction)

    def shown(vector: np.ndarray) -> str | list[int | float]:
        if construction.vocabulary is not None:
            return construction.vocabulary.words[vector.argmax()]
        return [int(x) if x == int(x) else float(x) for x in vector.tolist()]

    pairs = zip(prompt.X, prompt.Y, strict=True)
    return [list(map(shown, [*x, y])) for x, y in pairs], list(map(shown, prompt.query))
