"""What the processes work with, opened once: settings, database, queue, and the models when asked for.

Knows nothing about Slack or the command line.
"""

import functools
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from bot import embedding
from bot.answering import classifier
from bot.answering.answerer import Answerer
from bot.answering.cache import Cache
from bot.answering.classifier import Classify, ServingClassifier
from bot.answering.lifecycle import Answers
from bot.answering.parameters import Serving
from bot.answering.policy import Policy
from bot.answering.request import Request
from bot.answering.rescoring import Rescorer, Second
from bot.intents import IntentFile
from bot.settings import Settings
from store import workspaces
from store.database import Database, check_url
from store.feedback import phrasing, versions
from store.index import embedders
from store.migrate import migrate
from store.queue import Queue
from store.records import Answer, Ask, ModelVersion, Rewriting
from store.server import embedded

if TYPE_CHECKING:
    from bot.phrasing.client import Llm
    from bot.phrasing.phrasing import Phraser
    from bot.phrasing.rewriting import Rewriter
    from models.embedder import Embedder  # it would import numpy
    from models.reader.reader import Reader

log = logging.getLogger(__name__)


class Services:
    """The parts that a process shares between its threads; models are loaded at first use."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        server: embedded.Server | None,
        *,
        embedder: "Embedder | None" = None,
        second: "Embedder | None" = None,
        answer: Answers | None = None,
    ) -> None:
        """Where they are given, `embedder` and `second` are used instead of those of the settings, and
        `answer` instead of an answerer made of these parts."""
        self.settings = settings
        self.database = database
        self.server = server
        self.queue = Queue(database.url)
        self._given = embedder
        self._given_second = second
        self._answer = answer
        self._loading = Lock()
        self._answering = Lock()
        self._answerers: dict[tuple[str, str], Answerer] = {}

    @property
    def workspace(self) -> str:
        """The Slack team's id once connected, `local` before."""
        with self.database.connection() as connection:
            return workspaces.current(connection)

    @cached_property
    def embedder(self) -> "Embedder":
        """The embedder of the settings; loading it takes seconds and, with torch, about 600 MB."""
        with self._loading:
            return self._given or embedding.configured(self.settings)

    @property
    def wants_second(self) -> bool:
        """Whether there should be a second encoder; tells it without loading one."""
        return self._given_second is not None or embedding.wants_second(self.settings)

    @cached_property
    def second(self) -> "Embedder | None":
        """The encoder beside the first, where the settings name one or a profile brings one."""
        with self._loading:
            return self._given_second or embedding.second(self.settings)

    @cached_property
    def rescorer(self) -> Rescorer:
        """What looks again at what a search finds: the second encoder and the reranker, if there are any."""
        second = self.second
        beside = None if second is None else Second(second.name, functools.partial(_vector, second))
        with self._loading:
            return Rescorer(beside, embedding.reranker(self.settings))

    @cached_property
    def reader(self) -> "Reader | None":
        """The reader of the settings, None where there is none; raises models.files.ModelError."""
        return embedding.reader(self.settings)

    @cached_property
    def serving(self) -> Serving:
        """Gives the parameters that serve; thresholds of the settings come before learned ones."""
        thresholds = {
            "answer_above": self.settings.answer_above,
            "unsure_above": self.settings.unsure_above,
        }
        return Serving(
            self.database,
            self.workspace,
            fixed={name: value for name, value in thresholds.items() if value is not None},
            remembers=self.settings.learn_at != "off",
        )

    @cached_property
    def intents(self) -> IntentFile:
        """The intents of the configured file, read again when it changes."""
        return IntentFile(self.settings.intents)

    @cached_property
    def policy(self) -> Policy:
        """Decides what is done with a message, by the classifier that serves (loaded here)."""
        serving = ServingClassifier(
            lambda: self.serving.now().versions.get(classifier.KIND),
            self._earlier_classifiers,
            self._load_classifier,
            lambda: classifier.untrained(self.intents.now(), self.embedder),
        )
        serving.now()
        return Policy(self.intents.now, serving.now)

    def _load_classifier(self, version: ModelVersion) -> Classify:
        folder = classifier.root(self.settings.home) / (version.path or "")
        return classifier.load(folder, self.embedder, self.settings)

    def _earlier_classifiers(self) -> list[ModelVersion]:
        """List those that served before, the last one first."""
        with self.database.connection() as connection:
            found = versions.all_of(connection, self.workspace, classifier.KIND)
        served = [(v.promoted_at, v) for v in found if v.promoted_at and not v.is_serving]
        return [version for _, version in sorted(served, key=lambda pair: pair[0], reverse=True)]

    def answer(self, request: Request) -> Answer:
        """Answer one message, by what was found before where it can; the first one waits for the models."""
        if self._answer:
            return self._answer(request)
        answerer = self.answerer
        if self.settings.cache == "off":
            return answerer.answer(request)
        return Cache(self.database, answerer.workspace, answerer).answer(request)

    @cached_property
    def llm(self) -> "Llm | None":
        """The LLM of the settings; None where there is none."""
        settings = self.settings
        if settings.llm_url is None or settings.llm_model is None:
            return None
        from bot.phrasing.client import Llm

        return Llm(settings.llm_url, settings.llm_model, settings.llm_key)

    @cached_property
    def phraser(self) -> "Phraser | None":
        """Phrases answers by the LLM, where there is one."""
        if self.llm is None:
            return None
        from bot.phrasing.phrasing import Phraser

        return Phraser(
            self.llm,
            seconds=self.settings.llm_timeout,
            is_on=self._phrases,
            channels=self.settings.llm_channels,
            supports=self._supports,
            quoted_share=self.settings.llm_quoted_share,
        )

    @cached_property
    def rewriter(self) -> "Rewriter | None":
        """Rewrites follow-ups by the LLM, where there is one; it may take half of the time, phrasing has the rest."""
        if self.llm is None:
            return None
        from bot.phrasing.rewriting import Rewriter

        return Rewriter(
            self.llm,
            seconds=self.settings.llm_timeout / 2,
            is_on=self._phrases,
            channels=self.settings.llm_channels,
        )

    def phrase(self, ask: Ask, answer: Answer) -> Answer:
        """Let the LLM phrase an answer to a message (bot.answering.lifecycle.Phrase)."""
        if self.phraser is None:
            return answer
        named = f"{ask.workspace}/{ask.channel}/{ask.message_ts}"  # unique, and the same when tried again
        return self.phraser.phrased(ask.channel, answer, named)

    def title(self, questions: Sequence[str]) -> str | None:
        """Give a title for questions that ask about the same; None without an LLM, or where it has none."""
        from bot.phrasing import wording

        return wording.title(self.llm, questions) if self.llm else None

    def _rewrite(self, request: Request, earlier: Sequence[str]) -> Rewriting | None:
        return self.rewriter.rewritten(request, earlier) if self.rewriter else None

    def _supports(self, sentence: str, quotes: Sequence[str]) -> bool:
        """Whether the checker takes a sentence for said; it was fitted to the packaged encoder alone."""
        from models.checker import checker
        from models.embedder import PACKAGED_NAME

        if not self.embedder.name.startswith(PACKAGED_NAME):
            return True
        return checker.load().supports(sentence, quotes, self.embedder.encode)

    def _phrases(self) -> bool:
        with self.database.reading() as connection:
            return phrasing.switch(connection, workspaces.current(connection)).is_on

    def load(self) -> None:
        """Load what answering needs now, so that no question waits for it."""
        if self._answer is None:
            _ = self.answerer

    @property
    def answerer(self) -> Answerer:
        """Answers questions from what is indexed, by the embedder that it was indexed with.

        After a change of embedder that is the one before, until the new one's index is swapped in.
        """
        with self.database.reading() as connection:
            workspace = workspaces.current(connection)
            served = embedders.serving(connection, workspace) or self.embedder.name
        with self._answering:
            if (workspace, served) not in self._answerers:
                parts = self.database, workspace, self._embedder_of(served), self.serving
                made = Answerer(
                    *parts, self.policy, self.reader, self.rescorer, rewrite=self._rewrite
                )
                self._answerers = {(workspace, served): made}
            return self._answerers[workspace, served]

    def _embedder_of(self, name: str) -> "Embedder":
        if name == self.embedder.name:
            return self.embedder
        found = embedding.named(self.settings, name)
        if found is None:
            log.error(
                "embedder_unknown name=%s questions are answered by their words alone until every"
                " source is indexed with %s; run threadwise ingest",
                name,
                self.embedder.name,
            )
        return found or self.embedder


def _vector(embedder: "Embedder", question: str) -> list[float]:
    numbers: list[float] = embedder.encode_questions([question])[0].tolist()
    return numbers


@contextmanager
def open_services(
    settings: Settings, *, prepare: bool = True, answer: Answers | None = None
) -> Iterator[Services]:
    """Open the database (starting the embedded server when no URL is set) and close it at the end.

    `prepare` applies migrations first, so that any single command works on an empty machine.
    """
    for address in (settings.database_url, settings.database_replica_url):
        if address:
            check_url(address)
    server = None if settings.database_url else embedded.start(settings.home)
    try:
        url = settings.database_url or (server.url if server else "")
        if prepare:
            migrate(url)
        database = Database(url, replica_url=settings.database_replica_url)
        try:
            yield Services(settings, database, server, answer=answer)
        finally:
            database.close()
    finally:
        if server is not None:
            server.close()
