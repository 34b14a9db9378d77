"""The page `README.md` of an export: what it is, how it is loaded, what is where.

That of a Hugging Face folder is a model card, in `huggingface.card`.
"""

from construct import __version__
from construct.compiler import Construction
from construct.compiler.softmax import SoftmaxConstruction
from construct.errors import brief
from construct.interop.description import NAME as DESCRIPTION
from construct.interop.description import described
from construct.rational import rounded_up

NAME = "README.md"
# Tasks that are named; construct.json has them all.
MOST = 16


def page(construction: Construction, dtype: str, recipe: str, notes: str) -> str:
    """The text.

    Args:
        recipe: a script that loads the folder, without construct, and runs a prompt.
        notes: of what the recipe takes and gives.
    """
    about, sizes = described(construction, dtype), construction.sizes
    tasks = ", ".join(brief(task.name, 24) for task in construction.tasks[:MOST])
    more = f" and {sizes.K - MOST} more" if sizes.K > MOST else ""
    fields = "".join(
        f"| `{f.name}` | {f.start} to {f.start + f.width - 1} | {f.holds} |\n"
        for f in sizes.residual.fields
    )
    layers = "".join(f"* `{one.name}`: {one.lemma}\n" for one in construction.transformer.layers)
    return (
        f"# {sizes.K} task{'s' if sizes.K > 1 else ''} in superposition\n\n"
        f"Weights that were not trained but compiled, by construct {__version__} (design "
        f"{about['design']}): for up to {sizes.m} examples of {sizes.n} tokens and a query the "
        f"answer is the mixture of the tasks ({tasks}{more}), each in proportion to the examples "
        f"that are of it.\n{_promise(construction, dtype)}\n\n"
        f"```python\n{recipe}```\n\n{notes}\n\n"
        f"## Inside\n\nThe residual stream; `{DESCRIPTION}` says the same to programs.\n\n"
        f"| field | coordinates | holds |\n| --- | --- | --- |\n{fields}\n"
        f"After each layer:\n\n{layers}"
    )


def _promise(construction: Construction, dtype: str) -> str:
    compared = "It was compared with construct's own executor when it was written."
    if not isinstance(construction, SoftmaxConstruction):
        return f"It is certified for {dtype}. {compared}"
    error = rounded_up(construction.answer_error[dtype])
    return (
        f"In {dtype} an entry of the answer is certified to within {error} of the mixture. "
        f"{compared}"
    )
