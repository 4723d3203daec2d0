"""Workbooks of old Excel (.xls) to Markdown tables, as the new ones are read."""

from collections.abc import Iterator
from typing import Any

from ingest.parsing.number_formats import shown
from ingest.parsing.office import counted
from ingest.parsing.sheets import Sheet, sheet_link
from ingest.parsing.tables import MOST_ROWS
from ingest.parsing.text import Parsed

_BY_COUNTRY = {14: "yyyy-mm-dd", 22: "yyyy-mm-dd hh:mm"}  # formats by their number


def read(data: bytes) -> Parsed:
    """Read an .xls file: formulas as their results, hidden sheets left out."""
    import xlrd

    book = xlrd.open_workbook(file_contents=data, formatting_info=True)
    parts, left_out = [], []
    hidden = [found.name for found in book.sheets() if found.visibility]
    if hidden:
        left_out.append(f"{counted(len(hidden), 'hidden sheet')} ({', '.join(hidden)})")
    for found in book.sheets():
        if found.visibility:
            continue
        sheet = _sheet(book, found)
        if text := sheet.text():
            parts.append(f"## {found.name}\n\n{text}\n")
        left_out += sheet.left_out()
    named = tuple((s.name, sheet_link(s.name)) for s in book.sheets() if not s.visibility)
    return Parsed("\n".join(parts), named=named, left_out=tuple(left_out))


def _sheet(book: Any, found: Any) -> Sheet:
    sheet = Sheet(found.name, rows_beyond=max(0, found.nrows - MOST_ROWS))
    for row in range(min(found.nrows, MOST_ROWS)):
        cells = {column: text for column, text in _row(book, found, row) if text}
        if cells:
            sheet.cells[row] = cells
    sheet.merged = [(top, first, end - 1, last - 1) for top, end, first, last in found.merged_cells]
    sheet.hidden_rows = {row for row, about in found.rowinfo_map.items() if about.hidden}
    sheet.hidden_columns = {column for column, about in found.colinfo_map.items() if about.hidden}
    sheet.notes = {
        place: " ".join(note.text.split()) for place, note in found.cell_note_map.items()
    }
    return sheet


def _row(book: Any, found: Any, row: int) -> Iterator[tuple[int, str]]:
    import xlrd

    for column, cell in enumerate(found.row(row)):
        if cell.ctype == xlrd.XL_CELL_BOOLEAN:
            yield column, "TRUE" if cell.value else "FALSE"
        elif cell.ctype == xlrd.XL_CELL_ERROR:
            yield column, xlrd.error_text_from_code.get(cell.value, "#ERROR")
        elif cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
            key = book.xf_list[cell.xf_index].format_key
            code = _BY_COUNTRY.get(key) or book.format_map[key].format_str
            yield column, shown(cell.value, code, is_1904=bool(book.datemode))
        else:
            yield column, " ".join(str(cell.value).split())
