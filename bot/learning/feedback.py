"""What people judged, as tables to learn from: every judged question is searched for again, and beside its
candidates stands what the votes on the other questions say about them.

Knows nothing about what is learned from it, or whether that serves.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.answering.lifecycle import viewer
from bot.answering.recall import Judgement, evidence
from bot.learning.replay import Replay, replay
from models.ranking import Votes
from store.database import Connection
from store.feedback import memory
from store.feedback.memory import NEAREST, Judged
from store.feedback.shares import fair_share

FEATURES = 4
"""Columns of a candidate: its vector, lexical and title shares, and what memory says. Then comes one column
per source, 1 for the candidate's own."""

LOWEST = 0.3
"""The lowest floor that memory may have."""

LEAST = 50
"""Votes of one person that a night always learns from, whatever their share (shares.SHARE): far below
promotion.MIN_JUDGED, so that nobody can promote anything alone."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What people judged, oldest first: n questions with their candidates and the (n, n) cosines between
    the questions.

    `rated` also has the answers whose votes say nothing about the order of passages, but something about
    the confidence: those that should have been refused, and those whose text is no longer found.
    `set_aside` counts the votes beyond a person's share.
    """

    rows: tuple[Judged, ...]
    replays: tuple[Replay, ...]
    cosines: NDArray[np.float32]
    rated: tuple[Judged, ...] = ()
    set_aside: int = 0

    @property
    def digest(self) -> str:
        """A hash of all that is learned from: the same votes give the same digest."""
        rows = self.rated or self.rows
        text = "\n".join(
            f"{r.answer_id} {r.text_hash} {r.good} {r.bad} {r.unfounded}" for r in rows
        )
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def sources(self) -> list[str]:
        """The sources of all candidates, sorted."""
        return sorted(set(self._source_of.values()))

    @property
    def _source_of(self) -> dict[str, str]:
        return {p.text_hash: p.source for again in self.replays for p in again.passages}

    def votes(self, floor: float) -> Votes:
        """Give all questions as one table, with what memory says from the cosine `floor` on.

        Row i has the candidates of question i, then the texts that memory alone brings in. Whatever the
        floor, a text stands in the same place: all that LOWEST would bring in are there.
        """
        memories = [self._memory(number, floor) for number in range(len(self.rows))]
        texts = [
            [*_found(again), *(text for text in speaks if text not in _found(again))]
            for again, speaks in zip(self.replays, memories, strict=True)
        ]
        width = max(map(len, texts), default=1)
        sources, source_of = self.sources, self._source_of
        table = np.zeros((len(self.rows), width, FEATURES + len(sources)))
        mask = np.zeros((len(self.rows), width), dtype=bool)
        shown = np.zeros(len(self.rows), dtype=np.int64)
        for i, (row, again) in enumerate(zip(self.rows, self.replays, strict=True)):
            there = len(texts[i])
            table[i, : len(again.passages), :3] = again.table
            table[i, :there, 3] = [memories[i].get(text, 0.0) for text in texts[i]]
            columns = [FEATURES + sources.index(source_of[text]) for text in texts[i]]
            table[i, np.arange(there), columns] = 1.0
            mask[i, :there] = True
            shown[i] = texts[i].index(row.text_hash)
        good = np.array([row.good for row in self.rows], dtype=np.float64)
        bad = np.array([row.bad for row in self.rows], dtype=np.float64)
        return Votes(table, mask, shown, good, bad)

    def _memory(self, number: int, floor: float) -> dict[str, float]:
        """Give what the votes on the other questions say, 0 for texts that only a lower floor brings in.

        A question's own votes are left out: they are what the fit is tried on.
        """
        order = np.argsort(-self.cosines[number], kind="stable")[: NEAREST + 1]
        others = [
            Judgement(
                self.rows[j].text_hash,
                float(self.cosines[number, j]),
                self.rows[j].good,
                self.rows[j].bad,
            )
            for j in map(int, order)
            if j != number
        ]
        reached = evidence(others, floor)
        return {text: reached.get(text, 0.0) for text in evidence(others, LOWEST)}


def _found(again: Replay) -> list[str]:
    return [p.text_hash for p in again.passages]


def load(connection: Connection, workspace: str, embedder_id: int) -> Feedback:
    """Read the votes that count, and search for every question again with the rights of the answer's reader."""
    counts = memory.votes_each(connection, workspace)
    most = fair_share(counts, LEAST)
    rated = memory.judged(connection, workspace, embedder_id, most)
    rows, replays, vectors = [], [], []
    for row in rated:
        if not row.good and not row.bad:
            continue
        vector = row.vector
        again = replay(connection, workspace, row.ask.body, viewer(row.ask), vector)
        # A text that is gone, or no longer found, says nothing about an order.
        if any(p.text_hash == row.text_hash for p in again.passages):
            rows.append(row)
            replays.append(again)
            vectors.append(vector)
    table = np.array(vectors, dtype=np.float32).reshape(len(rows), -1 if rows else 0)
    aside = sum(max(0, count - most) for count in counts)
    return Feedback(tuple(rows), tuple(replays), table @ table.T, tuple(rated), aside)
