"""Word documents to Markdown, from their XML: no library gives all that a page shows.

Numbers of headings and lists, text boxes, headers, notes where they are referred to, and tracked
changes as accepted. Comments and hidden text are left out and counted.
"""

from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree

from ingest.parsing import charts, titles
from ingest.parsing.blocks import Block, below_title, is_page_number, item, markdown, words
from ingest.parsing.office import Package
from ingest.parsing.tables import Grid, flat, titled
from ingest.parsing.text import Parsed
from ingest.parsing.word_lines import MARKUP, Line, Lines, chosen
from ingest.parsing.word_numbers import BULLET, Numbers
from ingest.parsing.word_styles import VALUE, WORD, Style, Styles, is_on, over, own

_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_OPEN = {"body", "ins", "moveTo", "customXml", "smartTag", "sdt", "sdtContent"}
_CONTENTS = ("toc ", "table of figures")  # styles of lists that repeat headings and captions
SHORT_CELL = 100  # characters; longer ones in a row of their own are columns of a page


def read(data: bytes) -> Parsed:
    """Read a .docx or .docm file."""
    package = Package(data)
    document = _Document(package)
    edges, body = markdown(document.edges()), markdown(below_title(document.blocks(document.root)))
    declared, changed = package.properties()
    title = titles.chosen(declared, titles.beginning(body))
    if title is None and declared:
        title = titles.first_line(body)
    text = "\n\n".join(filter(None, [edges, body]))
    return Parsed(text, title, changed, left_out=tuple(document.left_out()))


class _Document:
    """A document's main part, with what all parts share."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.name = package.main()
        self.root = package.xml(self.name)
        self.styles = Styles(self._part("styles"))
        self.numbers = Numbers(self._part("numbering"))
        self.omitted: Counter[str] = Counter()
        self._story = _Story(self, self.name)
        self._notes = {
            f"{kind}Reference": {e.get(f"{WORD}id", ""): e for e in self._part(f"{kind}s")}
            for kind in ("footnote", "endnote")
        }

    def blocks(self, element: ElementTree.Element) -> Iterator[Block]:
        return self._story.blocks(element)

    def note(self, kind: str, name: str) -> Iterator[Block]:
        """Give a footnote's or an endnote's text."""
        element = self._notes[kind].get(name)
        if element is not None:
            part = next(self.package.linked(self.name, kind.replace("Reference", "s")))
            yield from _Story(self, part).blocks(element)

    def edges(self) -> Iterator[Block]:
        """Give headers and footers, each text once."""
        settings = self._part("settings")
        links = self.package.links(self.name)
        seen: set[str] = set()
        for kind in ("headerReference", "footerReference"):
            for section in self.root.iter(f"{WORD}sectPr"):
                shown = {"default"} | ({"first"} if is_on(section, "titlePg") else set())
                shown |= {"even"} if is_on(settings, "evenAndOddHeaders") else set()
                for reference in section.findall(f"{WORD}{kind}"):
                    link = links.get(reference.get(_ID, ""))
                    if link and reference.get(f"{WORD}type", "default") in shown:
                        yield from self._edge(link.target, seen)

    def _edge(self, part: str, seen: set[str]) -> Iterator[Block]:
        for block in _Story(self, part).blocks(self.package.xml(part)):
            if block.text not in seen and not is_page_number(block.text):
                seen.add(block.text)
                yield Block(block.text) if block.kind == "heading" else block

    def left_out(self) -> Iterator[str]:
        """Say what is not in the text."""
        comments = sum(1 for _ in self._part("comments").iter(f"{WORD}comment"))
        self.omitted["comment|comments"] = comments
        for what, number in self.omitted.items():
            one, _, many = what.partition("|")
            if number:
                yield f"{number} {one if number == 1 else many}"

    def _part(self, kind: str) -> ElementTree.Element:
        found = next(self.package.linked(self.name, kind), None)
        return self.package.xml(found) if found else ElementTree.Element("none")


class _Story:
    """Goes through one part's paragraphs and tables."""

    def __init__(self, document: _Document, part: str) -> None:
        self._document = document
        self._lines = Lines(document.styles, document.package.links(part), document.omitted)
        self._depth = 0  # of tables within tables
        self._before: list[str] = []  # text of paragraphs whose end was deleted

    def blocks(self, element: ElementTree.Element) -> Iterator[Block]:
        """Give what stands in an element, in order."""
        for child in element:
            kind = child.tag.removeprefix(WORD)
            if kind == "p":
                yield from self._paragraph(child)
            elif kind == "tbl":
                yield from self._table(child)
            elif kind in _OPEN and not _is_contents(child):
                yield from self.blocks(child)
            elif child.tag == f"{MARKUP}AlternateContent":
                yield from self.blocks(chosen(child))
            elif kind == "altChunk":
                self._document.omitted["embedded document|embedded documents"] += 1

    def _paragraph(self, paragraph: ElementTree.Element) -> Iterator[Block]:
        about = paragraph.find(f"{WORD}pPr")
        named = about.find(f"{WORD}pStyle") if about is not None else None
        name = named.get(VALUE, "") if named is not None else self._document.styles.usual
        style = self._document.styles.style(name)
        if style.name.lower().startswith(_CONTENTS):
            return
        line = self._lines.read(paragraph, style)
        text = " ".join(filter(None, [*self._before, line.text()]))
        mark = about.find(f"{WORD}rPr") if about is not None else None
        # A paragraph without its end goes on in the next one, and takes no number of its own.
        is_open = is_on(mark, "del") or (is_on(mark, "moveFrom") and not text)
        self._before = [text] if is_open and text else []
        if not is_open:
            yield from self._worded(text, line, own(paragraph), style, name)
        yield from self._hanging(line)

    def _worded(
        self, text: str, line: Line, own_style: Style, style: Style, name: str
    ) -> Iterator[Block]:
        label = self._label(own_style, style, name)
        level = over(own_style, style).level
        if not text:
            return
        if level:
            for _, _, mark in line.notes:
                text = text.replace(mark, "")
            depth = 0 if style.name.lower() == "title" else level
            yield Block(f"{label.strip(BULLET)} {text}".strip(), "heading", depth)
        elif label:
            yield item(text, label, own_style.list_level or style.list_level or 0)
        else:
            yield Block(text)

    def _label(self, own_style: Style, style: Style, name: str) -> str:
        """Give the number or dash that Word puts before a paragraph."""
        both = over(own_style, style)
        if both.list_id is None or both.list_id == "0":
            return ""
        depth = both.list_level
        if depth is None and (found := self._document.numbers.of_style(name)):
            depth = found[1]
        return self._document.numbers.label(both.list_id, depth or 0)

    def _hanging(self, line: Line) -> Iterator[Block]:
        """Give text boxes, drawings and notes after the paragraph that they hang on."""
        for box in line.boxes:
            yield from self.blocks(box)
        for part in line.drawings:
            root = self._document.package.xml(part)
            text = charts.chart(root) if root.tag.endswith("chartSpace") else charts.diagram(root)
            yield Block(text.strip(), "markdown")
        for kind, name, mark in line.notes:
            if text := words(self._document.note(kind, name)):
                yield Block(f"{mark} {text}", "note")

    def _table(self, table: ElementTree.Element) -> Iterator[Block]:
        rows = [row for row in _inside(table, "tr") if not _is_deleted(row)]
        self._depth += 1
        cells = [[list(self._cell(cell)) for cell in _inside(row, "tc")] for row in rows]
        self._depth -= 1
        if not self._depth and _is_layout(cells):
            yield from (block for row in cells for cell in row for block in cell)
            return
        grid = _grid(rows, cells)
        if self._depth or len(grid) == 1:
            yield Block(flat(grid))
        elif any(any(row) for row in grid):
            headers = 0
            while headers < len(rows) and is_on(rows[headers].find(f"{WORD}trPr"), "tblHeader"):
                headers += 1
            yield Block(titled(grid, headers if headers > 1 else 0).strip("\n"), "markdown")
        yield from (b for row in cells for cell in row for b in cell if b.kind == "note")

    def _cell(self, cell: ElementTree.Element) -> Iterator[Block]:
        about = cell.find(f"{WORD}tcPr")
        if about is None or about.find(f"{WORD}cellDel") is None:
            yield from self.blocks(cell)


def _grid(rows: list[ElementTree.Element], cells: list[list[list[Block]]]) -> Grid:
    """Give rows of equal cells; the text of a cell that covers several stands in each of them."""
    grid: Grid = []
    for row, contents in zip(rows, cells, strict=True):
        line = [""] * int(_value(row.find(f"{WORD}trPr"), "gridBefore") or 0)
        for cell, blocks in zip(_inside(row, "tc"), contents, strict=True):
            about = cell.find(f"{WORD}tcPr")
            text = words(blocks)
            if _goes_on(about, "hMerge") and line:
                text = line[-1]
            elif _goes_on(about, "vMerge") and grid and len(line) < len(grid[-1]):
                text = grid[-1][len(line)]
            line += [text] * max(1, min(int(_value(about, "gridSpan") or 1), 100))
        grid.append(line)
    return grid


def _is_layout(cells: list[list[list[Block]]]) -> bool:
    """Tell whether a table only frames or sets side by side what is no table."""
    if len(cells) == 1:
        return len(cells[0]) == 1 or any(len(words(cell)) > SHORT_CELL for cell in cells[0])
    return all(len(row) == 1 for row in cells)


def _is_contents(element: ElementTree.Element) -> bool:
    """Tell whether a content control holds a table of contents, which repeats the headings."""
    galleries = element.findall(f"{WORD}sdtPr/{WORD}docPartObj/{WORD}docPartGallery")
    return any(gallery.get(VALUE) == "Table of Contents" for gallery in galleries)


def _inside(element: ElementTree.Element, kind: str) -> Iterator[ElementTree.Element]:
    """Give a table's rows, or a row's cells, also those within content controls."""
    for child in element:
        if child.tag == f"{WORD}{kind}":
            yield child
        elif child.tag.removeprefix(WORD) in _OPEN:
            yield from _inside(child, kind)


def _is_deleted(row: ElementTree.Element) -> bool:
    about = row.find(f"{WORD}trPr")
    return about is not None and about.find(f"{WORD}del") is not None


def _goes_on(about: ElementTree.Element | None, kind: str) -> bool:
    """Tell whether a cell belongs to the one above or before it."""
    found = about.find(f"{WORD}{kind}") if about is not None else None
    return found is not None and found.get(VALUE, "continue") == "continue"


def _value(element: ElementTree.Element | None, name: str) -> str | None:
    found = element.find(f"{WORD}{name}") if element is not None else None
    return found.get(VALUE) if found is not None else None
