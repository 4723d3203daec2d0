"""The straight lines drawn on a page, also as thin boxes and as edges of boxes.

Knows nothing about tables. Lengths are points, upwards and to the right.
"""

import ctypes
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pypdfium2 import raw

THIN = 2.5  # points: a box this thin is a line
SHORTEST = 6.0  # points
MOST_POINTS = 8_000  # on a page; drawings with more hold no tables that we would find in time
DEEPEST = 3  # drawings within drawings


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across (`at` is its height) or upright (`at` is how far right it stands)."""

    is_across: bool
    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Shapes:
    """What is drawn on a page apart from text; `pictures` is the share of the page they cover."""

    rules: tuple[Rule, ...]
    pictures: float
    is_blank: bool


Matrix = tuple[float, float, float, float, float, float]


def shapes_of(page: Any) -> Shapes:
    """Read a page's lines and pictures."""
    width, height = page.get_size()
    reader = _Reader()
    for index in range(count := raw.FPDFPage_CountObjects(page)):
        reader.take(raw.FPDFPage_GetObject(page, index), (1, 0, 0, 1, 0, 0), 0)
    rules = tuple(reader.rules) if reader.points <= MOST_POINTS else ()
    return Shapes(rules, reader.picture_area / max(width * height, 1), count == 0)


def turned(rules: tuple[Rule, ...], turn: int) -> list[Rule]:
    """Turn lines by quarters of a circle, as text that runs in that direction is turned."""
    if turn == 0:
        return list(rules)
    result = []
    for rule in rules:
        # Upright text has (x, y); turned once (y, -x), twice (-x, -y), three times (-y, x).
        at_sign = -1 if turn == 2 or turn == (3 if rule.is_across else 1) else 1
        runs_back = turn == 2 or turn == (1 if rule.is_across else 3)
        start, end = (-rule.end, -rule.start) if runs_back else (rule.start, rule.end)
        result.append(Rule(rule.is_across ^ (turn % 2 == 1), at_sign * rule.at, start, end))
    return result


class _Reader:
    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.points = 0
        self.picture_area = 0.0

    def take(self, found: Any, outer: Matrix, depth: int) -> None:
        kind = raw.FPDFPageObj_GetType(found)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            a, b, c, d, _, _ = _times(_matrix(found), outer)
            self.picture_area += abs(a * d - b * c)
        elif kind == raw.FPDF_PAGEOBJ_PATH and self.points <= MOST_POINTS:
            self._path(found, _times(_matrix(found), outer))
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < DEEPEST:
            inner = _times(_matrix(found), outer)
            for index in range(raw.FPDFFormObj_CountObjects(found)):
                self.take(raw.FPDFFormObj_GetObject(found, index), inner, depth + 1)

    def _path(self, found: Any, matrix: Matrix) -> None:
        count = raw.FPDFPath_CountSegments(found)
        self.points += count
        if self.points > MOST_POINTS:
            return
        part: list[tuple[float, float]] = []
        for x, y, kind, closes in _segments(found, count):
            if kind == raw.FPDF_SEGMENT_MOVETO:
                self._part(part)
                part = []
            if kind == raw.FPDF_SEGMENT_BEZIERTO:
                part = []
            a, b, c, d, e, f = matrix
            part.append((a * x + c * y + e, b * x + d * y + f))
            if closes and len(part) > 2:
                part.append(part[0])
        self._part(part)

    def _part(self, points: list[tuple[float, float]]) -> None:
        """Take the straight pieces of a line; a thin box is one line."""
        if len(points) < 2:
            return
        xs, ys = [x for x, _ in points], [y for _, y in points]
        width, height = max(xs) - min(xs), max(ys) - min(ys)
        if len(points) > 3 and min(width, height) <= THIN:
            middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
            if width > height:
                self._rule(True, middle[1], min(xs), max(xs))
            else:
                self._rule(False, middle[0], min(ys), max(ys))
            return
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            if abs(y0 - y1) < 0.5:
                self._rule(True, y0, min(x0, x1), max(x0, x1))
            elif abs(x0 - x1) < 0.5:
                self._rule(False, x0, min(y0, y1), max(y0, y1))

    def _rule(self, is_across: bool, at: float, start: float, end: float) -> None:
        if end - start >= SHORTEST:
            self.rules.append(Rule(is_across, at, start, end))


def _segments(found: Any, count: int) -> Iterator[tuple[float, float, int, bool]]:
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(found, index)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        yield (
            x.value,
            y.value,
            raw.FPDFPathSegment_GetType(segment),
            bool(raw.FPDFPathSegment_GetClose(segment)),
        )


def _matrix(found: Any) -> Matrix:
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(found, ctypes.byref(matrix))
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (
        a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s,
        e * p + f * r + t, e * q + f * s + u,
    )  # fmt: skip
