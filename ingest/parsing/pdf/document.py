"""PDF to Markdown, page by page, by where the characters stand. One way for any number of pages.

Knows nothing about sources or splitting.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ingest.entries import Unreadable
from ingest.parsing import titles
from ingest.parsing.office import counted
from ingest.parsing.pdf.breaks import join_breaks
from ingest.parsing.pdf.forms import marginalia, turned_field, with_values
from ingest.parsing.pdf.grids import Table, ruled_tables
from ingest.parsing.pdf.hyphens import Hyphens
from ingest.parsing.pdf.layout import Region, reading_order
from ingest.parsing.pdf.lines import with_raised
from ingest.parsing.pdf.mending import with_pages
from ingest.parsing.pdf.paragraphs import Paragraph, letters, mark_headings, paragraphs
from ingest.parsing.pdf.rules import shapes_of, turned
from ingest.parsing.pdf.running import without_running
from ingest.parsing.pdf.words import words_of
from ingest.parsing.tables import table as markdown_table
from ingest.parsing.text import Parsed

NO_PAGE_TEXT = (
    "It is a scan: its pages are pictures without text. Run it through OCR (ocrmypdf, say)."
)
LOCKED = "It is protected by a password. Save it without one."
PICTURE, NO_TEXT, GARBLED, BROKEN = "picture", "no text", "garbled", "broken"
_ONE_PAGE = {
    PICTURE: "is a picture without text",
    NO_TEXT: "has no text",
    GARBLED: "has letters that its font does not name",
    BROKEN: "cannot be read",
}
_SEVERAL_PAGES = {
    PICTURE: "are pictures without text",
    NO_TEXT: "have no text",
    GARBLED: "have letters that their fonts do not name",
    BROKEN: "cannot be read",
}
CUT = "what stood in the damaged end of the file"
MOST_NAMED_PAGES = 12
SCAN_SHARE = 0.3  # of a page that a scan covers at least
MOST_UNKNOWN = 0.5  # of the letters; with more the text says nothing
PICTURE_SHARE = 0.02  # of a page: smaller pictures are ornaments

_DATE = re.compile(r"D?:?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([-+Z])(\d\d)?'?(\d\d)?)?")

_UNNAMED = re.compile(r"^\W*(?:anonymous|unspecified|untitled)\W*$", re.IGNORECASE)
_SECTION_NUMBER = re.compile(r"^\d+(?:\.\d+)*\.?\s+(?=\D)")


@dataclass(slots=True)
class _Page:
    """A page as it was read; `state` says what of it could not be read, if anything."""

    parts: list[Region | Table]
    boxes: tuple[str, ...] = ()
    notes: int = 0
    state: str = ""
    pictures: float = 0.0  # share of the page


def read(data: bytes) -> Parsed:
    """Read the text of every page; raises Unreadable for scans and locked files."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable(LOCKED) from error
        if not (mended := with_pages(data)):
            raise
        with suppress(Unreadable):
            found = read(mended)
            return replace(found, left_out=(CUT, *found.left_out))
        raise
    document.init_forms()
    pages = _read_pages(document)
    if not any(page.parts or page.boxes for page in pages):
        raise Unreadable(NO_PAGE_TEXT)
    parts = _paragraphs(pages, _outline(document))
    bodies = [_markdown(page) for page in parts]
    _note_scans(pages, bodies)
    about = document.get_metadata_dict(skip_empty=True)
    changed = _date(about.get("ModDate")) or _date(about.get("CreationDate"))
    title = _title(about.get("Title"), parts)
    left_out = tuple(_left_out(document, pages))
    return Parsed("\f".join(bodies), title, changed, anchors="page", left_out=left_out)


def _note_scans(pages: Sequence[_Page], bodies: Sequence[str]) -> None:
    """Mark pages with nothing but a running head and a large picture."""
    for page, body in zip(pages, bodies, strict=True):
        if not body and not page.state and page.pictures > SCAN_SHARE:
            page.state = PICTURE


def _read_pages(document: Any) -> list[_Page]:
    import pypdfium2

    pages: list[_Page] = []
    for number in range(len(document)):
        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            pages.append(_Page([], state=BROKEN))
            continue
        known = [part for part in pages[-1].parts if isinstance(part, Table)] if pages else []
        pages.append(_read_page(page, document.formenv, known))
        page.close()
    return pages


def _read_page(page: Any, form: Any, known: Sequence[Table]) -> _Page:
    shapes = shapes_of(page)
    over = marginalia(page, form)
    turns, unknown = words_of(page)
    if unknown > MOST_UNKNOWN:
        return _Page([], over.boxes, over.notes, GARBLED)
    parts: list[Region | Table] = []
    for place, (turn, words) in enumerate((turns or {0: []}).items()):
        rules = turned(shapes.rules, turn)
        words = with_raised(words)
        if place == 0:
            fields = [turned_field(field, turn) for field in over.fields]
            words = with_values(words, fields, rules)
        tables, rest = ruled_tables(rules, words)
        parts += reading_order([*rest, *tables], known)
    state = ""
    if not parts and not over.boxes and not shapes.is_blank:
        state = PICTURE if shapes.pictures > PICTURE_SHARE else NO_TEXT
    return _Page(parts, over.boxes, over.notes, state, shapes.pictures)


def _paragraphs(
    pages: Sequence[_Page], outline: dict[int, dict[str, int]]
) -> list[list[Paragraph | Table]]:
    plain = without_running([page.parts for page in pages])
    lines = [
        line for page in plain for part in page if isinstance(part, Region) for line in part.lines
    ]
    hyphens = Hyphens(line.text for line in lines)
    body = _body_size([(line.size, len(line.text)) for line in lines])
    result: list[list[Paragraph | Table]] = []
    for page, parts in zip(pages, plain, strict=True):
        found: list[Paragraph | Table] = []
        for part in parts:
            found += [part] if isinstance(part, Table) else paragraphs(part, hyphens)
        found += [Paragraph(text, body, 1, False) for text in page.boxes]
        result.append(found)
    mark_headings(result, body, outline)
    join_breaks(result, body, hyphens)
    return result


def _body_size(sizes: list[tuple[float, int]]) -> float:
    """Give the size of most letters, in points."""
    counts: dict[float, int] = {}
    for size, count in sizes:
        counts[round(size * 2) / 2] = counts.get(round(size * 2) / 2, 0) + count
    return max(counts, key=lambda size: counts[size], default=10.0)


def _markdown(parts: Sequence[Paragraph | Table]) -> str:
    texts = []
    for part in parts:
        if isinstance(part, Table):
            texts += [part.title] if part.title else []
            texts.append(_pairs(part) if part.is_pairs else markdown_table(part.rows).strip())
        elif part.level:
            texts.append("#" * part.level + " " + " ".join(part.text.split()))
        else:
            texts.append(re.sub(r"^(?=#{1,6} )", r"\\", part.text, flags=re.MULTILINE))
    return "\n\n".join(text for text in texts if text).strip()


def _pairs(table: Table) -> str:
    return "\n".join(f"{label.rstrip(':')}: {value}" for label, value in table.rows)


def _title(given: str | None, pages: Sequence[Sequence[Paragraph | Table]]) -> str | None:
    """Give the title from the properties if it says something, else the largest early heading."""
    early = [
        part for page in pages[:2] for part in page if isinstance(part, Paragraph) and part.level
    ]
    largest = max(early, key=lambda part: part.size, default=None)
    heading = _SECTION_NUMBER.sub("", " ".join(largest.text.split())) if largest else None
    return titles.chosen(_UNNAMED.sub("", given or ""), heading)


def _outline(document: Any) -> dict[int, dict[str, int]]:
    """Give for each page the outline's entries on it: their letters, and how deep they are."""
    import pypdfium2

    found: dict[int, dict[str, int]] = {}
    try:
        for entry in document.get_toc(max_depth=6):
            target = entry.get_dest()
            number = target.get_index() if target else None
            if number is not None and (name := letters(entry.get_title() or "")):
                found.setdefault(number, {}).setdefault(name, entry.level)
    except pypdfium2.PdfiumError:
        pass
    return found


def _left_out(document: Any, pages: Sequence[_Page]) -> Iterator[str]:
    """Say what of the document was not read."""
    for state in _ONE_PAGE:
        numbers = [n for n, page in enumerate(pages, start=1) if page.state == state]
        if numbers:
            yield _pages_said(state, numbers, len(pages))
    if notes := sum(page.notes for page in pages):
        yield counted(notes, "comment")
    if attached := document.count_attachments():
        yield counted(attached, "attached file")
    if document.get_formtype() in (2, 3):
        yield "parts of its XFA form"


def _pages_said(state: str, numbers: list[int], count: int) -> str:
    if len(numbers) == 1:
        return f"page {numbers[0]} of {count} {_ONE_PAGE[state]}"
    named = ", ".join(map(str, numbers[:MOST_NAMED_PAGES]))
    more = ", …" if len(numbers) > MOST_NAMED_PAGES else ""
    return f"{len(numbers)} of {count} pages {_SEVERAL_PAGES[state]} ({named}{more})"


def _date(value: str | None) -> datetime | None:
    """Read a PDF's date, with its zone; without one it is UTC."""
    found = _DATE.match(value or "")
    if not found:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = found.groups()
    zone = f"{sign}{hours}:{minutes or '00'}" if sign in ("+", "-") and hours else "+00:00"
    try:
        return datetime.fromisoformat(
            f"{year}-{month or '01'}-{day or '01'}"
            f"T{hour or '00'}:{minute or '00'}:{second or '00'}{zone}"
        )
    except ValueError:
        return None
