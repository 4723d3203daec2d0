"""Votes: one per person and answer, the latest of the thumbs that are left.

Knows nothing about reactions and their names.
"""

from datetime import datetime
from uuid import UUID

from store.database import Connection
from store.feedback import memory
from store.records import Reason, Vote
from store.values import storable

SILENT: Reason = "silent"

# A thumb that was taken away after this one was put there stays away, however late this one arrives.
_MOVE = """
INSERT INTO thumbs AS t (workspace_id, answer_id, person, value, weight, is_left, moved_at)
VALUES (%(workspace)s, %(answer)s, %(person)s, %(value)s, %(weight)s, %(is_left)s, %(now)s)
ON CONFLICT (workspace_id, answer_id, person, value, weight) DO UPDATE
SET is_left = excluded.is_left, moved_at = excluded.moved_at
WHERE excluded.moved_at > t.moved_at OR (t.is_left AND excluded.moved_at = t.moved_at)
"""

_CAST = """
WITH old AS (SELECT value FROM votes
             WHERE workspace_id = %(workspace)s AND answer_id = %(answer)s AND person = %(person)s)
INSERT INTO votes AS v (workspace_id, answer_id, person, value, weight, reason, detail, origin, voted_at)
VALUES (%(workspace)s, %(answer)s, %(person)s, %(value)s, %(weight)s, %(reason)s, %(detail)s, %(origin)s,
        %(now)s)
ON CONFLICT (workspace_id, answer_id, person) DO UPDATE SET
    reason = CASE WHEN v.value = excluded.value THEN coalesce(excluded.reason, v.reason)
             ELSE excluded.reason END,
    detail = CASE WHEN v.value = excluded.value THEN coalesce(excluded.detail, v.detail)
             ELSE excluded.detail END,
    value = excluded.value, weight = excluded.weight, origin = excluded.origin,
    voted_at = excluded.voted_at WHERE excluded.voted_at >= v.voted_at
RETURNING (SELECT value FROM old) IS DISTINCT FROM v.value
"""

_FALL_BACK = """
UPDATE votes v SET value = t.value, weight = t.weight, voted_at = t.moved_at,
    reason = CASE WHEN t.value = v.value THEN v.reason END,
    detail = CASE WHEN t.value = v.value THEN v.detail END
FROM (SELECT value, weight, moved_at FROM thumbs WHERE workspace_id = %(workspace)s
      AND answer_id = %(answer)s AND person = %(person)s AND is_left
      ORDER BY moved_at DESC LIMIT 1) AS t
WHERE v.workspace_id = %(workspace)s AND v.answer_id = %(answer)s AND v.person = %(person)s
RETURNING 1
"""


def cast(connection: Connection, workspace: str, vote: Vote, now: datetime) -> bool:
    """Keep a vote in place of the person's earlier one, unless that one is younger than `now`, or the
    same thumb was taken away since.

    A button takes the place of all thumbs before. A reason given before stays while the value stays.
    True when the value is new.
    """
    given = _given(workspace, vote, now)
    if not connection.execute(_MOVE, {**given, "is_left": True}).rowcount:
        return False
    if vote.origin == "button":
        connection.execute(
            "UPDATE thumbs SET is_left = false WHERE workspace_id = %(workspace)s"
            " AND answer_id = %(answer)s AND person = %(person)s AND moved_at <= %(now)s"
            " AND (value, weight) <> (%(value)s, %(weight)s::real)",
            given,
        )
    row = connection.execute(_CAST, given).fetchone()
    memory.refresh(connection, workspace, vote.answer_id)
    return bool(row and row[0])


def withdraw(connection: Connection, workspace: str, vote: Vote, now: datetime) -> bool:
    """Take a thumb away; what is left of the person's others counts again, the latest of them.

    True when the vote that stood is gone or another now.
    """
    given = _given(workspace, vote, now)
    connection.execute(_MOVE, {**given, "is_left": False})
    stood = connection.execute(
        "SELECT 1 FROM votes WHERE workspace_id = %(workspace)s AND answer_id = %(answer)s"
        " AND person = %(person)s AND value = %(value)s AND weight = %(weight)s"
        " AND voted_at <= %(now)s",
        given,
    ).fetchone()
    if stood and not connection.execute(_FALL_BACK, given).rowcount:
        connection.execute(
            "DELETE FROM votes WHERE workspace_id = %(workspace)s AND answer_id = %(answer)s"
            " AND person = %(person)s",
            given,
        )
    memory.refresh(connection, workspace, vote.answer_id)
    return bool(stood)


def _given(workspace: str, vote: Vote, now: datetime) -> dict[str, object]:
    return {
        "workspace": workspace,
        "answer": vote.answer_id,
        "person": vote.person,
        "value": vote.value,
        "weight": vote.weight,
        "reason": vote.reason,
        "detail": None if vote.detail is None else storable(vote.detail),
        "origin": vote.origin,
        "now": now,
    }


def of(connection: Connection, workspace: str, answer_id: UUID) -> list[Vote]:
    """List the votes that count for an answer, oldest first."""
    rows = connection.execute(
        "SELECT answer_id, person, value, origin, weight, reason, detail FROM votes"
        " WHERE workspace_id = %s AND answer_id = %s ORDER BY voted_at, person",
        (workspace, answer_id),
    ).fetchall()
    return [Vote(*row) for row in rows]


def unwanted(connection: Connection, workspace: str, until: datetime) -> list[str]:
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
        {"workspace": workspace, "until": until, "silent": SILENT},
    ).fetchall()
    return [row[0] for row in rows]
