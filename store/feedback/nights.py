"""Nights: one at a time per workspace, each kept with what was decided on which numbers.

Knows nothing about what is learned: a report is the learner's own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from store.database import Connection, Database
from store.records import Kind


class Busy(Exception):
    """A night is under way already."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night as it was kept; `data_hash` is of everything that it could learn from."""

    night_id: UUID
    started_at: datetime
    seconds: float
    data_hash: str
    report: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Look:
    """A night that tested a part on so many judged questions (labels, for the intents)."""

    kind: Kind
    at: datetime
    judged: int


@contextmanager
def only_one(database: Database, workspace: str) -> Iterator[None]:
    """Hold the night; raises Busy when it is held. A killed holder lets go at once."""
    with psycopg.connect(database.url, autocommit=True, keepalives_idle=30) as connection:
        name = (f"night:{workspace}",)
        held = connection.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", name
        ).fetchone()
        if not held or not held[0]:
            raise Busy("A night is under way already. Its report stands in `threadwise learn`.")
        try:
            yield
        finally:
            with suppress(psycopg.OperationalError):
                connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", name)


def add(connection: Connection, workspace: str, night: Night) -> None:
    """Keep a night that has ended; its report is the JSON that `threadwise learn --json` prints."""
    connection.execute(
        "INSERT INTO nights (workspace_id, night_id, started_at, seconds, data_hash, report)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (
            workspace,
            night.night_id,
            night.started_at,
            night.seconds,
            night.data_hash,
            Jsonb(dict(night.report)),
        ),
    )


def last(connection: Connection, workspace: str, most: int = 30) -> list[Night]:
    """List the last nights, oldest first."""
    rows = connection.execute(
        "SELECT night_id, started_at, seconds, data_hash, report FROM nights"
        " WHERE workspace_id = %s ORDER BY started_at DESC LIMIT %s",
        (workspace, most),
    ).fetchall()
    return [Night(*row) for row in reversed(rows)]


def looks(connection: Connection, workspace: str, since: datetime) -> list[Look]:
    """List the tests since a moment, oldest first: a part of a report that was tested says which `look` it was."""
    rows = connection.execute(
        "SELECT part->>'kind', started_at, (part->'numbers'->>'judged')::int"
        " FROM nights, jsonb_array_elements(report->'parts') AS part"
        " WHERE workspace_id = %s AND started_at >= %s AND part->'numbers' ? 'look'"
        " ORDER BY started_at",
        (workspace, since),
    ).fetchall()
    return [Look(*row) for row in rows]
