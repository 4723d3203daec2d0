"""What the best unit of a passage says, as a part of its score: of passages about one subject, the one with a
sentence near the question goes first.

Knows nothing about searching or about what is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.answering.highlight import Encode, best_cosines
from store.index import search
from store.records import Passage

PASSAGES = 10
"""Passages whose units are looked at, best first: encoding them takes more time than any other step."""

CHARS = 600
"""Characters of units that are encoded of each."""

WEIGHT = 0.35
"""What a unit that says the same as the question adds to the fused score.

Chosen on half of sourcegraph's questions (883 pages): the fact in the first three for 21 of 44, 18 without; on
the other half for 32 of 51 instead of 31, on clef's handbook for 23 of 33 instead of 21, on our own for 131 of
163 instead of 127."""


def best_units(
    passages: Sequence[Passage], question: str, vector: Sequence[float], encode: Encode
) -> dict[int, float]:
    """Give the cosine of the best unit of each of the first passages, by chunk id."""
    first = passages[:PASSAGES]
    cosines = best_cosines([p.body for p in first], question, vector, encode, chars=CHARS)
    return {p.chunk_id: cosine for p, cosine in zip(first, cosines, strict=True)}


def weighed(
    passages: Sequence[Passage], units: Mapping[int, float], speaks: Mapping[str, float]
) -> list[Passage]:
    """Add what each passage's best unit is worth to its score, and order by it.

    What people liked for such a question (`speaks`, 0..1 by text hash) says it as well as the best unit found.
    """
    worth = said(
        [units.get(p.chunk_id, 0.0) for p in passages], [p.text_hash for p in passages], speaks
    )
    scored = [
        replace(p, score=p.score + WEIGHT * each, unit=units.get(p.chunk_id))
        for p, each in zip(passages, worth, strict=True)
    ]
    return sorted(scored, key=lambda p: -p.score)


def said(units: Sequence[float], texts: Sequence[str], speaks: Mapping[str, float]) -> list[float]:
    """Give how well each of the `texts` (hashes) says it, 0 to about 1, by the cosine of its best unit."""
    own = [search.share(cosine) for cosine in units]
    best = max(own, default=0.0)
    return [max(one, best * speaks.get(text, 0.0)) for one, text in zip(own, texts, strict=True)]
