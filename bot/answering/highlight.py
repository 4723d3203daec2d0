"""Choose the units of a passage that say it: verbatim slices, by cosine with the question.

Knows nothing about passages' order or about whether to answer. Encoding sentences takes more time than
any other step of an answer, so only those are encoded that share words with the question.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answering import sentences
from bot.answering.sentences import Unit
from store.index import codes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.reader.reader import Read

MAX_UNITS = 40
"""Units of a passage that are looked at; the largest passage has about so many lines."""

MAX_CHARS = 900
"""Characters of units that are encoded for a passage: time of an answer against units that are not looked at.

Marked right in 29 of 40 first passages with 900 or 1,200, in 28 with 600 (sourcegraph's handbook)."""

UNIT_CHARS = 200
"""A unit is compared by its beginning of this length."""

NEAR_UNIT = 0.04
"""A neighbour of the best unit joins the answer when its cosine is at most this much lower."""

NEAR_MARK = 0.2
"""Any other unit is marked as well when it scores at most this much lower than the best.

Of 69 passages that hold the right fact (220 pages of sourcegraph's handbook) it is marked in 44 with one
mark, in 52 with .05, in 55 with .15, in 56 with .2 and in 57 with two marks always."""

WORDS_WEIGHT = 0.05
"""What sharing all of the question's words adds to a unit's cosine (one mark: 42 -> 44 of those 69)."""

CODE_WEIGHT = 1.0
"""What holding a code that is asked for adds: rows about other codes are alike in all but the code, so a
cosine (1 at most) must never outweigh it."""

READ_WEIGHT = 0.5
"""What a reader's certainty that the answer lies in a unit adds to its cosine."""

SPREAD = 3.0
"""Units are encoded together when the longest is at most so many times the shortest: padding costs."""

_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_WORD = re.compile(r"[a-z0-9]{3,}")
STEM_CHARS = 5

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]


@dataclass(frozen=True, slots=True)
class Highlight:
    """What of a passage says it: `quote` is the best unit with what it is told with.

    `marked` are at most two slices of the passage, best first; `cosines` are of the units that were
    looked at.
    """

    quote: str
    marked: tuple[str, ...]
    cosines: tuple[float, ...] = ()


def highlight(
    passage: str,
    question: str,
    vector: Sequence[float],
    encode: Encode,
    *,
    marks: int = 2,
    chars: int = MAX_CHARS,
    read: "Read | None" = None,
) -> Highlight:
    """Find the units that say it, at most `marks`, encoding about `chars` characters of units; `read` is what a
    reader says of the passage.
    """
    units = sentences.units(passage)[:MAX_UNITS]
    if not units:
        whole = passage.strip()
        return Highlight(whole, (whole,) if whole else ())
    texts = [spoken(unit, passage) for unit in units]
    shared = _shares(texts, question)
    coded = _coded(texts, question)
    masses = _read(units, read)
    telling = [share + mass for share, mass in zip(shared, masses, strict=True)]
    cosines = _cosines(texts, _promising(texts, telling, coded, chars), vector, encode)
    scores = {
        i: cosine + WORDS_WEIGHT * shared[i] + CODE_WEIGHT * coded[i] + READ_WEIGHT * masses[i]
        for i, cosine in cosines.items()
    }
    ranked = sorted(scores, key=lambda i: (-scores[i], i))
    best, second = ranked[0], next(iter(ranked[1:marks]), None)
    quote, marked = units[best].quoted(passage), [units[best]]
    if second is not None and scores[second] >= scores[best] - NEAR_MARK:
        is_near = abs(second - best) == 1 and scores[second] >= scores[best] - NEAR_UNIT
        joined = _joined(passage, units[min(best, second)], units[max(best, second)])
        quote = joined if is_near and joined else quote
        marked.append(units[second])
    return Highlight(quote, tuple(unit.text for unit in marked), tuple(cosines.values()))


def spoken(unit: Unit, passage: str) -> str:
    """Give what a unit is compared by: a row's cells with their columns' names, an answer with its question."""
    if unit.kind == "row" and unit.lead:
        names, cells = _cells(passage[slice(*unit.lead[0])]), _cells(unit.text)
        if len(names) == len(cells):
            told = (f"{n}: {c}" if n else c for n, c in zip(names, cells, strict=True) if c)
            return "; ".join(told)
    text = " ".join([*(passage[slice(*part)] for part in unit.lead), unit.text])
    return _LINK.sub(r"\1", text) if "](" in text else text


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _joined(passage: str, first: Unit, second: Unit) -> str | None:
    """Give two neighbours as one slice, where nothing stands between them."""
    if passage[first.end : second.start].strip() or second.lead not in ((), first.lead):
        return None
    both = Unit(passage[first.start : second.end], first.start, second.end, first.kind, first.lead)
    return both.quoted(passage)


def _shares(texts: Sequence[str], question: str) -> list[float]:
    """Give the share of the question's words that each text has, 0..1."""
    asked = _stems(question)
    return [len(asked & _stems(text)) / (len(asked) or 1) for text in texts]


def _coded(texts: Sequence[str], question: str) -> list[bool]:
    """Tell of each text whether it holds a code that is asked for."""
    asked = codes.forms(question)
    return [bool(asked and asked & codes.forms(text)) for text in texts]


def _read(units: Sequence[Unit], read: "Read | None") -> list[float]:
    """Give how sure a reader is that the answer lies in each unit, 0 where it read nothing."""
    if read is None:
        return [0.0] * len(units)
    return [read.mass(unit.start, unit.end) or 0.0 for unit in units]


def _promising(
    texts: Sequence[str], telling: Sequence[float], coded: Sequence[bool], chars: int
) -> list[int]:
    """Choose what is encoded: units with a code that is asked for, then those that are `telling`: share most
    words with the question or are read as the answer, then the first.
    """
    left, chosen = chars, list[int]()
    for i in sorted(range(len(texts)), key=lambda i: (-coded[i], -telling[i], i)):
        left -= min(len(texts[i]), UNIT_CHARS)
        if chosen and left < 0:
            break
        chosen.append(i)
    return chosen


def _cosines(
    texts: Sequence[str], chosen: Sequence[int], vector: Sequence[float], encode: Encode
) -> dict[int, float]:
    scores: dict[int, float] = {}
    for group in _alike(texts, chosen):
        found = encode([texts[i][:UNIT_CHARS] for i in group]) @ vector
        scores |= {i: float(cosine) for i, cosine in zip(group, found, strict=True)}
    return scores


def _alike(texts: Sequence[str], chosen: Sequence[int]) -> Iterator[list[int]]:
    """Group units of like length."""
    group: list[int] = []
    for i in sorted(chosen, key=lambda i: len(texts[i])):
        if group and len(texts[i]) > SPREAD * len(texts[group[0]]):
            yield group
            group = []
        group.append(i)
    yield group


def _stems(text: str) -> set[str]:
    return {word[:STEM_CHARS] for word in _WORD.findall(text.lower())}
