"""Order found passages as they are shown: what is learned of titles and sources added to their scores,
near-duplicates collapsed, the newer of two near-equals first.

Knows nothing about the database or models: the weights are handed in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from store.index.search import Terms
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


def prefer_sources(passages: Sequence[Passage], worth: Mapping[str, float]) -> list[Passage]:
    """Add what each passage's source is worth to its score, and order by it."""
    if not worth:
        return list(passages)
    scored = [replace(p, score=p.score + worth.get(p.source, 0.0)) for p in passages]
    return sorted(scored, key=lambda p: -p.score)


def prefer_titles(passages: Sequence[Passage], terms: Terms, weight: float) -> list[Passage]:
    """Add the weighted `title_share` to each score, and order by it."""
    if not weight:
        return list(passages)
    scored = [replace(p, score=p.score + weight * title_share(p, terms)) for p in passages]
    return sorted(scored, key=lambda p: -p.score)


def title_share(passage: Passage, terms: Terms) -> float:
    """Give the share (0..1) of the question's idf whose lexemes begin a word of title or heading.

    A lexeme is a stem, so a word that begins with it counts: no stemmer is needed here.
    """
    begun = words(f"{passage.title} {passage.heading}")
    held = (i for t, i in zip(terms.terms, terms.idf, strict=True) if _begins(_stem(t), begun))
    return sum(held) / terms.ceiling


def arrange(passages: Sequence[Passage], limit: int = 10) -> list[Passage]:
    """Collapse near-duplicates, let the newer of near-equals lead, cut to `limit`."""
    return _newer_first(_collapse(passages))[:limit]


def _stem(lexeme: str) -> str:
    # English stems of words in -y end in -i, which the words themselves do not.
    return lexeme[:-1] if lexeme.endswith("i") and len(lexeme) > 3 else lexeme


def _begins(stem: str, among: frozenset[str]) -> bool:
    return stem in among or any(word.startswith(stem) for word in among)


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
