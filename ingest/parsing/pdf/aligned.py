"""Tables without rules: columns of cells that stand below one another.

A table is only made where every value certainly stands in its column and the first row names the
columns; lines in doubt are left as they stand.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingest.parsing.pdf.grids import Table, same_columns
from ingest.parsing.pdf.lines import SAME_LINE
from ingest.parsing.pdf.words import Word

MOST_HEADER_WORDS = 6
MOST_ROWS = 0.6  # of the rows must have two cells or more
APART = 1.2  # times: rows are farther apart than the lines of one cell

_NUMBER = re.compile(r"[-+±<>≤≥~(]*[$€£¥]?\s*[\d][\d.,:/%\s)°'–-]*\D{0,4}$")

_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Found:
    """A table, and words above its header that belong to no column."""

    table: Table
    above: tuple[Word, ...]


@dataclass(slots=True)
class _Row:
    baseline: float
    cells: list[list[Word]]

    @property
    def filled(self) -> list[int]:
        return [index for index, cell in enumerate(self.cells) if cell]

    def texts(self) -> list[str]:
        return [" ".join(word.text for word in cell) for cell in self.cells]


def aligned_table(columns: Sequence[Sequence[Word]], known: Sequence[Table] = ()) -> Found | None:
    """Make a table of columns of words, or None where it is in doubt.

    A table without a header goes on with one of `known` whose columns stand at the same places.
    """
    rows = _rows(columns)
    above: list[Word] = []
    while rows and len(rows[0].filled) < 2 and len(columns) > 1:
        above += [word for cell in rows.pop(0).cells for word in cell]
    edges = tuple(min(word.left for word in column) for column in columns)
    ends = tuple(max(word.right for word in column) for column in columns)
    header = _known_header(edges, ends, known)
    if len(rows) < 2 or not (header or _has_header(rows)):
        return None
    rows = _with_continued(rows)
    if len(columns) == 2 and 2 * sum(len(set(row.texts())) == 1 for row in rows) > len(rows):
        return None  # two drawings with the same labels
    if sum(len(row.filled) > 1 for row in rows) < MOST_ROWS * len(rows):
        return None
    if len(rows) < 2 or (len(columns) == 2 and not _is_short(rows)):
        return None
    words = [word for row in rows for cell in row.cells for word in cell]
    table = Table(
        rows=_with_header(header, tuple(tuple(row.texts()) for row in rows)),
        left=min(word.left for word in words),
        right=max(word.right for word in words),
        bottom=min(word.bottom for word in words),
        top=max(word.top for word in words),
        edges=edges,
        ends=ends,
    )
    return Found(table, tuple(above))


def _known_header(
    edges: tuple[float, ...], ends: tuple[float, ...], known: Sequence[Table]
) -> tuple[str, ...]:
    for table in known:
        if same_columns(table.edges, table.ends, edges, ends):
            return table.rows[0]
    return ()


def _with_header(
    header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], ...]:
    return rows if not header or rows[0] == header else (header, *rows)


def _rows(columns: Sequence[Sequence[Word]]) -> list[_Row]:
    placed = [(word, n) for n, column in enumerate(columns) for word in column]
    placed.sort(key=lambda item: (-item[0].baseline, item[0].left))
    rows: list[_Row] = []
    for word, column in placed:
        if not rows or rows[-1].baseline - word.baseline > SAME_LINE * word.size:
            rows.append(_Row(word.baseline, [[] for _ in columns]))
        rows[-1].cells[column].append(word)
    for row in rows:
        for cell in row.cells:
            cell.sort(key=lambda word: word.left)
    return rows


def _has_header(rows: list[_Row]) -> bool:
    """Tell whether the first row names the columns: by bold type, or names above numbers."""
    first, rest = rows[0], rows[1:]
    texts = first.texts()
    missing = [index for index, text in enumerate(texts) if not text]
    if [index for index in missing if index] or len(first.filled) < 2:
        return False
    if any(len(text.split()) > MOST_HEADER_WORDS for text in texts):
        return False
    is_bold = all(word.bold for cell in first.cells for word in cell)
    body_bold = all(word.bold for row in rest for cell in row.cells for word in cell)
    if is_bold and not body_bold:
        return True
    cells = [text for row in rest for text in row.texts()]
    if 3 * sum(":" in text for text in cells) > sum(map(bool, cells)):
        return False  # labels with their values
    has_years = any(_YEAR.fullmatch(text) for text in cells)
    names = [text for text in texts if has_years or not _YEAR.fullmatch(text)]
    if (
        not names
        or any(_NUMBER.match(text) for text in names if text)
        or any(":" in text for text in texts)
    ):
        return False
    bodies = [[row.texts()[n] for row in rest if row.cells[n]] for n in range(len(texts))]
    has_numbers = any(body and all(map(_NUMBER.match, body)) for body in bodies)
    is_full = sum(map(bool, cells)) > 0.7 * len(cells)
    return has_numbers or (len(texts) > 2 and len(rest) > 2 and is_full)


def _is_short(rows: list[_Row]) -> bool:
    """Tell cells from two columns of text."""
    counts = [len(text.split()) for row in rows for text in row.texts() if text]
    return median(counts) <= 5


def _with_continued(rows: list[_Row]) -> list[_Row]:
    """Join lines that go on in the cells above: nearer than rows are, or in small letters."""
    near = _nearness(rows)
    joined: list[_Row] = []
    last = 0.0
    for row in rows:
        if joined and _continues(row, joined[-1], last - row.baseline < near):
            for cell, more in zip(joined[-1].cells, row.cells, strict=True):
                cell += more
        else:
            joined.append(row)
        last = row.baseline
    return joined


def _nearness(rows: list[_Row]) -> float:
    """Give the distance below which a line goes on in the row above it, 0 where none does.

    Rows have two distances then: near ones, never with a cell in each column, and far ones.
    """
    pitches = [(a.baseline - b.baseline, b) for a, b in pairwise(rows)]
    sizes = sorted(pitch for pitch, _ in pitches)
    steps = [(b / max(a, 0.1), (a + b) / 2) for a, b in pairwise(sizes)]
    ratio, limit = max(steps, default=(0.0, 0.0))
    far = sum(pitch > limit for pitch in sizes)
    full = any(len(row.filled) == len(row.cells) for pitch, row in pitches if pitch < limit)
    return limit if ratio > APART and far > 1 and not full else 0.0


def _continues(row: _Row, above: _Row, is_near: bool) -> bool:
    if len(row.filled) == len(row.cells) or any(not above.cells[n] for n in row.filled):
        return False
    if is_near:
        return True
    return 0 not in row.filled and all(row.cells[n][0].text[:1].islower() for n in row.filled)
