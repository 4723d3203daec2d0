"""Rows of cells to Markdown: cells that span are repeated, titles and headers are found.

Knows nothing about the formats that rows come from.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_ROWS = 20_000  # rows of a table that are read
MOST_SPAN = 1_000  # columns that one cell may cover
HEADER_SHARE = 0.5  # of a table's columns: a row with fewer filled cells is no header

_NUMBER = re.compile(
    r"^[^\w(+-]{0,3}\s{0,9}[(+-]?\s{0,9}[^\w\s]?\s{0,9}\d[\d\s.,:/'%-]*\)?\s*[^\W\d]{0,3}\W{0,2}$"
)
_UNIT = re.compile(
    r"^(?:[(\[].{1,12}[)\]]|[%‰°€$£¥]|°[CFK]|[kcmµ]?[mgWVA]²?³?|kWh|[hl]|min|sec|EUR|USD|GBP|CHF)$"
)

Grid = list[list[str]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text and how many rows and columns it covers."""

    text: str
    rows: int = 1
    columns: int = 1


def resolved(rows: Iterable[Iterable[Cell]]) -> Grid:
    """Give rows of equal cells: what covers several stands in each of them."""
    grid: Grid = []
    hanging: dict[int, tuple[int, str]] = {}  # column: rows still covered, text
    for row in rows:
        line: list[str] = []
        covered, hanging = hanging, {}
        for cell in row:
            _hang(line, covered, hanging)
            start = len(line)
            for column in range(start, start + max(1, min(cell.columns, MOST_SPAN))):
                line.append(cell.text)
                if cell.rows > 1:
                    hanging[column] = (cell.rows - 1, cell.text)
        _hang(line, covered, hanging)
        for column in sorted(covered):
            line += [""] * (column - len(line))
            _hang(line, covered, hanging)
        grid.append(line)
    return grid


def _hang(
    line: list[str], covered: dict[int, tuple[int, str]], hanging: dict[int, tuple[int, str]]
) -> None:
    """Fill the next cells as far as they are covered from above."""
    while len(line) in covered:
        rows, text = covered.pop(len(line))
        if rows > 1:
            hanging[len(line)] = (rows - 1, text)
        line.append(text)


def table(rows: Iterable[Iterable[str]]) -> str:
    """Write rows, the first being the header, as a Markdown table."""
    cells = [[_escaped(cell) for cell in row] for row in rows]
    if not cells:
        return ""
    width = max(len(row) for row in cells)
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]]) + "\n"


def titled(grid: Sequence[Sequence[str]], header_rows: int = 0) -> str:
    """Write a table with what stands above its header as text before it, and notes below after it.

    A header of several rows becomes one; `header_rows` tells how many they are, where it is known.
    """
    rows = _filled(grid)
    start = _header(rows)
    if header_rows:
        start = next((n for n, row in enumerate(rows[: header_rows - 1]) if not _is_alone(row)), 0)
        header_rows -= start
    end = len(rows)
    while end > start + 2 and _is_alone(rows[end - 1]) and not _is_alone(rows[end - 2]):
        end -= 1
    above, below = map(_lone, rows[:start]), map(_lone, rows[end:])
    return "\n\n".join([*above, table(_one_header(rows[start:end], header_rows)), *below])


def _filled(grid: Sequence[Sequence[str]]) -> Grid:
    """Give the rows and columns that hold anything."""
    rows = [row for row in grid if any(cell.strip() for cell in row)]
    width = max(map(len, rows), default=0)
    kept = [n for n in range(width) if any(n < len(row) and row[n].strip() for row in rows)]
    return [[row[n] for n in kept if n < len(row)] for row in rows]


def flat(grid: Sequence[Sequence[str]]) -> str:
    """Write a small table on one line, as it stands within a cell of another."""
    rows = ([" ".join(cell.split()) for cell in dict.fromkeys(row) if cell.strip()] for row in grid)
    return "; ".join(_sign_after(row).join(row) for row in rows if row)


def _sign_after(row: Sequence[str]) -> str:
    return " " if row[0].endswith(":") else ": " if len(row) == 2 else ", "


def is_number(text: str) -> bool:
    """Tell whether a cell holds an amount or a date rather than words."""
    return len(text) <= 40 and _NUMBER.match(text.strip()) is not None


def _header(rows: Grid) -> int:
    """Find the first row that names columns: above it stand titles and remarks.

    It reaches as far to the right as most rows do; a name may be missing on the left.
    """
    ends = Counter(_end(row) for row in rows if not _is_alone(row))
    end = max(ends, key=lambda n: (ends[n], n), default=0)
    for place, row in enumerate(rows[:-1]):
        filled = {cell for cell in row if cell.strip()}
        number = sum(1 for cell in row if cell.strip())
        if len(filled) > 1 and _end(row) >= end and number >= end * HEADER_SHARE:
            return place
    return 0


def _end(row: Sequence[str]) -> int:
    """Give the number of cells up to the last filled one."""
    return next((n for n in range(len(row), 0, -1) if row[n - 1].strip()), 0)


def _is_alone(row: Sequence[str]) -> bool:
    """Tell whether a row says one thing only, in one cell or across all of them."""
    filled = [cell for cell in row if cell.strip()]
    return len(row) > 1 and len(set(filled)) == 1 and (len(filled) == 1 or len(filled) == len(row))


def _lone(row: Sequence[str]) -> str:
    """Give a title row as text: what is repeated across it, once."""
    return " ".join(" ".join(dict.fromkeys(cell.strip() for cell in row if cell.strip())).split())


def _one_header(rows: Grid, header_rows: int) -> Grid:
    depth = max(1, header_rows)
    if not header_rows and len(rows) > 2 and _is_units(rows[0]):  # they stand above the names
        rows, depth = [rows[1], rows[0], *rows[2:]], 2
    elif not header_rows and len(rows) > 2:
        depth += _is_second_header(rows[0], rows[1]) or _is_units(rows[1])
    if depth == 1:
        return rows
    width = max(len(row) for row in rows[:depth])
    columns = [
        [row[n].strip() if n < len(row) else "" for row in rows[:depth]] for n in range(width)
    ]
    return [[" ".join(dict.fromkeys(filter(None, names))) for names in columns], *rows[depth:]]


def _is_second_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Tell whether names stand under a name that covers several columns."""
    spans = any(a and a == b for a, b in pairwise(first))
    words = [cell for cell in second if cell.strip()]
    return (
        spans
        and len(set(words)) > 1
        and len(words) >= len(second) * HEADER_SHARE
        and not any(is_number(cell) and not _is_year(cell) for cell in words)
    )


def _is_year(cell: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d", cell.strip()) is not None


def _is_units(row: Sequence[str]) -> bool:
    units = [cell.strip() for cell in row if cell.strip()]
    return bool(units) and all(_UNIT.match(unit) for unit in units)


def _escaped(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")
