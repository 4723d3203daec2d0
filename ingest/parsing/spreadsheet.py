"""Excel workbooks to Markdown tables, a heading per sheet."""

import io
import re
from itertools import islice
from urllib.parse import quote

from ingest.parsing.office import core_properties
from ingest.parsing.tables import MOST_ROWS, table
from ingest.parsing.text import Parsed


def read(data: bytes) -> Parsed:
    """Read row by row, so that a huge sheet does not fill the memory; formulas as their results."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    sheets = []
    named = [(sheet.title, _sheet_link(sheet.title)) for sheet in book.worksheets]
    for sheet in book.worksheets:
        cells = ([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))
        rows = [row for row in islice(cells, MOST_ROWS) if any(row)]
        width = max((n + 1 for row in rows for n, cell in enumerate(row) if cell), default=0)
        if rows:
            sheets.append(f"## {sheet.title}\n\n{table(row[:width] for row in rows)}")
    title, changed = core_properties(data)
    return Parsed("\n".join(sheets), title, changed, named=tuple(named))


def _sheet_link(name: str) -> str:
    """Give what a link to a sheet ends with, as Excel and LibreOffice write it."""
    quoted = name if re.fullmatch(r"\w+", name) else "'" + name.replace("'", "''") + "'"
    return quote(f"{quoted}!A1", safe="!'")


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).removesuffix(" 00:00:00")
