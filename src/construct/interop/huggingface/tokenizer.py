r"""A stock tokenizer that takes the text of a prompt of words.

One token for each word (WordLevel); the text around words, `->` and ends of lines unless the
prompts have another format, is where the text is split. BOS comes first. Words may hold
spaces. An unknown word is an error, as it is everywhere here: there is no token for it.
"""

import json
import re
from pathlib import Path
from typing import Any

from construct.compiler import Construction
from construct.errors import ConstructError, shown
from construct.spec.format import MARK, PromptFormat
from construct.spec.prompt import Prompt

CONFIG = "tokenizer_config.json"
# How the versions 4 and 5 of transformers both know a tokenizer that is all in tokenizer.json.
CLASS = "PreTrainedTokenizerFast"


def tokenizer(construction: Construction) -> Any:
    """The tokenizer, as transformers has it.

    Raises:
        ConstructError: if a word holds the text that stands around words.
    """
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import NFC, Sequence, Strip
    from tokenizers.pre_tokenizers import Split
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    words, form = _words(construction), form_of(construction)
    bos, pad = _special("bos", words), _special("pad", words)
    numbers = {word: number for number, word in enumerate([*words, bos, pad])}
    made = Tokenizer(WordLevel(numbers))
    made.normalizer = Sequence([NFC(), Strip()])
    made.pre_tokenizer = Split(Regex(around_words(form, MARK not in words)), "removed")
    made.post_processor = TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, numbers[bos])]
    )
    found = PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token=bos,
        eos_token=bos,
        pad_token=pad,
        model_max_length=construction.sizes.N,
        # GPT-2 would add the embedding of token 0 for token_type_ids.
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )
    _refuse_words_that_are_split(found, words, form)
    return found


def save(made: Any, folder: Path) -> None:
    """Write its files."""
    made.save_pretrained(folder)
    path = folder / CONFIG
    config = json.loads(path.read_text(encoding="utf-8")) | {"tokenizer_class": CLASS}
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def form_of(construction: Construction) -> PromptFormat:
    """How its prompts are written.

    Raises:
        ConstructError: if inputs stand there in another order: tokens come as they are read.
    """
    form = PromptFormat.of(construction.format, construction.sizes.n)
    if [name for _, name in form.pieces[:-2]] != [str(p) for p in range(1, construction.sizes.n)]:
        raise ConstructError(
            f"the format {shown(form.text)} names the inputs in another order than {{1}}, {{2}}, "
            "..., and a tokenizer reads words in the order of the text; give the tasks a format "
            "in order, or export to onnx or transformerlens, which take numbers of words."
        )
    return form


def written(construction: Construction, prompt: Prompt) -> str:
    """The text of a prompt."""
    words, form = _words(construction), form_of(construction)
    pairs = zip(prompt.X, prompt.Y, strict=True)
    lines = [form.written([words[i] for i in x.argmax(-1)], words[y.argmax()]) for x, y in pairs]
    return "\n".join([*lines, form.written([words[i] for i in prompt.query.argmax(-1)])])


def around_words(form: PromptFormat, marked: bool) -> str:
    """The regular expression of what stands around words.

    Args:
        marked: whether a query may end with the mark that stands for its label.
    """
    (before, _), *inner, (between, _), (after, _) = form.pieces
    start, middle, end = _spaced(before), _spaced(between), _spaced(after)
    last = rf"(\s*\{MARK}\s*{end}\s*\z)?" if marked else ""
    return "|".join(
        [
            rf"{middle}{last}",
            rf"{end}\s*\n\s*{start}",
            *([rf"\A{start}"] if before.strip() else []),
            *([rf"{end}\s*\z"] if after.strip() else []),
            # Last: what stands between two inputs may be the start of what stands around others.
            *dict.fromkeys(_spaced(literal) for literal, _ in inner),
        ]
    )


def _spaced(literal: str) -> str:
    """A text around words: more spaces, or none where none is needed to tell it from a word."""
    inner = r"\s+".join(map(re.escape, literal.split()))
    if not inner:
        found = next((sign for sign in "\n\t" if sign in literal), None)
        return rf"\s*{re.escape(found)}\s*" if found else r"\s+" if literal else ""
    stripped = literal.strip()
    left = r"\s+" if literal[0].isspace() and stripped[0].isalnum() else r"\s*"
    right = r"(\s+|\z)" if literal[-1].isspace() and stripped[-1].isalnum() else r"\s*"
    return left + inner + right


def _words(construction: Construction) -> tuple[str, ...]:
    assert construction.vocabulary is not None
    return construction.vocabulary.words


def _special(name: str, words: tuple[str, ...]) -> str:
    """A name for a token that no word holds."""
    found = f"<{name}>"
    while any(found in word for word in words):
        found = f"<{found}>"
    return found


def _refuse_words_that_are_split(made: Any, words: tuple[str, ...], form: PromptFormat) -> None:
    """Each word must come back as itself, as an input, as a label and as a query."""
    inputs = form.operands
    for number, word in enumerate(words):
        text = f"{form.written([word] * inputs, word)}\n{form.written([word] * inputs)}"
        try:
            ids = made(text)["input_ids"]
        except Exception:  # tokenizers raises no other class
            ids = []
        if ids != [len(words), *[number] * (2 * inputs + 1)]:
            raise ConstructError(
                f"the word {shown(word)} holds what stands around words in a prompt, so that no "
                "stock tokenizer can tell them apart; rename it, or give the tasks a format whose "
                "text no word holds."
            )
