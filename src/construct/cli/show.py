"""What the commands print with: plain text, colours on a terminal only."""

import json
import os
import re
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from construct.cli import WIDTH
from construct.errors import ConstructError
from construct.rational import Rational, to_json
from construct.rational import above as above
from construct.rational import rounded_up as rounded_up
from construct.spec.tables import decoded


def console(*, err: bool = False) -> Console:
    """Where a command prints: lines fit 80 columns, and words are never read as markup."""
    stream: Any = sys.stderr if err else sys.stdout
    width = None
    if not stream.isatty():
        stream = _Trimmed(stream)
        if "COLUMNS" not in os.environ:
            width = WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


class _Trimmed:
    """A stream without the spaces that tables leave at the ends of lines."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return self._stream.write(re.sub(r" +$", "", text, flags=re.MULTILINE))


def table(rows: Iterable[Iterable[Any]], *headers: str) -> Table:
    """A borderless table; with no headers the first column names the second."""
    result = Table(box=None, show_header=bool(headers), pad_edge=False, padding=(0, 2, 0, 0))
    for i, header in enumerate(headers or ("", "")):
        result.add_column(header, style="bold" if i == 0 else None, overflow="fold")
    for row in rows:
        result.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return result


def bar(share: float, out: Console, width: int = 24) -> Text:
    """`share` of `width`, drawn with blocks or, on an ASCII terminal, with #."""
    width = min(width, out.width // 4)
    full = round(min(max(share, 0.0), 1.0) * width)
    if share > 0 and not full:
        full = 1
    block, rest = ("#", ".") if out.options.ascii_only else ("█", "·")
    return Text(block * full, style="cyan") + Text(rest * (width - full), style="dim")


def percent(share: Any) -> str:
    """A share as a percentage."""
    return f"{100 * float(share):.4g} %"


def machine(x: Any) -> Any:
    """For JSON: whole numbers as integers, floats as floats, fractions as "p/q"."""
    return to_json(x)


def vote(x: Fraction) -> int | float:
    """A number of votes: a whole number, unless the network is broken."""
    return int(x) if x.denominator == 1 else float(x)


def print_json(value: Any) -> None:
    """One JSON object, on standard output.

    Raises:
        ConstructError: if a number in it is NaN or infinite.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        if not _printable(text):
            text = json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise ConstructError(f"the result cannot be written as JSON: {error}.") from error
    click.echo(text)


def _printable(text: str) -> bool:
    """Whether standard output can hold every character; elsewhere some are replaced."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def read_text(path: str) -> str:
    """A file's text, or standard input for "-".

    Raises:
        ConstructError: if it cannot be read, or is not UTF-8 text.
    """
    if path == "-" and sys.stdin is None:
        raise ConstructError("standard input is closed; name a file in place of -.")
    return decoded(sys.stdin.buffer.read if path == "-" else Path(path).read_bytes, path)


def count(x: int) -> str:
    """All digits of a number below 10^18, and four digits of a larger one."""
    from decimal import Decimal

    return f"{x:,}" if x < 10**18 else f"{Decimal(x):.3e}"


def power(x: Rational) -> str:
    """A power of two as 2^k (value), without the value where that is long."""
    exponent = x.numerator.bit_length() - x.denominator.bit_length()
    return "1" if x == 1 else f"2^{exponent} = {x}" if abs(exponent) < 64 else f"2^{exponent}"
