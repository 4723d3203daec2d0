"""Lines of a column to paragraphs, list entries and headings. Knows nothing about other pages."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ingest.parsing.pdf.hyphens import Hyphens
from ingest.parsing.pdf.layout import Region
from ingest.parsing.pdf.lines import Line

APART = 1.25  # of the usual distance of lines: a wider one parts paragraphs
LARGE = 1.15  # of the body's size: larger type is a heading
OTHER_SIZE = 0.12  # of the size: such a change parts paragraphs
MOST_HEADING_WORDS = 16
MOST_HEADING_LINES = 3
NARROW = 3  # sizes from the right edge at which a line still counts as full

MARKER = re.compile(
    r"(?:[•‣▪◦●○■□➢➤✓–—*-]|\(?(?:\d{1,3}|[ivx]{1,4}|[a-zA-Z])[.)]|\d+(?:\.\d+)+\.?)\s+\S"
)
BULLET = re.compile(r"[•‣▪◦●○■□➢➤✓·]\s+")
_FIRST_NUMBER = re.compile(r"(\d{1,3})[.)]?\s")
LABEL = re.compile(r"[^\W\d_][^:.!?]{0,35}:(?:\s|$)")
ENDED = re.compile(r"[.!?:;…。！？؟]['\"”’)\]»¹²³⁰-⁹]*$")


@dataclass(slots=True)
class Paragraph:
    """Some running text; `level` is a heading's, 0 for text. `is_full`: the last line fills its column."""

    text: str
    size: float
    lines: int
    is_full: bool
    level: int = 0
    bold: bool = False


def paragraphs(region: Region, hyphens: Hyphens) -> list[Paragraph]:
    """Give the region's paragraphs from top to bottom."""
    groups: list[list[Line]] = []
    usual = _usual_pitch(region.lines)
    for line in region.lines:
        if groups and not _starts_new(groups[-1], line, usual, region):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [_paragraph(group, region, hyphens) for group in groups]


def _usual_pitch(lines: Sequence[Line]) -> float:
    pitches = [a.baseline - b.baseline for a, b in itertools.pairwise(lines)]
    size = median(line.size for line in lines)
    near = [pitch for pitch in pitches if pitch < 2.2 * size]
    return min(median(near), 1.7 * size) if near else 1.3 * size


def _starts_new(group: list[Line], line: Line, usual: float, region: Region) -> bool:
    last = group[-1]
    pitch = last.baseline - line.baseline
    if abs(line.size - last.size) > OTHER_SIZE * max(line.size, last.size):
        return True
    # Larger type has its lines farther apart: a heading of two lines stays together.
    apart = APART * max(usual, 1.3 * line.size if line.size > usual else usual)
    short = last.right < region.right - NARROW * last.size
    if region.is_rows:
        return pitch > 1.5 * apart
    if last.mono and line.mono:
        return pitch > 1.5 * apart
    if pitch > apart or _is_new_entry(group, line, pitch > 1.08 * usual or short):
        return True
    if last.mono != line.mono and short:
        return True
    is_ended = last.right < region.right - last.size
    if last.bold != line.bold and is_ended and len(group) <= MOST_HEADING_LINES:
        return True
    indented = line.left > last.left + 0.8 * line.size and not MARKER.match(group[0].text)
    ended = ENDED.search(last.text) is not None
    return ended and not line.text[:1].islower() and (indented or (short and len(group) > 1))


def _is_new_entry(group: list[Line], line: Line, is_apart: bool) -> bool:
    """Tell whether a line begins an entry of a list; "(1)" within running text begins none."""
    last = group[-1]
    if len(group) > 1 and line.left < last.left - 0.8 * line.size:  # hanging entries
        return True
    if _follows(group[0].text, line.text) and abs(line.left - group[0].left) < 1:
        return True
    if not MARKER.match(line.text):
        return False
    is_moved = abs(line.left - last.left) > 0.5 * line.size
    return bool(is_apart or is_moved or BULLET.match(line.text) or MARKER.match(group[0].text))


def _follows(first: str, second: str) -> bool:
    """Tell whether two lines begin with numbers that follow on one another: entries of a list."""
    one, two = _FIRST_NUMBER.match(first), _FIRST_NUMBER.match(second)
    return bool(one and two and int(two.group(1)) == int(one.group(1)) + 1)


def _paragraph(group: list[Line], region: Region, hyphens: Hyphens) -> Paragraph:
    edge = _edge(group, region)
    text = group[0].text
    for before, line in itertools.pairwise(group):
        is_row = region.is_rows and line.left < before.left + line.size
        if is_row or _is_deliberate(before, line, edge):
            text += "\n" + line.text
        else:
            text = hyphens.join(text, line.text)
    last = group[-1]
    return Paragraph(
        BULLET.sub("- ", text, count=1) if BULLET.match(text) else text,
        median(line.size for line in group),
        len(group),
        last.right >= edge - NARROW * 2 * last.size,
        bold=all(line.bold for line in group),
    )


def _edge(group: list[Line], region: Region) -> float:
    """Give where lines end: the group's own edge where several of its lines reach it."""
    own = max(line.right for line in group)
    near = sum(line.right > own - NARROW * line.size for line in group)
    return own if len(group) > 2 and near > 1 and near > 0.6 * len(group) else region.right


def _is_deliberate(before: Line, line: Line, edge: float) -> bool:
    """Tell whether a line was ended on purpose: the next word would have had room in it."""
    if (before.mono and line.mono) or (before.gapped and line.gapped):  # code, rows in columns
        return True
    if before.text.endswith("-") or line.text[:1].islower():
        return False
    if LABEL.match(line.text) and (LABEL.match(before.text) or ENDED.search(before.text)):
        return True
    return before.right + 0.3 * before.size + line.first_width < edge - before.size


def mark_headings(
    pages: Sequence[Sequence[object]], body: float, outline: Mapping[int, Mapping[str, int]]
) -> None:
    """Set the level of each paragraph that is a heading: by the outline, the type's size, or bold."""
    found = [
        (number, item)
        for number, page in enumerate(pages)
        for item in page
        if isinstance(item, Paragraph) and _may_be_heading(item)
    ]
    body_is_bold = _is_bold_body(pages)
    sizes = sorted({round(p.size) for _, p in found if p.size >= LARGE * body}, reverse=True)
    for number, paragraph in found:
        named = outline.get(number, {}).get(letters(paragraph.text))
        if paragraph.size >= LARGE * body:
            paragraph.level = min(6, 1 + sizes.index(round(paragraph.size)))
        elif named is not None:
            paragraph.level = min(6, 1 + named)
        elif paragraph.bold and not body_is_bold and paragraph.lines == 1:
            paragraph.level = min(6, 1 + len(sizes)) if paragraph.size >= 0.95 * body else 0


def _is_bold_body(pages: Sequence[Sequence[object]]) -> bool:
    texts = [item for page in pages for item in page if isinstance(item, Paragraph)]
    bold = sum(len(item.text) for item in texts if item.bold)
    return bold > 0.4 * sum(len(item.text) for item in texts)


def _may_be_heading(paragraph: Paragraph) -> bool:
    text = paragraph.text
    return (
        paragraph.lines <= MOST_HEADING_LINES
        and len(text.split()) <= MOST_HEADING_WORDS
        and any(map(str.isalpha, text))
        and not text.endswith((".", ",", ";", ":"))
        and not text.startswith("- ")
    )


def letters(text: str) -> str:
    """Give a text's letters and digits alone, small, to compare by."""
    return re.sub(r"[\W_]+", "", text).lower()
