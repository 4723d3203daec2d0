"""Fixtures that tests share: a real Postgres, once per run, and a fresh database per test.

Knows nothing about what is tested.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from store.database import Database
from store.migrate import FOLDER, migrate
from store.server import binaries, embedded

pytest_plugins = ["tests.slack_fixtures"]

OWN_SERVER = "THREADWISE_TEST_DATABASE_URL"

IN_MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 2_000_000_000
"""Free there, the databases of a run have room; a disk takes twenty times as long to copy one."""


def pytest_report_header() -> str:
    """Say which Postgres the tests run on."""
    given = os.environ.get(OWN_SERVER)
    if given:
        return f"postgres: {urlsplit(given).hostname} (from {OWN_SERVER})"
    programs = binaries.find(binaries.account_for(Path("/nowhere")))
    postgres, pgvector = binaries.dotted(programs.version), binaries.dotted(programs.pgvector)
    return f"postgres: {postgres}, pgvector {pgvector}, {programs.folder}"


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[str]:
    """The URL of one Postgres for the whole run, whose account may create databases."""
    given = os.environ.get(OWN_SERVER)
    if given:
        yield given
        return
    running = embedded.start(home)
    try:
        # Nothing here outlives the run, so nothing need reach the disk.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            _execute(running.url, f"alter system set {setting}")
        _execute(running.url, "select pg_reload_conf()")
        yield running.url
    finally:
        running.close()


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A short-named folder that the server's account may enter, unlike pytest's own as root."""
    folder = Path(tempfile.mkdtemp(prefix="threadwise-", dir=_roomy()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _roomy() -> Path | None:
    """The folder in memory where there is one with room; None for the usual place."""
    is_there = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK | os.X_OK)
    return IN_MEMORY if is_there and shutil.disk_usage(IN_MEMORY).free > ENOUGH_BYTES else None


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """The name of a database with every migration applied, to copy from."""
    with _database(server, "template1") as url:
        if any(FOLDER.glob("*.sql")):
            migrate(url)
        yield urlsplit(url).path.strip("/")


@pytest.fixture
def empty_url(server: str) -> Iterator[str]:
    """The URL of a database of this test's own to which no migration was applied."""
    with _database(server, "template1") as url:
        yield url


@pytest.fixture
def database_url(server: str, template: str) -> Iterator[str]:
    """The URL of a migrated, empty database of this test's own."""
    with _database(server, template) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A Database on a migrated, empty database of this test's own."""
    opened = Database(database_url)
    yield opened
    opened.close()


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    _execute(server, f"create database {name} template {template} strategy file_copy")
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        _execute(server, f"drop database {name} with (force)")


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
