"""Sentences and tables that go on in the next column or on the next page.

A sentence belongs to the page where it begins. Knows nothing about where things stand on a page.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.parsing.pdf.grids import Table, same_columns
from ingest.parsing.pdf.hyphens import Hyphens
from ingest.parsing.pdf.paragraphs import ENDED, MARKER, Paragraph

LONGEST_REST = 1_000  # characters of a sentence that are moved to the page where it begins
LONGEST_UNENDED = 200  # characters of a paragraph without a full stop that are moved there
FOOTNOTE = 0.92  # of the body's size: smaller text at a page's end is no part of the sentence

_SENTENCE_END = re.compile(
    r"(?<=[\w)\]%’'\"”])[.!?。！？]['\"”’)\]]*(?=\s+[\"“(\[]?[A-ZÀ-ÞА-Я0-9]|\s*$)"
)

Part = Paragraph | Table


def join_breaks(pages: Sequence[list[Part]], body: float, hyphens: Hyphens) -> None:
    """Join what page breaks part; changes the lists."""
    for page in pages:
        _join_columns(page, body, hyphens)
    for before, after in itertools.pairwise(pages):
        _continue_table(before, after)
        _continue_sentence(before, after, body, hyphens)


def _join_columns(page: list[Part], body: float, hyphens: Hyphens) -> None:
    index = 0
    while index + 1 < len(page):
        first, second = page[index], page[index + 1]
        if (
            isinstance(first, Paragraph)
            and isinstance(second, Paragraph)
            and first.size >= FOOTNOTE * body
            and _goes_on(first, second)
        ):
            first.text = hyphens.join(first.text, second.text)
            first.is_full, first.lines = second.is_full, first.lines + second.lines
            del page[index + 1]
        else:
            index += 1


def _continue_sentence(
    before: list[Part], after: list[Part], body: float, hyphens: Hyphens
) -> None:
    first = _last_text(before, body)
    place = _first_text(after, body)
    if first is None or place is None:
        return
    second = after[place]
    assert isinstance(second, Paragraph)
    if not _goes_on(first, second):
        return
    end = _SENTENCE_END.search(second.text)
    cut = end.end() if end else len(second.text)
    if cut > (LONGEST_REST if end else LONGEST_UNENDED):
        return
    first.text = hyphens.join(first.text, second.text[:cut])
    second.text = second.text[cut:].strip()
    if not second.text:
        del after[place]


def _last_text(page: list[Part], body: float) -> Paragraph | None:
    """Give the last paragraph of a page; footnotes and a table below it are passed over."""
    for part in reversed(page):
        if isinstance(part, Paragraph) and part.size >= FOOTNOTE * body:
            return None if part.level else part
    return None


def _first_text(page: list[Part], body: float) -> int | None:
    for index, part in enumerate(page):
        if isinstance(part, Paragraph) and part.size >= FOOTNOTE * body:
            return None if part.level else index
    return None


def _goes_on(first: Paragraph, second: Paragraph) -> bool:
    """Tell whether the second paragraph goes on with the first one's last sentence."""
    if first.level or second.level or abs(first.size - second.size) > 0.1 * first.size:
        return False
    if ENDED.search(first.text) or MARKER.match(second.text):
        return False
    if second.text[:1].islower() or first.text.endswith(("-", ",")):
        return True
    return first.is_full and len(first.text.split()) > 7 and second.lines > 1


def _continue_table(before: list[Part], after: list[Part]) -> None:
    """Repeat a table's header where the table goes on at the top of the next page."""
    first = next((p for p in reversed(before) if isinstance(p, Table)), None)
    if first is None or not after or not isinstance(second := after[0], Table):
        return
    if before[-1] is not first or second.title or not _is_same_shape(first, second):
        return
    if second.rows[0] != first.rows[0] and not first.is_pairs:
        after[0] = replace(second, rows=(first.rows[0], *second.rows), is_pairs=False)


def _is_same_shape(first: Table, second: Table) -> bool:
    return same_columns(first.edges, first.ends, second.edges, second.ends)
