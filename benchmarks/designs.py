"""The designs side by side: layers, width, parameters and error; and a decoder in other libraries.

    python benchmarks/designs.py            K = 4, 16, 64
    python benchmarks/designs.py --quick    K = 4, fewer prompts

sizes    The same tasks, at equal K, d and m, as the theorem's network (with and without scratch
         tokens where they differ), as a decoder and as an encoder: what each has, how far its
         answers are from the mixture in the worst of some random prompts, in float64 and
         float32, and how far they can be (the bound that is certified, of the same prompts).
passes   A decoder of words: one prompt, forward, in our executors and in what
         `construct export` writes for Hugging Face and onnxruntime, in turns.
"""

import importlib.util
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from common import (
    DOMAIN,
    RELU_DOMAIN,
    apart,
    check,
    draw,
    figure,
    options,
    paired_tasks,
    random_prompt,
    relu_tasks,
    side_by_side,
    word_list,
    word_tables,
    write,
)
from construct import Construction, Prompt, Vocabulary, build, lookup, mixture, prepare, save
from construct.answer import read_answer
from construct.checking.promise import error_bound
from construct.reading import embedded, shares

FORMATS = ("float64", "float32")
EXPORTS = {"huggingface": "transformers", "onnx": "onnxruntime"}


# --- Sizes and errors ---------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """Tasks that are built in each design.

    Attributes:
        name: what kind of tasks they are.
        tasks, m, given: as `build` takes them.
        prompt: one for each seed.
    """

    name: str
    tasks: list[Any]
    m: int
    prompt: Callable[[int], Prompt]
    given: dict[str, Any] = field(default_factory=dict)

    def built(self) -> Iterator[tuple[str, Construction]]:
        """Each design by name; the theorem's without scratch tokens too, where it has some."""
        theorem = self.build()
        if theorem.sizes.w:
            yield "theorem, plain", self.build(scratch=0)
            yield "theorem, scratch", theorem
        else:
            yield "theorem", theorem
        for design in ("decoder", "encoder"):
            yield design, self.build(design=design)

    def build(self, **more: Any) -> Construction:
        """One construction."""
        return build(self.tasks, m=self.m, **self.given, **more)


def of_numbers(name: str, tasks: list[Any], m: int, domain: Any) -> Case:
    """Affine or ReLU tasks, and prompts with a quarter of noise."""

    def prompt(seed: int) -> Prompt:
        return random_prompt(tasks, m, noise=0.25, domain=domain, seed=seed)

    return Case(name, tasks, m, prompt, {"domain": domain})


def of_words(words: int, K: int, m: int) -> Case:
    """Tables of every word, and prompts of their pairs; an eighth is noise."""
    vocabulary, tables = (
        Vocabulary(word_list(words)),
        word_tables(words, K, words, random.Random(0)),
    )
    tasks = [lookup(f"t{k}", table, vocabulary=vocabulary) for k, table in enumerate(tables)]

    def prompt(seed: int) -> Prompt:
        draws = random.Random(seed)
        X, Y = [], []
        for _ in range(m):
            word, table = draws.randrange(words), draws.choice(tables)
            label = vocabulary.index(table[vocabulary.words[word]])
            X.append([word])
            Y.append(label if draws.random() > 1 / 8 else draws.randrange(words))
        return Prompt.of_words(X, Y, [draws.randrange(words)], words)

    return Case("words", tasks, m, prompt, {"vocabulary": vocabulary})


def cases(quick: bool) -> list[Case]:
    """Of each kind of tasks for each K."""
    tasks = [4] if quick else [4, 16, 64]
    return [
        *(of_numbers("affine", paired_tasks(K, 16), 32, DOMAIN) for K in tasks),
        *(of_numbers("ReLU", relu_tasks(K, 4), 8, RELU_DOMAIN) for K in tasks),
        *(of_words(100, K, 32) for K in tasks),
    ]


def errors(made: Construction, case: Case, dtype: str, prompts: int) -> dict[str, float | None]:
    """The worst answers of some prompts, and the worst of what is certified for these.

    In a format that is not certified too, where votes may go wrong. Exit 1 if an answer is beyond
    what is certified for it, or votes are wrong where they are certified.
    """
    run, certified = prepare("numpy", made.transformer, dtype), dtype in made.certified
    worst = bound = Fraction(0)
    for seed in range(prompts):
        prompt = case.prompt(seed).astype(dtype)
        [stream] = embedded(made, [prompt])
        done = run(stream)
        wanted = mixture(made.tasks, prompt, delta=made.domain.delta, tau=made.domain.tau)
        answer = read_answer(made, done, len(prompt.X)).answer.tolist()
        off = max(abs(Fraction(a) - b) for a, b in zip(answer, wanted.answer.tolist(), strict=True))
        worst = max(worst, off)
        if certified:
            check(made, prompt, done, dtype)
            most = Fraction(error_bound(made, prompt, wanted.votes, dtype))
            refuse_beyond(off, most, made, dtype)
            bound = max(bound, most)
    most_off = float(bound) if certified else None
    return {f"{dtype}, error": float(worst), f"{dtype}, certified": most_off}


def refuse_beyond(off: Fraction, most: Fraction, made: Construction, dtype: str) -> None:
    """Exit 1 if an answer is off by more than is certified."""
    if off > most:
        raise SystemExit(
            f"designs.py: the design {made.design!r} is off by {float(off):.3g} in {dtype}, and at "
            f"most {float(most):.3g} is certified."
        )


def row(case: Case, name: str, made: Construction, prompts: int) -> dict[str, Any]:
    """What a design has, and how far it is off."""
    found = {
        "tasks": case.name,
        "K": made.sizes.K,
        "d": made.sizes.d,
        "m": made.sizes.m,
        "design": name,
        "layers": len(made.transformer.layers),
        "heads": made.sizes.heads,
        "width": made.sizes.D,
        "context": made.sizes.N,
        "parameters": made.transformer.parameters,
        "non-zeros": made.transformer.nonzeros,
    }
    for dtype in FORMATS:
        found |= errors(made, case, dtype, prompts)
    return found


# --- Passes in other libraries ------------------------------------------------

Pass = Callable[[], Any]


def ours(made: Construction, prompt: Prompt) -> dict[str, Pass]:
    """A stream through each executor; and PyTorch with whole matrices, as others have them."""
    import torch

    from construct.execute.torch_ import TransformerModule, full_precision

    torch.set_num_threads(1)  # its best for so small a model

    [stream] = embedded(made, [prompt])
    stream = stream.astype(np.float32)
    runs = {
        name: (lambda run: lambda: run(stream).stream)(prepare(name, made.transformer, "float32"))
        for name in ("numpy", "jax", "torch")
    }
    module, given = TransformerModule(made.transformer, torch.float32), torch.tensor(stream)

    def dense() -> Any:
        with torch.inference_mode(), full_precision():
            return module(given)[0].numpy()

    return {**runs, "torch, whole matrices": dense}


def exported(artifact: Path, to: str) -> Path | str:
    """The folder of an export; a sentence that says why, where there is none."""
    folder = artifact.parent / to
    if importlib.util.find_spec(EXPORTS[to]) is None:
        return f"{to} is left out: the package {EXPORTS[to]} is not installed."
    done = subprocess.run(
        [sys.executable, "-m", "construct", "export", artifact, "--to", to, "-o", folder],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return f"{to} is left out: {(done.stderr.strip().splitlines() or ['no word'])[-1]}"
    return folder


def huggingface(folder: Path, text: str) -> Pass:
    """The stock class on the tokens of a text: the logits at its end."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    given = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")

    def run() -> np.ndarray:
        with torch.inference_mode():
            return model(**given).logits[0, -1].numpy()

    return run


def onnx(folder: Path, numbers: np.ndarray) -> Pass:
    """The graph by onnxruntime, with its logits alone."""
    import onnxruntime

    one = onnxruntime.SessionOptions()
    one.intra_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(folder / "model.onnx", one, providers=providers)
    return lambda: session.run(["logits"], {"input_ids": numbers[None]})[0][0, -1]


def elsewhere(made: Construction, prompt: Prompt, text: str) -> tuple[dict[str, Pass], list[str]]:
    """What other libraries load, and a sentence for each that is left out.

    Exit 1 if what one answers is not the mixture.
    """
    from construct.interop.inputs import numbers

    found: dict[str, Pass] = {}
    loads: dict[str, tuple[str, Callable[[Path], Pass]]] = {
        "huggingface": ("Hugging Face, GPT-2", lambda folder: huggingface(folder, text)),
        "onnx": ("onnxruntime", lambda folder: onnx(folder, numbers(made, prompt))),
    }
    left_out = []
    with tempfile.TemporaryDirectory() as name:
        artifact = save(made, Path(name) / "made")
        for to, (library, load) in loads.items():
            folder = exported(artifact, to)
            if isinstance(folder, str):
                left_out.append(folder)
                continue
            found[library] = load(folder)
            refuse_other_answers(made, prompt, library, found[library]())
    return found, left_out


def refuse_other_answers(
    made: Construction, prompt: Prompt, library: str, logits: np.ndarray
) -> None:
    """Exit 1 unless the softmax of the words' logits and that of none is the mixture."""
    d = made.sizes.d
    given = shares(logits[None, : d + 1].astype(np.float64))[0, :d]
    wanted = mixture(made.tasks, prompt)
    most = float(error_bound(made, prompt, wanted.votes, "float32"))
    off = float(abs(given - wanted.answer.astype(np.float64)).max())
    if not off <= most:
        raise SystemExit(
            f"designs.py: {library} is off by {off:.3g}, and at most {most:.3g} is certified."
        )


def passes(words: int, K: int, m: int, times: int) -> dict[str, Any]:
    """Seconds of a full prompt through a decoder of words, in float32, in turns."""
    case = of_words(words, K, m)
    made, prompt = case.build(design="decoder"), case.prompt(1).astype("float32")
    listed = made.vocabulary.words
    lines = [
        f"{listed[x[0].argmax()]} -> {listed[y.argmax()]}"
        for x, y in zip(prompt.X, prompt.Y, strict=True)
    ]
    text = "\n".join([*lines, f"{listed[prompt.query[0].argmax()]} ->"])
    runs = ours(made, prompt)
    for name in ("numpy", "jax", "torch"):
        [stream] = embedded(made, [prompt])
        check(made, prompt, prepare(name, made.transformer, "float32")(stream), "float32")
    others, left_out = elsewhere(made, prompt, text)
    took = side_by_side({**runs, **others}, times)
    sizes = {"words": words, "K": K, "m": m, "width": made.sizes.D}
    return {**sizes, "seconds": took, "left out": left_out}


# --- Results ------------------------------------------------------------------


def plot(rows: list[dict[str, Any]], found: dict[str, Any], quick: bool) -> None:
    fig, [[widths, seen, times]] = figure(3)
    of_relu = [one for one in rows if one["tasks"] == "ReLU"]
    for design in dict.fromkeys(one["design"] for one in of_relu):
        own = [one for one in of_relu if one["design"] == design]
        style = "s--" if design == "theorem, plain" else "o-"  # the encoder is as wide
        K, D = ([one[what] for one in own] for what in ("K", "width"))
        widths.plot(K, D, style, label=design, zorder=3 if style == "s--" else 2)
    widths.set(xlabel="ReLU tasks K  (d = 4, m = 8)", ylabel="width D")
    widths.set_xscale("log", base=2)
    widths.set_yscale("log", base=2)
    widths.legend()
    for dtype, mark in zip(FORMATS, "os", strict=True):
        known = [one for one in rows if one[f"{dtype}, certified"] and one[f"{dtype}, error"]]
        x = [one[f"{dtype}, certified"] for one in known]
        seen.loglog(x, [one[f"{dtype}, error"] for one in known], mark, ms=4, label=dtype)
    seen.set(xlabel="certified error", ylabel="worst error seen")
    seen.legend()
    names = list(found["seconds"])
    times.barh(names, [1000 * found["seconds"][name] for name in names], color="C0")
    times.set(xlabel=f"milliseconds a prompt  ({found['words']} words, K = {found['K']})")
    times.set_xscale("log")
    times.invert_yaxis()
    draw(fig, "designs", quick)


def shown(number: float | None) -> str:
    return "-" if number is None else f"{number:.1e}"


def main() -> None:
    quick = options(__doc__, passes).quick
    rows = []
    print(f"{'':30} L     D   non-zeros  parameters  float64 seen, certified  float32")
    for case in cases(quick):
        for name, made in case.built():
            one = row(case, name, made, 4 if quick else 20)
            rows.append(one)
            said = [shown(one[f"{dtype}, {what}"]) for dtype in FORMATS
                    for what in ("error", "certified")]  # fmt: skip
            print(
                f"{case.name:6} K = {one['K']:<3} {name:17} {one['layers']} {one['width']:5} "
                f"{one['non-zeros']:11,} {one['parameters']:11,}  {'  '.join(said)}",
                flush=True,
            )
    found = apart(__file__, words=32 if quick else 100, K=4, m=32, times=5 if quick else 100)
    for line in found["left out"]:
        print(line)
    seconds = found["seconds"]
    summary = {f"milliseconds, {name}": 1000 * took for name, took in seconds.items()}
    write("designs", quick, summary, designs=rows, passes=found)
    plot(rows, found, quick)


if __name__ == "__main__":
    main()
