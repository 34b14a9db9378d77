"""The pictures in docs/ are what the code draws now: after a change, `make picture`."""

from functools import cache
from pathlib import Path

import pytest

import construct
from construct.show.picture import diagram, stream

ROOT = Path(__file__).parents[2]
AGAIN = "the picture is not what is drawn now; run 'make picture'"


@cache
def built(design: str) -> construct.Construction:
    file = construct.parse_tasks((ROOT / "examples/capitals.json").read_text(encoding="utf-8"))
    return construct.build(
        file.tasks, n=file.n, domain=file.domain, vocabulary=file.vocabulary, design=design
    )


def committed(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("design", ["theorem", "decoder", "encoder"])
def test_the_diagram_is_of_now(design):
    assert diagram(built(design)) == committed(f"diagram-{design}.svg"), AGAIN


def test_the_stream_is_of_now():
    made = built("theorem")
    prompt = made.prompt((ROOT / "examples/capitals-prompt.txt").read_text(encoding="utf-8"))
    assert stream(construct.trace(made, prompt)) == committed("stream.svg"), AGAIN


def test_make_picture_draws_them_with_the_command():
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\npicture:")[1].split("\n\n")[0]
    recipe = recipe.replace("\\\n", "")
    assert "build --tasks examples/capitals.json --design $$design" in recipe
    for design in ("theorem", "decoder", "encoder"):
        assert f"inspect build/{design} --picture docs/diagram-{design}.svg" in recipe
    drawn = recipe.split("inspect build/theorem --prompt")[1].split()
    assert drawn[:3] == ["examples/capitals-prompt.txt", "--picture", "docs/stream.svg"]
