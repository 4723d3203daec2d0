"""Postgres is killed while a source is ingested: the run is completed, and little is encoded twice."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.processes import tasks
from bot.processes.tasks import WorkerContext
from bot.runtime.metrics import Metrics
from bot.runtime.throttle import Throttle
from bot.runtime.watchdog import watched
from bot.services import Services
from bot.settings import Settings
from ingest.batches import BATCH_CHUNKS
from store import queue
from store.database import Database
from store.index import runs
from store.records import Run
from store.server import embedded
from tests import killing
from tests.fakes import HashEmbedder, Nowhere

PAGES = 900
KILL_AFTER = 600


class Deadly(HashEmbedder):
    """Kills Postgres when it has encoded so many texts, once.

    As a real encoder it is slower than the writing of the batch before.
    """

    def __init__(self, server: embedded.Server, database: Database) -> None:
        super().__init__()
        self.server = server
        self.database = database

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        before = len(self.encoded)
        vectors = super().encode(texts)
        if before < KILL_AFTER <= len(self.encoded):
            killing.wait(lambda: stored(self.database) >= KILL_AFTER - BATCH_CHUNKS)
            os.kill(killing.postmaster(self.server), signal.SIGKILL)
        return vectors


class Late(Services):
    """Has Postgres back only when the rest of a run is queued, not while it goes on."""

    asked = 0

    @property
    def workspace(self) -> str:
        self.asked += 1
        if self.asked == 3 and self.server:
            self.server.revive()
        return super().workspace


@pytest.fixture
def server() -> Iterator[embedded.Server]:
    with killing.served() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "wiki").mkdir()
    for number in range(PAGES):
        (tmp_path / "wiki" / f"{number}.md").write_text(f"Page {number} says something.\n")
    (tmp_path / "sources.toml").write_text('[[source]]\nname = "wiki"\naddress = "wiki"\n')
    return tmp_path


def context(
    kind: type[Services], home: Path, database: Database, server: embedded.Server
) -> WorkerContext:
    values = {"home": home, "sources": home / "sources.toml"}
    settings = Settings(_env_file=None, **values)  # type: ignore[call-arg, arg-type]
    services = kind(settings, database, server, embedder=Deadly(server, database))
    return WorkerContext(
        services=services,
        throttle=Throttle(),
        metrics=Metrics(database),
        bulk=ThreadPoolExecutor(1),
        delivery=Nowhere(),
        tell=lambda _: None,
        announce=lambda _: None,
        ready=lambda: None,
    )


def last_run(database: Database) -> Run:
    with database.connection() as connection:
        return runs.last(connection, "local", "wiki")[0]


def stored(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute("SELECT count(DISTINCT path) FROM documents").fetchone()
    assert row
    return int(row[0])


def test_a_run_outlasts_a_postgres_that_is_back_soon(home: Path, server: embedded.Server) -> None:
    with closing(Database(server.url)) as database, watched(server):
        made = context(Services, home, database, server)
        assert tasks.ingest(made, "wiki") == "done"
        assert stored(database) == PAGES and last_run(database).state == "done"
    assert len(made.services.embedder.encoded) <= PAGES + BATCH_CHUNKS  # type: ignore[attr-defined]


def test_the_rest_of_a_run_is_queued_when_postgres_stays_away(
    home: Path, server: embedded.Server
) -> None:
    with closing(Database(server.url, wait_seconds=0)) as database:
        made = context(Late, home, database, server)
        assert tasks.ingest(made, "wiki") == "interrupted"
        with database.connection() as connection:
            assert queue.depths(connection) == [queue.Depth("work", 1, 0)]
        assert 0 < stored(database) < PAGES
        assert tasks.ingest(made, "wiki", resumed=1) == "done"
        assert stored(database) == PAGES and last_run(database).state == "done"
    assert len(made.services.embedder.encoded) <= PAGES + BATCH_CHUNKS  # type: ignore[attr-defined]
