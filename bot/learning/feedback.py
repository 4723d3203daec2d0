"""What people judged, as tables to learn from: every judged question is searched for again, and beside its
candidates stands what the votes on the other questions say about them.

Knows nothing about what is learned from it, or whether that serves.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bot.answering import evidence, ranking, recall, sections
from bot.answering.lifecycle import viewer
from bot.answering.recall import Judgement
from bot.learning.replay import Replay, replay
from models.ranking import Votes
from store import channels
from store.database import Connection
from store.feedback import memory
from store.feedback.memory import NEAREST, Judged
from store.feedback.shares import fair_share
from store.records import Passage

FEATURES = 5
"""Columns of a candidate: its vector, lexical and title shares, what memory says, and how well its best unit
says it (evidence.said). Then comes one column per source, 1 for the candidate's own."""

CONTENDERS = 10
"""Candidates that are looked at for what would be shown first: the best, as far as near-equals reach."""

SAME = 0.9
"""The cosine from which two questions are much the same: votes on them are one observation."""

LOWEST = 0.3
"""The lowest floor that memory may have."""

LATEST = 4000
"""Judged answers that a night learns from, the latest: each has its 40 candidates in memory, and the questions
are compared pair by pair."""

LEAST = 50
"""Votes of one person that a night always learns from, whatever their share (shares.SHARE): far below
promotion.MIN_JUDGED, so that nobody can promote anything alone."""


@dataclass(frozen=True)
class Feedback:
    """What people judged, oldest first: n questions with their candidates and the (n, n) cosines between
    the questions.

    `rated` also has the answers whose votes say nothing about the order of passages, but something about
    the confidence: those that should have been refused, and those whose text is no longer found.
    `set_aside` counts the votes beyond a person's share. `topics` gives, by answer, which group of much the
    same questions it belongs to; an answer that is absent is a group of its own. `older` counts the judged
    answers beyond the LATEST.
    """

    rows: tuple[Judged, ...]
    replays: tuple[Replay, ...]
    cosines: NDArray[np.float32]
    rated: tuple[Judged, ...] = ()
    set_aside: int = 0
    topics: Mapping[UUID, int] = field(default_factory=dict)
    older: int = 0

    def numbered(self, rows: Sequence[Judged]) -> NDArray[np.int64]:
        """Give each row the number of its topic, from 0 on, in the order in which topics first come."""
        names = [self.topics.get(row.answer_id, row.answer_id) for row in rows]
        number = {name: place for place, name in enumerate(dict.fromkeys(names))}
        return np.array([number[name] for name in names], dtype=np.int64)

    @property
    def digest(self) -> str:
        """A hash of all that is learned from: the same votes give the same digest."""
        rows = self.rated or self.rows
        text = "\n".join(
            f"{r.answer_id} {r.text_hash} {r.good} {r.bad} {r.unfounded}" for r in rows
        )
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def sources(self) -> list[str]:
        """The sources of all candidates, sorted."""
        return sorted(set(self._source_of.values()))

    @property
    def _source_of(self) -> dict[str, str]:
        return {text: passage.source for text, passage in self._passage_of.items()}

    @cached_property
    def _passage_of(self) -> dict[str, Passage]:
        return {p.text_hash: p for again in self.replays for p in again.passages}

    @cached_property
    def texts(self) -> list[list[str]]:
        """Give, per question, the texts in its row of a table: its candidates, then those that memory at its
        lowest floor would bring in."""
        return [
            [
                *_found(again),
                *(text for text in self._memory(i, LOWEST) if text not in _found(again)),
            ]
            for i, again in enumerate(self.replays)
        ]

    def votes(self, floor: float | None) -> Votes:
        """Give all questions as one table, with what memory says from the cosine `floor` on; nothing with None.

        Row i has the candidates of question i, then the texts that memory alone brings in. Whatever the
        floor, a text stands in the same place: all that LOWEST would bring in are there. Units are those that
        were looked at when the question was answered; others would have to be encoded.
        """
        width = max(map(len, self.texts), default=1)
        sources, source_of = self.sources, self._source_of
        table = np.zeros((len(self.rows), width, FEATURES + len(sources)))
        mask = np.zeros((len(self.rows), width), dtype=bool)
        shown = np.zeros(len(self.rows), dtype=np.int64)
        for i, (row, again) in enumerate(zip(self.rows, self.replays, strict=True)):
            texts = self.texts[i]
            speaks = {} if floor is None else self._memory(i, floor)
            table[i, : len(again.passages), :3] = again.table
            table[i, : len(texts), 3] = [speaks.get(text, 0.0) for text in texts]
            units = [row.units.get(text, 0.0) for text in texts]
            table[i, : len(texts), 4] = evidence.said(units, texts, speaks)
            columns = [FEATURES + sources.index(source_of[text]) for text in texts]
            table[i, np.arange(len(texts)), columns] = 1.0
            mask[i, : len(texts)] = True
            shown[i] = texts.index(row.text_hash)
        good = np.array([row.good for row in self.rows], dtype=np.float64)
        bad = np.array([row.bad for row in self.rows], dtype=np.float64)
        return Votes(table, mask, shown, good, bad)

    def first(
        self, votes: Votes, weights: NDArray[np.float64], rows: Sequence[int]
    ) -> NDArray[np.int64]:
        """Give the place of what would be shown first for some questions of a table: as in an answer,
        near-duplicates are collapsed, and the code, section or version that is asked for and the newer of
        near-equals lead."""
        return np.array([self._first(votes, weights, row) for row in rows], dtype=np.int64)

    def _first(self, votes: Votes, weights: NDArray[np.float64], row: int) -> int:
        texts, again, question = self.texts[row], self.replays[row], self.rows[row].ask.body
        table = votes.table[row, : len(texts)]
        scores = table @ weights
        near = np.argsort(-scores, kind="stable")[:CONTENDERS]
        if not again.codes and not sections.named(question):
            near = near[scores[near] >= scores[near[0]] - ranking.NEAR_SCORE]
        if len(near) == 1:
            return int(near[0])
        passages = {p.text_hash: p for p in again.passages}
        held = [
            replace(passages.get(texts[i]) or self._passage_of[texts[i]], score=float(scores[i]))
            for i in near
        ]
        held = ranking.prefer_sections(ranking.prefer_codes(held, again.codes), question)
        liked = [texts[i] for i in near if table[i, 3] > 0 and weights[3] > 0]
        (shown,) = ranking.arrange(held, 1, question=question, liked=liked)
        return texts.index(shown.text_hash)

    def _memory(self, number: int, floor: float) -> dict[str, float]:
        """Give what the votes on the other questions say, by text.

        A question's own votes are left out: they are what the fit is tried on.
        """
        cosines = self.cosines[number]
        order = np.argsort(-cosines, kind="stable")[: NEAREST + 1]
        others = (
            Judgement(
                self.rows[j].text_hash, float(cosines[j]), self.rows[j].good, self.rows[j].bad
            )
            for j in map(int, order[cosines[order] > floor])
            if j != number
        )
        return recall.evidence(others, floor)


def _found(again: Replay) -> list[str]:
    return [p.text_hash for p in again.passages]


def topics(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Give each of the (n, dims) vectors the number of its topic: questions much the same (SAME), or linked by
    others that are."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    near = csr_array(vectors @ vectors.T >= SAME)
    return np.asarray(connected_components(near, directed=False)[1], dtype=np.int64)


def load(connection: Connection, workspace: str, embedder_id: int) -> Feedback:
    """Read the votes that count, and search for every question again with the rights of the answer's reader,
    in the sources that the channel has now."""
    counts = memory.votes_each(connection, workspace, LATEST)
    most = fair_share(counts, LEAST)
    found = memory.judged(connection, workspace, embedder_id, most, LATEST)
    vectors = np.array([row.vector for row in found], dtype=np.float32)
    # As an array a vector takes a tenth of the room that a tuple of numbers does.
    rated = tuple(replace(row, vector=()) for row in found)
    del found
    searched = _Searched(connection, workspace)
    places, replays = [], []
    for place, row in enumerate(rated):
        if not row.good and not row.bad:
            continue
        again = searched.again(row, vectors[place].tolist())
        # A text that is gone, or no longer found, says nothing about an order.
        if any(p.text_hash == row.text_hash for p in again.passages):
            places.append(place)
            replays.append(again)
    vectors = vectors.reshape(len(rated), -1 if rated else 0)
    table = vectors[places]
    names = topics(vectors).tolist() if rated else []
    return Feedback(
        tuple(rated[place] for place in places),
        tuple(replays),
        table @ table.T,
        rated,
        sum(max(0, count - most) for count in counts),
        {row.answer_id: name for row, name in zip(rated, names, strict=True)},
        max(0, memory.answers_judged(connection, workspace) - LATEST),
    )


class _Searched:
    """Searches in one workspace; what many questions find is held once."""

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._connection = connection
        self._workspace = workspace
        self._sources: dict[str, tuple[str, ...] | None] = {}
        self._words: dict[str, str] = {}

    def again(self, row: Judged, vector: list[float]) -> Replay:
        channel = row.ask.channel
        if channel not in self._sources:
            self._sources[channel] = channels.get(
                self._connection, self._workspace, channel
            ).sources
        found = replay(
            self._connection,
            self._workspace,
            row.ask.body,
            viewer(row.ask),
            vector,
            self._sources[channel],
        )
        return replace(found, passages=tuple(self._shared(p) for p in found.passages))

    def _shared(self, passage: Passage) -> Passage:
        return replace(
            passage,
            source=self._once(passage.source),
            path=self._once(passage.path),
            title=self._once(passage.title),
            heading=self._once(passage.heading),
            body=self._once(passage.body),
            text_hash=self._once(passage.text_hash),
            url=None,
        )

    def _once(self, text: str) -> str:
        return self._words.setdefault(text, text)
