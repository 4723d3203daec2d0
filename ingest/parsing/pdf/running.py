"""Running heads and feet: lines that stand at the same height on many pages, and page numbers.

They are taken out of the text. What they say and nothing else says stays once, where it first stood.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ingest.parsing.pdf.grids import Table
from ingest.parsing.pdf.layout import Region
from ingest.parsing.pdf.lines import Line
from ingest.parsing.pdf.paragraphs import letters

EDGE_LINES = 3  # lines from the top and from the bottom that may be heads and feet
SAME_HEIGHT = 4.0  # points
LEAST_SHARE = 0.25  # of the pages
LEAST_PAGES = 3  # of a longer document: a chapter's head stands on a few pages only
MOST_COUNTING = 2  # numbers in one head that rise with the page
COUNTING = 0.8  # of a group's pages on which its number rises with the page

_NUMBER = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"[-–—|·\s]*(?:(?:page|seite|p\.|pg\.?|página|pagina|strana|sida|side)\s*)?"
    r"(?:\d+|[ivxl]+)(?:\s*(?:of|/|von|de|di|sur|av|z)\s*\d+)?[-–—|·\s]*",
    re.IGNORECASE,
)

Part = Region | Table


@dataclass(frozen=True, slots=True)
class _Place:
    """A row of a page: its lines of one baseline in all columns, and `line`, which joins them."""

    page: int
    line: Line
    pieces: tuple[Line, ...]
    is_first: bool


def without_running(pages: Sequence[list[Part]]) -> list[list[Part]]:
    """Give the pages without heads, feet and page numbers."""
    groups: dict[str, list[_Place]] = {}
    for number, page in enumerate(pages):
        for place in _edge_rows(number, page):
            key = _NUMBER.sub("#", " ".join(place.line.text.split()).lower())
            groups.setdefault(key, []).append(place)
    found: list[list[_Place]] = []
    for places in groups.values():
        found += [group for group in _same_height(places) if _is_running(group, len(pages))]
    found = _not_all_there_is(found, pages) + _numbers(pages)
    running = _pieces(found)
    found += [[place] for place in _at_heads(pages, found, running)]
    running = _pieces(found)
    if not running:
        return list(pages)
    body = letters(
        " ".join(line.text for line in _lines(pages) if id(line) not in running)
        + " ".join(cell for page in pages for part in page if isinstance(part, Table)
                   for row in part.rows for cell in row)
    )  # fmt: skip
    kept: dict[int, Line] = {}
    for group in found:
        for place, text in _informing(group):
            if letters(text) not in body:
                kept[id(place.pieces[0])] = replace(place.line, text=text)
                body += letters(text)
    return [_without(page, lambda line: kept.get(id(line)) if id(line) in running else line)
            for page in pages]  # fmt: skip


def _not_all_there_is(
    groups: list[list[_Place]], pages: Sequence[list[Part]]
) -> list[list[_Place]]:
    """Leave out groups without which most of their pages would be empty: they are the text."""
    running = _pieces(groups)
    empty = {
        number
        for number, page in enumerate(pages)
        if all(isinstance(part, Region) for part in page)
        and all(id(line) in running for line in _lines([page]))
    }
    return [
        group
        for group in groups
        if 2 * sum(place.page in empty for place in group) <= len(group)
        or _PAGE_NUMBER.fullmatch(group[0].line.text)
    ]


def _lines(pages: Sequence[list[Part]]) -> list[Line]:
    return [
        line for page in pages for part in page if isinstance(part, Region) for line in part.lines
    ]


def _pieces(groups: Sequence[Sequence[_Place]]) -> set[int]:
    return {id(piece) for group in groups for place in group for piece in place.pieces}


def _rows(number: int, page: list[Part]) -> list[_Place]:
    """Give a page's rows from top to bottom."""
    rows: list[list[Line]] = []
    for line in sorted(_lines([page]), key=lambda line: -line.baseline):
        if rows and rows[-1][0].baseline - line.baseline < 1:
            rows[-1].append(line)
        else:
            rows.append([line])
    places: list[_Place] = []
    for row in rows:
        row.sort(key=lambda line: line.left)
        text = " ".join(line.text for line in row)
        line = replace(row[0], text=text, right=row[-1].right)
        places.append(_Place(number, line, tuple(row), not places))
    return places


def _edge_rows(number: int, page: list[Part]) -> list[_Place]:
    """Give the first and the last rows of a page that no table stands above or below."""
    rows = _rows(number, page)
    tables = [part for part in page if isinstance(part, Table)]
    top = max((table.top for table in tables), default=-math.inf)
    bottom = min((table.bottom for table in tables), default=math.inf)
    heads, feet = rows[:EDGE_LINES], rows[EDGE_LINES:][-EDGE_LINES:]
    is_outside = [row.line.baseline > top - 4 or row.line.baseline < bottom + 4 for row in heads]
    kept = [row for row, outside in zip(heads, is_outside, strict=True) if outside]
    return kept + [row for row in feet if row.line.baseline < bottom + 4]


def _same_height(places: list[_Place]) -> list[list[_Place]]:
    """Part places by height: pages for the left and the right hand may differ."""
    groups: list[list[_Place]] = []
    for place in sorted(places, key=lambda place: place.line.baseline):
        if groups and place.line.baseline - groups[-1][-1].line.baseline <= SAME_HEIGHT:
            groups[-1].append(place)
        else:
            groups.append([place])
    return [sorted(group, key=lambda place: place.page) for group in groups]


def _is_running(group: list[_Place], pages: int) -> bool:
    numbers = {place.page for place in group}
    if len(numbers) < 2 or len(group) > len(numbers):
        return False
    texts = {place.line.text for place in group}
    if len(texts) > 1 and (_is_sentence(group[0].line.text) or not _counts(group)):
        return False
    in_a_row = any({n, n + 1, n + 2} <= numbers for n in numbers)
    return len(numbers) >= max(2, LEAST_SHARE * pages) or (len(numbers) >= LEAST_PAGES and in_a_row)


def _is_sentence(text: str) -> bool:
    return text.endswith((".", "!", "?")) and len(text.split()) > 4


def _counts(group: list[_Place]) -> bool:
    """Tell whether each number in the lines is the same on all pages, or rises with the page."""
    rows = [[int(n) for n in _NUMBER.findall(place.line.text)] for place in group]
    columns = list(zip(*rows, strict=False))
    if sum(len(set(column)) > 1 for column in columns) > MOST_COUNTING:
        return False
    for column in columns:
        offsets = [value - place.page for value, place in zip(column, group, strict=True)]
        steady = sum(offset == median(offsets) for offset in offsets)
        if len(set(column)) > 1 and steady < COUNTING * len(group):
            return False
    return True


def _numbers(pages: Sequence[list[Part]]) -> list[list[_Place]]:
    """Give page numbers that stand alone first or last on their pages, at whatever height."""
    if len(pages) < LEAST_PAGES:
        return []
    groups: dict[int | None, list[_Place]] = {}
    for number, page in enumerate(pages):
        rows = _rows(number, page)
        for row in rows[:1] + rows[1:][-1:]:
            if len(rows) > 1 and _PAGE_NUMBER.fullmatch(row.line.text):
                value = _NUMBER.search(row.line.text)
                offset = int(value.group()) - number if value else None
                groups.setdefault(offset, []).append(row)
    return [group for offset, group in groups.items() if offset is None or len(group) > 1]


def _at_heads(
    pages: Sequence[list[Part]], found: list[list[_Place]], running: set[int]
) -> Iterator[_Place]:
    """Give first rows at the height and in the size of other pages' heads: a chapter's own head."""
    marks = [place.line for group in found for place in group if place.is_first]
    if len(marks) < max(LEAST_PAGES, len(pages) / 2):
        return
    height, size = median(mark.baseline for mark in marks), median(mark.size for mark in marks)
    for number, page in enumerate(pages):
        rows = _rows(number, page)
        if len(rows) < 2 or id(rows[0].pieces[0]) in running:
            continue
        first, second = rows[0].line, rows[1].line
        near = abs(first.baseline - height) < 2 and abs(first.size - size) < 0.3
        if near and first.baseline - second.baseline > 1.6 * size:
            yield rows[0]


def _informing(group: list[_Place]) -> list[tuple[_Place, str]]:
    """Give the first line of a group without its page number, if it says anything."""
    first = group[0]
    text = first.line.text
    values = {place.line.text for place in group}
    if _PAGE_NUMBER.fullmatch(text):
        return []
    if len(values) > 1:
        own = _NUMBER.findall(text)
        other = _NUMBER.findall(next(place.line.text for place in group if place.line.text != text))
        changing = [a for a, b in zip(own, other, strict=False) if a != b]
        for number in changing:
            text = re.sub(
                rf"(?i)[-–—|·,]?\s*(?:page|seite|p\.|pg\.?)?\s*\b{number}\b(?:\s*(?:of|/|von)\s*\d+)?\s*",
                " ",
                text,
                count=1,
            )
    if len(group) == 1:
        text = re.sub(r"^\d+\s+|(?<!\s)\s+\d+$", "", text)
    text = " ".join(text.split()).strip("|-–—· ")
    return [(first, text)] if any(map(str.isalpha, text)) else []


def _without(page: list[Part], give: Callable[[Line], Line | None]) -> list[Part]:
    result: list[Part] = []
    for part in page:
        if isinstance(part, Table):
            result.append(part)
            continue
        lines = tuple(kept for line in part.lines if (kept := give(line)) is not None)
        if lines:
            result.append(replace(part, lines=lines))
    return result
