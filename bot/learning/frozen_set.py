"""The frozen set of questions: the example handbook that ships, and its questions with known quotes, in a
workspace of its own where nothing is ever learned.

Knows nothing about what is tried on it. Orders are tried without passages' best units: these would
have to be encoded each night.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bot.answering import ranking
from bot.answering.recall import Judgement, evidence
from bot.learning import calibration
from bot.learning.calibration import Sample
from bot.learning.replay import Replay, replay
from bot.services import Services
from bot.settings import ROOT
from evals import answers
from ingest.entries import SourceConfig
from ingest.run import ingest
from store.feedback.memory import NEAREST
from store.records import READER, Passage

HANDBOOK = ROOT / "evals" / "handbook"
QUESTIONS = ROOT / "evals" / "questions.jsonl"
DEPTH = 10
"""Passages that are looked at for the right one."""


@dataclass(frozen=True, slots=True)
class FrozenSet:
    """n questions with known quotes, their candidates, their (n, dims) vectors, and the workspace that they
    are asked in."""

    workspace: str
    rows: tuple[answers.Labelled, ...]
    replays: tuple[Replay, ...]
    vectors: NDArray[np.float32]

    def scores(self, weights: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
        """Give each answerable question's 1 / rank of the right passage, 0 where it is not in the first DEPTH.

        `weights` are (vector, lexical, title, memory). Memory is made of honest votes on the passage that
        each of the other questions would show first, and reaches down to the cosine `floor`.
        """
        memories = self._memories(weights[:3], floor) if weights[3] else [{}] * len(self.rows)
        asked = zip(self.rows, self.replays, memories, strict=True)
        return np.array(
            [
                _rank(row, _scored(row.question, again, weights, m))
                for row, again, m in asked
                if row.answerable
            ]
        )

    def _memories(self, order: NDArray[np.float64], floor: float) -> list[dict[str, float]]:
        """Give what the other questions' votes say for each question, by text."""
        rows, shown = [], []
        for row, again in zip(self.rows, self.replays, strict=True):
            first = again.passages[int((again.table @ order).argmax())]
            rows.append(float(_is_right(row, first)))
            shown.append(first.text_hash)
        cosines = self.vectors @ self.vectors.T
        return [
            evidence(
                (
                    Judgement(shown[j], float(cosines[i, j]), rows[j], 1 - rows[j])
                    for j in np.argsort(-cosines[i])[: NEAREST + 1]
                    if j != i
                ),
                floor,
            )
            for i in range(len(rows))
        ]

    def samples(self, services: Services) -> list[Sample]:
        """Ask every question, and measure the signals that confidence is made of."""
        answerer = calibration.outspoken(services, self.workspace)
        return calibration.samples(answerer, self.rows, _quietly)


def _quietly(name: str, done: int, total: int) -> None:
    """A night has nobody to show its progress to."""


def index(services: Services) -> str:
    """Index the handbook when it is new or changed; gives its workspace."""
    embedder = services.embedder
    workspace = f"frozen-{hashlib.sha256(embedder.name.encode()).hexdigest()[:12]}"
    config = SourceConfig("handbook", "folder", str(HANDBOOK))
    run = ingest(
        config,
        database=services.database,
        workspace=workspace,
        embedder=embedder,
        now=lambda: datetime.now(UTC),
        allow_removal=True,
    )
    if run.state != "done":
        raise RuntimeError(f"The evaluation handbook could not be indexed: {run.error}")
    return workspace


def load(services: Services) -> FrozenSet:
    """Index the handbook when it is new or changed, and search for every question."""
    workspace, embedder = index(services), services.embedder
    rows = answers.labelled(QUESTIONS)
    vectors = embedder.encode_questions([row.question for row in rows])
    with services.database.reading() as connection:
        replays = tuple(
            replay(connection, workspace, row.question, READER, vector.tolist())
            for row, vector in zip(rows, vectors, strict=True)
        )
    return FrozenSet(workspace, tuple(rows), replays, vectors)


def _scored(
    question: str, again: Replay, weights: NDArray[np.float64], memory: dict[str, float]
) -> list[Passage]:
    """Order the candidates as they are shown: the newer of two near-equals first."""
    said = [memory.get(passage.text_hash, 0.0) for passage in again.passages]
    scores = again.table @ weights[:3] + weights[3] * np.array(said)
    order = np.argsort(-scores, kind="stable")
    return ranking.arrange(
        [replace(again.passages[i], score=float(scores[i])) for i in order],
        DEPTH,
        question=question,
        liked=memory if weights[3] else (),
    )


def _rank(row: answers.Labelled, found: list[Passage]) -> float:
    return next((1 / n for n, p in enumerate(found, start=1) if _is_right(row, p)), 0.0)


def _is_right(row: answers.Labelled, passage: Passage) -> bool:
    is_page = answers.same_page(passage.path, row.path or "")
    return is_page and row.quote is not None and answers.holds(passage.body, row.quote)
