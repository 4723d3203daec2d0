"""Fixtures that tests share: a real Postgres, once per run, and a fresh database per test.

Knows nothing about what is tested.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from store.database import Database
from store.migrate import migrate
from store.server import binaries, embedded

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

pytest_plugins = ["tests.slack_fixtures"]

OWN_SERVER = "THREADWISE_TEST_DATABASE_URL"
SHARED = pytest.StashKey[dict[str, str]]()

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


def pytest_configure(config: pytest.Config) -> None:
    """Give each of several workers one core for its sums, and the processes that it starts."""
    if hasattr(config, "workerinput"):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Let every worker of pytest-xdist use one Postgres, which ends after the last of them."""
    if SHARED not in node.config.stash:
        postgres = ExitStack()
        node.config.add_cleanup(postgres.close)  # after Ctrl-C, too
        url = postgres.enter_context(_postgres())
        node.config.stash[SHARED] = {
            "server": url,
            "template": postgres.enter_context(_migrated(url)),
        }
    node.workerinput.update(node.config.stash[SHARED])


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the process that started this worker has made for all of them; empty without workers."""
    return getattr(request.config, "workerinput", {})


@pytest.fixture(scope="session")
def server(shared: dict[str, str]) -> Iterator[str]:
    """The URL of one Postgres for the whole run, whose account may create databases."""
    if "server" in shared:
        yield shared["server"]
        return
    with _postgres() as url:
        yield url


@pytest.fixture(scope="session")
def template(server: str, shared: dict[str, str]) -> Iterator[str]:
    """The name of a database with every migration applied, to copy from."""
    if "template" in shared:
        yield shared["template"]
        return
    with _migrated(server) as name:
        yield name


@contextmanager
def _postgres() -> Iterator[str]:
    """Run a Postgres, or use the given one: the URL of its first database."""
    given = os.environ.get(OWN_SERVER)
    if given:
        yield given
        return
    # A short name that the server's account may enter, unlike pytest's own folders as root.
    home = Path(tempfile.mkdtemp(prefix="threadwise-", dir=_roomy()))
    home.chmod(0o755)
    try:
        running = embedded.start(home)
        try:
            # Nothing here outlives the run, so nothing need reach the disk.
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                _execute(running.url, f"alter system set {setting}")
            _execute(running.url, "select pg_reload_conf()")
            yield running.url
        finally:
            running.close()
    finally:
        shutil.rmtree(home)


def _roomy() -> Path | None:
    """The folder in memory where there is one with room; None for the usual place."""
    is_there = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK | os.X_OK)
    return IN_MEMORY if is_there and shutil.disk_usage(IN_MEMORY).free > ENOUGH_BYTES else None


@contextmanager
def _migrated(server: str) -> Iterator[str]:
    """Make a database with every migration applied: its name."""
    with _database(server, "template1") as url:
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
