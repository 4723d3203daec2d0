"""What a reader says of the best passages: whether each answers the question, and where.

Knows nothing about models or search; without a reader nothing is read, and nothing is missing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from store.records import Passage

if TYPE_CHECKING:
    from models.reader.reader import Read, Reader

PASSAGES = 5
"""Passages that are read, best first: reading one takes about as long as encoding the question."""

WEIGHT = 0.2
"""What being read as an answer for sure adds to a passage's score."""

SUREST = 1e-4
"""A relevance counts as at most so near to 0 and 1."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, by chunk id."""

    pages: Mapping[int, "Read"] = field(default_factory=dict)

    def of(self, passage: Passage) -> "Read | None":
        """Give what was read of a passage; None where it was not."""
        return self.pages.get(passage.chunk_id)

    def ordered(self, passages: Sequence[Passage]) -> list[Passage]:
        """Add what each passage's relevance is worth to its score, and order by it.

        Those that were not read keep their scores and stay behind those that were.
        """
        scored = [
            replace(p, score=p.score + WEIGHT * one.relevance) if (one := self.of(p)) else p
            for p in passages
        ]
        return sorted(scored, key=lambda p: (self.of(p) is None, -p.score))

    def signals(self, shown: Sequence[Passage]) -> dict[str, float]:
        """Give what it says of the answer as a whole, none where nothing was read.

        `reader` is the relevance of the first passage that is shown and `reader_best` that of the most relevant
        one, both as log odds; `reader_span` is P(some span of a passage answers) for the likeliest, 0..1.
        """
        read = [one for one in map(self.of, shown) if one]
        if not read:
            return {}
        return {
            "reader": _log_odds(read[0].relevance),
            "reader_best": max(_log_odds(one.relevance) for one in read),
            "reader_span": max(1 - one.no_answer for one in read),
        }


def read(
    reader: "Reader | None",
    question: str,
    passages: Sequence[Passage],
    known: Reading | None = None,
) -> Reading:
    """Read the passages that are not `known` for a question, all of them together: a few at most, since it takes time."""
    known = known or Reading()
    new = [p for p in passages if not known.of(p)]
    if reader is None or not new:
        return known
    from models.reader.codec import Page

    found = reader.read(question, [Page(p.heading or p.title, p.body) for p in new])
    return Reading({**known.pages, **{p.chunk_id: one for p, one in zip(new, found, strict=True)}})


def _log_odds(probability: float) -> float:
    sure = min(max(probability, SUREST), 1 - SUREST)
    return math.log(sure / (1 - sure))
