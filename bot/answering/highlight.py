"""Choose the sentences of a passage that say it: a verbatim slice, by cosine with the question.

Knows nothing about passages' order or about whether to answer. Encoding sentences takes more time than
any other step of an answer, so only those are encoded that share words with the question.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from bot.answering import sentences
from bot.answering.sentences import Unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_UNITS = 12
"""Sentences of a passage that are looked at; a longer passage is a list or a table."""

MAX_CHARS = 600
"""Characters of sentences that are encoded for one answer (p95 of an answer 228 -> 115 ms)."""

UNIT_CHARS = 200
"""A sentence is compared by its beginning of this length."""

NEAR_UNIT = 0.04
"""A neighbour of the best sentence joins the answer when its cosine is at most this much lower."""

SPREAD = 3.0
"""Sentences are encoded together when the longest is at most so many times the shortest: padding costs."""

_WORD = re.compile(r"[a-z0-9]{3,}")
STEM_CHARS = 5

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]


def best_span(
    passage: str, question: str, vector: Sequence[float], encode: Encode
) -> tuple[str, list[float]]:
    """Find the sentences that say it; gives them as they stand, and the cosines that were looked at."""
    units = sentences.units(passage)[:MAX_UNITS]
    if not units:
        return passage.strip(), []
    scores = _cosines(units, _promising(units, question), vector, encode)
    best = max(scores, key=lambda i: scores[i])
    low = high = best
    if scores.get(best - 1, -1.0) >= scores[best] - NEAR_UNIT:
        low = best - 1
    if scores.get(best + 1, -1.0) >= scores[best] - NEAR_UNIT:
        high = best + 1
    return passage[units[low].start : units[high].end], list(scores.values())


def _promising(units: Sequence[Unit], question: str) -> list[int]:
    """Choose what is encoded: the sentences that share most words with the question, then the first."""
    asked, left, chosen = _stems(question), MAX_CHARS, list[int]()
    by_overlap = sorted(range(len(units)), key=lambda i: (-len(asked & _stems(units[i].text)), i))
    for i in by_overlap:
        left -= min(len(units[i].text), UNIT_CHARS)
        if chosen and left < 0:
            break
        chosen.append(i)
    return chosen


def _cosines(
    units: Sequence[Unit], chosen: Sequence[int], vector: Sequence[float], encode: Encode
) -> dict[int, float]:
    scores: dict[int, float] = {}
    for group in _alike(units, chosen):
        found = encode([units[i].text[:UNIT_CHARS] for i in group]) @ vector
        scores |= {i: float(cosine) for i, cosine in zip(group, found, strict=True)}
    return scores


def _alike(units: Sequence[Unit], chosen: Sequence[int]) -> Iterator[list[int]]:
    """Group sentences of like length."""
    group: list[int] = []
    for i in sorted(chosen, key=lambda i: len(units[i].text)):
        if group and len(units[i].text) > SPREAD * len(units[group[0]].text):
            yield group
            group = []
        group.append(i)
    yield group


def _stems(text: str) -> set[str]:
    return {word[:STEM_CHARS] for word in _WORD.findall(text.lower())}
