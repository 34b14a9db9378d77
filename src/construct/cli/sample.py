"""`construct sample`: a prompt to start from."""

import click

from construct.cli import Whole

EPILOG = """\b
Examples:
  construct sample construct-K4-d16 > prompt.json
  construct sample construct-K4-d16 --adversarial
  construct sample construct-demo --seed 3 | construct run construct-demo -
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.option("--seed", type=Whole(min=0), default=0, show_default=True)
@click.option(
    "--adversarial",
    is_flag=True,
    help="Draw as `construct verify` does: ties, noise, extremes of the domain.",
)
def command(directory: str, seed: int, adversarial: bool) -> None:
    """Print a prompt for artifact DIR, in the form that `run` reads.

    By default its examples come from the artifact's own tasks, in small numbers or in words.
    """
    from construct.artifact import load
    from construct.checking.plausible import plausible_prompt
    from construct.checking.sampling import admits_words

    made = load(directory)
    prompt = _adversarial(made, seed) if adversarial else plausible_prompt(made, seed)
    words = made.vocabulary is not None and admits_words(made.domain)
    click.echo(_as_words(made, prompt) if words else _as_json(prompt))


def _adversarial(made, seed: int):
    """A prompt of those that `verify` draws."""
    from construct.checking.sampling import random_prompts
    from construct.spec.mixture import mixture

    def telling(prompt) -> tuple[int, int]:
        """How much a prompt shows: several tasks should have votes, by few examples."""
        voters = sum(
            c > 0
            for c in mixture(made.tasks, prompt, delta=made.domain.delta, tau=made.domain.tau).votes
        )
        return min(voters, 3), -abs(len(prompt.X) - 8)

    # A prompt of a large artifact takes seconds to draw: the first good one will do.
    prompt, best = None, (-1, 0)
    enough = min(3, made.sizes.K, made.sizes.m), -4
    for attempt in range(50):
        [drawn] = random_prompts(made, 1, 50 * seed + attempt, exact=True, most=12)
        if (found := telling(drawn)) > best:
            prompt, best = drawn, found
        if best >= enough:
            break
    return prompt


def _as_json(prompt) -> str:
    from construct.rational import to_json

    rows = [to_json([*inputs, label]) for inputs, label in zip(prompt.X, prompt.Y, strict=True)]
    return _json_of(rows, to_json(prompt.query))


def _json_of(rows: list, query: list) -> str:
    return f'{{"examples": {_list(rows)},\n "query": {_dump(query)}}}'


def _list(rows: list) -> str:
    return "[\n" + ",\n".join(f"  {_dump(row)}" for row in rows) + "\n ]"


def _dump(value) -> str:
    import json

    return json.dumps(value)


def _as_words(made, prompt) -> str:
    """The prompt in the artifact's format; as JSON, if it cannot be read so in one way."""
    from construct.errors import ConstructError
    from construct.spec.format import PromptFormat

    def words(vectors) -> list[str]:
        return [made.vocabulary.words[int(vector.argmax())] for vector in vectors]

    form = PromptFormat.of(made.format, made.sizes.n)
    rows = [[*words(x), *words([y])] for x, y in zip(prompt.X, prompt.Y, strict=True)]
    query = words(prompt.query)
    # Examples of several lines have an empty one between them.
    between = "\n\n" if form.lines > 1 else "\n"
    written = [*(form.written(row[:-1], row[-1]) for row in rows), form.written(query)]
    try:
        made.prompt(between.join(written))
    except ConstructError:
        return _json_of(rows, query)
    return between.join(written)
