"""Rows of cells to a Markdown table, and delimited text to rows.

Knows nothing about the formats that rows come from.
"""

import csv
import io
from collections.abc import Iterable
from itertools import islice

from ingest.parsing.text import Parsed, decode

MOST_ROWS = 20_000  # rows of a table that are read


def read_delimited(data: bytes) -> Parsed:
    """Read CSV, TSV and their like; the first row is the header."""
    text = decode(data)
    header = text.lstrip("\n").partition("\n")[0]
    delimiter = max(",;\t|", key=header.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    rows = islice(reader, MOST_ROWS)
    return Parsed(table([row for row in rows if any(cell.strip() for cell in row)]))


def table(rows: Iterable[Iterable[str]]) -> str:
    """Write rows, the first being the header, as a Markdown table."""
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    if not cells:
        return ""
    width = max(len(row) for row in cells)
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]]) + "\n"
