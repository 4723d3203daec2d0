"""What people's votes on similar questions say about a passage, while a question is answered.

Knows nothing about SQL or how its two numbers were fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from store.memory import Memory
from store.records import Passage

SHRINK = 1.0
"""Votes without an opinion that every text starts with: one thumb alone counts half."""


@dataclass(frozen=True, slots=True)
class Recall:
    """How far memory reaches: `floor` is the cosine from which two questions count as similar."""

    weight: float = 0.6
    floor: float = 0.3


def evidence(memories: Sequence[Memory], floor: float) -> dict[str, float]:
    """Give, by text hash, what speaks for a text (0..1); texts that nothing speaks for are absent.

    The share of likes among votes on similar questions, shrunk, times how similar the nearest liked
    one is. A thumbs-down only cancels likes: it does not say which other text is right.
    """
    found: dict[str, float] = {}
    by_text: dict[str, list[Memory]] = {}
    unique = {(m.answer_id, m.passage.text_hash): m for m in memories if m.similarity > floor}
    for memory in unique.values():
        by_text.setdefault(memory.passage.text_hash, []).append(memory)
    for text, rows in by_text.items():
        reach = max((m.similarity for m in rows if m.good > m.bad), default=floor)
        good, bad = sum(m.good for m in rows), sum(m.bad for m in rows)
        value = good / (good + bad + SHRINK) * (reach - floor) / (1 - floor)
        if value > 0:
            found[text] = value
    return found


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
