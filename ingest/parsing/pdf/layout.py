"""A page's words and ruled tables in the order they are read: columns, and tables without rules.

White space tells: a gap that goes down through several lines parts columns of text or of a table.
Knows nothing about paragraphs or headings.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ingest.parsing.pdf.aligned import aligned_table
from ingest.parsing.pdf.grids import Table
from ingest.parsing.pdf.lines import Line, lines_of
from ingest.parsing.pdf.words import Word

STEP = 2.0  # points that one cell of the picture of a page covers
DEEPEST = 8  # columns within columns
PROSE_WORDS = 4  # a line: columns with as many are text, not cells
PROSE_LINES = 4
TEXT_SHARE = 0.6  # of the place on both sides of a gap is covered where it parts text
WHOLE = 0.85  # of a column's width: lines this wide are text that fills it
FAR = 30.0  # points: rows this far apart may belong to different tables

_MARKER = re.compile(r"([•‣▪◦●○■□–—*·o§-]|\(?[0-9ivx]{1,4}[.)]|\(?[a-zA-Z][.)]|\d+(\.\d+)+\.?)$")

_SMALL_NUMBER = re.compile(r"\d{1,2}")

Item = Word | Table
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Region:
    """Lines of one column, from top to bottom; `is_rows` when each is a row of its own."""

    lines: tuple[Line, ...]
    left: float
    right: float
    is_rows: bool = False


def reading_order(items: Sequence[Item], known: Sequence[Table] = ()) -> list[Region | Table]:
    """Give columns and tables in the order they are read.

    `known` are the tables of the page before: one that goes on here has its header there.
    """
    return _Reader(known).order(items, _extent(items), 0) if items else []


class _Reader:
    def __init__(self, known: Sequence[Table]) -> None:
        self.known = known

    def order(
        self, items: Sequence[Item], area: tuple[float, float], depth: int
    ) -> list[Region | Table]:
        """Order what stands in one column; `area` is its left and right edge."""
        band = _band(items) if depth < DEEPEST else None
        if band is None:
            return _stacked(items, area)
        top, bottom = band
        above = [item for item in items if _height(item) > top]
        below = [item for item in items if _height(item) < bottom]
        inside = [item for item in items if bottom <= _height(item) <= top]
        if not inside:
            return _stacked(items, area)
        parts = self.order(above, area, depth + 1) if above else []
        parts += self._side_by_side(inside, area, depth)
        return parts + (self.order(below, area, depth + 1) if below else [])

    def _side_by_side(
        self, items: list[Item], area: tuple[float, float], depth: int
    ) -> list[Region | Table]:
        """Tell columns of text from a table, and both from lines with wide gaps."""
        columns = _columns(items)
        if len(columns) < 2:
            return _stacked(items, area)
        prose = [_is_prose(column) for column in columns]
        has_table = any(isinstance(item, Table) for item in items)
        cells = [n for n, is_prose in enumerate(prose) if is_prose and _holds_cells(columns, n)]
        if not has_table and len(cells) == sum(prose) < len(columns):
            words = [[item for item in column if isinstance(item, Word)] for column in columns]
            if found := aligned_table(words, self.known):
                return [*_region(found.above, area), found.table]
            if cells:
                return _stacked(items, area, is_rows=True)
        if any(prose) or has_table or not _is_aligned(columns):
            groups = _groups(columns, prose)
            return [
                part for group in groups for part in self.order(group, _extent(group), depth + 1)
            ]
        return _stacked(items, area, is_rows=True)


def _height(item: Item) -> float:
    """The height that decides whether an item is above another."""
    if isinstance(item, Word):
        return item.baseline + 0.25 * item.size
    return (item.top + item.bottom) / 2


def _stacked(
    items: Sequence[Item], area: tuple[float, float], is_rows: bool = False
) -> list[Region | Table]:
    """Give lines and tables of one column from top to bottom."""
    tables = sorted((i for i in items if isinstance(i, Table)), key=lambda table: -table.top)
    rest = [item for item in items if isinstance(item, Word)]
    parts: list[Region | Table] = []
    for table in tables:
        middle = _height(table)
        parts += _region([word for word in rest if _height(word) > middle], area, is_rows)
        parts.append(table)
        rest = [word for word in rest if _height(word) <= middle]
    return parts + _region(rest, area, is_rows)


def _region(
    words: Sequence[Word], area: tuple[float, float], is_rows: bool = False
) -> list[Region | Table]:
    return [Region(tuple(lines_of(words)), *area, is_rows)] if words else []


def _extent(items: Sequence[Item]) -> tuple[float, float]:
    return min(item.left for item in items), max(item.right for item in items)


def _groups(columns: list[list[Item]], prose: list[bool]) -> list[list[Item]]:
    """Keep neighbouring columns that are no text together: they may be a table beside the text."""
    if not any(prose):
        return columns
    groups: list[list[Item]] = []
    for index, column in enumerate(columns):
        if index and not prose[index] and not prose[index - 1]:
            groups[-1] = groups[-1] + column
        else:
            groups.append(column)
    return groups


def _is_prose(column: Sequence[Item]) -> bool:
    lines = lines_of(item for item in column if isinstance(item, Word))
    if len(lines) < PROSE_LINES:
        return False
    width = max(line.right for line in lines) - min(line.left for line in lines)
    filled = median((line.right - line.left) / max(width, 1) for line in lines)
    return median(len(line.text.split()) for line in lines) >= PROSE_WORDS and filled > 0.6


def _holds_cells(columns: list[list[Item]], place: int) -> bool:
    """Tell whether a column of long lines holds cells: each line, or each line after a gap, has a
    partner in another column."""
    own = sorted({round(_height(item)) for item in columns[place]}, reverse=True)
    others = {round(_height(i)) for n, column in enumerate(columns) if n != place for i in column}
    starts = [h for h in own if {h - 1, h, h + 1} & others]
    partners = sum(bool({h - 1, h, h + 1} & set(own)) for h in others)
    if len(starts) < 2 or partners < 0.9 * len(others):
        return False
    if len(starts) >= 0.9 * len(own):
        return True
    gaps = [(a - b, b in starts) for a, b in pairwise(own)]
    before_starts = [gap for gap, is_start in gaps if is_start]
    return min(before_starts) > 1.1 * max(
        (gap for gap, is_start in gaps if not is_start), default=0
    )


def _is_aligned(columns: list[list[Item]]) -> bool:
    """Tell whether most lines have a partner in another column."""
    heights = [{round(_height(item)) for item in column} for column in columns]
    partnered = 0
    for place, own in enumerate(heights):
        others = {h for n, column in enumerate(heights) if n != place for h in column}
        partnered += sum(bool({h - 1, h, h + 1} & others) for h in own)
    return partnered >= 0.6 * sum(map(len, heights))


def _columns(items: Sequence[Item]) -> list[list[Item]]:
    """Part items at the gaps that go through all of them; list markers stay with their text."""
    picture = _Picture(items)
    covered = picture.cover.any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], covered.astype(np.int8), [0]))))
    cuts = [
        picture.left + STEP * (end + start) / 2
        for end, start in zip(edges[1:-1:2], edges[2::2], strict=True)
    ]
    columns: list[list[Item]] = [[] for _ in range(len(cuts) + 1)]
    for item in items:
        middle = (item.left + item.right) / 2
        columns[int(np.searchsorted(cuts, middle))].append(item)
    return _with_markers([column for column in columns if column])


def _with_markers(columns: list[list[Item]]) -> list[list[Item]]:
    joined: list[list[Item]] = []
    for column in columns:
        is_marked = bool(joined) and all(
            isinstance(i, Word)
            and (_MARKER.match(i.text) or (len(columns) == 2 and _SMALL_NUMBER.fullmatch(i.text)))
            for i in joined[-1]
        )
        if is_marked:
            joined[-1] = joined[-1] + column
        else:
            joined.append(column)
    return joined


class _Picture:
    """Which places of a page are covered, in steps; rows without any text are left out."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.left = min(item.left for item in items) - STEP
        bottom = min(_span(item)[0] for item in items)
        height = int((max(_span(item)[1] for item in items) - bottom) / STEP) + 1
        width = int((max(item.right for item in items) - self.left) / STEP) + 2
        cover = np.zeros((min(height, 4000), min(width, 4000)), dtype=bool)
        for item in items:
            low, high = _span(item)
            # A gap between words of one line is closed: half a letter on each side.
            reach = 0.33 * item.size if isinstance(item, Word) else 0.0
            rows = slice(int((low - bottom) / STEP), int((high - bottom) / STEP) + 1)
            start = max(0, int((item.left - reach - self.left) / STEP))
            cover[rows, start : int((item.right + reach - self.left) / STEP) + 1] = True
        filled = cover.any(axis=1)
        self.heights: Floats = bottom + STEP * np.flatnonzero(filled).astype(np.float64)
        self.cover = cover[filled]


def _span(item: Item) -> tuple[float, float]:
    if isinstance(item, Word):  # without the white above and below letters
        return item.baseline, item.baseline + 0.6 * item.size
    return item.bottom, item.top


def _band(items: Sequence[Item]) -> tuple[float, float] | None:
    """Find the rows that the longest gap goes through: their upper and lower height."""
    if len(items) < 4:
        return None
    picture = _Picture(items)
    cover = picture.cover
    before = np.logical_or.accumulate(cover, axis=1)
    after = np.logical_or.accumulate(cover[:, ::-1], axis=1)[:, ::-1]
    between = ~cover & before & after
    sizes = [item.size for item in items if isinstance(item, Word)] or [10.0]
    least = 2 * max(1, int(0.6 * median(sizes) / STEP))
    heights = between.sum(axis=0)
    best, found = (least, 0), None
    for x in np.argsort(-heights, kind="stable"):
        if heights[x] < best[0]:
            break
        parts = np.cumsum(cover[:, x])
        counts = np.bincount(parts, weights=between[:, x])
        part = int(counts.argmax())
        # Of places with as much text on both sides the one counts that the longest gap goes through.
        reach = int(counts[part]), int(np.count_nonzero(parts == part))
        if reach > best:
            best, found = reach, (int(x), part, parts)
    if found is None:
        return None
    x, part, parts = found
    rows = np.flatnonzero((parts == part) & ~cover[:, x])
    return _trimmed(picture, rows, between[:, x], x)


def _without_far(heights: Floats, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep the largest part of a band that no wide gap parts: two tables are not one."""
    gaps = np.diff(heights[rows])
    usual = float(np.median(gaps[gaps > STEP])) if (gaps > STEP).any() else FAR
    parts = np.split(rows, np.flatnonzero(gaps > max(FAR, 3 * usual)) + 1)
    return max(parts, key=len)


def _trimmed(
    picture: _Picture, rows: NDArray[np.int64], between: Flags, x: int
) -> tuple[float, float]:
    """Cut a band down to where text stands on both sides, and what follows without a gap below."""
    both = _without_far(picture.heights, rows[between[rows]])
    first, last = int(both[0]), int(both[-1])  # from the bottom of the page upwards
    gaps = np.diff(picture.heights[both])
    gaps = gaps[gaps > STEP]
    farthest = max(12.0, 1.15 * float(np.median(gaps))) if len(gaps) else 12.0
    # Text as wide as its column goes on in it, however far paragraphs are apart.
    below = picture.cover[rows[0] : first, :x]
    is_text = min(picture.cover[both, :x].mean(), picture.cover[both, x:].mean()) > TEXT_SHARE
    if is_text and below.any() and np.flatnonzero(below.any(axis=0)).max() > WHOLE * x:
        farthest = FAR
    while first > rows[0] and picture.heights[first] - picture.heights[first - 1] < farthest:
        first -= 1
    return float(picture.heights[last]) + STEP * 2, float(picture.heights[first]) - STEP
