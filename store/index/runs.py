"""Runs: attempts to bring a source up to date, readable while they go on, and what failed in them.

Knows nothing about what a run does.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

import psycopg
from psycopg.rows import TupleRow

from store.database import Connection, Database, as_store_errors
from store.records import Failure, Run
from store.redaction import redacted
from store.values import storable

_FIELDS = (
    "run_id, source, state, started_at, seen_at, finished_at, total, seen, changed, unchanged,"
    " failed, skipped, removed, chunks, embedded, error, is_full, asked_by"
)

_SAVE = f"""
INSERT INTO runs (workspace_id, {_FIELDS}) VALUES (%s{", %s" * 18})
ON CONFLICT (workspace_id, run_id) DO UPDATE SET state = excluded.state,
    seen_at = excluded.seen_at, finished_at = excluded.finished_at, total = excluded.total,
    seen = excluded.seen, changed = excluded.changed, unchanged = excluded.unchanged,
    failed = excluded.failed, skipped = excluded.skipped, removed = excluded.removed,
    chunks = excluded.chunks, embedded = excluded.embedded, error = excluded.error
"""


class Busy(Exception):
    """The source is being ingested by someone else at this moment."""


class Hold:
    """A source held for one run; it is held as long as its connection lives."""

    def __init__(self, url: str, source: str, name: str) -> None:
        self._url, self._source, self._name = url, source, name
        self._connection: psycopg.Connection[TupleRow] | None = None

    def keep(self) -> None:
        """Take the source, or see whether it is still held and take it again.

        A restart of the server lets go of it while the run goes on. Raises Busy when another has it
        by now, StoreGone when the server is away.
        """
        with as_store_errors():
            try:
                if self._connection is not None:
                    self._connection.execute("SELECT 1")
                    return
            except psycopg.OperationalError:
                self.release()
            connection = psycopg.connect(self._url, autocommit=True, keepalives_idle=30)
            held = connection.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (self._name,)
            ).fetchone()
        if held != (True,):
            connection.close()
            raise Busy(
                f"{self._source} is being ingested already. Wait for it to finish:"
                " `threadwise sources` shows how far it is."
            )
        self._connection = connection

    def release(self) -> None:
        """Let go of the source."""
        if self._connection is not None:
            # Closing would do, but the server takes its time to notice.
            with suppress(psycopg.OperationalError):
                self._connection.execute(
                    "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (self._name,)
                )
            self._connection.close()
            self._connection = None


@contextmanager
def only_one(database: Database, workspace: str, source: str) -> Iterator[Hold]:
    """Hold the source for one run; raises Busy when it is held. A killed holder lets go at once."""
    hold = Hold(database.url, source, f"ingest:{workspace}:{source}")
    hold.keep()
    try:
        yield hold
    finally:
        hold.release()


def save(connection: Connection, workspace: str, run: Run) -> None:
    """Write a run down as far as it is: a new row, or what changed since."""
    connection.execute(
        _SAVE,
        (workspace, run.run_id, run.source, run.state, run.started_at, run.seen_at,
         run.finished_at, run.total, run.seen, run.changed, run.unchanged, run.failed,
         run.skipped, run.removed, run.chunks, run.embedded,
         run.error and storable(redacted(run.error)), run.is_full, run.asked_by),
    )  # fmt: skip


def stop_stale(connection: Connection, workspace: str, source: str, now: datetime) -> None:
    """Close runs that never ended; call it when the source is held, so that none can be alive."""
    connection.execute(
        "UPDATE runs SET state = 'stopped', finished_at = %s,"
        " error = coalesce(error, 'It was stopped before its end; the next run went on from there.')"
        " WHERE workspace_id = %s AND source = %s AND state = 'running'",
        (now, workspace, source),
    )


def last(connection: Connection, workspace: str, source: str, limit: int = 1) -> list[Run]:
    """Give the source's latest runs, newest first."""
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM runs WHERE workspace_id = %s AND source = %s"
        " ORDER BY started_at DESC LIMIT %s",
        (workspace, source, limit),
    ).fetchall()
    return [Run(*row) for row in rows]


def note_failures(
    connection: Connection,
    workspace: str,
    failures: Sequence[tuple[Failure, str]],
) -> None:
    """Keep why documents could not be read, each with the version that failed.

    An empty version says that the next run should try again even if nothing changed.
    """
    connection.cursor().executemany(
        "INSERT INTO failures (workspace_id, source, path, version, is_skip, reason, failed_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (workspace_id, source, path) DO UPDATE SET version = excluded.version,"
        " is_skip = excluded.is_skip, reason = excluded.reason, failed_at = excluded.failed_at",
        [
            (
                workspace,
                f.source,
                storable(f.path),
                version,
                f.is_skip,
                storable(redacted(f.reason)),
                f.failed_at,
            )
            for f, version in failures
        ],
    )


def failures(connection: Connection, workspace: str, source: str) -> list[tuple[Failure, str]]:
    """Give what could not be read, by path, each with the version that failed."""
    rows = connection.execute(
        "SELECT source, path, reason, failed_at, is_skip, version FROM failures"
        " WHERE workspace_id = %s AND source = %s ORDER BY path",
        (workspace, source),
    ).fetchall()
    return [(Failure(*row[:5]), row[5]) for row in rows]


def forget_failures(
    connection: Connection, workspace: str, source: str, paths: Sequence[str]
) -> None:
    """Drop the failures of documents that were read now, or that are gone."""
    connection.execute(
        "DELETE FROM failures WHERE workspace_id = %s AND source = %s AND path = ANY (%s)",
        (workspace, source, [storable(path) for path in paths]),
    )
