"""Order found passages as they are shown: near-duplicates collapsed, the newer of two near-equals first.

Knows nothing about the question, the database or models.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from store.records import Passage

SAME_SHARE = 0.9
"""Word overlap (Jaccard) from which two passages count as one."""

ALIKE = 0.65
"""Cosine from which two passages are about the same thing, so that the newer may win."""

NEAR_SCORE = 0.3
"""How far below the first a newer passage about the same thing may score and still win.

Measured on 24 questions about five outdated pages beside newer ones: right quote first 10 -> 15, and
the other 139 questions 81 -> 83 (.60 to .75 and .15 to .4 differ by up to 2 questions)."""

_WORD = re.compile(r"\w+")


def words(text: str) -> frozenset[str]:
    """Give the distinct lower-case words of a text."""
    return frozenset(_WORD.findall(text.lower()))


def overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """Give the Jaccard similarity of two word sets, 0..1."""
    union = len(a | b)
    return len(a & b) / union if union else 1.0


def prefer(passages: Sequence[Passage], worth: Mapping[str, float]) -> list[Passage]:
    """Add what each passage's source is worth to its score, and order by it."""
    if not worth:
        return list(passages)
    scored = [replace(p, score=p.score + worth.get(p.source, 0.0)) for p in passages]
    return sorted(scored, key=lambda p: -p.score)


def arrange(passages: Sequence[Passage], limit: int = 10) -> list[Passage]:
    """Collapse near-duplicates, let the newer of near-equals lead, cut to `limit`."""
    return _newer_first(_collapse(passages))[:limit]


def _age(passage: Passage) -> datetime:
    return passage.updated_at or datetime.min.replace(tzinfo=UTC)


def _collapse(passages: Sequence[Passage]) -> list[Passage]:
    kept: list[tuple[Passage, frozenset[str]]] = []
    for passage in passages:
        mine = words(passage.body)
        twin = next((i for i, (_, w) in enumerate(kept) if overlap(mine, w) >= SAME_SHARE), None)
        if twin is None:
            kept.append((passage, mine))
        elif _age(passage) > _age(kept[twin][0]):
            better = kept[twin][0]
            # The newer copy is cited, in the place that the better-scored one earned.
            newer = replace(
                passage, score=better.score, vector=better.vector, lexical=better.lexical
            )
            kept[twin] = (newer, mine)
    return [passage for passage, _ in kept]


def _newer_first(passages: list[Passage]) -> list[Passage]:
    if not passages:
        return passages
    first = passages[0]
    rivals = [
        p
        for p in passages[1:]
        if (p.source, p.path) != (first.source, first.path)
        and _age(p) > _age(first)
        and first.score - p.score <= NEAR_SCORE
        and p.likeness >= ALIKE
    ]
    if not rivals:
        return passages
    newest = max(rivals, key=_age)
    return [newest, *(p for p in passages if p is not newest)]
