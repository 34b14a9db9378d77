"""`construct prove`: an artifact's weights against the machine-checked proof."""

import click

from construct.errors import CheckFailed

EPILOG = """\b
Examples:
  construct prove construct-K4-d16
  construct prove construct-K4-d16 --prompt prompt.json
  construct prove construct-K4-d16 --mutations

Every weight is handed to Rocq as the rational that it is. A checker, itself proved
correct, compares the weights with the construction. If it finds no difference, the
theorem holds for these very weights: for every prompt of the domain, in every real
field, the answer is the mixture of the tasks. For tasks that are held within an
error, as formulas are: votes are those of any functions within their errors, and
the answer is within the weighted sum of these of the functions' mixture. This needs
coqc and MathComp, which 'make rocq' installs in a clone.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.option("--prompt", metavar="FILE", help="Also run this prompt in Rocq, and compare.")
@click.option("--mutations", is_flag=True, help="Also change each weight: is each change rejected?")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(directory: str, prompt: str | None, mutations: bool, as_json: bool) -> None:
    """Prove that artifact DIR computes the mixture; exit 4 if it does not."""
    import time

    from construct.artifact import load
    from construct.checking.witness import witnesses
    from construct.cli.show import console, print_json, read_text
    from construct.cli.witnesses import witness_json, witness_table
    from construct.prove.mutations import refuse_if_too_large, survivors
    from construct.prove.proof import agrees, prove
    from construct.prove.rocq import development
    from construct.spec.promptfile import parse_prompt

    made = load(directory)
    sizes = made.sizes
    parsed = None
    if prompt is not None:
        parsed = parse_prompt(read_text(prompt), d=sizes.d, n=sizes.n, vocabulary=made.vocabulary)
    if mutations:
        refuse_if_too_large(made)
    screen = console(err=True)
    with screen.status("asking Rocq") as status:
        development(lambda file: status.update(f"compiling {file}, once"))
        start = time.perf_counter()
        verdict = prove(made)
        seconds = time.perf_counter() - start
        status.update("the forward pass in Rocq")
        same = agrees(made, parsed) if parsed is not None and verdict.proved else None
        status.update("every single weight, changed")
        changed = survivors(made) if mutations and verdict.proved else None
        status.update("a witness of each task")
        examples = witnesses(made)
    if as_json:
        facts = _facts(verdict, made, seconds, same, changed)
        print_json({**facts, "witnesses": witness_json(made, examples)})
    else:
        _print(verdict, made, seconds, same, changed, console())
        console().print(witness_table(made, examples))
    _fail_unless_proved(verdict, same, changed)


def _facts(verdict, made, seconds: float, same: bool | None, changed) -> dict:
    from construct.cli.show import machine

    return {
        "proved": verdict.proved,
        "reason": verdict.reason,
        "votes_of": "functions within epsilon" if made.margins.flat else "the tasks",
        "tau": machine(made.domain.tau),
        "delta": machine(made.domain.delta),
        "epsilon": {task.name: machine(task.epsilon) for task in made.held},
        "seconds": round(seconds, 2),
        "same_forward_pass": same,
        "mutations": changed and {"tried": changed[0], "accepted": changed[1]},
    }


def _fail_unless_proved(verdict, same: bool | None, changed: tuple[int, int] | None) -> None:
    if not verdict.proved:
        raise CheckFailed(f"not proved: {verdict.reason}.")
    if same is False:
        raise CheckFailed("the forward pass in Rocq and the exact executor differ.")
    if changed and changed[1]:
        raise CheckFailed(f"{changed[1]} changed weights were accepted.")


def _within(made) -> str:
    """What is proved of an artifact with a flat gate, and what is not."""
    import textwrap

    sizes, domain = made.sizes, made.domain
    errors = {task.name: task.epsilon for task in made.held if task.epsilon}
    text = (
        f"proved: let f_k be any functions that what these 7 layers of {sizes.K} heads, width "
        f"{sizes.D}, hold of the {sizes.K} tasks is within epsilon_k of. For every prompt of the "
        f"box whose labels are within tau = {_short(domain.tau)} of f_k, or at least delta = "
        f"{_short(domain.delta)} away, what the heads give in layer 3, less in layer 4, are the "
        "votes of the f_k; and the answer is within sum_k w_k epsilon_k of their mixture."
    )
    if errors:
        listed = ", ".join(f"{name} ({_short(epsilon)})" for name, epsilon in errors.items())
        text += (
            f" epsilon_k is 0, but for {listed}. That a formula is within its epsilon_k on the "
            "domain was certified by interval arithmetic in the build, and is not proved in Rocq."
        )
    return textwrap.fill(text, 80)


def _short(x) -> str:
    from construct.cli.show import above

    return str(x) if len(str(x)) <= 16 else f"about {above(x):.3g}"


def _print(verdict, made, seconds, same, changed, out) -> None:
    if not verdict.proved:
        return
    sizes, transformer = made.sizes, made.transformer
    units = [layer.mlp.sparse("W_in").shape[1] for layer in transformer.layers]
    K, D = sizes.K, sizes.D
    if made.margins.flat:
        out.print(_within(made))
    else:
        out.print(f"proved: for every prompt of the domain the answer of these 7 layers of {K}")
        out.print(f"heads, width {D}, is the mixture of the {K} tasks; and what the heads give")
        out.print("in layer 4 are the votes.")
    out.print(f"Hidden units: {', '.join(map(str, units))} (an idle MLP has 1).")
    out.print(
        f"{transformer.parameters:,} weights compared, {transformer.nonzeros:,} of them not 0, "
        f"in {seconds:.1f} s; no axioms."
    )
    if same:
        out.print("The forward pass in Rocq gives the stream of the exact executor.")
    if changed is not None:
        out.print(
            f"{changed[0]:,} single changes of a weight: {changed[0] - changed[1]:,} rejected."
        )
