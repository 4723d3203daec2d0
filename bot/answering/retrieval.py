"""Find passages for a question, and put them in the order in which they count.

Knows nothing about whether they answer it. What people judged of similar questions is looked up in the
same search, since it moves passages as their scores do.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.answering import evidence, ranking, reading, recall
from bot.answering.parameters import Parameters
from bot.answering.reading import Reading
from bot.answering.remembering import Remembering
from bot.answering.rescoring import Rescorer
from store.database import Database
from store.feedback import memory
from store.index import search
from store.index.embedders import embedder_id
from store.records import Passage, Viewer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.embedder import Embedder
    from models.reader.reader import Reader

CANDIDATES = 30
"""Fused passages that are looked at before near-duplicates are collapsed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one search gave: at most ten passages, best first, with all that the confidence rests on.

    `vector` is the question's; `speaks` says, by text hash, what votes on similar questions say for a
    text (0..1), `units` how near the best unit of a passage is (cosine by chunk id), and `read` what a reader says of
    the best of them; `timings` are milliseconds.
    """

    question: str
    passages: list[Passage]
    terms: search.Terms
    vector: list[float]
    speaks: Mapping[str, float] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    units: Mapping[int, float] = field(default_factory=dict)
    read: Reading = field(default_factory=Reading)


class Retriever:
    """Searches one workspace; shared by the worker's threads."""

    def __init__(
        self,
        database: Database,
        workspace: str,
        embedder: "Embedder",
        rescorer: Rescorer | None = None,
        reader: "Reader | None" = None,
    ) -> None:
        """`rescorer` looks again at what the search finds, and `reader` reads the best of it; nothing does without one."""
        self._database = database
        self._workspace = workspace
        self._embedder = embedder
        self.rescorer = rescorer or Rescorer()
        self.reader = reader
        self.encode = Remembering(embedder.encode)
        """Encodes units of passages, each once."""

    def find(
        self,
        question: str,
        viewer: Viewer,
        parameters: Parameters,
        *,
        sources: Sequence[str] | None = None,
        leg: search.Leg = "hybrid",
        vector: "NDArray[np.float32] | None" = None,
        earlier: Sequence[str] = (),
        whole: str = "",
    ) -> Found:
        """Search for one question; `vector` is the question's, where it is known.

        A search takes two to four round trips to the database, and ordering at most one more. With the
        messages `earlier` it is searched for alone and joined to them, and both scores count alike; where it is
        known what it is as a `whole` question with them, that stands for the joined ones.
        One `leg` alone is for measuring: neither titles, memory nor units count in it.
        """
        started = time.perf_counter()
        vector = self._embedder.encode_questions([question])[0] if vector is None else vector
        joined = whole or " ".join([*earlier, question])
        leant = self._embedder.encode_questions([joined])[0] if earlier else vector
        encoded = (time.perf_counter() - started) * 1000
        found = self._search(question, viewer, parameters, sources, leg, vector)
        if earlier:
            found = _fused(found, self._search(joined, viewer, parameters, sources, leg, leant))
            # What is marked is to say what was asked last.
            both = vector + leant
            found = replace(found, vector=(both / max(float(both @ both) ** 0.5, 1e-9)).tolist())
        found = replace(found, timings={"encode": encoded, **found.timings})
        asked, speaks, rows = found.question, found.speaks, found.passages
        started, units, read = time.perf_counter(), dict[int, float](), Reading()
        if leg == "hybrid":
            units = evidence.best_units(rows, asked, found.vector, self.encode)
            rows = evidence.weighed(rows, units, speaks)
            rows = self.rescorer.reranked(asked, rows)
            read = reading.read(self.reader, asked, rows[: reading.PASSAGES])
            rows = read.ordered(rows)
            rows = ranking.prefer_codes(rows, found.terms.codes)
            rows = ranking.prefer_sections(rows, question)
        kept = ranking.arrange(rows, question=asked, alike=self._alike, liked=speaks)
        timings = {**found.timings, "order": (time.perf_counter() - started) * 1000}
        return replace(found, passages=kept, units=units, read=read, timings=timings)

    def _search(
        self,
        question: str,
        viewer: Viewer,
        parameters: Parameters,
        sources: Sequence[str] | None,
        leg: search.Leg,
        vector: "NDArray[np.float32]",
    ) -> Found:
        """Search once; the passages are scored, not yet arranged."""
        started = time.perf_counter()
        numbers = vector.tolist()
        other = self.rescorer.encoded(question) if leg == "hybrid" else []
        with self._database.snapshot() as connection:
            plan = search.prepare(connection, self._workspace, question, viewer, sources)
            leg = plan.leg(leg, embedder_id(self._embedder.name))
            rows = search.passages(
                connection,
                self._workspace,
                plan,
                numbers,
                weight=parameters.vector_weight,
                limit=self.rescorer.candidates(CANDIDATES),
                leg=leg,
            )
            if other and leg == "hybrid":
                rows = self.rescorer.beside(
                    connection, self._workspace, rows, other, plan.terms, parameters.vector_weight
                )[:CANDIDATES]
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
        timings = {"search": (time.perf_counter() - started) * 1000}
        return Found(question, rows, plan.terms, numbers, speaks, timings)

    def _alike(self, first: Passage, others: Sequence[Passage]) -> Mapping[int, float]:
        """Measure against what is first now, which may be another passage than the search put first."""
        chunks = [p.chunk_id for p in others]
        with self._database.reading() as connection:
            return search.likeness(connection, self._workspace, first.chunk_id, chunks)


def _fused(alone: Found, joined: Found) -> Found:
    """Add up what two searches say of each passage; one that a search did not give has its lowest score.

    Its cosine and its share of the terms are those of the search that it fits better.
    """
    both = (alone, joined)
    floors = [min((p.score for p in each.passages), default=0.0) for each in both]
    rows = [{p.chunk_id: p for p in each.passages} for each in both]
    passages = []
    for chunk_id, passage in (rows[0] | rows[1]).items():
        found = [each.get(chunk_id) for each in rows]
        scores = [p.score if p else floor for p, floor in zip(found, floors, strict=True)]
        cosines = [p.vector for p in found if p and p.vector is not None]
        shares = [
            p.lexical / each.terms.ceiling
            for p, each in zip(found, both, strict=True)
            if p and p.lexical is not None
        ]
        fused = replace(
            passage,
            score=sum(scores) / 2,
            vector=max(cosines, default=None),
            lexical=max(shares) * joined.terms.ceiling if shares else None,
        )
        passages.append(fused)
    timings = {k: v + joined.timings.get(k, 0.0) for k, v in alone.timings.items()}
    return replace(
        joined,
        passages=sorted(passages, key=lambda p: -p.score),
        speaks={**alone.speaks, **joined.speaks},
        timings=timings,
    )
