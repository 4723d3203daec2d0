"""Calls: somebody in a thread wants to talk to a person. One is open per thread at a time.

Knows nothing about who is called, or how.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from store.database import Connection

_COLUMNS = "call_id, question_id, channel, thread_ts, person, opened_at, closed_at, closed_by"


@dataclass(frozen=True, slots=True)
class Call:
    """A call by `person` about a question in a thread; `closed_at` is None while it is open."""

    call_id: UUID
    question_id: UUID
    channel: str
    thread_ts: str
    person: str
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None


def put(connection: Connection, workspace: str, call: Call) -> bool:
    """Open a call; False when it was opened before, or another one is open in the thread."""
    added = connection.execute(
        "INSERT INTO calls (workspace_id, call_id, question_id, channel, thread_ts, person, opened_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            workspace,
            call.call_id,
            call.question_id,
            call.channel,
            call.thread_ts,
            call.person,
            call.opened_at,
        ),
    )
    return added.rowcount > 0


def get(connection: Connection, workspace: str, call_id: UUID) -> Call | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM calls WHERE workspace_id = %s AND call_id = %s",
        (workspace, call_id),
    ).fetchone()
    return Call(*row) if row else None


def close(
    connection: Connection, workspace: str, call_id: UUID, person: str, now: datetime
) -> Call | None:
    """Close a call and give it; None when it is closed already or erased."""
    row = connection.execute(
        "UPDATE calls SET closed_at = %s, closed_by = %s"
        f" WHERE workspace_id = %s AND call_id = %s AND closed_at IS NULL RETURNING {_COLUMNS}",
        (now, person, workspace, call_id),
    ).fetchone()
    return Call(*row) if row else None


def count(connection: Connection, workspace: str) -> int:
    """Count the calls that are open."""
    row = connection.execute(
        "SELECT count(*) FROM calls WHERE workspace_id = %s AND closed_at IS NULL", (workspace,)
    ).fetchone()
    return int(row[0]) if row else 0
