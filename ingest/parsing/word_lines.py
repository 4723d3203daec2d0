"""A paragraph of a Word document to text: runs, fields, links, signs, and what hangs on it.

Tracked changes count as accepted: inserted text and moved text at its new place stay, deleted text
and its old place go. Knows nothing about headings, lists and tables.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from ingest.parsing.equations import MATH, equation
from ingest.parsing.office import Link
from ingest.parsing.symbols import looks_like
from ingest.parsing.word_styles import VALUE, WORD, Style, Styles, is_on, over, own

MARKUP = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_A_PAGE = "\0"  # stands for a page's number until the words around it are taken out too
_PAGE_OF_PAGES = re.compile(
    r"(?:(?<!\s)\s*[|·•–—-]\s*|(?<!\s)\s+)?(?:\b(?:page|seite|pagina|página|sida|side|strona|p)\b\.?\s*)?"
    rf"{_A_PAGE}(?:\s*(?:of|von|de|di|van|sur|av|z|/)\s*{_A_PAGE})?",
    re.IGNORECASE,
)
_PAGES = {"PAGE", "NUMPAGES", "SECTIONPAGES"}
_OPEN = {"ins", "moveTo", "smartTag", "customXml", "dir", "bdo", "sdt", "sdtContent"}
_SIGNS = {"tab": " ", "ptab": " ", "cr": "\n", "noBreakHyphen": "\u2011"}


@dataclass(slots=True)
class Line:
    """A paragraph's text, and what hangs on it: boxes and drawings to be read, notes by kind and id."""

    pieces: list[str] = field(default_factory=list)
    boxes: list[ElementTree.Element] = field(default_factory=list)
    drawings: list[str] = field(default_factory=list)  # names of charts' and diagrams' parts
    notes: list[tuple[str, str, str]] = field(default_factory=list)  # kind, id, mark

    def text(self) -> str:
        text = "".join(self.pieces)
        lines = (_PAGE_OF_PAGES.sub("", text) if _A_PAGE in text else text).split("\n")
        return "\n".join(" ".join(line.split()) for line in lines).strip()


@dataclass(slots=True)
class _Field:
    """A field between its marks: what it does, and whether its result has begun."""

    code: str = ""
    has_result: bool = False

    def is_shown(self) -> bool:
        return self.has_result and not _counts_pages(self.code)


class Lines:
    """Reads paragraphs of one part, with the links of that part."""

    def __init__(self, styles: Styles, links: dict[str, Link], left_out: Counter[str]) -> None:
        self._styles = styles
        self._links = links
        self._left_out = left_out
        self._marks: Counter[str] = Counter()
        self._fields: list[_Field] = []
        self._line = Line()
        self._style = Style()

    def read(self, paragraph: ElementTree.Element, style: Style) -> Line:
        """Give a paragraph's text; `style` is what holds for all of its runs."""
        self._line, self._style, self._fields = Line(), style, []
        self._walk(paragraph)
        return self._line

    def _walk(self, element: ElementTree.Element) -> None:
        for child in element:
            kind = child.tag.removeprefix(WORD)
            if kind == "r":
                self._run(child)
            elif kind == "hyperlink":
                self._link(child)
            elif kind == "fldSimple":
                if _counts_pages(child.get(f"{WORD}instr", "")):
                    self._line.pieces.append(_A_PAGE)
                else:
                    self._walk(child)
            elif kind in _OPEN:
                self._walk(child)
            elif child.tag.startswith(MATH):
                self._line.pieces.append(f" {equation(child).strip()} ")
            elif child.tag == f"{MARKUP}AlternateContent":
                self._walk(chosen(child))

    def _link(self, element: ElementTree.Element) -> None:
        link = self._links.get(element.get(f"{_ID}id", ""))
        start = len(self._line.pieces)
        self._walk(element)
        text = "".join(self._line.pieces[start:])
        if link and link.is_outside and text.strip() and link.target != text.strip():
            address = link.target.replace(" ", "%20").replace(")", "%29")
            self._line.pieces[start:] = [f"[{text.replace('[', '(').replace(']', ')')}]({address})"]

    def _run(self, run: ElementTree.Element) -> None:
        about = run.find(f"{WORD}rPr")
        named = about.find(f"{WORD}rStyle") if about is not None else None
        style = self._styles.style(named.get(VALUE, "")) if named is not None else Style()
        style = over(own(run), over(style, self._style))
        if style.is_hidden:
            words = "".join(e.text or "" for e in run.iter(f"{WORD}t"))
            self._left_out["piece of hidden text|pieces of hidden text"] += bool(words.strip())
            return
        for child in run:
            self._piece(child, style.font or "")

    def _piece(self, element: ElementTree.Element, font: str) -> None:
        kind = element.tag.removeprefix(WORD)
        if kind == "fldChar":
            self._field(element)
        elif kind == "instrText" and self._fields:
            self._fields[-1].code += element.text or ""
        elif not all(part.is_shown() for part in self._fields):
            return
        elif kind == "t":
            self._line.pieces.append(looks_like(element.text or "", font))
        elif kind == "sym":
            code = int(element.get(f"{WORD}char", "0"), 16)
            self._line.pieces.append(looks_like(chr(code), element.get(f"{WORD}font", "")))
        elif kind == "br":
            self._line.pieces.append(
                "\n" if element.get(f"{WORD}type") in (None, "textWrapping") else " "
            )
        elif kind in _SIGNS:
            self._line.pieces.append(_SIGNS[kind])
        elif kind in ("footnoteReference", "endnoteReference"):
            self._note(kind, element)
        elif kind in ("drawing", "pict", "object"):
            self._drawing(element)
        elif kind == "ruby":
            base = element.find(f"{WORD}rubyBase")
            self._walk(base if base is not None else element)
        elif element.tag == f"{MARKUP}AlternateContent":
            for child in chosen(element):
                self._piece(child, font)

    def _field(self, element: ElementTree.Element) -> None:
        kind = element.get(f"{WORD}fldCharType")
        if kind == "begin":
            self._line.pieces += _form_value(element)
            self._fields.append(_Field())
        elif kind == "separate" and self._fields:
            self._fields[-1].has_result = True
        elif kind == "end" and self._fields:
            is_page = _counts_pages(self._fields.pop().code)
            self._line.pieces += [_A_PAGE] if is_page else []

    def _note(self, kind: str, element: ElementTree.Element) -> None:
        self._marks[kind] += 1
        number = self._marks[kind]
        mark = f"[{number}]" if kind == "footnoteReference" else f"[note {number}]"
        self._line.pieces.append(mark if not self._line.notes else f" {mark}")
        self._line.notes.append((kind, element.get(f"{WORD}id", ""), mark))

    def _drawing(self, element: ElementTree.Element) -> None:
        boxes = list(text_boxes(element))
        self._line.boxes += boxes
        ids = [e.get(f"{_ID}id", "") for e in element.iter(f"{_CHART}chart")]
        ids += [e.get(f"{_ID}dm", "") for e in element.iter(f"{_DIAGRAM}relIds")]
        found = [self._links[name].target for name in ids if name in self._links]
        self._line.drawings += found
        if boxes or found:
            return
        if element.tag == f"{WORD}object":
            self._left_out["embedded object|embedded objects"] += 1
        elif any(
            e.tag == f"{_DRAWING}blip" or e.tag.endswith("}imagedata") for e in element.iter()
        ):
            self._left_out["picture|pictures"] += 1


def _counts_pages(code: str) -> bool:
    return not _PAGES.isdisjoint(code.upper().split(None, 1)[:1])


def text_boxes(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """Give the text boxes in a drawing, each once: new Word writes them for old Word a second time."""
    if element.tag == f"{WORD}txbxContent":
        yield element
        return
    parts = chosen(element) if element.tag == f"{MARKUP}AlternateContent" else element
    for child in parts:
        yield from text_boxes(child)


def chosen(element: ElementTree.Element) -> ElementTree.Element:
    """Give the content of the first alternative that is there."""
    return next(iter(element), ElementTree.Element("none"))


def _form_value(element: ElementTree.Element) -> Iterator[str]:
    """Give what an old form field holds: a tick, or the chosen one of its entries."""
    box = element.find(f"{WORD}ffData/{WORD}checkBox")
    if box is not None:
        state = is_on(box, "checked")
        yield "☒" if (is_on(box, "default") if state is None else state) else "☐"
    choice = element.find(f"{WORD}ffData/{WORD}ddList")
    if choice is not None:
        entries = [e.get(VALUE, "") for e in choice.findall(f"{WORD}listEntry")]
        found = choice.find(f"{WORD}result")
        place = int(found.get(VALUE, "0")) if found is not None else 0
        yield entries[place] if 0 <= place < len(entries) else ""
