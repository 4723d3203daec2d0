"""A sheet of cells, as any spreadsheet has them, to text and tables as a reader sees them.

Knows nothing about files: hidden rows and columns are taken out here and counted.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from ingest.parsing.office import counted
from ingest.parsing.tables import Grid, is_number, titled

MOST_COVERED = 200_000  # cells of a sheet that merged ones may fill

Area = tuple[int, int, int, int]  # first row, first column, last row, last column, from 0


@dataclass(slots=True)
class Sheet:
    """Cells by row and column, from 0, and what lies over them."""

    name: str
    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    notes: dict[tuple[int, int], str] = field(default_factory=dict)
    rows_beyond: int = 0

    def text(self) -> str:
        """Give its tables, each with its titles, as Markdown; a note stands in its cell."""
        for (row, column), note in self.notes.items():
            cells = self.cells.setdefault(row, {})
            cells[column] = f"{cells.get(column, '')} (Comment: {note})".lstrip()
        rows, columns = self._rows(), self._columns()
        self._fill_merged(set(rows), set(columns))
        return "\n\n".join(_written(self._bands(rows, columns)))

    def left_out(self) -> Iterator[str]:
        """Say what of it is not in the text."""
        rows = sum(1 for row in self.hidden_rows if any(self.cells.get(row, {}).values()))
        filled = {column for cells in self.cells.values() for column, text in cells.items() if text}
        columns = len(self.hidden_columns & filled)
        for number, what in ((rows, "hidden row"), (columns, "hidden column")):
            if number:
                yield f"{counted(number, what)} of sheet {self.name}"
        if self.rows_beyond:
            yield f"{counted(self.rows_beyond, 'row')} at the end of sheet {self.name}"

    def _rows(self) -> list[int]:
        return [row for row in sorted(self.cells) if row not in self.hidden_rows]

    def _columns(self) -> list[int]:
        filled = {c for cells in self.cells.values() for c, text in cells.items() if text}
        return [column for column in sorted(filled) if column not in self.hidden_columns]

    def _fill_merged(self, rows: set[int], columns: set[int]) -> None:
        left = MOST_COVERED
        for top, first, bottom, last in self.merged:
            text = self.cells.get(top, {}).get(first, "")
            covered = [column for column in range(first, last + 1) if column in columns]
            for row in range(top, bottom + 1) if text else ():
                left -= len(covered) + 1
                if row in rows and left > 0:
                    self.cells[row].update(dict.fromkeys(covered, text))

    def _bands(self, rows: Sequence[int], columns: Sequence[int]) -> Iterator[Grid]:
        """Give the parts between empty rows, cut again at empty columns."""
        places = list(self._with_gaps(columns))
        band: Grid = []
        for before, row in zip([None, *rows], rows, strict=False):
            cells = self.cells[row]
            line = ["" if column is None else cells.get(column, "") for column in places]
            skipped = range(row if before is None else before + 1, row)
            if not any(line) or any(between not in self.hidden_rows for between in skipped):
                yield from _side_by_side(band)
                band = []
            if any(line):
                band.append(line)
        yield from _side_by_side(band)

    def _with_gaps(self, columns: Sequence[int]) -> Iterator[int | None]:
        """Give the columns with None where empty ones lie between them."""
        for before, column in zip([None, *columns], columns, strict=False):
            skipped = range(column if before is None else before + 1, column)
            if any(between not in self.hidden_columns for between in skipped):
                yield None
            yield column


def _side_by_side(band: Grid) -> Iterator[Grid]:
    """Part tables that stand beside each other; one with a narrow empty column stays whole."""
    if not band:
        return
    groups: list[list[int]] = [[]]
    for n in range(len(band[0])):
        if any(row[n] for row in band):
            groups[-1].append(n)
        elif groups[-1]:
            groups.append([])
    columns, *others = [group for group in groups if group]
    for group in others:
        if _is_own(_taken(band, columns), _taken(band, group)):
            yield [row for row in _taken(band, columns) if any(row)]
            columns = group
        else:
            columns = [*columns, *group]
    yield [row for row in _taken(band, columns) if any(row)]


def _taken(band: Grid, columns: Sequence[int]) -> Grid:
    return [[row[n] for n in columns] for row in band]


def _is_own(left: Grid, right: Grid) -> bool:
    """Tell whether what stands to the right of an empty column is a table of its own.

    It then has names of its own: rows of words in its first column, or other rows than the left.
    """
    if len(left[0]) < 2 or len(right[0]) < 2:
        return False
    if [any(row) for row in left] != [any(row) for row in right]:
        return True
    names = [row[0] for row in right[1:] if row[0]]
    return bool(names) and not any(map(is_number, names))


def _written(bands: Iterator[Grid]) -> Iterator[str]:
    """Write bands, joining what an empty row only divides: groups of rows under one header."""
    open_table: Grid = []
    for band in bands:
        if open_table and _continues(open_table, band):
            open_table += band
            continue
        if open_table:
            yield titled(open_table)
        open_table = []
        if len(band[0]) == 1 or all(sum(map(bool, row)) == 1 for row in band):
            yield "\n\n".join(" ".join(filter(None, row)) for row in band)
        else:
            open_table = band
    if open_table:
        yield titled(open_table)


def _continues(before: Grid, band: Grid) -> bool:
    """Tell whether a band's first row is data of the table before rather than a header of its own."""
    if len(before[0]) != len(band[0]) or len(before) < 2:
        return False
    if len(band) == 1:
        return sum(map(bool, band[0])) > 1
    return any(map(is_number, band[0]))


def sheet_link(name: str) -> str:
    """Give what a link to a sheet ends with, as Excel and LibreOffice write it."""
    quoted = name if re.fullmatch(r"\w+", name) else "'" + name.replace("'", "''") + "'"
    return quote(f"{quoted}!A1", safe="!'")
