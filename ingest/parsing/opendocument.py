"""OpenDocument texts and presentations, to Markdown."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from xml.etree import ElementTree

from ingest.parsing import titles
from ingest.parsing.blocks import Block, below_title, is_page_number, item, markdown, words
from ingest.parsing.numerals import numeral
from ingest.parsing.office import counted, xml
from ingest.parsing.tables import Cell, flat, resolved, titled
from ingest.parsing.text import Parsed, parse_date

_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
TEXT = f"{{{_NAMES}:text:1.0}}"
TABLE = f"{{{_NAMES}:table:1.0}}"
DRAW = f"{{{_NAMES}:drawing:1.0}}"
OFFICE = f"{{{_NAMES}:office:1.0}}"
_STYLE = f"{{{_NAMES}:style:1.0}}"
_SHOW = f"{{{_NAMES}:presentation:1.0}}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_KINDS = {
    "1": "decimal",
    "a": "lowerLetter",
    "A": "upperLetter",
    "i": "lowerRoman",
    "I": "upperRoman",
}
_SPACES = {f"{TEXT}tab", f"{TEXT}s"}
_PAGES = {f"{TEXT}page-number", f"{TEXT}page-count"}
_INDEXES = {f"{TEXT}table-of-content", f"{TEXT}illustration-index", f"{TEXT}table-index"}
_BESIDE = {f"{TEXT}tracked-changes", f"{OFFICE}annotation", f"{OFFICE}forms", *_INDEXES}


def read(data: bytes) -> Parsed:
    """Give the text of an .odt or .odp file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = xml(archive.read("content.xml"))
        has_styles = "styles.xml" in archive.namelist()
        styles = xml(archive.read("styles.xml")) if has_styles else ElementTree.Element("none")
        title, changed = properties(archive)
    reader = _Reader(content, styles)
    edges, body = markdown(reader.edges(styles)), markdown(below_title(reader.blocks(content)))
    title = titles.chosen(title, titles.beginning(body))
    text = "\n\n".join(filter(None, [edges, body]))
    return Parsed(text, title, changed, left_out=tuple(reader.left_out(content)))


def properties(archive: zipfile.ZipFile) -> tuple[str | None, datetime | None]:
    """Give the title and the date of change that are kept beside the content."""
    if "meta.xml" not in archive.namelist():
        return None, None
    about = xml(archive.read("meta.xml"))
    title = next((e.text.strip() for e in about.iter(f"{_DC}title") if e.text), None)
    changed = next((e.text for e in about.iter(f"{_DC}date") if e.text), None)
    return title or None, parse_date(changed)


def line(element: ElementTree.Element) -> str:
    """Give a paragraph's text on one line."""
    return " ".join("".join(_pieces(element)).split())


def _pieces(element: ElementTree.Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag in _SPACES:
            yield " "
        elif child.tag == f"{TEXT}line-break":
            yield "\n"
        elif child.tag == f"{TEXT}note":
            yield f"[{child.findtext(f'{TEXT}note-citation') or '*'}]"
        elif child.tag == f"{TEXT}ruby":
            yield "".join(child.find(f"{TEXT}ruby-base").itertext())  # type: ignore[union-attr]
        elif child.tag not in _PAGES | _BESIDE and not child.tag.startswith(DRAW):
            yield from _pieces(child)
        yield child.tail or ""


class _Reader:
    """Goes through a document once, counting lists and what it leaves out."""

    def __init__(self, *roots: ElementTree.Element) -> None:
        self._lists: dict[str, dict[int, ElementTree.Element]] = {}
        self._outline: dict[int, ElementTree.Element] = {}
        self._hidden_styles: set[str] = set()
        self._counters: dict[str, Counter[int]] = {}
        self._hidden: Counter[str] = Counter()
        self._depth = 0  # of tables within tables
        for root in roots:
            self._learn(root)

    def _learn(self, root: ElementTree.Element) -> None:
        for style in root.iter(f"{TEXT}list-style"):
            levels = {int(e.get(f"{TEXT}level", "1")): e for e in style}
            self._lists[style.get(f"{_STYLE}name", "")] = levels
        for style in root.iter(f"{TEXT}outline-style"):
            self._outline = {int(e.get(f"{TEXT}level", "1")): e for e in style}
        for style in root.iter(f"{_STYLE}style"):
            if any(
                e.get(f"{TEXT}display") == "none" or e.get(f"{_SHOW}visibility") == "hidden"
                for e in style
            ):
                self._hidden_styles.add(style.get(f"{_STYLE}name", ""))

    def left_out(self, content: ElementTree.Element) -> Iterator[str]:
        """Say what is not in the text."""
        self._hidden["comment"] = sum(1 for _ in content.iter(f"{OFFICE}annotation"))
        self._hidden["picture"] = sum(1 for _ in content.iter(f"{DRAW}image"))
        return (counted(number, what) for what, number in self._hidden.items() if number)

    def edges(self, styles: ElementTree.Element) -> Iterator[Block]:
        """Give headers and footers, each once."""
        seen: set[str] = set()
        for kind in (
            "header",
            "header-first",
            "header-left",
            "footer",
            "footer-first",
            "footer-left",
        ):
            for element in styles.iter(f"{_STYLE}{kind}"):
                for block in self.blocks(element):
                    if block.text not in seen and not is_page_number(block.text):
                        seen.add(block.text)
                        yield block

    def blocks(self, element: ElementTree.Element, depth: int = 0) -> Iterator[Block]:
        """Give what stands in an element, in order."""
        for child in element:
            if child.tag == f"{TEXT}h":
                level = int(child.get(f"{TEXT}outline-level", "1"))
                if text := line(child):
                    label = self._number("", self._outline, level)
                    yield Block(f"{label} {text}".strip(), "heading", level)
                yield from self._beside(child)
            elif child.tag == f"{TEXT}p":
                if text := self._words(child):
                    yield Block(text)
                yield from self._beside(child)
            elif child.tag == f"{TEXT}list":
                yield from self._items(child, depth, child.get(f"{TEXT}style-name", ""))
            elif child.tag == f"{TABLE}table":
                yield from self._table(child)
            elif child.tag == f"{DRAW}page":
                yield from self._slide(child)
            elif child.tag == f"{TEXT}section" and child.get(f"{TEXT}display") == "none":
                self._hidden["hidden section"] += 1
            elif child.tag not in _BESIDE:
                yield from self.blocks(child, depth)

    def _slide(self, page: ElementTree.Element) -> Iterator[Block]:
        if page.get(f"{DRAW}style-name") in self._hidden_styles:
            self._hidden["hidden slide"] += 1
            return
        yield Block(page.get(f"{DRAW}name", "Slide"), "heading", 2)
        yield from self.blocks(page)

    def _words(self, paragraph: ElementTree.Element) -> str:
        if paragraph.get(f"{TEXT}style-name") in self._hidden_styles:
            self._hidden["hidden paragraph"] += 1
            return ""
        for span in paragraph.iter(f"{TEXT}span"):
            if span.get(f"{TEXT}style-name") in self._hidden_styles:
                self._hidden["hidden phrase"] += 1
                span.text, span[:] = "", []
        lines = ("".join(_pieces(paragraph))).split("\n")
        return "\n".join(" ".join(words.split()) for words in lines).strip()

    def _beside(self, paragraph: ElementTree.Element) -> Iterator[Block]:
        """Give what hangs on a paragraph: text boxes and footnotes, where they are referred to."""
        for frame in _outermost(paragraph, DRAW):
            yield from self.blocks(frame)
        for note in _outermost(paragraph, f"{TEXT}note"):
            body = note.find(f"{TEXT}note-body")
            citation = note.findtext(f"{TEXT}note-citation") or "*"
            text = words(self.blocks(body)) if body is not None else ""
            yield Block(f"[{citation}] {text}", "note")

    def _items(self, element: ElementTree.Element, depth: int, style: str) -> Iterator[Block]:
        levels = self._lists.get(style, {})
        is_ordered = depth + 1 in levels and levels[depth + 1].tag.endswith("-number")
        if depth == 0 and element.get(f"{TEXT}continue-numbering") != "true":
            self._counters.pop(style, None)
        for entry in element:
            label = self._number(style, levels, depth + 1) if is_ordered else "-"
            if entry.tag == f"{TEXT}list-header":
                label = ""
            for child in entry:
                if child.tag == f"{TEXT}list":
                    yield from self._items(child, depth + 1, child.get(f"{TEXT}style-name", style))
                elif child.tag == f"{TEXT}h":
                    level = int(child.get(f"{TEXT}outline-level", "1"))
                    yield Block(f"{label.strip('-')} {line(child)}".strip(), "heading", level)
                elif child.tag == f"{TEXT}p":
                    if text := self._words(child):
                        yield item(text, label, depth) if label else Block(text)
                        label = " " * len(label)
                    yield from self._beside(child)

    def _number(self, style: str, levels: dict[int, ElementTree.Element], level: int) -> str:
        """Count one level on and give its label, such as "2.1" or "a)"."""
        counts = self._counters.setdefault(style, Counter())
        about = levels.get(level)
        start = int(about.get(f"{TEXT}start-value", "1")) if about is not None else 1
        counts[level] = counts[level] + 1 if counts[level] else start
        for deeper in [deeper for deeper in counts if deeper > level]:
            del counts[deeper]
        if about is None or not (kind := about.get(f"{_STYLE}num-format")):
            return ""
        first = level - int(about.get(f"{TEXT}display-levels", "1")) + 1
        numbers = [
            numeral(counts[n] or 1, _KINDS.get(levels[n].get(f"{_STYLE}num-format", ""), kind))
            for n in range(max(1, first), level + 1)
            if n in levels and levels[n].get(f"{_STYLE}num-format")
        ]
        prefix, suffix = about.get(f"{_STYLE}num-prefix", ""), about.get(f"{_STYLE}num-suffix", "")
        return f"{prefix}{'.'.join(numbers)}{suffix}".strip()

    def _table(self, element: ElementTree.Element) -> Iterator[Block]:
        """Write a table; one within a cell becomes part of the cell's text."""
        notes: list[Block] = []
        self._depth += 1
        grid = resolved(
            [self._cell(cell, notes) for cell in row if cell.tag == f"{TABLE}table-cell"]
            for row in _rows(element)
        )
        self._depth -= 1
        grid = [row for row in grid if any(row)]
        if self._depth or len(grid) == 1:
            yield Block(flat(grid))
        elif grid:
            yield Block(titled(grid).strip("\n"), "markdown")
        yield from notes

    def _cell(self, cell: ElementTree.Element, notes: list[Block]) -> Cell:
        blocks = list(self.blocks(cell))
        notes += [block for block in blocks if block.kind == "note"]
        rows = int(cell.get(f"{TABLE}number-rows-spanned", "1"))
        return Cell(words(blocks), rows, int(cell.get(f"{TABLE}number-columns-spanned", "1")))


def _rows(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """Give a table's own rows, not those of tables within."""
    for child in element:
        if child.tag == f"{TABLE}table-row":
            yield child
        elif child.tag in {
            f"{TABLE}table-header-rows",
            f"{TABLE}table-rows",
            f"{TABLE}table-row-group",
        }:
            yield from _rows(child)


def _outermost(element: ElementTree.Element, tag: str) -> Iterator[ElementTree.Element]:
    for child in element:
        if child.tag.startswith(tag) and not child.tag.startswith(f"{tag}-"):
            yield child
        elif child.tag not in _BESIDE:
            yield from _outermost(child, tag)
