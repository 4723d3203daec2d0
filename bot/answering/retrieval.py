"""Find passages for a question, and put them in the order in which they count.

Knows nothing about whether they answer it. What people judged of similar questions is looked up in the
same search, since it moves passages as their scores do.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.answering import ranking, recall
from bot.answering.parameters import Parameters
from store.database import Database
from store.feedback import memory
from store.index import search
from store.index.embedders import embedder_id
from store.records import Passage, Viewer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.embedder import Embedder

CANDIDATES = 30
"""Fused passages that are looked at before near-duplicates are collapsed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one search gave: at most ten passages, best first, with all that the confidence rests on.

    `vector` is the question's; `speaks` says, by text hash, what votes on similar questions say for a
    text (0..1); `timings` are milliseconds.
    """

    question: str
    passages: list[Passage]
    terms: search.Terms
    vector: list[float]
    speaks: Mapping[str, float] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)


class Retriever:
    """Searches one workspace; shared by the worker's threads."""

    def __init__(self, database: Database, workspace: str, embedder: "Embedder") -> None:
        self._database = database
        self._workspace = workspace
        self._embedder = embedder

    def find(
        self,
        question: str,
        viewer: Viewer,
        parameters: Parameters,
        *,
        sources: Sequence[str] | None = None,
        leg: search.Leg = "hybrid",
        vector: "NDArray[np.float32] | None" = None,
    ) -> Found:
        """Search for one question in three or four round trips; `vector` is the question's, where it is known.

        One `leg` alone is for measuring: neither titles nor memory count in it.
        """
        started = time.perf_counter()
        vector = self._embedder.encode([question])[0] if vector is None else vector
        encoded = time.perf_counter()
        numbers = vector.tolist()
        with self._database.snapshot() as connection:
            plan = search.prepare(connection, self._workspace, question, viewer, sources)
            leg = plan.leg(leg, embedder_id(self._embedder.name))
            rows = search.passages(
                connection,
                self._workspace,
                plan,
                numbers,
                weight=parameters.vector_weight,
                limit=CANDIDATES,
                leg=leg,
            )
            near = []
            if plan.scope and leg == "hybrid" and parameters.recall.weight:
                near = memory.near(
                    connection, self._workspace, plan.scope, numbers, parameters.recall.floor
                )
        if leg == "hybrid":
            rows = ranking.prefer_titles(rows, plan.terms, parameters.title_weight)
        speaks = recall.evidence(recall.judgements(near), parameters.recall.floor)
        rows = recall.rescore(rows, near, speaks, parameters.recall)
        rows = ranking.prefer_sources(rows, parameters.sources)
        if leg == "hybrid":
            rows = ranking.prefer_codes(rows, plan.terms.codes)
        timings = {
            "encode": (encoded - started) * 1000,
            "search": (time.perf_counter() - encoded) * 1000,
        }
        kept = ranking.arrange(rows, question=question, alike=self._alike, liked=speaks)
        return Found(question, kept, plan.terms, numbers, speaks, timings)

    def _alike(self, first: Passage, others: Sequence[Passage]) -> Mapping[int, float]:
        """Measure against what is first now, which may be another passage than the search put first."""
        chunks = [p.chunk_id for p in others]
        with self._database.reading() as connection:
            return search.likeness(connection, self._workspace, first.chunk_id, chunks)
