"""Tables with rules: the lines drawn on a page make a grid, words fall into its cells.

Knows nothing about text that is no table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ingest.parsing.pdf.lines import lines_of
from ingest.parsing.pdf.rules import Rule
from ingest.parsing.pdf.words import Word

NEAR = 3.0  # points: ends and crossings of rules are met this nearly
MOST_CELLS = 5_000
CROSSED = 0.7  # of a cell's side that a rule must cover to part it from its neighbour
LEAST_FILLED = 0.4  # of a grid's cells; emptier ones are drawings
LONGEST_NAME = 5  # words of a column's name
MOST_WORDS = 80  # in a cell on average; fuller grids are page layout


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the first row being the header; `is_pairs` for labels
    and values without a header; `edges` and `ends` are where the columns begin and end."""

    rows: tuple[tuple[str, ...], ...]
    left: float
    right: float
    bottom: float
    top: float
    edges: tuple[float, ...]
    ends: tuple[float, ...]
    title: str = ""
    is_pairs: bool = False


@dataclass(slots=True)
class _Grid:
    xs: list[float]
    ys: list[float]  # from the top down
    across: list[Rule] = field(default_factory=list)
    upright: list[Rule] = field(default_factory=list)


def same_columns(
    edges: Sequence[float],
    ends: Sequence[float],
    others: Sequence[float],
    other_ends: Sequence[float],
) -> bool:
    """Tell whether as many columns stand at the same places, give or take how full they are."""
    if len(edges) != len(others):
        return False
    first, second = zip(edges, ends, strict=True), zip(others, other_ends, strict=True)
    return all(max(a, c) < min(b, d) for (a, b), (c, d) in zip(first, second, strict=True))


def ruled_tables(rules: Sequence[Rule], words: Sequence[Word]) -> tuple[list[Table], list[Word]]:
    """Give the tables drawn with rules, and the words that stand in none of them."""
    tables: list[Table] = []
    rest = list(words)
    for grid in _grids(rules):
        inside = [word for word in rest if _holds(grid, word)]
        if table := _table(grid, inside):
            tables.append(table)
            taken = set(map(id, inside))
            rest = [word for word in rest if id(word) not in taken]
    return tables, rest


def _holds(grid: _Grid, word: Word) -> bool:
    height = word.baseline + 0.25 * word.size
    return grid.xs[0] <= word.middle <= grid.xs[-1] and grid.ys[-1] <= height <= grid.ys[0]


def _grids(rules: Sequence[Rule]) -> Iterator[_Grid]:
    """Give each set of rules that cross or meet, if it has two rows and two columns."""
    across = [rule for rule in rules if rule.is_across]
    upright = [rule for rule in rules if not rule.is_across]
    if not across or not upright or len(across) * len(upright) > 4_000_000:
        return
    a = np.array([(rule.at, rule.start, rule.end) for rule in across])
    u = np.array([(rule.at, rule.start, rule.end) for rule in upright])
    meets = (a[:, None, 1] - NEAR <= u[None, :, 0]) & (u[None, :, 0] <= a[:, None, 2] + NEAR)
    meets &= (u[None, :, 1] - NEAR <= a[:, None, 0]) & (a[:, None, 0] <= u[None, :, 2] + NEAR)
    left = set(np.flatnonzero(meets.any(axis=1)).tolist())
    while left:
        rows, columns = _reachable(meets, left.pop())
        left -= rows
        grid = _Grid(
            _distinct([upright[n].at for n in columns]),
            _distinct([across[n].at for n in rows])[::-1],
            [across[n] for n in rows],
            [upright[n] for n in columns],
        )
        if len(grid.xs) > 2 and len(grid.ys) > 2:
            yield grid


def _reachable(meets: np.ndarray, start: int) -> tuple[set[int], set[int]]:
    rows, columns, new = {start}, set[int](), [start]
    while new:
        found = set(np.flatnonzero(meets[new].any(axis=0)).tolist()) - columns
        columns |= found
        more = np.flatnonzero(meets[:, sorted(found)].any(axis=1)).tolist() if found else []
        new = [row for row in more if row not in rows]
        rows.update(new)
    return rows, columns


def _distinct(values: list[float]) -> list[float]:
    result: list[float] = []
    for value in sorted(values):
        if not result or value - result[-1] > NEAR:
            result.append(value)
    return result


def _table(grid: _Grid, words: Sequence[Word]) -> Table | None:
    """Fill a grid's cells; None where it is a drawing, or words stand across its rules."""
    height, width = len(grid.ys) - 1, len(grid.xs) - 1
    if not words or height * width > MOST_CELLS:
        return None
    owner = _owners(grid)
    if owner is None:
        return None
    inside: dict[int, list[Word]] = {}
    for word in words:
        column = int(np.searchsorted(grid.xs, word.middle)) - 1
        row = int(np.searchsorted([-y for y in grid.ys], -word.baseline - 0.25 * word.size)) - 1
        place = owner[min(max(row, 0), height - 1)][min(max(column, 0), width - 1)]
        inside.setdefault(place, []).append(word)
    cells = {number for row in owner for number in row}
    if len(inside) < LEAST_FILLED * len(cells) or len(words) > MOST_WORDS * len(cells):
        return None
    if len(cells) < 4 or _crossings(grid, owner, words) > 0.02 * len(words):
        return None
    texts = {
        place: " ".join(line.text for line in lines_of(found)) for place, found in inside.items()
    }
    table = _with_header(grid, owner, texts)
    if table is None or len(table.rows[0]) != 2:
        return table
    heads = [word.bold for place in owner[0] for word in inside.get(place, [])]
    return replace(table, is_pairs=_is_pairs(table, is_bold=bool(heads) and all(heads)))


def _is_pairs(table: Table, is_bold: bool) -> bool:
    """Tell labels with their values from a header with rows: the first row is like the others."""
    labels, (_, first) = [row[0] for row in table.rows], table.rows[0]
    if is_bold or table.title:
        return False
    if all(label.endswith(":") for label in labels if label):
        return True
    return len(first.split()) > LONGEST_NAME or any(map(str.isdigit, first))


def _crossings(grid: _Grid, owner: list[list[int]], words: Sequence[Word]) -> int:
    """Count the words that a rule goes through."""
    count = 0
    for word in words:
        row = int(np.searchsorted([-y for y in grid.ys], -word.baseline - 0.25 * word.size)) - 1
        first = int(np.searchsorted(grid.xs, word.left + NEAR)) - 1
        last = int(np.searchsorted(grid.xs, word.right - NEAR)) - 1
        places = owner[min(max(row, 0), len(owner) - 1)][max(first, 0) : max(last, 0) + 1]
        count += len(set(places)) > 1
    return count


def _owners(grid: _Grid) -> list[list[int]] | None:
    """Give for each cell the first cell of the merged one that it is part of."""
    height, width = len(grid.ys) - 1, len(grid.xs) - 1
    owner = [[row * width + column for column in range(width)] for row in range(height)]
    upright = [[r for r in grid.upright if abs(r.at - x) <= NEAR] for x in grid.xs]
    across = [[r for r in grid.across if abs(r.at - y) <= NEAR] for y in grid.ys]
    for row in range(height):
        for column in range(width):
            here = owner[row][column]
            if column + 1 < width and not _is_parted(
                upright[column + 1], grid.ys[row + 1], grid.ys[row]
            ):
                _merge(owner, here, owner[row][column + 1])
            if row + 1 < height and not _is_parted(
                across[row + 1], grid.xs[column], grid.xs[column + 1]
            ):
                _merge(owner, owner[row][column], owner[row + 1][column])
    return owner if _are_rectangles(owner) else None


def _merge(owner: list[list[int]], one: int, other: int) -> None:
    if one != other:
        for row in owner:
            row[:] = [min(one, other) if n in (one, other) else n for n in row]


def _are_rectangles(owner: list[list[int]]) -> bool:
    places: dict[int, list[tuple[int, int]]] = {}
    for y, row in enumerate(owner):
        for x, number in enumerate(row):
            places.setdefault(number, []).append((y, x))
    for cells in places.values():
        ys, xs = [y for y, _ in cells], [x for _, x in cells]
        if (max(ys) - min(ys) + 1) * (max(xs) - min(xs) + 1) != len(cells):
            return False
    return True


def _is_parted(rules: list[Rule], start: float, end: float) -> bool:
    covered = sum(max(0.0, min(rule.end, end) - max(rule.start, start)) for rule in rules)
    return covered >= CROSSED * (end - start)


def _with_header(grid: _Grid, owner: list[list[int]], texts: dict[int, str]) -> Table | None:
    """Write the rows; a row above the header that is one cell is the table's title."""
    rows = [[texts.get(place, "") for place in row] for row in owner]
    kept = [(row, own) for row, own in zip(rows, owner, strict=True) if any(row)]
    title = ""
    while len(kept) > 2 and len(set(kept[0][1])) == 1:
        title = f"{title} {kept.pop(0)[0][0]}".strip()
    if len(kept) < 2:
        return None
    if 1 < len(set(kept[0][1])) < len(kept[0][1]) and len(kept) > 2:
        (upper, _), (lower, own), *kept = kept
        both = [a if a == b else f"{a} {b}".strip() for a, b in zip(upper, lower, strict=True)]
        kept.insert(0, (both, own))
    return Table(
        rows=tuple(tuple(row) for row, _ in kept),
        left=grid.xs[0], right=grid.xs[-1], bottom=grid.ys[-1], top=grid.ys[0],
        edges=tuple(grid.xs[:-1]),
        ends=tuple(grid.xs[1:]),
        title=title,
    )  # fmt: skip
