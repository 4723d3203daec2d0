"""PowerPoint presentations to Markdown, a heading per slide, from their XML.

Shapes come in the order in which they are read: by rows, from the left. Hidden slides, comments
and pictures are left out and counted.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from ingest.parsing import charts, titles
from ingest.parsing.blocks import Block, item, markdown, words
from ingest.parsing.equations import MATH, equation
from ingest.parsing.office import Package, counted
from ingest.parsing.symbols import looks_like
from ingest.parsing.tables import Cell, flat, resolved, titled
from ingest.parsing.text import Parsed

_SLIDE = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MARKUP = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_TITLES = {"title", "ctrTitle"}
_PAGES = {"sldNum", "dt"}
_EDGES = {"hdr", "ftr"}
_LISTS = {"body", "obj", ""}  # placeholders whose paragraphs have bullets unless they say no
COLUMN = 400_000  # EMU, a good centimetre: shapes that begin so near are in one column


def read(data: bytes) -> Parsed:
    """Read a .pptx or .pptm file."""
    deck = _Deck(Package(data))
    blocks = list(deck.blocks())
    title, changed = deck.package.properties()
    title = titles.chosen(title, deck.first_title)
    return Parsed(markdown(blocks), title, changed, left_out=tuple(deck.left_out()))


@dataclass(frozen=True, slots=True)
class _Place:
    """A shape and where it lies, in EMU."""

    shape: ElementTree.Element
    left: int = 0
    top: int = 0
    height: int = 0


class _Deck:
    def __init__(self, package: Package) -> None:
        self.package = package
        self.first_title: str | None = None
        self.omitted: Counter[str] = Counter()
        self._footers: set[str] = set()

    def left_out(self) -> Iterator[str]:
        return (counted(number, what) for what, number in self.omitted.items() if number)

    def blocks(self) -> Iterator[Block]:
        """Give the slides in the order of the talk, numbered as PowerPoint does."""
        main = self.package.main()
        links = self.package.links(main)
        for number, element in enumerate(self.package.xml(main).iter(f"{_SLIDE}sldId"), start=1):
            link = links.get(element.get(f"{_LINK}id", ""))
            if link is None or not self.package.has(link.target):
                continue
            root = self.package.xml(link.target)
            if root.get("show") in ("0", "false"):
                self.omitted["hidden slide"] += 1
            else:
                yield from self._slide(number, link.target, root)

    def _slide(self, number: int, part: str, root: ElementTree.Element) -> Iterator[Block]:
        tree = root.find(f"{_SLIDE}cSld/{_SLIDE}spTree")
        shapes = list(self._ordered(tree, part)) if tree is not None else []
        titled_by = next((s for s in shapes if _placeholder(s)[0] in _TITLES), None)
        title = words(_paragraphs(titled_by)) if titled_by is not None else ""
        self.first_title = self.first_title or title or None
        yield Block(f"Slide {number}" + (f": {title}" if title else ""), "heading", 2)
        for shape in shapes:
            if shape is not titled_by:
                yield from self._shape(shape, part)
        for notes in self.package.linked(part, "notesSlide"):
            yield from self._notes(self.package.xml(notes))
        for comments in self.package.linked(part, "comments"):
            found = self.package.xml(comments).iter()
            self.omitted["comment"] += sum(1 for e in found if e.tag.endswith("}cm"))

    def _notes(self, root: ElementTree.Element) -> Iterator[Block]:
        shapes = (s for s in root.iter(f"{_SLIDE}sp") if _placeholder(s)[0] == "body")
        lines = [_text(p) for shape in shapes for p in shape.iter(f"{_DRAWING}p")]
        if any(lines):
            yield Block("Notes", "heading", 3)
            yield Block("\n\n".join(filter(None, lines)))
        for shape in root.iter(f"{_SLIDE}sp"):
            if _placeholder(shape)[0] in _EDGES:
                yield from self._edge(shape)

    def _shape(self, shape: ElementTree.Element, part: str) -> Iterator[Block]:
        kind, _ = _placeholder(shape)
        if shape.tag == f"{_SLIDE}grpSp":
            for child in self._ordered(shape, part):
                yield from self._shape(child, part)
        elif shape.tag == f"{_SLIDE}graphicFrame":
            yield from self._frame(shape, part)
        elif shape.tag == f"{_SLIDE}pic":
            self.omitted["picture"] += 1
        elif kind in _EDGES:
            yield from self._edge(shape)
        elif kind not in _PAGES:
            yield from _paragraphs(shape)

    def _edge(self, shape: ElementTree.Element) -> Iterator[Block]:
        """Give a header or footer where it stands first."""
        text = words(_paragraphs(shape))
        if text and text not in self._footers:
            self._footers.add(text)
            yield Block(text)

    def _frame(self, shape: ElementTree.Element, part: str) -> Iterator[Block]:
        """Give a table, the numbers of a chart, the words of a diagram."""
        links = self.package.links(part)
        for table in shape.iter(f"{_DRAWING}tbl"):
            grid = resolved(_rows(table))
            text = flat(grid) if len(grid) == 1 else titled(grid).strip("\n")
            yield Block(text, "text" if len(grid) == 1 else "markdown")
            return
        for element in shape.iter():
            if element.tag == f"{_CHART}chart" and (
                link := links.get(element.get(f"{_LINK}id", ""))
            ):
                yield Block(charts.chart(self.package.xml(link.target)).strip(), "markdown")
                return
            if element.tag == f"{_DIAGRAM}relIds" and (
                link := links.get(element.get(f"{_LINK}dm", ""))
            ):
                yield Block(charts.diagram(self.package.xml(link.target)), "markdown")
                return
        self.omitted["embedded object"] += 1

    def _ordered(self, tree: ElementTree.Element, part: str) -> Iterator[ElementTree.Element]:
        """Give shapes row by row; within one, columns from the left, each from its top."""
        places = sorted((self._place(s, part) for s in _shapes(tree)), key=lambda p: p.top)
        row: list[_Place] = []
        end = 0
        for place in places:
            least = min([place.height, *(p.height for p in row)]) // 2
            if row and end - place.top < least:  # it lies below, but for a small overlap
                yield from _by_columns(row)
                row, end = [], 0
            row.append(place)
            end = max(end, place.top + place.height)
        yield from _by_columns(row)

    def _place(self, shape: ElementTree.Element, part: str) -> _Place:
        found = _frame_of(shape)
        if found is None:  # as the layout says, or else the master
            for layout in self.package.linked(part, "slideLayout"):
                masters = self.package.linked(layout, "slideMaster")
                found = self._like(shape, layout) or next(
                    (at for master in masters if (at := self._like(shape, master))), None
                )
        left, top, height = found or (0, 0, 0)
        return _Place(shape, left, top, height)

    def _like(self, shape: ElementTree.Element, part: str) -> tuple[int, int, int] | None:
        kind, index = _placeholder(shape)
        others = [(s, _placeholder(s)) for s in self.package.xml(part).iter(f"{_SLIDE}sp")]
        same = [s for s, (k, i) in others if i == index and index] or [
            s for s, (k, _) in others if kind and k == kind
        ]
        return _frame_of(same[0]) if same else None


def _by_columns(row: list[_Place]) -> Iterator[ElementTree.Element]:
    for place in sorted(row, key=lambda p: (p.left // COLUMN, p.top)):
        yield place.shape


def _shapes(tree: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for child in tree:
        kind = child.tag.removeprefix(_SLIDE)
        if kind in ("sp", "grpSp", "graphicFrame", "pic"):
            yield child
        elif child.tag == f"{_MARKUP}AlternateContent" and len(child):
            yield from _shapes(child[0])


def _frame_of(shape: ElementTree.Element) -> tuple[int, int, int] | None:
    """Give left, top and height of a shape, in EMU."""
    for about in (
        f"{_SLIDE}spPr/{_DRAWING}xfrm",
        f"{_SLIDE}grpSpPr/{_DRAWING}xfrm",
        f"{_SLIDE}xfrm",
    ):
        found = shape.find(about)
        if found is not None:
            start, size = found.find(f"{_DRAWING}off"), found.find(f"{_DRAWING}ext")
            if start is not None and size is not None:
                return int(start.get("x", "0")), int(start.get("y", "0")), int(size.get("cy", "0"))
    return None


def _placeholder(shape: ElementTree.Element) -> tuple[str | None, str | None]:
    """Give what a placeholder is for, and its number; None for other shapes."""
    found = next(shape.iter(f"{_SLIDE}ph"), None) if shape.tag != f"{_SLIDE}grpSp" else None
    return (None, None) if found is None else (found.get("type", ""), found.get("idx"))


def _paragraphs(shape: ElementTree.Element) -> Iterator[Block]:
    """Give a shape's paragraphs; those of a list as its items."""
    is_list = _placeholder(shape)[0] in _LISTS
    numbers: Counter[int] = Counter()
    for paragraph in shape.iter(f"{_DRAWING}p"):
        about = paragraph.find(f"{_DRAWING}pPr")
        depth = int(about.get("lvl", "0")) if about is not None else 0
        text = _text(paragraph)
        if not text:
            continue
        if _has(about, "buAutoNum"):
            numbers[depth] += 1
            yield item(text, f"{numbers[depth]}.", depth)
        elif not _has(about, "buNone") and (is_list or depth or _has(about, "buChar")):
            yield item(text, "-", depth)
        else:
            yield Block(text)


def _has(about: ElementTree.Element | None, name: str) -> bool:
    return about is not None and about.find(f"{_DRAWING}{name}") is not None


def _text(paragraph: ElementTree.Element) -> str:
    lines = "".join(_pieces(paragraph)).split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def _pieces(element: ElementTree.Element) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_DRAWING}r":
            font = child.find(f"{_DRAWING}rPr/{_DRAWING}latin")
            name = font.get("typeface", "") if font is not None else ""
            yield looks_like(child.findtext(f"{_DRAWING}t") or "", name)
        elif child.tag == f"{_DRAWING}fld" and child.get("type") != "slidenum":
            yield child.findtext(f"{_DRAWING}t") or ""
        elif child.tag == f"{_DRAWING}br":
            yield "\n"
        elif child.tag.startswith(MATH):
            yield f" {equation(child).strip()} "
        elif child.tag == f"{_MARKUP}AlternateContent" and len(child):
            yield from _pieces(child[0])
        elif child.tag.endswith("}m"):  # an equation's frame
            yield from _pieces(child)


def _rows(table: ElementTree.Element) -> Iterator[list[Cell]]:
    for row in table.findall(f"{_DRAWING}tr"):
        yield [
            Cell(
                " ".join(filter(None, map(_text, cell.iter(f"{_DRAWING}p")))),
                int(cell.get("rowSpan", "1")),
                int(cell.get("gridSpan", "1")),
            )
            for cell in row.findall(f"{_DRAWING}tc")
            if not {cell.get("hMerge", "0"), cell.get("vMerge", "0")} & {"1", "true"}
        ]
