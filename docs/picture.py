"""Draws docs/demo.svg from what `construct demo` prints (`make picture`)."""

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

console = Console(record=True, width=80, file=open("/dev/null", "w"))  # noqa: SIM115
for line in sys.stdin.read().splitlines():
    console.print(Text.from_ansi(line))
svg = console.export_svg(title="construct demo")
# No fonts from the network: the reader's own monospace does.
svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)
svg = svg.replace("Fira Code, monospace", "monospace")
Path(__file__).with_name("demo.svg").write_text(svg)
