"""What the processes work with, opened once: settings, database, queue, and the models when asked for.

Knows nothing about Slack or the command line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from bot.settings import Settings
from store import embedded, workspaces
from store.database import Database
from store.migrate import migrate
from store.queue import Queue

if TYPE_CHECKING:
    from bot.answer import Answerer
    from bot.intents import IntentFile
    from bot.learned import Shelf
    from bot.manners import Manners
    from models.embedder import Embedder


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

    @property
    def workspace(self) -> str:
        """The Slack team's id once connected, `local` before."""
        with self.database.connection() as connection:
            return workspaces.current(connection)

    @cached_property
    def embedder(self) -> "Embedder":
        """The configured encoder (loading it takes seconds and about 600 MB)."""
        from models import embedder

        with self._loading:
            return embedder.load(self.settings.embedder, threads=self.settings.threads)

    @cached_property
    def shelf(self) -> "Shelf":
        """What serves of everything that is learned."""
        from bot.learned import Shelf

        named = ("answer_above", "unsure_above")
        fixed = {name: getattr(self.settings, name) for name in named}
        known = {name: value for name, value in fixed.items() if value is not None}
        return Shelf(self.database, self.workspace, fixed=known)

    @cached_property
    def intents(self) -> "IntentFile":
        """The intents of the configured file, read again when it changes."""
        from bot.intents import IntentFile

        return IntentFile(self.settings.intents)

    @cached_property
    def manners(self) -> "Manners":
        """Decides what a message is, by the classifier that serves."""
        from bot import classifier
        from bot.manners import Manners

        served = classifier.of(self)
        served.now()
        return Manners(self.intents.now, served.now)

    @cached_property
    def answerer(self) -> "Answerer":
        """Answers questions from what is indexed."""
        from bot.answer import Answerer

        return Answerer.of(self)


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
