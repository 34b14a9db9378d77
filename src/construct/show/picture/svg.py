"""SVG as text: elements, text that fits its box, and the colours of theme.css.

Colours are written out, in rules for light and for dark: variables and `prefers-color-scheme`
together are more than readers outside of browsers understand.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

SPACE = "http://www.w3.org/2000/svg"
ELLIPSIS, TIMES = "…", "×"  # noqa: RUF001

# Widths of characters in ems, of the widest common sans (DejaVu Sans), rounded up.
NARROW, WIDE = "JijlI.,:;'|!()[]ft/\\- ", "mwMWGOQ@%&+=<>~^_#"
ROUND = "acekorsvxyz"
BOLD, MONO = 1.13, 0.62

# class -> what it looks like; `$name` is a variable of the theme.
RULES = {
    "back": "fill: $back",
    "panel": "fill: $panel",
    "text": "fill: $text",
    "quiet": "fill: $quiet",
    "bold": "fill: $text; font-weight: 700",
    "line": "stroke: $line; fill: none",
    "dead": "stroke: $line; stroke-dasharray: 1 4; fill: none",
    "live": "stroke: $quiet; fill: none",
    "reads": "fill: $back; stroke: $accent",
    "writes": "fill: $accent; stroke: $accent",
    "more": "fill: rgb($positive)",
    "less": "fill: rgb($negative)",
    **{f"task{i}": f"fill: $task-{i}" for i in range(1, 8)},
}


@cache
def theme() -> tuple[dict[str, str], dict[str, str]]:
    """The variables of theme.css: in light, and in dark."""
    css = files("construct.show").joinpath("theme.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", re.sub(r"/\*.*?\*/", "", css, flags=re.S), re.S)
    light, dark = (dict(re.findall(r"--([\w-]+):\s*([^;]+);", block)) for block in blocks)
    return light, light | dark


class Picture:
    """An SVG that grows: what is drawn later lies above.

    Attributes:
        root: the element that all is drawn into.
    """

    def __init__(self, title: str, description: str) -> None:
        self.root = ET.Element("svg", {"xmlns": SPACE, "role": "img", "class": "construct"})
        self.root.set("aria-labelledby", "construct-title construct-description")
        for name, text in (("title", title), ("desc", description)):
            known = {"title": "construct-title", "desc": "construct-description"}
            ET.SubElement(self.root, name, id=known[name]).text = plain(text)
        self._style = ET.SubElement(self.root, "style")
        self._back = ET.SubElement(self.root, "rect", {"class": "back"})

    def add(self, tag: str, kind: str, *, said: str = "", **attributes: Any) -> ET.Element:
        """An element of a class of `RULES`; names have - for _.

        Args:
            said: what a pointer over it shows.
        """
        given = {name.replace("_", "-"): number(value) for name, value in attributes.items()}
        element = ET.SubElement(self.root, tag, {"class": kind, **given})
        if said:
            ET.SubElement(element, "title").text = plain(said)
        return element

    def text(
        self,
        x: int | float,
        y: int | float,
        text: str,
        kind: str = "text",
        *,
        size: int | float = 12,
        **more: Any,
    ) -> ET.Element:
        """A line of text; `y` is its base line."""
        element = self.add("text", kind, x=x, y=y, font_size=size, **more)
        element.text = plain(text)
        return element

    def lines(
        self,
        x: int | float,
        y: int | float,
        lines: list[str],
        kind: str,
        *,
        size: int | float,
        step: int | float,
    ) -> None:
        """Lines of text one below the other."""
        for i, line in enumerate(lines):
            self.text(x, y + i * step, line, kind, size=size)

    def finished(self, width: int | float, height: int | float) -> str:
        """The SVG as text."""
        self.root.set("viewBox", f"0 0 {number(width)} {number(height)}")
        for element in (self.root, self._back):
            element.set("width", number(width))
            element.set("height", number(height))
        used = {name for element in self.root.iter() for name in element.get("class", "").split()}
        self._style.text = _style(used)
        ET.indent(self.root, "")
        return ET.tostring(self.root, encoding="unicode") + "\n"


def _style(used: set[str]) -> str:
    """The rules of these classes, in light and in dark."""
    light, dark = theme()
    rules = {name: rule for name, rule in RULES.items() if name in used}
    base = f".construct {{ font-family: {light['sans']} }}\n"
    base += f".construct .mono {{ font-family: {light['mono']} }}\n"
    both = ["".join(_rules(rules, variables)) for variables in (light, dark)]
    return f"\n{base}{both[0]}@media (prefers-color-scheme: dark) {{\n{both[1]}}}\n"


def _rules(rules: dict[str, str], variables: dict[str, str]) -> Iterator[str]:
    for name, rule in rules.items():
        filled = re.sub(r"\$([a-z]+(?:-\d)?)", lambda found: variables[found[1]], rule)
        yield f".construct .{name} {{ {_commas(filled)} }}\n"


def _commas(rule: str) -> str:
    """`rgb(1 2 3)` with commas, as older readers want them."""
    return re.sub(r"rgb\((\d+) (\d+) (\d+)\)", r"rgb(\1, \2, \3)", rule)


def number(value: object) -> str:
    """A number with at most two decimals, or a text."""
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


def plain(text: str) -> str:
    """The text with characters that cannot be seen, or that XML refuses, written as escapes."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def width(text: str, size: int | float, *, bold: bool = False, mono: bool = False) -> int | float:
    """How wide a line of text is at most, in the fonts of the theme."""
    ems = sum(_ems(c, mono) for c in plain(text))
    return ems * size * (BOLD if bold and not mono else 1)


def _ems(c: str, mono: bool) -> int | float:
    if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(c) in "WF" or ord(c) > 0xFFFF:
        return 1.4
    if mono:
        return MONO if ord(c) < 0x300 else 1
    base = unicodedata.normalize("NFD", c)[0]
    if c == TIMES:
        return 0.85
    if ord(base) > 0x7F:
        return 1.2 if base.isupper() else 1.05
    if base in NARROW:
        return 0.43
    if base in WIDE:
        return 1.0
    return 0.8 if base.isupper() else 0.62 if base in ROUND else 0.65


def fitted(
    text: str, room: int | float, size: int | float, *, bold: bool = False, mono: bool = False
) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    text = plain(text)
    if width(text, size, bold=bold, mono=mono) <= room:
        return text
    most = room - width(ELLIPSIS, size, bold=bold, mono=mono)
    kept = ""
    for c in text:
        if width(kept + c, size, bold=bold, mono=mono) > most:
            break
        kept += c
    return kept.rstrip() + ELLIPSIS


def wrapped(
    text: str, room: int | float, size: int | float, *, most: int = 9, bold: bool = False
) -> list[str]:
    """Lines of whole words, at most so many; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    words = plain(text).split(" ")
    while words:
        last = len(lines) == most - 1
        count = len(words)
        while count > 1 and width(" ".join(words[:count]), size, bold=bold) > room:
            count -= 1
        if last and count < len(words):
            lines.append(fitted(" ".join(words), room, size, bold=bold))
            break
        lines.append(fitted(" ".join(words[:count]), room, size, bold=bold))
        words = words[count:]
    return lines
