"""Judged questions as tables: every question asked again, with what the others' votes say about it.

Knows nothing about fitting or gates.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import TupleRow

from bot.answering.lifecycle import viewer
from bot.answering.recall import Judgement, evidence
from bot.learning.replay import Replay, replay
from models.ranking import Votes
from store.feedback import memory
from store.feedback.memory import NEAREST, Judged

FEATURES = 4
"""Vector, lexical and title share, and what memory says; behind them stands a column per source."""

LOWEST = 0.3
"""The lowest floor that memory may have."""

SHARE = 0.25
LEAST = 50
"""A night learns from a team: one person's votes make up at most SHARE of what it learns from, but LEAST
always count. Both are far below promotion.MIN_JUDGED, which nobody reaches alone."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What people judged, oldest first, with its candidates and the cosines between the questions.

    `rated` has also what says nothing about an order: answers that should have been refused, and texts
    that are found no more. `set_aside` counts the votes beyond a person's share.
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
        """The sources of all candidates."""
        return sorted(set(self._homes.values()))

    @property
    def _homes(self) -> dict[str, str]:
        return {p.text_hash: p.source for again in self.replays for p in again.passages}

    def seen(self, number: int) -> list[Judgement]:
        """Give what the other questions' votes say about one: its own are left out."""
        order = np.argsort(-self.cosines[number], kind="stable")[: NEAREST + 1]
        near = [(int(j), float(self.cosines[number, j])) for j in order if j != number]
        rows = self.rows
        return [Judgement(rows[j].text_hash, c, rows[j].good, rows[j].bad) for j, c in near]

    def votes(self, floor: float) -> Votes:
        """Lay the questions out for fitting; memory reaches down to `floor`.

        Whatever the floor, candidates stand in the same places: those of LOWEST are all there.
        """
        laid: list[Laid] = []
        for number, (row, again) in enumerate(zip(self.rows, self.replays, strict=True)):
            seen = self.seen(number)
            reached = evidence(seen, floor)
            speaks = {text: reached.get(text, 0.0) for text in evidence(seen, LOWEST)}
            laid.append((row, again, speaks))
        return votes(laid, self.sources, self._homes)


def fair_share(votes: Sequence[int]) -> int:
    """Give how many votes of each person count, where people cast so many.

    The most with which nobody's make up more than SHARE of all that count, and at least LEAST.
    """
    for most in range(max(votes, default=LEAST), LEAST, -1):
        if most <= SHARE * sum(min(count, most) for count in votes):
            return most
    return LEAST


def load(connection: psycopg.Connection[TupleRow], workspace: str, embedder_id: int) -> Feedback:
    """Read what counts and ask every question again, with the rights of whoever read the answer."""
    counts = memory.votes_each(connection, workspace)
    most = fair_share(counts)
    rated = memory.judged(connection, workspace, embedder_id, most)
    rows, replays, vectors = [], [], []
    for row in rated:
        if not row.good and not row.bad:
            continue
        vector = json.loads(row.vector)
        again = replay(connection, workspace, row.ask.body, viewer(row.ask), vector)
        # A text that is gone, or no longer found, says nothing about an order.
        if any(p.text_hash == row.text_hash for p in again.passages):
            rows.append(row)
            replays.append(again)
            vectors.append(vector)
    table = np.array(vectors, dtype=np.float32).reshape(len(rows), -1 if rows else 0)
    aside = sum(max(0, count - most) for count in counts)
    return Feedback(tuple(rows), tuple(replays), table @ table.T, tuple(rated), aside)


Laid = tuple[Judged, Replay, dict[str, float]]


def votes(rows: Sequence[Laid], sources: Sequence[str], homes: Mapping[str, str]) -> Votes:
    """Pad the candidates of all questions to one table; what memory brings in stands behind them.

    `homes` tells the source of each text.
    """
    brought = [[t for t in speaks if t not in _texts(again)] for _, again, speaks in rows]
    width = max(
        (len(r[1].passages) + len(b) for r, b in zip(rows, brought, strict=True)), default=1
    )
    table = np.zeros((len(rows), width, FEATURES + len(sources)))
    mask = np.zeros((len(rows), width), dtype=bool)
    shown = np.zeros(len(rows), dtype=np.int64)
    for i, ((row, again, speaks), more) in enumerate(zip(rows, brought, strict=True)):
        texts = [*_texts(again), *more]
        table[i, : len(again.passages), :3] = again.table
        table[i, : len(texts), 3] = [speaks.get(text, 0.0) for text in texts]
        of = [FEATURES + sources.index(homes[text]) for text in texts]
        table[i, np.arange(len(texts)), of] = 1.0
        mask[i, : len(texts)] = True
        shown[i] = texts.index(row.text_hash)
    good = np.array([row.good for row, _, _ in rows], dtype=np.float64)
    bad = np.array([row.bad for row, _, _ in rows], dtype=np.float64)
    return Votes(table, mask, shown, good, bad)


def _texts(again: Replay) -> list[str]:
    return [p.text_hash for p in again.passages]
