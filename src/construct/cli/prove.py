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
field, the answer is the mixture of the tasks. This needs coqc and MathComp, which
'make rocq' installs in a clone.
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
        facts = _facts(verdict, seconds, same, changed)
        print_json({**facts, "witnesses": witness_json(made, examples)})
    else:
        _print(verdict, made, seconds, same, changed, console())
        console().print(witness_table(made, examples))
    _fail_unless_proved(verdict, same, changed)


def _facts(verdict, seconds: float, same: bool | None, changed: tuple[int, int] | None) -> dict:
    return {
        "proved": verdict.proved,
        "reason": verdict.reason,
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


def _print(verdict, made, seconds, same, changed, out) -> None:
    if not verdict.proved:
        return
    sizes, transformer = made.sizes, made.transformer
    units = [layer.mlp.sparse("W_in").shape[1] for layer in transformer.layers]
    K, D = sizes.K, sizes.D
    out.print(f"proved: for every prompt of the domain the answer of these 7 layers of {K}")
    if made.margins.flat:
        out.print(f"heads, width {D}, is the mixture of what it holds of the {K} tasks, by the")
        out.print("votes of the tasks themselves; and what the heads give in layers 3 and 4 are")
        out.print("these votes.")
    else:
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
