"""OpenDocument spreadsheets to Markdown tables, as Excel's are read.

Cells hold what they show as text, so number formats need not be known.
"""

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from ingest.parsing import titles
from ingest.parsing.office import counted
from ingest.parsing.opendocument import DRAW, OFFICE, TABLE, TEXT, line, properties
from ingest.parsing.sheets import Sheet
from ingest.parsing.tables import MOST_ROWS, MOST_SPAN
from ingest.parsing.text import Parsed

_HIDDEN = {"collapse", "filter"}
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"


def read(data: bytes) -> Parsed:
    """Read an .ods file: formulas as their results, hidden sheets left out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = ElementTree.fromstring(archive.read("content.xml"))
        title, changed = properties(archive)
    hidden_styles = set(_hidden_styles(content))
    parts: list[str] = []
    hidden: list[str] = []
    left_out: list[str] = []
    for element in content.iter(f"{TABLE}table"):
        name = element.get(f"{TABLE}name", "Sheet")
        if element.get(f"{TABLE}style-name") in hidden_styles:
            hidden.append(name)
            continue
        sheet = _Reader(name).read(element)
        if text := sheet.text():
            parts.append(f"## {name}\n\n{text}\n")
        left_out += sheet.left_out()
        if pictures := sum(1 for _ in element.iter(f"{DRAW}image")):
            left_out.append(f"{counted(pictures, 'picture')} on sheet {name}")
    if hidden:
        left_out.insert(0, f"{counted(len(hidden), 'hidden sheet')} ({', '.join(hidden)})")
    return Parsed("\n".join(parts), titles.chosen(title, None), changed, left_out=tuple(left_out))


def _hidden_styles(content: ElementTree.Element) -> Iterator[str]:
    for style in content.iter(f"{_STYLE}style"):
        about = style.find(f"{_STYLE}table-properties")
        if about is not None and about.get(f"{TABLE}display") == "false":
            yield style.get(f"{_STYLE}name", "")


class _Reader:
    """Goes through one sheet; what is repeated is written once and counted."""

    def __init__(self, name: str) -> None:
        self.sheet = Sheet(name)
        self._row = 0
        self._column = 0

    def read(self, element: ElementTree.Element) -> Sheet:
        self._parts(element)
        return self.sheet

    def _parts(self, element: ElementTree.Element) -> None:
        for child in element:
            if child.tag == f"{TABLE}table-row":
                self._rows(child)
            elif child.tag == f"{TABLE}table-column":
                number = _number(child, "number-columns-repeated")
                if child.get(f"{TABLE}visibility") in _HIDDEN:
                    columns = range(self._column, self._column + min(number, MOST_SPAN))
                    self.sheet.hidden_columns |= set(columns)
                self._column += number
            elif child.tag != f"{TABLE}shapes":
                self._parts(child)  # header rows, groups

    def _rows(self, element: ElementTree.Element) -> None:
        number = _number(element, "number-rows-repeated")
        cells = self._cells(element)
        for row in range(self._row, self._row + (number if cells else 0)):
            if len(self.sheet.cells) >= MOST_ROWS:
                self.sheet.rows_beyond += self._row + number - row
                break
            self.sheet.cells[row] = dict(cells)
            if element.get(f"{TABLE}visibility") in _HIDDEN:
                self.sheet.hidden_rows.add(row)
        self._row += number

    def _cells(self, element: ElementTree.Element) -> dict[int, str]:
        cells: dict[int, str] = {}
        column = 0
        for cell in element:
            if not cell.tag.endswith("table-cell"):
                continue
            number = _number(cell, "number-columns-repeated")
            if cell.tag == f"{TABLE}table-cell":
                text = _shown(cell)
                cells |= (
                    dict.fromkeys(range(column, column + min(number, MOST_SPAN)), text)
                    if text
                    else {}
                )
                self._about(cell, column)
            column += number
        return cells

    def _about(self, cell: ElementTree.Element, column: int) -> None:
        rows, columns = (
            _number(cell, "number-rows-spanned"),
            _number(cell, "number-columns-spanned"),
        )
        if rows > 1 or columns > 1:
            area = (self._row, column, self._row + rows - 1, column + min(columns, MOST_SPAN) - 1)
            self.sheet.merged.append(area)
        for note in cell.findall(f"{OFFICE}annotation"):
            self.sheet.notes[self._row, column] = " ".join(map(line, note.findall(f"{TEXT}p")))


def _shown(cell: ElementTree.Element) -> str:
    """Give a cell's text; a formula without a stored result stands as it is written."""
    text = " ".join(filter(None, map(line, cell.findall(f"{TEXT}p"))))
    formula = cell.get(f"{TABLE}formula", "")
    return text or cell.get(f"{OFFICE}value", "") or formula.partition(":")[2]


def _number(element: ElementTree.Element, name: str) -> int:
    return int(element.get(f"{TABLE}{name}", "1"))
