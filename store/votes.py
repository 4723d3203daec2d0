"""Votes: one per person and answer, the last one counts.

Knows nothing about reactions or buttons.
"""

from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from store import memory
from store.questions import storable
from store.records import Vote


def cast(
    connection: psycopg.Connection[TupleRow], workspace: str, vote: Vote, now: datetime
) -> bool:
    """Keep a vote in place of the person's earlier one, unless that one is younger than `now`.

    A reason given before stays while the value stays. True when the value is new.
    """
    row = connection.execute(
        "WITH old AS (SELECT value FROM votes"
        " WHERE workspace_id = %s AND answer_id = %s AND person = %s)"
        " INSERT INTO votes AS v"
        " (workspace_id, answer_id, person, value, weight, reason, detail, origin, voted_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (workspace_id, answer_id, person) DO UPDATE SET"
        " reason = CASE WHEN v.value = excluded.value THEN coalesce(excluded.reason, v.reason)"
        "          ELSE excluded.reason END,"
        " detail = CASE WHEN v.value = excluded.value THEN coalesce(excluded.detail, v.detail)"
        "          ELSE excluded.detail END,"
        " value = excluded.value, weight = excluded.weight, origin = excluded.origin,"
        " voted_at = excluded.voted_at WHERE excluded.voted_at >= v.voted_at"
        " RETURNING (SELECT value FROM old) IS DISTINCT FROM v.value",
        (
            workspace,
            vote.answer_id,
            vote.person,
            workspace,
            vote.answer_id,
            vote.person,
            vote.value,
            vote.weight,
            vote.reason,
            None if vote.detail is None else storable(vote.detail),
            vote.origin,
            now,
        ),
    ).fetchone()
    memory.refresh(connection, workspace, vote.answer_id)
    return bool(row and row[0])


def withdraw(
    connection: psycopg.Connection[TupleRow],
    workspace: str,
    answer_id: UUID,
    person: str,
    value: int,
) -> bool:
    """Take back a vote if it still has this value; True when there was one."""
    gone = connection.execute(
        "DELETE FROM votes"
        " WHERE workspace_id = %s AND answer_id = %s AND person = %s AND value = %s",
        (workspace, answer_id, person, value),
    )
    memory.refresh(connection, workspace, answer_id)
    return gone.rowcount > 0


def of(connection: psycopg.Connection[TupleRow], workspace: str, answer_id: UUID) -> list[Vote]:
    """List the votes that count for an answer, oldest first."""
    rows = connection.execute(
        "SELECT answer_id, person, value, origin, weight, reason, detail FROM votes"
        " WHERE workspace_id = %s AND answer_id = %s ORDER BY voted_at, person",
        (workspace, answer_id),
    ).fetchall()
    return [Vote(*row) for row in rows]


def unwanted(
    connection: psycopg.Connection[TupleRow], workspace: str, until: datetime
) -> list[str]:
    """List the messages that should have been left alone: somebody said so, nobody liked the answer, and
    nobody gave the message another intent."""
    rows = connection.execute(
        "SELECT q.body FROM questions q JOIN answers a USING (workspace_id, question_id)"
        f" JOIN ({memory.COUNTED}) AS v USING (workspace_id, answer_id)"
        " WHERE v.voted_at <= %(until)s AND NOT EXISTS (SELECT 1 FROM labels l"
        "  WHERE l.workspace_id = q.workspace_id AND l.question_id = q.question_id)"
        " GROUP BY q.question_id, q.body"
        " HAVING bool_or(v.reason = %(silent)s) AND NOT bool_or(v.value > 0)"
        " ORDER BY max(v.voted_at), q.body",
        {"workspace": workspace, "until": until, "silent": memory.SILENT},
    ).fetchall()
    return [row[0] for row in rows]
