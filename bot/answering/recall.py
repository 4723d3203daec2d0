"""What people's votes on similar questions say about a passage, while a question is answered.

Knows nothing about SQL or how its two numbers were fitted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from store.feedback.memory import Memory
from store.records import Passage

SHRINK = 1.0
"""Votes without an opinion that every text starts with: one thumb alone counts half."""


@dataclass(frozen=True, slots=True)
class Recall:
    """How far memory reaches: `floor` is the cosine from which two questions count as similar."""

    weight: float = 0.6
    floor: float = 0.4


@dataclass(frozen=True, slots=True)
class Judgement:
    """A text that was shown for a question this similar (cosine), and the weight of its votes."""

    text_hash: str
    similarity: float
    good: float
    bad: float


def evidence(seen: Iterable[Judgement], floor: float) -> dict[str, float]:
    """Give, by text hash, what speaks for a text (0..1); texts that nothing speaks for are absent.

    The share of likes among votes on similar questions, shrunk, times how similar the nearest liked
    one is. A thumbs-down only cancels likes: it does not say which other text is right.
    """
    found: dict[str, float] = {}
    by_text: dict[str, list[Judgement]] = {}
    for one in seen:
        if one.similarity > floor:
            by_text.setdefault(one.text_hash, []).append(one)
    for text, rows in by_text.items():
        reach = max((one.similarity for one in rows if one.good > one.bad), default=floor)
        good, bad = sum(one.good for one in rows), sum(one.bad for one in rows)
        value = good / (good + bad + SHRINK) * (reach - floor) / (1 - floor)
        if value > 0:
            found[text] = value
    return found


def judgements(memories: Sequence[Memory]) -> Iterable[Judgement]:
    """Reduce looked-up rows to what they say; a text that stands in several places counts once."""
    unique = {(m.answer_id, m.passage.text_hash): m for m in memories}
    return [Judgement(m.passage.text_hash, m.similarity, m.good, m.bad) for m in unique.values()]


def rescore(
    passages: Sequence[Passage],
    memories: Sequence[Memory],
    speaks: Mapping[str, float],
    recall: Recall,
) -> list[Passage]:
    """Raise the passages that memory speaks for, bringing in those that were not found."""
    if not speaks:
        return list(passages)
    known = {p.chunk_id for p in passages}
    brought = {m.passage.chunk_id: m.passage for m in memories if m.passage.chunk_id not in known}
    scored = [
        replace(p, score=p.score + recall.weight * speaks.get(p.text_hash, 0.0))
        for p in (*passages, *brought.values())
        if p.chunk_id in known or p.text_hash in speaks
    ]
    return sorted(scored, key=lambda p: -p.score)
