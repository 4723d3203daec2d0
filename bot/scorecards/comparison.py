"""Try a model by name beside what serves, on questions of the team's own: is it better, and what does it cost?

Knows nothing about how tables are printed. Nothing is stored: passages are encoded for this alone.
"""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from bot import embedding
from bot.answering.parameters import Parameters
from bot.answering.rescoring import CANDIDATES, Rescorer, added
from bot.answering.retrieval import Retriever
from bot.learning.calibration import Progress
from bot.services import Services
from evals import answers, beir, ranking
from evals.answers import Labelled
from ingest.splitting.chunks import embedded
from store.database import Connection
from store.index.search import Terms
from store.records import READER, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.embedder import Embedder

DEPTHS = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class Tried:
    """One way of ordering passages: shares of 0 to 1 with the page, or the fact, among the first so many.

    `seconds` are the middle one of the questions'; `peak_mb` is the most memory of this process so far, so a
    later row's is no less than an earlier one's.
    """

    name: str
    page: Mapping[int, float]
    fact: Mapping[int, float]
    ndcg: float  # of pages, in the first ten passages
    seconds: float
    peak_mb: int

    def as_json(self) -> dict[str, object]:
        """Give each measure under a name of its own."""
        return {
            "name": self.name,
            **{f"page@{k}": value for k, value in self.page.items()},
            **{f"fact@{k}": value for k, value in self.fact.items()},
            "ndcg@10": self.ndcg,
            "seconds": self.seconds,
            "peak_mb": self.peak_mb,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What serves and what was tried, on the same questions; an encoder's passages and their speed beside."""

    questions: int
    rows: tuple[Tried, ...]
    encoded: int = 0
    encoded_per_second: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Give it as one object."""
        return {**asdict(self), "rows": [row.as_json() for row in self.rows]}


class Trial(Rescorer):
    """An encoder whose vectors are made when they are needed; `alone`, or with its cosines added."""

    def __init__(self, encoder: "Embedder", known: "dict[str, NDArray[np.float32]]") -> None:
        super().__init__()
        self.encoder, self.known, self.is_alone, self.spent = encoder, known, False, 0.0

    def candidates(self, usual: int) -> int:
        return CANDIDATES

    def encoded(self, question: str) -> list[float]:
        numbers: list[float] = self.encoder.encode_questions([question])[0].tolist()
        return numbers

    def beside(
        self,
        connection: Connection,
        workspace: str,
        passages: Sequence[Passage],
        vector: Sequence[float],
        terms: Terms,
        weight: float,
    ) -> list[Passage]:
        """Score by this encoder alone, or fuse with both."""
        if not passages:
            return []
        self._encode([p for p in passages if p.text_hash not in self.known])
        cosines = {p.text_hash: float(self.known[p.text_hash] @ vector) for p in passages}
        if self.is_alone:
            return added([replace(p, vector=0.0) for p in passages], cosines, terms, 1.0)
        return added(passages, cosines, terms, weight)

    def _encode(self, passages: Sequence[Passage]) -> None:
        started = time.perf_counter()
        new = {p.text_hash: embedded(p.title, p.heading, p.body) for p in passages}
        self.known.update(zip(new, self.encoder.encode(list(new.values())), strict=True))
        self.spent += time.perf_counter() - started


def compare(
    services: Services, name: str, rows: Sequence[Labelled], progress: Progress
) -> Comparison:
    """Ask the answerable questions of what serves, and then with the model of that name or folder.

    Raises models.files.ModelError where there is no such model, beir.DataError where no question can be scored.
    """
    from models.reranker import Reranker  # with numpy

    rows = [row for row in rows if row.answerable and row.path]
    if not rows:
        raise beir.DataError(
            'No question is answerable and has a "path", so there is nothing to score.'
        )
    serving = services.answerer.retriever
    parameters = services.serving.now()
    if not any(_found(serving, row, parameters) for row in rows[:3]):
        raise beir.DataError("Nothing was found: is anything ingested? See threadwise sources.")
    tried = [_try("what serves", serving, rows, parameters, progress)]
    model = embedding.any_model(services.settings, name)
    parts = services.database, services.workspace, services.embedder
    if isinstance(model, Reranker):
        read = Retriever(*parts, Rescorer(None, model))
        tried.append(_try(f"then {model.name}", read, rows, parameters, progress))
        return Comparison(len(rows), tuple(tried))
    trial = Trial(model, {})
    both = _try(f"with {model.name}", Retriever(*parts, trial), rows, parameters, progress, trial)
    speed = len(trial.known) / trial.spent if trial.spent else 0.0
    trial.is_alone = True
    alone = _try(f"{model.name} alone", Retriever(*parts, trial), rows, parameters, progress, trial)
    return Comparison(len(rows), (*tried, both, alone), len(trial.known), round(speed, 2))


def _found(retriever: Retriever, row: Labelled, parameters: Parameters) -> list[Passage]:
    return list(retriever.find(row.question, READER, parameters).passages)


def _try(
    name: str,
    retriever: Retriever,
    rows: Sequence[Labelled],
    parameters: Parameters,
    progress: Progress,
    trial: Trial | None = None,
) -> Tried:
    found, seconds = [], []
    for number, row in enumerate(rows, start=1):
        before, started = trial.spent if trial else 0.0, time.perf_counter()
        found.append(_found(retriever, row, parameters))
        # Passages are encoded at ingestion, so that is not the question's time.
        spent = trial.spent - before if trial else 0.0
        seconds.append(time.perf_counter() - started - spent)
        progress(name, number, len(rows))
    pairs = list(zip(rows, found, strict=True))
    return Tried(
        name,
        {k: _share(pairs, k, _is_page) for k in DEPTHS},
        {k: _share(pairs, k, _is_fact) for k in DEPTHS},
        round(sum(_ndcg(row, passages) for row, passages in pairs) / len(pairs), 4),
        round(sorted(seconds)[len(seconds) // 2], 4),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


Pairs = Sequence[tuple[Labelled, Sequence[Passage]]]


def _share(pairs: Pairs, depth: int, is_right: Callable[[Labelled, Passage], bool]) -> float:
    hits = sum(any(is_right(row, p) for p in passages[:depth]) for row, passages in pairs)
    return round(hits / len(pairs), 4)


def _is_page(row: Labelled, passage: Passage) -> bool:
    return any(answers.same_page(passage.path, page) for page in row.pages)


def _is_fact(row: Labelled, passage: Passage) -> bool:
    return answers.tells(row, passage.path, passage.body)


def _ndcg(row: Labelled, passages: Sequence[Passage]) -> float:
    """Score the order of pages: each counts where its first passage stands."""
    order = list(dict.fromkeys(_page(row, p) for p in passages))
    return ranking.ndcg(order, dict.fromkeys(row.pages, 1), 10)


def _page(row: Labelled, passage: Passage) -> str:
    """Name a passage's page as the question does."""
    return next((page for page in row.pages if answers.same_page(passage.path, page)), passage.path)
