"""The pages of the commands, from --help, and of the Python interface, from the docstrings."""

import inspect
import re
from functools import cache
from typing import Any

from docutils import nodes
from sources import ROOT, link_to
from sphinx.application import Sphinx

import construct
from construct.cli import COMMANDS

# In docs/api.md a paragraph of names alone says what its section documents.
NAMES = re.compile(r"^(`\w+`(?:,\s+`\w+`)*)$", re.M)


def names_of(text: str) -> list[str]:
    """The public names that docs/api.md lists, in its order."""
    return [name for group in NAMES.findall(text) for name in re.findall(r"\w+", group)]


def documented(app: Sphinx, docname: str, source: list[str]) -> None:
    """Puts what is generated in the place of the names."""
    if docname == "docs/api":
        source[0] = NAMES.sub(lambda found: entries(names_of(found[0])), source[0])
    if docname == "docs/commands":
        whole = section("construct.cli:cli", "construct")
        each = (section(f"construct.cli.{name}:command", f"construct {name}") for name in COMMANDS)
        source[0] += "".join([whole, *each])


def section(command: str, name: str) -> str:
    """What sphinx-click makes of one command; each lies in a module of its own."""
    lines = [f".. click:: {command}", f"   :prog: {name}"]
    return "\n".join(["```{eval-rst}", *lines, "   :nested: none", "```", "", ""])


def ending(app: Sphinx, context: Any, lines: list[str]) -> None:
    """The end of a help text: examples and lists stand as they do in a terminal."""
    lines[:] = []
    for block in context.command.epilog.replace("\b\n", "").strip().split("\n\n"):
        rows = block.splitlines()
        if any(row.startswith("  ") for row in rows):
            lines += ["::", "", *("   " + row for row in rows), ""]
        else:
            lines += [*map(escaped, rows), ""]


def options(app: Sphinx, context: Any, lines: list[str]) -> None:
    """A backslash in the help of an option is one."""
    lines[:] = [line.replace("\\", "\\\\") for line in lines]


def entries(names: list[str]) -> str:
    """The directives of autodoc for these names."""
    lines = [".. currentmodule:: construct", ""]
    for name in names:
        kind = type(getattr(construct, name))
        is_class = isinstance(kind, type) and issubclass(kind, type)
        lines += [f".. auto{'class' if is_class else 'function'}:: {name}"]
        lines += ["   :members:"] if is_class else []
        lines += [""]
    return "\n".join(["```{eval-rst}", *lines, "```"])


def short(text: str | None) -> str | None:
    """A signature with the names of types alone, without the modules that they are from."""
    if not text:
        return text
    text = re.sub(r"(?<![\w.])(?:[a-z_]\w*\.)+(?=[A-Za-z])", "", text)
    text = re.sub(r"Union\[((?:\w+\[[^]]*\](?:, )?)+)\]", one_of, text)
    return text.replace("int | Fraction", "Rational")


def one_of(found: re.Match[str]) -> str:
    """Alternatives, of which a sparse form of the same array is none."""
    dense = [one for one in re.findall(r"\w+\[[^]]*\]", found[1]) if "csr_array" not in one]
    return " | ".join(dense)


def signature(
    app: Sphinx, what: str, name: str, value: Any, options: Any, text: str | None, gives: str | None
) -> tuple[str | None, str | None]:
    """What autodoc prints of it, with the values of constants that are defaults."""
    known = getattr(inspect.unwrap(value), "__globals__", {})
    if text:
        text = re.sub(r"= ([A-Z_]+)\b", lambda found: f"= {known[found[1]]!r}", text)
    return short(text), short(gives)


def plain(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are plain text with backticks; what is indented after an empty line is code."""
    made, code = [], False
    for before, line in zip(["", *lines], [*lines], strict=False):
        if line.strip() and not line.startswith("    "):
            code = False
        elif line.startswith("    ") and not before.strip() and not code:
            code = True
            made += ["::", ""]
        made.append(line if code else escaped(line))
    lines[:] = made


def escaped(line: str) -> str:
    """A line of plain text with backticks, in reStructuredText."""
    parts = re.split(r"(`[^`]*`)", line)
    marks = r"([*|\\]|(?<=\w)_(?!\w))"
    return "".join(p if i % 2 else re.sub(marks, r"\\\1", p) for i, p in enumerate(parts))


def types(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """The types of attributes, as napoleon found them, in the same short form."""
    for i, line in enumerate(lines):
        if line.strip().startswith(":type:"):
            lines[i] = re.sub(r"\*(?=\w)", r"\\*", short(line) or "")


def unknown(app: Sphinx, env: Any, node: Any, child: nodes.Node) -> nodes.Node | None:
    """A type of the package: what is public leads to its entry, what is not to its source."""
    name = node.get("reftarget", "").rpartition(".")[2]
    docname = node.get("refdoc")
    if node.get("refdomain") != "py":
        return None
    if name in construct.__all__:
        domain = env.domains["py"]
        to = f"construct.{name}"
        return domain.resolve_xref(env, docname, app.builder, "obj", to, node, child)
    for path in defined().get(name, [])[:1]:
        uri = link_to(app, docname, path)
        return nodes.reference("", "", child, internal=True, refuri=uri)
    return None


@cache
def defined() -> dict[str, list[str]]:
    """For each class and alias of the package the files that define it."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        for name in re.findall(r"^(?:class )?([A-Z]\w+)(?:\b.*:$| = )", path.read_text(), re.M):
            found.setdefault(name, []).append(str(path.relative_to(ROOT)))
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    app.connect("source-read", documented)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-process-docstring", plain, priority=400)
    app.connect("autodoc-process-docstring", types, priority=600)
    app.connect("missing-reference", unknown)
    app.connect("sphinx-click-process-epilog", ending)
    app.connect("sphinx-click-process-options", options)
    return {"parallel_read_safe": False}
