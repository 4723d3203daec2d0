"""Comma-separated values and their like, to a Markdown table.

Knows nothing about types: every cell is text.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from ingest.parsing.office import counted
from ingest.parsing.tables import MOST_ROWS, titled
from ingest.parsing.text import Parsed, decode

DELIMITERS = ",;\t|^~"
SAMPLE_ROWS = 200  # looked at to find out what parts the cells
SAMPLE_CHARS = 200_000


def read_delimited(data: bytes) -> Parsed:
    """Read CSV, TSV and their like; the header is found below a preamble."""
    text = decode(data).lstrip("\ufeff")
    named, text = _named_delimiter(text)
    rows = _rows(text, named or _delimiter(text[:SAMPLE_CHARS]))
    kept = list(islice(rows, MOST_ROWS))
    beyond = sum(1 for _ in rows)
    left_out = (f"{counted(beyond, 'row')} after the first {MOST_ROWS}",) if beyond else ()
    return Parsed(titled(kept), left_out=left_out)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    # A quoted cell may be longer than the csv module allows by itself.
    csv.field_size_limit(max(len(text), 131_072))
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=False
    )
    return ([*map(str.strip, row)] for row in reader if any(cell.strip() for cell in row))


def _named_delimiter(text: str) -> tuple[str | None, str]:
    """Take the line "sep=;" that Excel writes and obeys."""
    first, _, rest = text.partition("\n")
    line = first.strip().strip('"')
    return (line[4], rest) if line.lower().startswith("sep=") and len(line) == 5 else (None, text)


def _delimiter(sample: str) -> str:
    """Choose what cuts most rows into the same number of cells, several of them.

    Counting signs in lines, as csv.Sniffer does, is misled by quoted cells and by prose.
    """
    return max(DELIMITERS, key=lambda delimiter: _agreement(sample, delimiter))


def _agreement(sample: str, delimiter: str) -> tuple[float, int]:
    widths = Counter(len(row) for row in islice(_rows(sample, delimiter), SAMPLE_ROWS))
    total = widths.total()
    wide = {width: number for width, number in widths.items() if width > 1}
    if not wide:
        return 0.0, 0
    # Ragged rows count where they are not far from what most rows have.
    width = max(wide, key=lambda w: (wide[w], w))
    near = sum(number for w, number in wide.items() if w <= width)
    # In "1,5;2,5" both would do; decimal commas are at most as many as the cells.
    return round((wide[width] + near) / 2 / total, 2), width * (2 if delimiter == ";" else 1)
