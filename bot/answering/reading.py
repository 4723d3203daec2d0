"""What a reader says of the passages that are shown: whether each answers the question, and where.

Knows nothing about models or search; without a reader nothing is read, and nothing is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from store.records import Passage

if TYPE_CHECKING:
    from models.reader.reader import Read, Reader


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, by chunk id, in the order of the passages."""

    pages: Mapping[int, "Read"] = field(default_factory=dict)

    def of(self, passage: Passage) -> "Read | None":
        """Give what was read of a passage; None where it was not."""
        return self.pages.get(passage.chunk_id)

    def signals(self) -> dict[str, float]:
        """Give what it says of the answer as a whole, none where nothing was read.

        `reader` is the first passage's relevance and `reader_best` that of the most relevant one, `reader_span`
        is P(some span of a passage answers) for the likeliest: all 0..1. `reader_agree` is the share of the
        further passages that are as relevant as not.
        """
        read = list(self.pages.values())
        if not read:
            return {}
        further = [one.relevance > 0.5 for one in read[1:]]
        return {
            "reader": read[0].relevance,
            "reader_best": max(one.relevance for one in read),
            "reader_span": max(1 - one.no_answer for one in read),
            "reader_agree": sum(further) / len(further) if further else 0.0,
        }


def read(reader: "Reader | None", question: str, passages: Sequence[Passage]) -> Reading:
    """Read the passages for a question, all of them together: a few at most, since it takes time."""
    if reader is None or not passages:
        return Reading()
    from models.reader.codec import Page

    pages = [Page(p.heading or p.title, p.body) for p in passages]
    found = reader.read(question, pages)
    return Reading({p.chunk_id: one for p, one in zip(passages, found, strict=True)})
