"""Connections to Postgres: the pool, its settings, and what the server must have.

Knows nothing about tables, nor who runs the server.
"""

import logging
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from store.redaction import redacted

WAIT_SECONDS = 30  # how long a server may be away before callers are told
TRY_SECONDS = 1  # one attempt to get a connection from the pool
REPLICA_PAUSE_SECONDS = 30  # for so long a replica that is away is not asked for again
OLDEST_POSTGRES = 160000  # as server_version_num counts
OLDEST_PGVECTOR = (0, 8, 4)  # earlier ones corrupt HNSW indexes on vacuum

# A lost host is noticed after about a minute; what the URL says wins over these.
DEFAULTS = {
    "application_name": "threadwise",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",  # milliseconds
}
# Without iterative scans a filtered vector query comes back short, and a cached generic plan
# would ignore them. set_config works before the extension's library is loaded.
SETTINGS = """
select set_config('hnsw.iterative_scan', 'relaxed_order', false),
       set_config('hnsw.ef_search', '200', false),
       set_config('plan_cache_mode', 'force_custom_plan', false)
"""

Connection = psycopg.Connection[TupleRow]
"""A connection whose rows are tuples."""

Pool = ConnectionPool[Connection]


_log = logging.getLogger(__name__)


class StoreError(Exception):
    """The store could not do it; the message says what happened and what to do."""


class StoreGone(StoreError):
    """The server went away in the middle; the same call may work when it is back."""


class StoreBehind(StoreGone):
    """The database lacks what this code needs; the same call may work once it is migrated."""


class Database:
    """Pools of connections to one Postgres and, for reading, to its replica when there is one.

    Connections are made on demand, so making a Database never fails for a server that is away. While
    a replica lets nobody in, the primary is read; it is looked for again after `replica_pause_seconds`.
    """

    def __init__(
        self,
        url: str,
        *,
        replica_url: str | None = None,
        size: int = 8,
        wait_seconds: float = WAIT_SECONDS,
        replica_pause_seconds: float = REPLICA_PAUSE_SECONDS,
    ) -> None:
        self.url = url
        self._wait_seconds = wait_seconds
        self._replica_pause_seconds = replica_pause_seconds
        self._replica_after = time.monotonic()
        self._replica_lock = threading.Lock()
        self._primary = _pool(url, size)
        self._replica = _pool(replica_url, size) if replica_url else None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection for one transaction: it commits, or rolls back on any error.

        A server that is away is waited for, up to `wait_seconds`. Driver errors leave as StoreError.
        """
        with as_store_errors(), self._lent(self._primary) as connection, connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection for reading, to the replica if any; each statement stands alone."""
        with as_store_errors(), self._lent_to_read() as connection:
            connection.autocommit = True
            try:
                yield connection
            finally:
                if not connection.closed:
                    connection.rollback()
                    connection.autocommit = False

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Lend a connection for reading, to the replica if any; all statements see the same moment."""
        with as_store_errors(), self._lent_to_read() as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            try:
                with connection.transaction():
                    yield connection
            finally:
                if not connection.closed:
                    connection.rollback()
                    connection.isolation_level = connection.read_only = None

    @contextmanager
    def _lent(self, pool: Pool) -> Iterator[Connection]:
        connection = self._acquire(pool)
        try:
            yield connection
        finally:
            pool.putconn(connection)

    @contextmanager
    def _lent_to_read(self) -> Iterator[Connection]:
        if self._replica is None or time.monotonic() < self._replica_after:
            pool, connection = self._primary, self._acquire(self._primary)
        else:
            try:
                pool, connection = self._replica, self._acquire(self._replica, is_spare=True)
            except StoreGone as away:
                self._leave_replica(str(away))
                pool, connection = self._primary, self._acquire(self._primary)
        try:
            yield connection
        finally:
            pool.putconn(connection)

    def _leave_replica(self, reason: str) -> None:
        """Read the primary for a while; of callers that notice at once, one says so."""
        with self._replica_lock:
            now = time.monotonic()
            if now < self._replica_after:
                return
            self._replica_after = now + self._replica_pause_seconds
        _log.warning("replica_away reason=%s read=primary", reason)

    def _acquire(self, pool: Pool, *, is_spare: bool = False) -> Connection:
        """A connection that works, polling while the server is away; one to spare is not waited for.

        Raises StoreGone when it stays away.
        """
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                connection = pool.getconn(timeout=TRY_SECONDS)
            except PoolTimeout:
                if is_spare and (reason := _refusal(pool)):
                    raise StoreGone(reason) from None
                if time.monotonic() > deadline:
                    raise _unavailable(pool) from None
                continue
            if _alive(connection):
                return connection
            connection.close()
            pool.putconn(connection)

    def close(self) -> None:
        """Close all connections; the Database cannot be used afterwards."""
        for pool in (self._primary, self._replica):
            if pool:
                pool.close()


def check_url(url: str) -> None:
    """Raise StoreError, without any of it, when the address of a database cannot be read."""
    try:
        conninfo_to_dict(url)
    except psycopg.Error:
        # What is wrong with it may be the password: nothing of it is repeated.
        raise StoreError(
            "the address of the database cannot be read: write DATABASE_URL (and DATABASE_REPLICA_URL)"
            " as postgresql://USER:PASSWORD@HOST:PORT/NAME, with %XX for odd signs in the password"
        ) from None


def check_server(connection: Connection) -> None:
    """Raise StoreError naming what this Postgres lacks for Threadwise, with the cure."""
    facts = connection.execute(
        """
        select current_setting('server_version_num')::int, current_setting('server_version'),
               current_setting('server_encoding'),
               (select extversion from pg_extension where extname = 'vector'),
               (select default_version from pg_available_extensions where name = 'vector'),
               exists (select from pg_ts_config where cfgname = 'english')
        """
    ).fetchone()
    assert facts
    number, version, encoding, installed, available, english = facts
    if number < OLDEST_POSTGRES:
        raise StoreError(f"Postgres {version} is too old; Threadwise needs 16 or newer: upgrade it")
    if encoding != "UTF8":
        raise StoreError(
            f"the database is encoded as {encoding}; make one with "
            "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0 and point DATABASE_URL to it"
        )
    _check_pgvector(installed, available)
    if not english:
        raise StoreError(
            "the text search configuration 'english' is missing; restore it from template0 "
            "or point DATABASE_URL to a fresh database"
        )


@dataclass(frozen=True, slots=True)
class Server:
    """What a Postgres says of itself: versions, the size of the database in bytes, migrations applied."""

    version: str
    pgvector: str | None
    size: int
    migrations: int


def server(connection: Connection) -> Server:
    """Ask the server what it is."""
    row = connection.execute(
        """
        select current_setting('server_version'),
               (select extversion from pg_extension where extname = 'vector'),
               pg_database_size(current_database()), (select count(*) from schema_migrations)
        """
    ).fetchone()
    assert row
    return Server(*row)


def _check_pgvector(installed: str | None, available: str | None) -> None:
    wanted = ".".join(map(str, OLDEST_PGVECTOR))
    if not installed and not available:
        raise StoreError(
            f"this Postgres has no pgvector; install pgvector {wanted} or newer on its machine "
            "(package postgresql-NN-pgvector), or leave DATABASE_URL empty for the embedded one"
        )
    if _version(installed or available) >= OLDEST_PGVECTOR:
        return
    if installed and available and _version(available) >= OLDEST_PGVECTOR:
        raise StoreError(
            f"this database uses pgvector {installed}, {wanted} is needed; "
            "run ALTER EXTENSION vector UPDATE in it"
        )
    raise StoreError(
        f"this Postgres has pgvector {installed or available}, {wanted} is needed; "
        "upgrade pgvector on its machine, then run ALTER EXTENSION vector UPDATE"
    )


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (text or "0").split(".") if part.isdecimal())


def _pool(url: str, size: int) -> Pool:
    def prepare(connection: Connection) -> None:
        connection.execute(SETTINGS)
        connection.commit()

    check_url(url)
    given = conninfo_to_dict(url)
    # reconnect_timeout=0: the pool's own retries back off to many seconds; _acquire polls instead.
    return ConnectionPool(
        make_conninfo(url, **{k: v for k, v in DEFAULTS.items() if k not in given}),
        min_size=0,
        max_size=size,
        configure=prepare,
        reconnect_timeout=0,
        open=True,
    )


def _alive(connection: Connection) -> bool:
    """Whether an idle connection still works; costs a round trip only when something arrived."""
    try:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if poll.poll(0):  # nothing is due on an idle connection, so this is news of its end
            ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True


def _unavailable(pool: Pool) -> StoreError:
    if reason := _refusal(pool):
        return StoreGone(
            f"Postgres does not answer: {reason}; "
            "start it, or correct DATABASE_URL (`threadwise doctor` checks it)"
        )
    return StoreGone(
        f"all {pool.max_size} connections stay busy; "
        "look for a stuck query in pg_stat_activity, or give the pool more connections"
    )


def _refusal(pool: Pool) -> str | None:
    """Say why a server lets nobody in; None when it does."""
    try:
        psycopg.connect(str(pool.conninfo), connect_timeout=TRY_SECONDS).close()
    except psycopg.Error as error:
        return _first_line(error)
    return None


@contextmanager
def as_store_errors() -> Iterator[None]:
    """Let the driver's errors leave as StoreError, a lost connection as StoreGone."""
    try:
        yield
    except PoolClosed as error:
        raise StoreError("the database was closed; this process is shutting down") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise _explained(error) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise StoreBehind(f"Postgres refused: {_first_line(error)}{_cure(error)}") from error
    except psycopg.Error as error:
        raise StoreError(f"Postgres refused: {_first_line(error)}{_cure(error)}") from error


def _explained(error: psycopg.Error) -> StoreError:
    """A lost connection, or a server short of something."""
    if isinstance(error, psycopg.errors.DiskFull):
        return StoreError(f"Postgres has no disk left: {_first_line(error)}; free some space")
    if isinstance(error, psycopg.errors.InsufficientResources | psycopg.errors.QueryCanceled):
        return StoreError(f"Postgres gave up: {_first_line(error)}; try again with less at once")
    return StoreGone(f"Postgres went away: {_first_line(error)}; try again when it is back")


def _cure(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return "; run `threadwise migrate`"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "; give the account of DATABASE_URL that right"
    return "; this is a defect of Threadwise, please report it"


def _first_line(error: psycopg.Error) -> str:
    return redacted((str(error).strip() or type(error).__name__).partition("\n")[0])
