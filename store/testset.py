"""Questions of the team with what should be found for them, as admins chose them: a test of answering.

Knows nothing about how they are tried.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from store.database import Connection
from store.values import storable


@dataclass(frozen=True, slots=True)
class Trial:
    """A question, whether the documents answer it, and if so the words of which page say it."""

    question_id: UUID
    body: str
    answerable: bool
    path: str
    quote: str


def put(connection: Connection, workspace: str, trial: Trial, added_by: str, now: datetime) -> None:
    """Add a question, or change what should be found for it."""
    connection.execute(
        "INSERT INTO test_questions (workspace_id, question_id, body, answerable, path, quote,"
        " added_by, added_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (workspace_id, question_id) DO UPDATE SET body = excluded.body,"
        " answerable = excluded.answerable, path = excluded.path, quote = excluded.quote,"
        " added_by = excluded.added_by, added_at = excluded.added_at",
        (workspace, trial.question_id, storable(trial.body), trial.answerable, storable(trial.path),
         storable(trial.quote), added_by, now),
    )  # fmt: skip


def drop(connection: Connection, workspace: str, question_id: UUID) -> bool:
    """Take a question out; False when it was not in."""
    gone = connection.execute(
        "DELETE FROM test_questions WHERE workspace_id = %s AND question_id = %s",
        (workspace, question_id),
    )
    return gone.rowcount > 0


def trials(connection: Connection, workspace: str) -> list[Trial]:
    """List the questions in the order in which they were added."""
    rows = connection.execute(
        "SELECT question_id, body, answerable, path, quote FROM test_questions"
        " WHERE workspace_id = %s ORDER BY added_at, question_id",
        (workspace,),
    ).fetchall()
    return [Trial(*row) for row in rows]
