"""Choose the units of a passage that say it: verbatim slices, by cosine with the question.

Knows nothing about passages' order or about whether to answer. Encoding sentences takes more time than
any other step of an answer, so only those are encoded that share words with the question.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answering import sections, sentences, wanted
from bot.answering.sentences import Unit
from store.index import codes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.reader.reader import Read

MAX_UNITS = 40
"""Units of a passage that are looked at; the largest passage has about so many lines."""

MAX_CHARS = 1200
"""Characters of units that are encoded for a passage: time of an answer against units that are not looked at.

On three handbooks (197 right passages) 1,200 marks as much as all units; 900 is worse by 3 points in the mean."""

UNIT_CHARS = 200
"""A unit is compared by its beginning of this length."""

NEAR_UNIT = 0.04
"""A neighbour of the best unit joins the answer when its cosine is at most this much lower."""

WORDS_WEIGHT = 0.15
"""What sharing all of the question's words adds to a unit's cosine (fitted: .15 to .26)."""

NEW_WEIGHT = 0.03
"""What each doubling or so of a unit's words that are not the question's adds: a heading-like unit that only
repeats the question ("Rent") is nearest to it and says nothing (fitted: .02 to .03)."""

CODE_WEIGHT = 1.0
"""What holding a code that is asked for adds: rows about other codes are alike in all but the code, so a
cosine (1 at most) must never outweigh it."""

READ_WEIGHT = 0.15
"""What a reader's certainty that the answer, if any, lies in a unit adds to its cosine (fitted: .15 to .19)."""

NEAR = 0.5
"""A second unit is marked when it scores at most this much lower: nearly always, but not beside one that has the
code that is asked for. Right with one mark in 63 %, with two in 82 % (200 right passages of three handbooks)."""

NAMED_WEIGHT = 1.0
"""What standing under the section adds that a question names by its number."""

LABEL_WEIGHT = 0.15
"""What holding the letter adds that a question names something by: studio B, beside a row about studio A."""

NEGATED_WEIGHT = 0.1
"""What a "not" in a unit adds where the question has one: vectors hardly tell "includes" from "does not include"."""

WANTED_WEIGHT = 0.15
"""What telling a thing of the kind that is asked for adds: a number to "how many"."""

WANTED_SHARE = 0.3
"""What it counts when units are chosen to be encoded, beside the share of the question's words."""

UNTOLD = 0.5
"""The most that `untold` is: where nothing near tells a thing of that kind."""

SPREAD = 3.0
"""Units are encoded together when the longest is at most so many times the shortest: padding costs."""

_NEGATED = re.compile(
    r"\b(?:not|no|never|without|cannot|except|exclud\w*|neither|nor|lacks?)\b|n['’]t\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\b[a-z]{3,} ([b-hj-lo-qv-xz])\b(?!['’])", re.IGNORECASE)
"""A letter that names something: not one that stands for a word (u, r, n, m, s, t), and neither "a" nor "I"."""
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_WORD = re.compile(r"[a-z0-9]{3,}")
STEM_CHARS = 5

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]


@dataclass(frozen=True, slots=True)
class Highlight:
    """What of a passage says it: `quote` is the best unit with what it is told with.

    `marked` are at most two slices of the passage, best first; `cosines` are of the units that were
    looked at. `untold` is how much nearer the nearest unit is than the nearest that tells a thing of the kind
    that is asked for: 0 to `UNTOLD`, where none does; 0 where anything may answer.
    """

    quote: str
    marked: tuple[str, ...]
    cosines: tuple[float, ...] = ()
    untold: float = 0.0


def highlight(
    passage: str,
    question: str,
    vector: Sequence[float],
    encode: Encode,
    *,
    near: float = NEAR,
    chars: int = MAX_CHARS,
    read: "Read | None" = None,
) -> Highlight:
    """Find the unit that says it and a second one that scores at most `near` less, encoding about `chars`
    characters of units; `read` is what a reader says of the passage.
    """
    units = sentences.units(passage)[:MAX_UNITS]
    if not units:
        whole = passage.strip()
        return Highlight(whole, (whole,) if whole else ())
    texts = [spoken(unit, passage) for unit in units]
    shared, coded = _shares(texts, question), _coded(texts, question)
    kinds, masses = wanted.kinds(question), _read(units, read)
    is_told = [wanted.tells(text, kinds) for text in texts]
    told = [
        WORDS_WEIGHT * share + NEW_WEIGHT * new + CODE_WEIGHT * code + READ_WEIGHT * mass + more
        for share, new, code, mass, more in zip(
            shared,
            _news(texts, question),
            coded,
            masses,
            worth(question, texts, is_told),
            strict=True,
        )
    ]
    telling = _telling(shared, is_told, masses)
    cosines = _cosines(texts, _promising(texts, telling, coded, chars), vector, encode)
    named = sections.named(question)
    scores = {
        i: cosine + told[i] + NAMED_WEIGHT * sections.under(passage, units[i].start, named)
        for i, cosine in cosines.items()
    }
    quote, marked = _marked(passage, units, scores, near)
    untold = _untold(cosines, is_told) if kinds else 0.0
    return Highlight(quote, marked, tuple(cosines.values()), untold)


def _marked(
    passage: str, units: Sequence[Unit], scores: Mapping[int, float], near: float
) -> tuple[str, tuple[str, ...]]:
    """Give what is quoted, and the best unit with the second one where it scores at most `near` less."""
    best, *others = sorted(scores, key=lambda i: (-scores[i], i))
    quote, marked = units[best].quoted(passage), [units[best].text]
    if others and scores[others[0]] >= scores[best] - near:
        second = others[0]
        is_near = abs(second - best) == 1 and scores[second] >= scores[best] - NEAR_UNIT
        joined = _joined(passage, units[min(best, second)], units[max(best, second)])
        quote = joined if is_near and joined else quote
        marked.append(units[second].text)
    return quote, tuple(marked)


def _untold(cosines: Mapping[int, float], is_told: Sequence[bool]) -> float:
    nearest = max(cosines.values())
    of_kind = max((cosine for i, cosine in cosines.items() if is_told[i]), default=-1.0)
    return min(nearest - of_kind, UNTOLD)


def best_cosines(
    passages: Sequence[str],
    question: str,
    vector: Sequence[float],
    encode: Encode,
    *,
    chars: int,
) -> list[float]:
    """Give the cosine of each passage's best unit; the units of all are encoded together, about `chars` of each.

    A unit that tells a thing of the kind that is asked for counts as nearer. 0 where a passage has nothing to quote.
    """
    kinds = wanted.kinds(question)
    texts, owners, is_told = list[str](), list[int](), list[bool]()
    for number, passage in enumerate(passages):
        spoke = [spoken(unit, passage) for unit in sentences.units(passage)[:MAX_UNITS]]
        if spoke:
            told = [wanted.tells(text, kinds) for text in spoke]
            telling = _telling(_shares(spoke, question), told)
            chosen = _promising(spoke, telling, _coded(spoke, question), chars)
            texts += [spoke[i] for i in chosen]
            is_told += [told[i] for i in chosen]
            owners += [number] * len(chosen)
    best = [0.0] * len(passages)
    if texts:
        more = worth(question, texts, is_told)
        for i, cosine in _cosines(texts, range(len(texts)), vector, encode).items():
            best[owners[i]] = max(best[owners[i]], cosine + more[i])
    return best


def worth(question: str, texts: Sequence[str], is_told: Sequence[bool]) -> list[float]:
    """Give what each text is worth more, whatever its cosine and words say: for a negation where the question has
    one, for the letter by which the question names something, and for telling (`is_told`) the kind of thing asked for.
    """
    is_negated = bool(_NEGATED.search(question))
    letters = {letter.upper() for letter in _LABEL.findall(question)}
    label = re.compile(rf"\b(?:{'|'.join(sorted(letters))})\b") if letters else None
    return [
        NEGATED_WEIGHT * (is_negated and bool(_NEGATED.search(text)))
        + LABEL_WEIGHT * (label is not None and bool(label.search(text)))
        + WANTED_WEIGHT * is_one
        for text, is_one in zip(texts, is_told, strict=True)
    ]


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


def _news(texts: Sequence[str], question: str) -> list[float]:
    """Give the logarithm of one more than the words of each text that are not the question's."""
    asked = _stems(question)
    return [math.log1p(len(_stems(text) - asked)) for text in texts]


def _coded(texts: Sequence[str], question: str) -> list[bool]:
    """Tell of each text whether it holds a code or date that is asked for."""
    asked = codes.sought(question)
    return [bool(asked and asked & codes.forms(text)) for text in texts]


def _read(units: Sequence[Unit], read: "Read | None") -> list[float]:
    """Give how sure a reader is that the answer lies in each unit, 0 where it read nothing."""
    if read is None:
        return [0.0] * len(units)
    return [read.mass(unit.start, unit.end) or 0.0 for unit in units]


def _telling(
    shared: Sequence[float], is_told: Sequence[bool], masses: Sequence[float] = ()
) -> list[float]:
    """Give how promising each text is before it is encoded."""
    read = masses or [0.0] * len(shared)
    return [
        share + mass + WANTED_SHARE * is_one
        for share, mass, is_one in zip(shared, read, is_told, strict=True)
    ]


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
