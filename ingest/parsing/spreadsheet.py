"""Excel workbooks to Markdown tables, a heading per sheet, cells as Excel shows them.

Reads the parts itself, row by row: openpyxl gives either hidden rows, merged cells and comments, or
a large sheet in little memory, and never both a formula and its result.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from ingest.parsing import charts, titles
from ingest.parsing.number_formats import shown
from ingest.parsing.office import Package, counted
from ingest.parsing.sheets import Area, Sheet, sheet_link
from ingest.parsing.tables import MOST_ROWS
from ingest.parsing.text import Parsed

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)")
TRUE = {"1", "true", "on"}


def read(data: bytes) -> Parsed:
    """Read an .xlsx or .xlsm file: formulas as their results, hidden sheets left out."""
    book = _Workbook(Package(data))
    parts, named, left_out, hidden = [], [], [], []
    for name, part, is_hidden in book.sheets():
        if is_hidden:
            hidden.append(name)
            continue
        named.append((name, sheet_link(name)))
        sheet = book.sheet(name, part)
        text = "\n\n".join(filter(None, [sheet.text(), *charts.words(book.package, part)]))
        if text:
            parts.append(f"## {name}\n\n{text}\n")
        left_out += [*sheet.left_out(), *_pictures(book.package, part, name)]
    if hidden:
        left_out.insert(0, f"{counted(len(hidden), 'hidden sheet')} ({', '.join(hidden)})")
    if book.uncomputed:
        left_out.append(f"results of {counted(book.uncomputed, 'formula')} are not in the file")
    title, changed = book.package.properties()
    return Parsed(
        "\n".join(parts),
        titles.chosen(title, None),
        changed,
        named=tuple(named),
        left_out=tuple(left_out),
    )


class _Workbook:
    def __init__(self, package: Package) -> None:
        self.package = package
        self.main = package.main()
        self.root = package.xml(self.main)
        about = self.root.find(f"{_MAIN}workbookPr")
        self.is_1904 = about is not None and about.get("date1904") in TRUE
        self.texts = list(self._shared_texts())
        self.formats = list(self._formats())
        self.uncomputed = 0

    def sheets(self) -> Iterator[tuple[str, str, bool]]:
        """Give each sheet's name and part, and whether it is hidden."""
        links = self.package.links(self.main)
        for element in self.root.iter(f"{_MAIN}sheet"):
            link = links.get(element.get(_ID, ""))
            if link and self.package.has(link.target):
                is_hidden = element.get("state", "visible") != "visible"
                yield element.get("name", ""), link.target, is_hidden

    def sheet(self, name: str, part: str) -> Sheet:
        """Read a sheet's cells, whatever size it claims to have."""
        sheet = Sheet(name)
        place = -1
        shared: dict[str, tuple[str, str]] = {}
        with self.package.open(part) as file:
            for _, element in ElementTree.iterparse(file):
                tag = element.tag.rpartition("}")[2]
                if tag == "row":
                    place = int(element.get("r") or place + 2) - 1
                    self._row(sheet, place, element, shared)
                    element.clear()
                elif tag == "col" and _is_hidden(element, "width"):
                    last = min(int(element.get("max", "1")), 16_384)
                    sheet.hidden_columns |= set(range(int(element.get("min", "1")) - 1, last))
                elif tag == "mergeCell":
                    sheet.merged.append(_area(element.get("ref", "")))
        sheet.notes.update(_notes(self.package, part))
        return sheet

    def _row(
        self, sheet: Sheet, place: int, row: ElementTree.Element, shared: dict[str, tuple[str, str]]
    ) -> None:
        if len(sheet.cells) >= MOST_ROWS:
            sheet.rows_beyond += any(len(cell) for cell in row)
            return
        cells: dict[int, str] = {}
        column = -1
        for cell in row:
            reference = cell.get("r")
            column = _place(reference)[1] if reference else column + 1
            if text := self._cell(cell, reference or "A1", shared):
                cells[column] = text
        if _is_hidden(row, "ht"):
            sheet.hidden_rows.add(place)
        if cells:
            sheet.cells[place] = cells

    def _cell(
        self, cell: ElementTree.Element, reference: str, shared: dict[str, tuple[str, str]]
    ) -> str:
        kind = cell.get("t", "n")
        value = cell.findtext(f"{_MAIN}v")
        formula = cell.find(f"{_MAIN}f")
        written = _formula(formula, reference, shared) if formula is not None else ""
        if kind == "inlineStr":
            return " ".join("".join(_letters(cell)).split())
        if not value:
            is_empty_text = kind == "str" and value == ""
            self.uncomputed += bool(written) and not is_empty_text
            return "" if is_empty_text else written
        if kind == "s":
            place = int(value)
            return self.texts[place] if place < len(self.texts) else ""
        if kind == "b":
            return "TRUE" if value in TRUE else "FALSE"
        if kind in ("str", "e"):
            return value.strip()
        if kind == "d":
            return value.removesuffix("T00:00:00").replace("T", " ")
        style = int(cell.get("s", "0"))
        code = self.formats[style] if style < len(self.formats) else "General"
        try:
            return shown(float(value), code, is_1904=self.is_1904)
        except ValueError:  # it says that it is a number, and is none
            return value

    def _shared_texts(self) -> Iterator[str]:
        for part in self.package.linked(self.main, "sharedStrings"):
            with self.package.open(part) as file:
                for _, element in ElementTree.iterparse(file):
                    if element.tag.endswith("}si"):
                        yield " ".join("".join(_letters(element)).split())
                        element.clear()

    def _formats(self) -> Iterator[str]:
        from openpyxl.styles.numbers import BUILTIN_FORMATS

        # Those of the reader's country: 14 is its short date.
        codes = {**BUILTIN_FORMATS, 14: "yyyy-mm-dd", 22: "yyyy-mm-dd hh:mm"}
        for part in self.package.linked(self.main, "styles"):
            root = self.package.xml(part)
            for element in root.iter(f"{_MAIN}numFmt"):
                codes[int(element.get("numFmtId", "0"))] = element.get("formatCode", "General")
            for element in root.findall(f"{_MAIN}cellXfs/{_MAIN}xf"):
                yield codes.get(int(element.get("numFmtId", "0")), "General")


def _is_hidden(element: ElementTree.Element, size: str) -> bool:
    """Tell whether a row or column is hidden, or has no height or width."""
    return element.get("hidden") in TRUE or float(element.get(size) or 1) == 0


def _formula(
    element: ElementTree.Element, reference: str, shared: dict[str, tuple[str, str]]
) -> str:
    """Give a formula as Excel shows it; one that is shared is written at its first cell alone."""
    from openpyxl.formula.translate import Translator

    text, group = (element.text or "").strip(), element.get("si", "")
    if element.get("t") == "shared" and text:
        shared[group] = (text, reference)
    elif element.get("t") == "shared" and group in shared:
        first, origin = shared[group]
        text = str(Translator(f"={first}", origin=origin).translate_formula(reference))[1:]
    return f"={text.replace('_xlfn.', '')}" if text else ""


def _letters(element: ElementTree.Element) -> Iterator[str]:
    """Give a text's runs, without the signs above it that tell how it is read aloud."""
    for child in element:
        if child.tag == f"{_MAIN}t":
            yield child.text or ""
        elif child.tag != f"{_MAIN}rPh":
            yield from _letters(child)


def _notes(package: Package, part: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Give comments by their cell; a thread is kept a second time as an old comment, for old Excel."""
    threads: dict[tuple[int, int], list[str]] = {}
    for name in package.linked(part, "threadedComment"):
        for element in package.xml(name):
            words = "".join(element.itertext())
            threads.setdefault(_place(element.get("ref", "A1")), []).append(" ".join(words.split()))
    for name in package.linked(part, "comments"):
        for element in package.xml(name).iter(f"{_MAIN}comment"):
            threads.setdefault(_place(element.get("ref", "A1")), [
                " ".join("".join(_letters(element)).split())
            ])  # fmt: skip
    return ((place, " / ".join(words)) for place, words in threads.items() if any(words))


def _pictures(package: Package, part: str, name: str) -> Iterator[str]:
    number = sum(
        1 for drawing in package.linked(part, "drawing") for _ in package.linked(drawing, "image")
    )
    if number:
        yield f"{counted(number, 'picture')} on sheet {name}"


def _place(reference: str) -> tuple[int, int]:
    """Give row and column, from 0, of a reference such as B7."""
    found = _REFERENCE.match(reference)
    if not found:
        return 0, 0
    column = 0
    for letter in found.group(1):
        column = column * 26 + ord(letter) - 64
    return int(found.group(2)) - 1, column - 1


def _area(reference: str) -> Area:
    first, _, last = reference.partition(":")
    return (*_place(first), *_place(last or first))
