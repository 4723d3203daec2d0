"""Run a retrieval data set against a real store: each leg of the search alone, and both.

Knows nothing about how measures are worked out (evals/) or how tables are printed (the command line does that).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.learning.calibration import Progress
from bot.services import Services
from evals import beir, ranking
from ingest.embedder import Embedder
from store.database import Database
from store.index import builds, documents, embedders, search
from store.records import EVERYONE, READER, Chunk, Document

LEGS: tuple[search.Leg, ...] = ("lexical", "vector", "hybrid")

DEPTH = 100
BATCH = 256


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A data set's measures (nDCG@10, recall@5, @10, @100, MRR@10) for each leg of the search."""

    queries: int
    documents: int
    split: str
    vector_weight: float  # the vectors' share in the hybrid leg
    legs: Mapping[str, Mapping[str, float]]

    def as_json(self) -> dict[str, object]:
        """Give each leg under its own name."""
        return {
            "queries": self.queries,
            "documents": self.documents,
            "split": self.split,
            "vector_weight": self.vector_weight,
            **self.legs,
        }


def score(services: Services, folder: Path, split: str | None, progress: Progress) -> Scorecard:
    """Index a BEIR data set in a workspace of its own (kept, so that a second run is quick) and score it."""
    data = beir.read(folder, split)
    embedder = services.embedder
    workspace = index(services, data, progress)
    rankings: dict[str, dict[str, list[str]]] = {leg: {} for leg in LEGS}
    questions = list(data.questions.items())
    vectors = embedder.encode_questions([text for _, text in questions])
    weight = services.serving.now().vector_weight
    for number, ((question_id, text), vector) in enumerate(zip(questions, vectors, strict=True)):
        with services.database.reading() as connection:
            plan = search.prepare(connection, workspace, text, READER)
            for leg in LEGS:
                found = search.passages(
                    connection, workspace, plan, vector, weight=weight, limit=DEPTH, leg=leg
                )
                rankings[leg][question_id] = [p.path for p in found if p.path != question_id]
        progress("questions", number + 1, len(questions))
    return Scorecard(
        queries=len(questions),
        documents=len(data.pages),
        split=data.split,
        vector_weight=weight,
        legs={leg: ranking.scores(rankings[leg], data.qrels) for leg in LEGS},
    )


def _workspace(data: beir.DataSet, encoder: str) -> str:
    digest = hashlib.sha256(encoder.encode())
    for page in data.pages:
        digest.update(f"{page.page_id}\0{page.title}\0{page.text}\0".encode())
    return f"eval-{digest.hexdigest()[:16]}"


def index(services: Services, data: beir.DataSet, progress: Progress) -> str:
    """Store each page as one chunk; gives the workspace, which is the data set's own."""
    workspace = _workspace(data, services.embedder.name)
    store_pages(services.database, workspace, "corpus", data.pages, services.embedder, progress)
    return workspace


def store_pages(
    database: Database,
    workspace: str,
    source: str,
    pages: Sequence[beir.Page],
    embedder: Embedder,
    progress: Progress,
) -> None:
    """Store each page as one chunk, a batch at a time; what is there from an earlier run is kept."""
    now = datetime.now(UTC)
    with database.connection() as connection:
        number = embedders.ensure_embedder(connection, workspace, embedder.name, embedder.dims)
    with database.connection() as connection:
        build = builds.choose(connection, workspace, source, number, "whole", now)
        stored = documents.stored(connection, workspace, build.build_id)
    missing = [page for page in pages if page.page_id not in stored]
    for start in range(0, len(missing), BATCH):
        batch = [_document(page) for page in missing[start : start + BATCH]]
        vectors = embedder.encode([embedded(doc.title, doc.chunks[0].body) for doc in batch])
        with database.connection() as connection:
            documents.replace(connection, workspace, build, batch, list(vectors), now)
        progress(f"documents of {source}", start + len(batch), len(missing))


def embedded(title: str, body: str) -> str:
    """Write a whole page as it is embedded."""
    return f"{title}\n\n{body}" if title else body


def _document(page: beir.Page) -> Document:
    body = page.text or page.title
    digest = hashlib.sha256(embedded(page.title, body).encode()).digest()
    chunk = Chunk(position=0, heading=page.title, body=body, text_hash=digest)
    return Document(
        path=page.page_id,
        version=digest.hex(),
        content_hash=digest,
        title=page.title,
        url=None,
        updated_at=None,
        audience=(EVERYONE,),
        chunks=(chunk,),
    )
