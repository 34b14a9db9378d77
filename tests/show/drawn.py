"""The texts of an SVG with the room that they take, measured in DejaVu Sans by Matplotlib."""

from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree as ET

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

SPACE = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Box:
    text: str
    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        apart = (
            self.right <= other.left
            or other.right <= self.left
            or self.bottom <= other.top
            or other.bottom <= self.top
        )
        return not apart


@cache
def measured(text: str, size: float, bold: bool, mono: bool) -> float:
    family = "DejaVu Sans Mono" if mono else "DejaVu Sans"
    font = FontProperties(family=family, size=size, weight="bold" if bold else "normal")
    return TextToPath().get_text_width_height_descent(text, font, False)[0]


def boxes(picture: str) -> list[Box]:
    """Of all texts but those that are turned."""
    return [
        _box(element)
        for element in ET.fromstring(picture).iter(f"{SPACE}text")
        if "transform" not in element.attrib
    ]


def _box(element: ET.Element) -> Box:
    kinds = element.get("class", "").split()
    size, text = float(element.get("font-size", "")), element.text or ""
    wide = measured(text, size, "bold" in kinds, "mono" in kinds)
    x, y = float(element.get("x", "")), float(element.get("y", ""))
    left = x - wide * {"middle": 0.5, "end": 1}.get(element.get("text-anchor", ""), 0)
    return Box(text, left, left + wide, y - 0.75 * size, y + 0.1 * size)


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{SPACE}text")]


def assert_nothing_overlaps(picture: str) -> None:
    """No text leaves the picture, and no two meet."""
    root, found = ET.fromstring(picture), boxes(picture)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    for box in found:
        assert 0 <= box.left <= box.right <= width, box
        assert 0 <= box.top <= box.bottom <= height, box
    found.sort(key=lambda box: box.top)
    for i, box in enumerate(found):
        for other in found[i + 1 :]:
            if other.top >= box.bottom:
                break
            assert not box.meets(other), (box, other)
