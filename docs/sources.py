"""Pages of the files and folders that documents link to; of Rocq's, with the links of coqdoc."""

import ast
import html
import posixpath
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

ROOT = Path(__file__).parent.parent
ROCQ = "proofs/rocq"
COQDOC = ["coqdoc", "--html", "--utf8", "--body-only", "--no-index", "--no-externals"]
COQDOC += ["--parse-comments", "-R", ".", "construct"]
LINK = re.compile(r'(?:href|src)="(?!\w+:|//)([^"#?]+)')
# A page is named as the file is, in this folder of the site.
PAGES = "files/"


class ToSources(SphinxTransform):
    """Links to files and folders that are no pages lead to pages that are made of them."""

    default_priority = 900

    def apply(self, **_: Any) -> None:
        """Replace them in one document."""
        for text in [t for t in self.document.findall(nodes.Text) if t == " -- "]:
            text.parent.replace(text, nodes.Text(" \N{EN DASH} "))
        folder = posixpath.dirname(self.env.docname)
        kinds = (addnodes.download_reference, addnodes.pending_xref)
        for node in [n for n in self.document.findall(nodes.Element) if isinstance(n, kinds)]:
            target = node.get("reftarget", "").partition("#")[0]
            path = posixpath.normpath(posixpath.join(folder, target))
            if not target or target.endswith(".md") or not (ROOT / path).exists():
                continue
            if node.get("refdomain") == "py":
                continue
            uri = link_to(self.app, self.env.docname, path)
            to = nodes.reference("", "", *node.children, internal=True, refuri=uri)
            node.replace_self(to)


def link_to(app: Sphinx, docname: str, path: str) -> str:
    """The address of the page of a file or folder, as seen from a document; it will be made."""
    if not hasattr(app.env, "linked_sources"):
        app.env.linked_sources = {}
    app.env.linked_sources.setdefault(docname, set()).add(path)
    return app.builder.get_relative_uri(docname, PAGES + path)


def collected(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each file and folder that is linked to, and for the files in such a folder."""
    linked = {path for paths in app.env.linked_sources.values() for path in paths}
    linked |= {f"{ROCQ}/{path.name}" for path in (ROOT / ROCQ).glob("*.v")}
    for path in sorted(linked):
        linked.update(inside(path))
    rendered = coqdoc()
    for path in sorted(linked):
        body = rendered.get(path) or page(path, linked)
        title = path + ("/" if (ROOT / path).is_dir() else "")
        parents = [{"link": app.builder.get_relative_uri(PAGES + path, "docs/index"), "title": ""}]
        body = f'<h1 class="path">{html.escape(title)}</h1><div class="source">{body}</div>'
        yield PAGES + path, {"title": title, "body": body, "parents": parents}, "page.html"


def inside(path: str) -> list[str]:
    """The files that lie in a folder, and its folders, as git lists them."""
    if not (ROOT / path).is_dir():
        return []
    found = (child for child in sorted((ROOT / path).iterdir()) if shown(child))
    return [str(child.relative_to(ROOT)) for child in found]


def shown(path: Path) -> bool:
    """Whether it is a source: no cache, and nothing that is made of others."""
    made = (".vo", ".vok", ".vos", ".glob", ".aux", ".cache", ".md")
    hidden = path.name.startswith((".", "__pycache__", "Makefile.coq")) or path.suffix in made
    return not hidden and (path.is_file() or any(map(shown, path.iterdir())))


def page(path: str, linked: set[str]) -> str:
    """The text of a file, coloured; of a folder, what lies in it and what each file says it is."""
    file = ROOT / path
    if file.is_dir():
        rows = [
            f'<tr><td><a href="{reference(path, child)}">{html.escape(Path(child).name)}</a></td>'
            f"<td>{html.escape(about(ROOT / child))}</td></tr>"
            for child in inside(path)
            if child in linked
        ]
        return f'<table class="docutils">{"".join(rows)}</table>'
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return "<p>This file is no text.</p>"
    try:
        lexer = get_lexer_for_filename(file.name)
    except ClassNotFound:
        return f'<div class="highlight"><pre>{html.escape(text)}</pre></div>'
    return highlight(text, lexer, HtmlFormatter())


def reference(path: str, child: str) -> str:
    """A link from the page of one file to that of another."""
    return posixpath.relpath(child, posixpath.dirname(path)) + ".html"


def about(file: Path) -> str:
    """The first line of its docstring or, in Rocq, of its first comment."""
    if file.is_dir():
        file = file / "__init__.py"
    if not file.is_file():
        return ""
    if file.suffix == ".py":
        words = ast.get_docstring(ast.parse(file.read_text())) or ""
        return " ".join(words.split("\n\n")[0].split())
    if file.suffix == ".v":
        comment = re.match(r"\(\*+\s*(.*?)\s*\*\)", file.read_text(), re.S)
        words = " ".join(comment[1].split("\n\n")[0].split()) if comment else ""
        return re.split(r"(?<=\w\w[.)])\s(?=[A-Z`])", words, maxsplit=1)[0]
    return ""


def coqdoc() -> dict[str, str]:
    """What coqdoc makes of the Rocq files, by path; nothing where Rocq is not installed.

    Names link to their definitions where the development has been compiled (`make proofs`).
    """
    if not shutil.which("coqdoc"):
        return {}
    order = [f for f in (ROOT / ROCQ / "_CoqProject").read_text().split() if f.endswith(".v")]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [*COQDOC, "-d", folder, *order],
            cwd=ROOT / ROCQ,
            check=True,
            capture_output=True,
        )
        made = {name: Path(folder) / f"construct.{name[:-2]}.html" for name in order}
        bodies = {name: file.read_text(encoding="utf-8") for name, file in made.items()}
    return {
        f"{ROCQ}/{name}": f'<div class="coqdoc">{ours(body)}</div>' for name, body in bodies.items()
    }


def ours(body: str) -> str:
    """What coqdoc writes, without its heading, and with links to the pages of this site."""
    body = re.sub(r'<h1 class="libtitle">.*?</h1>', "", body, flags=re.S)
    return re.sub(r'href="construct\.(\w+)\.html', r'href="\1.v.html', body)


def finish(app: Sphinx, error: Exception | None) -> None:
    """The site begins at its root; each link in it leads to a file that is there."""
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    to = '<!doctype html><meta http-equiv="refresh" content="0; url=docs/index.html">'
    (site / "index.html").write_text(f'{to}<a href="docs/index.html">construct</a>')
    for page in sorted(site.rglob("*.html")):
        for link in set(LINK.findall(page.read_text(encoding="utf-8"))):
            if not (page.parent / unquote(html.unescape(link))).exists():
                logging.getLogger(__name__).warning("%s: no such page: %s", page, link)


def purge(app: Sphinx, env: Any, docname: str) -> None:
    """Forget the links of a document that is read anew."""
    getattr(env, "linked_sources", {}).pop(docname, None)


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    app.add_transform(ToSources)
    app.connect("html-collect-pages", collected)
    app.connect("env-purge-doc", purge)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": False}
