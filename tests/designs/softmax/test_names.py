"""A block, its file, its lemma and its proof have one name."""

import re
from pathlib import Path

import pytest

import construct
from construct.designs.decoder.operands import OPERANDS
from construct.designs.decoder.vectors import VECTORS
from construct.designs.decoder.words import WORDS
from construct.designs.encoder import ENCODER

SOURCE = Path(construct.__file__).parent
PROOFS = Path(__file__).parents[3] / "proofs" / "softmax.md"
SECTIONS = {
    "Decoder of words": WORDS,
    "Decoder of words with several inputs": OPERANDS,
    "Decoder of vectors": VECTORS,
    "Encoder": ENCODER,
}


@pytest.mark.parametrize("title", SECTIONS)
def test_each_block_is_proved_under_its_name_in_order(title):
    section = PROOFS.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    names = [block.__name__ for block in SECTIONS[title].blocks]
    assert re.findall(r"^\*\*(\w+)\.\*\*", section, re.MULTILINE) == names


@pytest.mark.parametrize("title", SECTIONS)
def test_each_block_has_a_file_of_its_name_with_its_lemma(title):
    for block in SECTIONS[title].blocks:
        path = Path(*block.__module__.split(".")[1:]).with_suffix(".py")
        assert path.stem == block.__name__
        assert re.search(r"^LEMMA = ", (SOURCE / path).read_text(), re.MULTILINE)
