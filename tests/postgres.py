"""A Postgres for the tests, and databases in it that last as long as a block.

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

from store.migrate import migrate
from store.server import embedded

OWN_SERVER = "THREADWISE_TEST_DATABASE_URL"
"""Names a server whose account may create databases; without it the tests start one."""

IN_MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 2_000_000_000
"""Free there, the databases of a run have room; a disk takes twenty times as long to copy one."""


@contextmanager
def running() -> Iterator[str]:
    """Run a Postgres, or use the given one: the URL of its first database."""
    given = os.environ.get(OWN_SERVER)
    if given:
        yield given
        return
    # A short name that the server's account may enter, unlike pytest's own folders as root.
    home = Path(tempfile.mkdtemp(prefix="threadwise-", dir=_roomy()))
    home.chmod(0o755)
    try:
        started = embedded.start(home)
        try:
            # Nothing here outlives the run, so nothing need reach the disk.
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                _execute(started.url, f"alter system set {setting}")
            _execute(started.url, "select pg_reload_conf()")
            yield started.url
        finally:
            started.close()
    finally:
        shutil.rmtree(home)


@contextmanager
def migrated(server: str) -> Iterator[str]:
    """Make a database with every migration applied: its name."""
    with database(server, "template1") as url:
        migrate(url)
        yield urlsplit(url).path.strip("/")


@contextmanager
def database(server: str, template: str) -> Iterator[str]:
    """Make a copy of a database: its URL."""
    name = f"test_{secrets.token_hex(6)}"
    _execute(server, f"create database {name} template {template} strategy file_copy")
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        _execute(server, f"drop database {name} with (force)")


def _roomy() -> Path | None:
    """The folder in memory where there is one with room; None for the usual place."""
    is_there = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK | os.X_OK)
    return IN_MEMORY if is_there and shutil.disk_usage(IN_MEMORY).free > ENOUGH_BYTES else None


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
