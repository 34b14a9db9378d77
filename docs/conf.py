"""How Sphinx builds the site (`make docs`): the repository's own documents, linked as they are.

The pages are the Markdown files where they lie, so that one link serves GitHub and the site. What
else they link to, sources and folders, becomes pages too (sources.py); the commands come from the
click objects and the Python interface from `construct.__all__` (reference.py).
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

import construct  # noqa: E402

project = "construct"
version = release = construct.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
extensions += ["sources", "reference"]

# The source folder is the root of the repository; these are its pages.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "examples/*.md", "examples/paper/*.md", "benchmarks/*.md"]
include_patterns += ["proofs/*.md", "proofs/floats/*.md"]
exclude_patterns = [".*", "build", "src", "tests", "**/results", "proofs/rocq"]

nitpicky = True
# Nothing is looked up on a network: names of other packages lead nowhere, and need not.
nitpick_ignore_regex = [("py:.*", r"(?!construct\b).*")]
myst_heading_anchors = 4
highlight_language = "text"
smartquotes = False
default_role = "code"
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_rtype = False
python_maximum_signature_line_length = 60

html_theme = "furo"
html_title = "construct"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#6cb6ff", "color-brand-content": "#6cb6ff"},
}
