"""Running heads and feet: lines that stand at the same height on many pages, and page numbers.

They are taken out of the text. What they say and nothing else says stays once, where it first stood.
"""

import math
import re
from collections.abc import Callable, Sequence
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
    page: int
    line: Line


def without_running(pages: Sequence[list[Part]]) -> list[list[Part]]:
    """Give the pages without heads, feet and page numbers."""
    groups: dict[str, list[_Place]] = {}
    for number, page in enumerate(pages):
        for line in _edge_lines(page):
            key = _NUMBER.sub("#", " ".join(line.text.split()).lower())
            groups.setdefault(key, []).append(_Place(number, line))
    found: list[list[_Place]] = []
    for places in groups.values():
        found += [group for group in _same_height(places) if _is_running(group, len(pages))]
    running = {id(place.line) for group in found for place in group}
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
                kept[id(place.line)] = replace(place.line, text=text)
                body += letters(text)
    return [_without(page, lambda line: kept.get(id(line)) if id(line) in running else line)
            for page in pages]  # fmt: skip


def _lines(pages: Sequence[list[Part]]) -> list[Line]:
    return [
        line for page in pages for part in page if isinstance(part, Region) for line in part.lines
    ]


def _edge_lines(page: list[Part]) -> list[Line]:
    """Give the first and the last lines of a page that no table stands above or below."""
    lines = [line for part in page if isinstance(part, Region) for line in part.lines]
    lines.sort(key=lambda line: -line.baseline)
    tables = [part for part in page if isinstance(part, Table)]
    top = max((table.top for table in tables), default=-math.inf)
    bottom = min((table.bottom for table in tables), default=math.inf)
    heads = [line for line in lines[:EDGE_LINES] if line.baseline > top - 4]
    feet = [line for line in lines[EDGE_LINES:][-EDGE_LINES:] if line.baseline < bottom + 4]
    return heads + feet + [line for line in lines[:EDGE_LINES] if line.baseline < min(bottom, top)]


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
    for column in zip(*rows, strict=False):
        offsets = [value - place.page for value, place in zip(column, group, strict=True)]
        steady = sum(offset == median(offsets) for offset in offsets)
        if len(set(column)) > 1 and steady < COUNTING * len(group):
            return False
    return True


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
            result.append(Region(lines, part.left, part.right))
    return result
