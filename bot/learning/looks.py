"""Looks: how often a part is tested on votes that mostly were tested before, and at what level each time.

Knows nothing about the tests. Who tests growing data again and again finds something in the end, so the level
of a whole year is spent over the looks (alpha spending, Lan and DeMets 1983). The levels add up (Bonferroni),
so they hold however much the looks have in common.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.feedback.nights import Look
from store.records import Kind

ALPHA = 0.05
"""The level of a year: of 100 years of votes that say nothing, at most five see any part promoted."""

PARTS = 7
"""Parts that share it equally, the intents among them: .007 a year each."""

YEAR = timedelta(days=365)

GROWTH = 0.5
"""A part is tested again when so many new questions were judged, as a share of those it was last tested on.
So a year has few looks, and each has something new to see."""


def level(number: int) -> float:
    """Give the level of a part's `number`-th look within YEAR, from 1 on: 1/2, 1/6, 1/12 ... of its share.

    These add up to the whole share, and no later look finds nothing left.
    """
    return ALPHA / PARTS / (number * (number + 1))


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of the last YEAR, oldest first."""

    held: Sequence[Look] = ()

    def number(self, kind: Kind) -> int:
        """Give the number of the part's next look, from 1 on."""
        return 1 + sum(look.kind == kind for look in self.held)

    def last(self, kind: Kind) -> Look | None:
        """Give the part's last look; None when there was none."""
        return next((look for look in reversed(self.held) if look.kind == kind), None)

    def missing(self, kind: Kind, voted_at: Iterable[datetime | None]) -> int:
        """Give how many more questions must be judged before the part is tested again; 0 when it is due.

        `voted_at` has the time of the latest vote on each judged question.
        """
        last = self.last(kind)
        if last is None:
            return 0
        new = sum(at is not None and at > last.at for at in voted_at)
        return max(0, needed(last.judged) - new)


def needed(judged: int) -> int:
    """Give how many new questions must be judged after a look at so many."""
    return max(1, round(GROWTH * judged))
