"""A page's characters, by their boxes, to words. Knows nothing about lines, columns or tables.

Spaces are found by gaps, so text without space signs has words too. Text that runs sideways is
turned until it runs from left to right.
"""

import ctypes
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pypdfium2 import raw

WORD_GAP = 0.14  # of the letters' size: narrowest space; TeX shrinks them to 0.22
SAME_PLACE = 0.15  # of the size: the same letter drawn again this near makes it bold, no more
UNKNOWN_STEP = 8  # every so many letters one is asked whether the file tells what it is
SLANTED = 0.1  # of a quarter turn
WATERMARK_SIZE = 8.0  # points
BOLD = 600  # weight
BASE_FONT_BYTES = 200  # longest name of a font that is looked at

Floats = NDArray[np.float64]

_LIGATURES = {code: unicodedata.normalize("NFKD", chr(code)) for code in range(0xFB00, 0xFB07)}
_DROPPED = dict.fromkeys([0xFEFF, 0x200B, 0x2060, 0xFFFD, 0x0000])
_HYPHENS = {0x02: "-", 0xFFFE: "-", 0xAD: "-", 0x2010: "-"}
_SIGNS = _LIGATURES | _DROPPED | _HYPHENS | {0x00A0: " "}
_FIXED_PITCH = 1  # a font's flag
_MONO_NAME = re.compile(r"mono|courier|consol|cmtt|menlo|typewriter", re.IGNORECASE)
_BOLD_NAME = re.compile(r"bold|black|heavy|semibold|-bd", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """Some letters without a gap; lengths in points, upwards and to the right."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    baseline: float
    size: float
    bold: bool = False
    mono: bool = False

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class _Run:
    """What the letters of one text object have in common; `turn` is in quarters of a circle."""

    turn: int
    size: float
    shown: float  # the size that the text is given as
    baseline: float
    bold: bool
    mono: bool


def words_of(page: Any) -> tuple[dict[int, list[Word]], float]:
    """Give the page's words for each quarter turn of text, the most frequent one first, and the
    share of letters that the file does not tell.

    Lengths are in the turned page: text of each turn runs from left to right.
    """
    textpage = page.get_textpage()
    letters = _Letters(textpage.raw, page.get_cropbox())
    turns = sorted(set(letters.turn.tolist()), key=lambda t: -np.count_nonzero(letters.turn == t))
    return {turn: list(_words(letters, turn)) for turn in turns}, letters.unknown


class _Letters:
    """The signs of a page that leave ink, as arrays; turned text is turned upright."""

    def __init__(self, handle: Any, crop: tuple[float, float, float, float]) -> None:
        count = max(0, raw.FPDFText_CountChars(handle))
        boxes = (raw.FS_RECTF * count)()
        codes, runs, known = list[int](), list[_Run](), dict[int, int]()
        get_code, get_box = raw.FPDFText_GetUnicode, raw.FPDFText_GetLooseCharBox
        get_object, numbers = raw.FPDFText_GetTextObject, []
        for index, box in enumerate(boxes):
            get_box(handle, index, ctypes.byref(box))
            codes.append(get_code(handle, index))
            found = get_object(handle, index)
            address = ctypes.addressof(found.contents) if found else 0
            if address not in known:
                known[address] = len(runs)
                runs.append(_run(handle, index, found))
            numbers.append(known[address])
        corners = np.frombuffer(boxes, dtype=np.float32).reshape(-1, 4).astype(np.float64)
        kind = np.array(numbers, dtype=np.int64)
        code = np.array(codes, dtype=np.int64)
        ink = ~np.isin(code, [9, 10, 13, 32, 0xA0])
        middle = (corners[:, 0] + corners[:, 2]) / 2, (corners[:, 1] + corners[:, 3]) / 2
        seen = (crop[0] <= middle[0]) & (middle[0] <= crop[2])
        seen &= (crop[1] <= middle[1]) & (middle[1] <= crop[3])
        keep = np.flatnonzero(ink & seen) if count else np.zeros(0, dtype=np.int64)
        # A space sign counts where the file has it; those that pdfium adds belong to no object.
        after_space = np.zeros(count + 1, dtype=bool)
        drawn = np.array([run.size > 0 for run in runs], dtype=bool)
        if count:
            after_space[1:] = ~ink & drawn[kind] & ~np.isin(code, [10, 13])
        sample = keep[::UNKNOWN_STEP].tolist()
        failed = sum(raw.FPDFText_HasUnicodeMapError(handle, index) == 1 for index in sample)
        self.unknown = failed / max(1, len(sample))
        self.code, self.after_space = code[keep], after_space[:-1][keep]
        self._take(corners[keep], [runs[number] for number in kind[keep]])

    def _take(self, corners: Floats, runs: list[_Run]) -> None:
        self.turn = np.array([run.turn for run in runs], dtype=np.int64)
        self.size = np.array([run.size for run in runs])
        self.shown = np.array([run.shown for run in runs])
        self.baseline = np.array([run.baseline for run in runs])
        self.mono = np.array([run.mono for run in runs], dtype=bool)
        self.bold = np.array([run.bold for run in runs], dtype=bool)
        left, top, right, bottom = corners.T if len(corners) else np.zeros((4, 0))
        upright = [(left, bottom, right, top), (bottom, -right, top, -left)]
        upright += [(-right, -top, -left, -bottom), (-top, left, -bottom, right)]
        picked = [np.choose(self.turn, [way[side] for way in upright]) for side in range(4)]
        self.left, self.bottom, self.right, self.top = picked


def _run(handle: Any, index: int, found: Any) -> _Run:
    """Read what a text object's letters share, from its first letter."""
    if not found:
        return _Run(0, 0, 0, 0, False, False)
    matrix, x, y = raw.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetMatrix(handle, index, ctypes.byref(matrix))
    raw.FPDFText_GetCharOrigin(handle, index, ctypes.byref(x), ctypes.byref(y))
    quarters = math.atan2(matrix.b, matrix.a) / (math.pi / 2)
    turn = round(quarters) % 4
    size = raw.FPDFText_GetFontSize(handle, index) * math.hypot(matrix.c, matrix.d)
    # A watermark is no heading, however large.
    shown = WATERMARK_SIZE if abs(quarters - round(quarters)) > SLANTED else abs(size) or 1.0
    baseline = (y.value, -x.value, -y.value, x.value)[turn]
    name, flags = _font(found)
    is_bold = _is_bold(handle, index, found, name)
    is_mono = bool(flags & _FIXED_PITCH or _MONO_NAME.search(name))
    return _Run(turn, abs(size) or 1.0, shown, baseline, is_bold, is_mono)


def _font(found: Any) -> tuple[str, int]:
    """Give the name and the flags of a text object's font."""
    font = raw.FPDFTextObj_GetFont(found)
    name = ctypes.create_string_buffer(BASE_FONT_BYTES)
    raw.FPDFFont_GetBaseFontName(font, name, BASE_FONT_BYTES)
    return name.value.decode("latin-1"), max(0, raw.FPDFFont_GetFlags(font))


def _is_bold(handle: Any, index: int, found: Any, name: str) -> bool:
    outlined = raw.FPDFTextObj_GetTextRenderMode(found) == raw.FPDF_TEXTRENDERMODE_FILL_STROKE
    is_heavy = raw.FPDFText_GetFontWeight(handle, index) >= BOLD
    return bool(outlined or is_heavy or _BOLD_NAME.search(name))


def _words(letters: _Letters, turn: int) -> Iterator[Word]:
    """Give the words of the text that runs in one direction, line by line."""
    of_turn = np.flatnonzero(letters.turn == turn)
    line = _line_numbers(letters.baseline[of_turn], letters.size[of_turn])
    order = of_turn[np.lexsort((of_turn, np.round(letters.left[of_turn], 2), line))]
    line = np.sort(line)
    order, line = _without_doubles(letters, order, line)
    starts = np.flatnonzero(_breaks(letters, order, line))
    yield from _joined(letters, order, starts)


def _line_numbers(baseline: Floats, size: Floats) -> NDArray[np.int64]:
    """Number the lines from the top: letters of one baseline, give or take a tenth of their size."""
    order = np.argsort(-baseline, kind="stable")
    falls = -np.diff(baseline[order], prepend=baseline[order[:1]])
    numbers = np.cumsum(falls > 0.1 * size[order])
    result = np.empty(len(order), dtype=np.int64)
    result[order] = numbers
    return result


def _without_doubles(
    letters: _Letters, order: NDArray[np.int64], line: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Leave out letters that are drawn again on the same place: fake bold, shadows."""
    keep = np.ones(len(order), dtype=bool)
    for back in (1, 2, 3):
        if len(order) <= back:
            break
        first, second = order[:-back], order[back:]
        near = np.abs(letters.left[second] - letters.left[first])
        same = (letters.code[first] == letters.code[second]) & (line[:-back] == line[back:])
        width = letters.right[first] - letters.left[first]
        limit = np.minimum(SAME_PLACE * letters.size[first], np.maximum(0.4 * width, 0.01))
        # The parts of a ligature share one box, and neighbours in the file are no second drawing.
        apart = np.abs(second - first) > 1
        doubled = same & apart & (near < limit) & keep[:-back]
        letters.bold[first[doubled]] = True
        keep[back:] &= ~doubled
    return order[keep], line[keep]


def _breaks(
    letters: _Letters, order: NDArray[np.int64], line: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell for each letter whether a word begins with it."""
    result = np.ones(len(order), dtype=bool)
    before, after = order[:-1], order[1:]
    size = np.maximum(letters.size[before], letters.size[after])
    gap = (letters.left[after] - letters.right[before]) / size
    same_line = line[1:] == line[:-1]
    breaks = (gap > WORD_GAP) | (letters.after_space[after] & (gap > 0.02)) | (gap < -2.5)
    spaces = letters.after_space[after]
    _close_letter_spaced(letters.code[order], gap, breaks, same_line, spaces)
    result[1:] = breaks | ~same_line
    return result


def _close_letter_spaced(
    code: NDArray[np.int64],
    gap: Floats,
    breaks: NDArray[np.bool_],
    same_line: NDArray[np.bool_],
    spaces: NDArray[np.bool_],
) -> None:
    """Close the gaps of letter-spaced words ("C H A P T E R"): letters alone, evenly apart.

    Four letters are enough where only gaps part them, six where spaces do ("vitamins A B C D").
    """
    known, places = np.unique(code, return_inverse=True)
    letter = np.array([chr(c).isalpha() for c in known.tolist()], dtype=bool)[places]
    parted = np.concatenate(([True], breaks | ~same_line, [True]))
    alone = letter & parted[:-1] & parted[1:]
    together = alone[1:] & alone[:-1] & same_line & (gap < 3.0)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], together.astype(np.int8), [0]))))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        usual = float(np.median(gap[start:end]))
        least = 5 if spaces[start:end].mean() > 0.5 else 3
        if end - start >= least and usual < 1.0:
            breaks[start:end] = gap[start:end] > usual * 1.35 + 0.02


def _joined(
    letters: _Letters, order: NDArray[np.int64], starts: NDArray[np.int64]
) -> Iterator[Word]:
    """Make the words that begin at `starts`."""
    if not len(order):
        return
    ends = np.append(starts[1:], len(order))
    bold = np.add.reduceat(letters.bold[order].astype(np.int64), starts) * 2 > ends - starts
    columns = (
        starts,
        ends,
        np.minimum.reduceat(letters.left[order], starts),
        np.maximum.reduceat(letters.right[order], starts),
        np.minimum.reduceat(letters.bottom[order], starts),
        np.maximum.reduceat(letters.top[order], starts),
        letters.baseline[order][starts],
        np.add.reduceat(letters.shown[order], starts) / (ends - starts),
        bold,
        letters.mono[order][starts],
    )
    signs = "".join(map(chr, letters.code[order].tolist()))
    runs_back = any("\u0590" <= sign <= "\u08ff" for sign in signs)
    for start, end, *box in zip(*(column.tolist() for column in columns), strict=True):
        text = signs[start:end]
        if runs_back and any("\u0590" <= sign <= "\u08ff" for sign in text):
            text = text[::-1]
        text = unicodedata.normalize("NFC", text.translate(_SIGNS)).strip()
        if text:
            yield Word(text, *box)
