"""Ask the questions of several corpora, each in a workspace of its own and all of them together.

Knows nothing about measures or about how sure an answer has to be: every reply is given.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.answering.answerer import Answerer
from bot.answering.request import Request
from bot.learning import calibration
from bot.learning.calibration import Progress
from bot.scorecards import retrieval
from bot.services import Services
from evals import answers, beir, corpora
from evals.answers import Labelled
from evals.corpora import Corpus
from evals.messages import Reply
from ingest.embedder import Embedder, Wrapped
from ingest.entries import SourceConfig
from ingest.run import ingest
from store.records import READER, Answer

TOGETHER = "together"
"""The name of all corpora in one workspace."""

FOREIGN = 40
"""Questions of other corpora that each corpus is asked, for fitting alone: nothing answers them."""

SHARED = 100
"""Questions of each corpus that are asked again where all corpora are together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the corpora that it has to do with (where it was asked first), and what it got."""

    row: Labelled
    corpora: tuple[str, ...]
    signals: Mapping[str, float]
    reply: Reply

    @property
    def home(self) -> str:
        """The corpus that the question belongs to."""
        return self.corpora[-1]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was asked: `scored` is reported on, `further` only fitted to (hidden pages, strangers' questions)."""

    scored: Mapping[str, Sequence[Asked]]
    further: Sequence[Asked]
    only_reported: frozenset[str] = (
        frozenset()
    )  # corpora of lone passages: no page stands around them


def gather(
    services: Services, given: Sequence[Corpus], progress: Progress, *, together: bool = True
) -> Evidence:
    """Index every corpus, and all of them together, and ask all questions."""
    embedder = _remembering(services.embedder)
    scored, further = dict[str, list[Asked]](), list[Asked]()
    for corpus in given:
        answerer = open_answerer(services, [corpus], embedder, progress)
        scored[corpus.name] = _ask(answerer, corpus, corpus.name, progress)
        further += _hidden(answerer, corpus, corpus.name, progress)
        strangers = [other for other in given if other.name != corpus.name]
        further += _foreign(answerer, strangers, corpus.name, progress)
    if together and len(given) > 1:
        answerer = open_answerer(services, given, embedder, progress)
        parts = [corpora.drawn(corpus, SHARED) for corpus in given]
        scored[TOGETHER] = [
            asked for part in parts for asked in _ask(answerer, part, TOGETHER, progress)
        ]
    lone = frozenset(corpus.name for corpus in given if corpus.folder is None)
    return Evidence(scored, further, lone)


def _remembering(embedder: Embedder) -> Wrapped:
    """Encode every text once: all corpora together are made of the same texts."""
    known: dict[str, NDArray[np.float32]] = {}

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, embedder.encode(new), strict=True))
        return np.stack([known[text] for text in texts]) if texts else embedder.encode(texts)

    return Wrapped(embedder, encode)


def open_answerer(
    services: Services, given: Sequence[Corpus], embedder: Embedder, progress: Progress
) -> Answerer:
    """Index corpora in one workspace, a source each, and give what answers there without ever refusing."""
    places = "\0".join([embedder.name, *sorted(f"{c.name} {_identity(c)}" for c in given)])
    workspace = f"eval-{hashlib.sha256(places.encode()).hexdigest()[:16]}"
    for corpus in given:
        if corpus.folder is None:
            retrieval.store_pages(
                services.database, workspace, corpus.name, corpus.pages, embedder, progress
            )
        else:
            _ingest(services, workspace, corpus.name, corpus.folder, embedder, progress)
    return calibration.outspoken(services, workspace)


def _identity(corpus: Corpus) -> str:
    """Name what is indexed: a folder by its place (its changes are followed), pages by their content."""
    if corpus.folder is not None:
        return str(corpus.folder.resolve())
    digest = hashlib.sha256()
    for page in corpus.pages:
        digest.update(f"{page.page_id}\0{page.title}\0{page.text}\0".encode())
    return digest.hexdigest()


def _ingest(
    services: Services,
    workspace: str,
    name: str,
    folder: Path,
    embedder: Embedder,
    progress: Progress,
) -> None:
    run = ingest(
        SourceConfig(name, "folder", str(folder)),
        database=services.database,
        workspace=workspace,
        embedder=embedder,
        now=lambda: datetime.now(UTC),
        allow_removal=True,
        on_progress=lambda run: progress(f"documents of {name}", run.seen, run.total),
    )
    if run.state != "done":
        raise beir.DataError(f"{folder} could not be indexed: {run.error}")


def _ask(answerer: Answerer, corpus: Corpus, index: str, progress: Progress) -> list[Asked]:
    """Ask a corpus' questions; those whose pages are hidden get the reply that is left."""
    asked = []
    for number, row in enumerate(corpus.rows, start=1):
        if row.question_id in corpus.hidden:
            asked.append(_without(answerer, row, (index, corpus.name)))
        else:
            answer = answerer.answer(Request(row.question, READER))
            names = (index, corpus.name)
            asked.append(Asked(row, names, answer.signals, _reply(row, answer)))
        progress(f"questions of {corpus.name} ({index})", number, len(corpus.rows))
    return asked


def _hidden(answerer: Answerer, corpus: Corpus, index: str, progress: Progress) -> list[Asked]:
    """Ask the answerable questions again with the pages of their fact hidden."""
    rows = [r for r in corpus.rows if r.answerable and r.question_id not in corpus.hidden]
    found = []
    for number, row in enumerate(rows, start=1):
        found.append(_without(answerer, row, (index, corpus.name)))
        progress(f"hidden pages of {corpus.name}", number, len(rows))
    return found


def _without(answerer: Answerer, row: Labelled, names: tuple[str, ...]) -> Asked:
    return _unanswerable(row, calibration.without_fact(answerer, row), names)


def _foreign(
    answerer: Answerer, strangers: Sequence[Corpus], index: str, progress: Progress
) -> list[Asked]:
    """Ask questions of other corpora, which nothing here answers."""
    found, each = [], -(-FOREIGN // max(len(strangers), 1))
    for corpus in strangers:
        for row in corpora.drawn(corpus, each).rows:
            nowhere = replace(row, path=None, quote=None, alt_paths=(), any_of=())
            signals = calibration.without_fact(answerer, nowhere)
            found.append(_unanswerable(nowhere, signals, (index, corpus.name)))
        progress(f"strangers' questions to {index}", len(found), each * len(strangers))
    return found


def _unanswerable(row: Labelled, signals: Mapping[str, float], names: tuple[str, ...]) -> Asked:
    return Asked(
        replace(row, answerable=False), names, signals, Reply(False, 0.0, False, None, False)
    )


def _reply(row: Labelled, answer: Answer) -> Reply:
    """Look for the fact in what was found, in what the message shows, and in what is marked there."""
    ranks = (
        rank
        for rank, passage in enumerate(answer.passages, start=1)
        if answers.tells(row, passage.path, passage.body)
    )
    holding = [part for part in answer.shown if answers.tells(row, part.path, part.text)]
    could_hold, is_marked = bool(holding), None
    if holding and (row.quote or row.any_of):
        parts = [(part.path, mark) for part in answer.shown for mark in part.marked]
        told = {page for page, mark in parts if answers.marks(row, page, mark)}
        is_marked = holding[0].path in told
    return Reply(row.answerable, answer.confidence, False, next(ranks, None), could_hold, is_marked)
