"""Words to lines: those of one baseline, from left to right, with raised and lowered signs.

Knows nothing about columns or tables.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ingest.parsing.pdf.words import Word

RAISED = str.maketrans("0123456789+-()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ")
SMALL = 0.82  # of a neighbour's size: signs this small beside a word are raised or lowered ones
WIDE = 1.6  # of the size: a gap that no justified line has
SAME_LINE = 0.25  # of the size: baselines this near are one line


@dataclass(frozen=True, slots=True)
class Line:
    """Words of one baseline as text; `first_width` is how wide the first word is."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    baseline: float
    size: float
    bold: bool
    first_width: float
    mono: bool
    gapped: bool  # a wide gap parts its words, as in a row of a table


def line_of(words: Sequence[Word]) -> Line:
    """Join words, given as they are read."""
    lettered = [word for word in words if any(map(str.isalnum, word.text))]
    return Line(
        " ".join(word.text for word in words),
        min(word.left for word in words),
        max(word.right for word in words),
        min(word.bottom for word in words),
        max(word.top for word in words),
        words[0].baseline,
        _usual_size(words),
        bool(lettered) and all(word.bold for word in lettered),
        words[0].right - words[0].left,
        all(word.mono for word in words),
        any(b.left - a.right > WIDE * a.size for a, b in pairwise(words)),
    )


def _usual_size(words: Sequence[Word]) -> float:
    """Give the size of most of the letters."""
    sizes = sorted((word.size, len(word.text)) for word in words)
    half, seen = sum(count for _, count in sizes) / 2, 0
    for size, count in sizes:
        seen += count
        if seen >= half:
            return size
    return sizes[-1][0]


def lines_of(words: Iterable[Word]) -> list[Line]:
    """Give the lines from top to bottom."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: -word.baseline):
        near = SAME_LINE * word.size
        if rows and rows[-1][0].baseline - word.baseline <= near:
            rows[-1].append(word)
        else:
            rows.append([word])
    return [line_of(_in_order(row)) for row in rows]


def _in_order(row: list[Word]) -> tuple[Word, ...]:
    """Sort a line's words as they are read: from the right where the script runs that way."""
    row.sort(key=lambda word: word.left)
    leftward = [word for word in row if any("\u0590" <= sign <= "\u08ff" for sign in word.text)]
    return tuple(row[::-1] if len(leftward) * 2 > len(row) else row)


def with_raised(words: Sequence[Word]) -> list[Word]:
    """Put small raised or lowered signs into the word they stand beside: m², H2O, 1st."""
    if not words:
        return []
    table = np.array([(w.left, w.right, w.baseline, w.size) for w in words])
    joined: dict[int, Word] = {}
    gone: set[int] = set()
    usual = float(np.median(table[:, 3]))
    for index in np.flatnonzero(table[:, 3] < SMALL * max(usual, table[:, 3].max() * 0.5)):
        sign = words[int(index)]
        rise = sign.baseline - table[:, 2]
        near = (rise > -0.35 * table[:, 3]) & (rise < 0.65 * table[:, 3])
        near &= (table[:, 3] * SMALL > sign.size) & (np.abs(rise) > 0.05 * table[:, 3])
        beside = np.abs(sign.left - table[:, 1]) < 0.25 * table[:, 3]
        before = np.abs(table[:, 0] - sign.right - 0.4 * table[:, 3]) < 0.65 * table[:, 3]
        for side in (beside, before):
            if len(places := np.flatnonzero(near & side)):
                place = int(places[0])
                host = joined.get(place, words[place])
                joined[place] = _with_sign(host, sign, side is before)
                table[place, :2] = joined[place].left, joined[place].right
                gone.add(int(index))
                break
    return [joined.get(i, word) for i, word in enumerate(words) if i not in gone]


def _with_sign(host: Word, sign: Word, is_first: bool) -> Word:
    is_raised = sign.baseline > host.baseline and not sign.text.isalpha()
    text = sign.text.translate(RAISED) if is_raised else sign.text
    space = " " if is_first and host.left - sign.right > 0.15 * host.size else ""
    joined = text + space + host.text if is_first else host.text + text
    return replace(
        host, text=joined, left=min(host.left, sign.left), right=max(host.right, sign.right)
    )
