"""What the processes work with, opened once: settings, database, queue, and the models when asked for.

Knows nothing about Slack or the command line.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from bot import embedding
from bot.settings import Settings
from store import workspaces
from store.database import Database
from store.index import embedders
from store.migrate import migrate
from store.queue import Queue
from store.server import embedded

if TYPE_CHECKING:
    from bot.answering.answerer import Answerer
    from bot.answering.parameters import Shelf
    from bot.answering.policy import Manners
    from bot.intents import IntentFile
    from models.embedder import Embedder

log = logging.getLogger(__name__)


class Services:
    """The parts that a process shares between its threads; models are loaded at first use."""

    def __init__(
        self, settings: Settings, database: Database, server: embedded.Server | None
    ) -> None:
        self.settings = settings
        self.database = database
        self.server = server
        self.queue = Queue(database.url)
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
        """The configured encoder (loading it takes seconds and, with torch, about 600 MB)."""
        with self._loading:
            return embedding.configured(self.settings)

    @cached_property
    def shelf(self) -> "Shelf":
        """What serves of everything that is learned."""
        from bot.answering.parameters import Shelf

        named = ("answer_above", "unsure_above")
        fixed = {name: getattr(self.settings, name) for name in named}
        known = {name: value for name, value in fixed.items() if value is not None}
        remembers = self.settings.learn_at != "off"
        return Shelf(self.database, self.workspace, fixed=known, remembers=remembers)

    @cached_property
    def intents(self) -> "IntentFile":
        """The intents of the configured file, read again when it changes."""
        from bot.intents import IntentFile

        return IntentFile(self.settings.intents)

    @cached_property
    def manners(self) -> "Manners":
        """Decides what a message is, by the classifier that serves."""
        from bot.answering import classifier
        from bot.answering.policy import Manners

        served = classifier.of(self)
        served.now()
        return Manners(self.intents.now, served.now)

    @property
    def answerer(self) -> "Answerer":
        """Answers questions from what is indexed, by the encoder that it was indexed with.

        After a change of encoder that is the one before, until the new one's index is swapped in.
        """
        from bot.answering.answerer import Answerer

        with self.database.reading() as connection:
            workspace = workspaces.current(connection)
            served = embedders.serving(connection, workspace) or self.embedder.name
        with self._answering:
            if (workspace, served) not in self._answerers:
                encoder = self._encoder(served)
                parts = self.database, workspace, encoder.encode, self.shelf, encoder.name
                self._answerers = {(workspace, served): Answerer(*parts, self.manners)}
            return self._answerers[workspace, served]

    def _encoder(self, name: str) -> "Embedder":
        if name == self.embedder.name:
            return self.embedder
        found = embedding.named(self.settings, name)
        if found is None:
            log.error(
                "encoder_unknown name=%s questions are answered by their words alone until every"
                " source is indexed with %s; run threadwise ingest",
                name,
                self.embedder.name,
            )
        return found or self.embedder


@contextmanager
def open_services(settings: Settings, *, prepare: bool = True) -> Iterator[Services]:
    """Open the database (starting the embedded server when no URL is set) and close it at the end.

    `prepare` applies migrations first, so that any single command works on an empty machine.
    """
    server = None if settings.database_url else embedded.start(settings.home)
    try:
        url = settings.database_url or (server.url if server else "")
        if prepare:
            migrate(url)
        database = Database(url, replica_url=settings.database_replica_url)
        try:
            yield Services(settings, database, server)
        finally:
            database.close()
    finally:
        if server is not None:
            server.close()
