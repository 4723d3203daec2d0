"""Apply the numbered SQL files of a folder, each once and in order.

Knows nothing about what the files say.
"""

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import psycopg

from store.database import Connection, StoreError, check_server

FOLDER = Path(__file__).parent.parent / "migrations"
LOCK = 7_468_726_561_647  # advisory lock number, ours by choice
POLL_SECONDS = 0.1
NAME = re.compile(r"\d{4}_\w+\.sql")
INCLUDE = re.compile(r"^-- include: package:(\w+)/(\S+)$", re.MULTILINE)
ALONE = "-- no-transaction"  # first line of a file whose one statement must run outside of one

# The server gives up the work of a killed starter within a second, and with it its locks.
SETTINGS = "set client_connection_check_interval = '1s'; set client_min_messages = warning"
TABLE = """
create table if not exists schema_migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
)
"""


class MigrationError(StoreError):
    """The schema cannot be brought up to date; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its name, its text with `\\n` line ends, and that text's checksum."""

    name: str
    text: str
    sha256: str


def migrate(url: str, folder: Path = FOLDER, wait_seconds: float = 60) -> list[str]:
    """Apply the files not applied yet; return their names. A StoreError says why not.

    1. Take the lock, polling, so that any number of starters may come at once.
    2. Refuse a server that lacks something, and an applied file that changed or is unknown.
    3. Apply each missing file and record it in the same transaction.

    A file whose first line is `-- no-transaction` holds one statement that may run twice. A line
    `-- include: package:NAME/PATH` stands for that file of an installed package.
    """
    migrations = read(folder)
    try:
        with _lock(url, wait_seconds), psycopg.connect(url, autocommit=True) as connection:
            check_server(connection)
            connection.execute(SETTINGS)
            connection.execute(TABLE)
            pending = _pending(connection, migrations)
            for migration in pending:
                _apply(connection, migration)
    except psycopg.Error as error:
        raise MigrationError(
            f"cannot migrate: {_first_line(error)}; check DATABASE_URL and the account's rights"
        ) from error
    return [migration.name for migration in pending]


def pending(url: str, folder: Path = FOLDER) -> list[str]:
    """Name the files that `migrate` would apply; MigrationError as there. Changes nothing."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            known = connection.execute("select to_regclass('schema_migrations')").fetchone()
            missing = _pending(connection, read(folder)) if known != (None,) else read(folder)
    except psycopg.Error as error:
        raise MigrationError(
            f"cannot look at the schema: {_first_line(error)}; check DATABASE_URL"
        ) from error
    return [migration.name for migration in missing]


def read(folder: Path) -> list[Migration]:
    """The migrations of a folder in order; MigrationError for a name that does not fit."""
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise MigrationError(f"no migrations in {folder}; run Threadwise from its checkout")
    for path, later in zip(paths, [*paths[1:], None], strict=True):
        if not NAME.fullmatch(path.name):
            raise MigrationError(f"{path} is not named NNNN_name.sql; rename it")
        if later and path.name[:4] == later.name[:4]:
            raise MigrationError(f"{path.name} and {later.name} share a number; renumber one")
    return [_read(path) for path in paths]


def _read(path: Path) -> Migration:
    text = path.read_text(encoding="utf-8")  # universal newlines: a Windows checkout hashes alike
    return Migration(path.name, text, hashlib.sha256(text.encode()).hexdigest())


@contextmanager
def _lock(url: str, wait_seconds: float) -> Iterator[None]:
    """Hold the migration lock on a connection of its own.

    Polled, because waiting inside pg_advisory_lock() is an open transaction, which a CREATE INDEX
    CONCURRENTLY of the process ahead would wait for: both would hang.
    """
    deadline = time.monotonic() + wait_seconds
    with psycopg.connect(url, autocommit=True) as side:
        while side.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
            if time.monotonic() > deadline:
                raise MigrationError(
                    f"another process has been migrating for {wait_seconds:.0f} s; "
                    "wait for it, or end it and start again"
                )
            time.sleep(POLL_SECONDS)
        yield


def _pending(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    rows = connection.execute("select name, sha256 from schema_migrations order by name").fetchall()
    applied: dict[str, str] = dict(rows)
    unknown = applied.keys() - {migration.name for migration in migrations}
    if unknown:
        raise MigrationError(
            f"the database is newer than this code (it has {', '.join(sorted(unknown))}); "
            "update the checkout, or restore a backup made before that update"
        )
    for migration in migrations:
        if applied.get(migration.name, migration.sha256) != migration.sha256:
            raise MigrationError(
                f"{migration.name} was changed after it was applied; "
                "restore the file (git checkout) and put the change into a new one"
            )
    return [migration for migration in migrations if migration.name not in applied]


def _apply(connection: Connection, migration: Migration) -> None:
    text = INCLUDE.sub(lambda found: _resource(found[1], found[2]), migration.text)
    try:
        if text.startswith(ALONE):
            connection.execute(text.encode())
            _record(connection, migration)
        else:
            with connection.transaction():
                connection.execute(text.encode())
                _record(connection, migration)
    except psycopg.Error as error:
        raise MigrationError(
            f"{migration.name} failed: {_first_line(error)}; correct it and start again"
        ) from error


def _record(connection: Connection, migration: Migration) -> None:
    connection.execute(
        "insert into schema_migrations (name, sha256) values (%s, %s)",
        (migration.name, migration.sha256),
    )


def _resource(package: str, path: str) -> str:
    try:
        return resources.files(package).joinpath(path).read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise MigrationError(
            f"a migration needs {path} of the package {package}, which is not installed; "
            "run `make setup`"
        ) from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
