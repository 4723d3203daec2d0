"""Run the evaluations against a real store: retrieval data sets and questions with known quotes.

Knows nothing about metrics (evals/) or how tables are printed (the command line does that).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.answering.answerer import Answerer
from bot.answering.parameters import Learned
from bot.services import Services
from evals import answers, beir, ranking
from store.index import builds, documents, embedders, search
from store.records import EVERYONE, Answer, Chunk, Document, Viewer

LEGS: tuple[search.Leg, ...] = ("lexical", "vector", "hybrid")

DEPTH = 100
BATCH = 256
READER = Viewer((EVERYONE,))

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done and how much there is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One evaluated question: its truth, the answer, and which passage came first by one leg alone."""

    row: answers.Labelled
    answer: Answer


def retrieval(
    services: Services, folder: Path, split: str | None, progress: Progress
) -> dict[str, object]:
    """Index a BEIR data set in a workspace of its own (kept, so that a second run is quick) and score it."""
    data = beir.read(folder, split)
    embedder = services.embedder
    workspace = index(services, data, progress)
    rankings: dict[str, dict[str, list[str]]] = {leg: {} for leg in LEGS}
    questions = list(data.questions.items())
    vectors = embedder.encode([text for _, text in questions])
    weight = services.shelf.now().vector_weight
    for number, ((question_id, text), vector) in enumerate(zip(questions, vectors, strict=True)):
        with services.database.reading() as connection:
            plan = search.prepare(connection, workspace, text, READER)
            for leg in LEGS:
                found = search.passages(
                    connection, workspace, plan, vector, weight=weight, limit=DEPTH, leg=leg
                )
                rankings[leg][question_id] = [p.path for p in found if p.path != question_id]
        progress("questions", number + 1, len(questions))
    scores: dict[str, object] = {leg: ranking.scores(rankings[leg], data.qrels) for leg in LEGS}
    return {
        "queries": len(questions),
        "documents": len(data.pages),
        "split": data.split,
        "vector_weight": weight,
        **scores,
    }


def _workspace(data: beir.DataSet, encoder: str) -> str:
    digest = hashlib.sha256(encoder.encode())
    for page in data.pages:
        digest.update(f"{page.page_id}\0{page.title}\0{page.text}\0".encode())
    return f"eval-{digest.hexdigest()[:16]}"


def index(services: Services, data: beir.DataSet, progress: Progress) -> str:
    """Store each page as one chunk, a batch at a time; what is there from an earlier run is kept.

    Gives the workspace, which is the data set's own.
    """
    embedder = services.embedder
    workspace = _workspace(data, embedder.name)
    now = datetime.now(UTC)
    with services.database.connection() as connection:
        number = embedders.ensure_embedder(connection, workspace, embedder.name, embedder.dims)
    with services.database.connection() as connection:
        build = builds.choose(connection, workspace, "corpus", number, "whole", now)
        stored = documents.stored(connection, workspace, build.build_id)
    missing = [page for page in data.pages if page.page_id not in stored]
    for start in range(0, len(missing), BATCH):
        batch = [_document(page) for page in missing[start : start + BATCH]]
        vectors = embedder.encode([embedded(doc.title, doc.chunks[0].body) for doc in batch])
        with services.database.connection() as connection:
            documents.replace(connection, workspace, build, batch, list(vectors), now)
        progress("documents", start + len(batch), len(missing))
    return workspace


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


def labelled(path: Path) -> list[answers.Labelled]:
    """Read questions with known quotes; raise DataError naming what is missing."""
    rows = []
    for number, row in enumerate(beir.lines(path), start=1):
        try:
            rows.append(
                answers.Labelled(
                    question_id=str(row.get("id", number)),
                    question=str(row["question"]),
                    answerable=bool(row["answerable"]),
                    path=_text(row.get("path")),
                    quote=_text(row.get("quote")),
                    kind=str(row.get("kind", "")),
                )
            )
        except KeyError as error:
            raise beir.DataError(f"{path}, row {number} has no {error.args[0]!r}.") from error
    return rows


def ask_all(
    answerer: Answerer, rows: Sequence[answers.Labelled], progress: Progress
) -> list[Asked]:
    """Ask every question through the pipeline, as a reader who may see what everyone may."""
    asked = []
    for number, row in enumerate(rows, start=1):
        asked.append(Asked(row, answerer.answer(row.question, READER)))
        progress("questions", number, len(rows))
    return asked


def outcome(answer: Answer, confidence: float | None = None) -> answers.Outcome:
    """Reduce an answer to what is scored."""
    return answers.Outcome(
        confidence=answer.confidence if confidence is None else confidence,
        refused=answer.status not in ("answered", "unsure"),
        pages=tuple(dict.fromkeys(p.path for p in answer.passages)),
        quotes=tuple(p.body for p in answer.passages),
    )


def one_leg(
    answerer: Answerer, learned: Learned, rows: Sequence[answers.Labelled], leg: search.Leg
) -> list[answers.Outcome]:
    """Show what one leg alone would put first (it has no confidence and refuses nothing)."""
    outcomes = []
    for row in rows:
        found = answerer.find(row.question, READER, learned, leg=leg).passages
        outcomes.append(
            answers.Outcome(
                confidence=found[0].score if found else 0.0,
                refused=not found,
                pages=tuple(dict.fromkeys(p.path for p in found)),
                quotes=tuple(p.body for p in found),
            )
        )
    return outcomes


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def answered(
    answerer: Answerer, learned: Learned, rows: Sequence[answers.Labelled], progress: Progress
) -> dict[str, object]:
    """Ask all questions over what is ingested; score them beside each leg alone."""
    asked = ask_all(answerer, rows, progress)
    outcomes = [outcome(one.answer) for one in asked]
    result = answers.score(rows, outcomes)
    for leg in ("vector", "lexical"):
        alone = one_leg(answerer, learned, rows, leg)
        result[f"{leg}_only"] = {
            key: answers.score(rows, alone)[key]
            for key in ("quote_first", "page_first", "page_top5")
        }
    result["by_kind"] = answers.by_kind(rows, outcomes)
    times = sorted(one.answer.timings_ms.get("total", 0.0) for one in asked)
    result["ms"] = {"p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)]}
    return result
