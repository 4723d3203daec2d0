"""What of the documents a reader sees: the unit that says it, its passage, and up to two passages more.

Knows nothing about Slack or the terminal, which both show what is chosen here.
"""

import re
from collections.abc import Sequence

from store.records import Answer, Citation, Passage, Shown

PASSAGES = 3
"""Passages shown with an answer, at most."""

NEAR_SHARE = 0.5
"""A further passage is shown when its fused score is at least this share of the first one's.

Of 95 questions (220 pages of sourcegraph's handbook) the message holds the fact for 38 with one passage, for
51 with .8, 54 with .7, 55 with .5 or .6 (2.9 passages in the mean), and 55 with three passages always; on
clef's handbook for one of 33 more with .5 than with .6."""

FIRST_CHARS = 1500
"""The longest part of the first passage that is shown; a whole one of 256 tokens is about 1,200."""

FURTHER_CHARS = 700
"""The longest part of a further passage that is shown."""

_BORDER = re.compile(r"\n|(?<=[.!?]) ")


def chosen(passages: Sequence[Passage]) -> list[Passage]:
    """Choose the passages that score near the first, the sections of one page together."""
    near = [p for p in passages if p.score >= NEAR_SHARE * passages[0].score][:PASSAGES]
    pages = list(dict.fromkeys((p.source, p.path) for p in near))
    return sorted(near, key=lambda p: pages.index((p.source, p.path)))


def shown(
    citations: Sequence[Citation], said: str, marked: Sequence[Sequence[str]]
) -> tuple[Shown, ...]:
    """Give what is seen: what is said, then each cited passage around what is marked in it.

    `marked` are slices of each citation's quote, best first. A passage that says no more than what is
    said before is left out.
    """
    if not citations:
        return ()
    first = citations[0]
    unit = window(said, marked[0][:1], FIRST_CHARS)
    seen = [Shown(unit, _within(unit, marked[0]), first.path, first.heading)]
    limits = [FIRST_CHARS, *[FURTHER_CHARS] * len(citations)]
    for cited, parts, limit in zip(citations, marked, limits, strict=False):
        text = window(cited.quote, parts, limit)
        if text.strip() != unit.strip():
            seen.append(Shown(text, _within(text, parts), cited.path, cited.heading))
    return tuple(seen)


def of(answer: Answer) -> tuple[Shown, ...]:
    """Give what is seen of an answer, also of one that was kept before that was kept."""
    if answer.status not in ("answered", "unsure") or not answer.citations:
        return ()
    if answer.shown:
        return answer.shown
    first = answer.citations[0]
    said = answer.body or first.quote
    return shown((first,), said, ((said,) if said in first.quote else (),))


def phrased(answer: Answer) -> str:
    """Give what an LLM phrased, each sentence with the numbers of its citations; "" where it did not."""
    written = answer.phrasing.sentences if answer.phrasing else ()
    return " ".join(f"{each.text} [{', '.join(map(str, each.quotes))}]" for each in written)


def window(text: str, parts: Sequence[str], limit: int) -> str:
    """Cut a passage to at most `limit` characters around its first marked part, between sentences."""
    if len(text) <= limit:
        return text
    at = max(text.find(parts[0]), 0) if parts else 0
    size = min(len(parts[0]), limit) if parts else 0
    room = limit - size
    start = max(0, min(at - room // 2, len(text) - limit))
    end = min(len(text), start + limit)
    if start:
        start = next((m.end() for m in _BORDER.finditer(text, start, at)), at)
    if end < len(text):
        borders = [m.start() for m in _BORDER.finditer(text, at + size, end)]
        end = borders[-1] if borders else end
    return text[start:end]


def _within(text: str, parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for part in parts if part in text)
