"""Labels: what people said a message was about, one per person and message.

Knows nothing about classifiers.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from store.database import Connection
from store.records import LabelOrigin

ADMIN: LabelOrigin = "admin"


@dataclass(frozen=True, slots=True)
class Seen:
    """How often messages were taken for an intent, how surely (mean, 0 to 1), and how often people
    said that one was something else, with what they said most."""

    intent: str
    messages: int
    confidence: float
    corrected: int
    mostly: str | None


def put(
    connection: Connection,
    workspace: str,
    question_id: UUID,
    person: str,
    intent: str,
    origin: LabelOrigin,
    now: datetime,
) -> None:
    """Keep a person's label in place of the one that they gave before."""
    connection.execute(
        "INSERT INTO labels (workspace_id, question_id, person, intent, origin, labelled_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (workspace_id, question_id, person) DO UPDATE SET"
        " intent = excluded.intent, origin = excluded.origin, labelled_at = excluded.labelled_at"
        " WHERE excluded.labelled_at >= labels.labelled_at",
        (workspace, question_id, person, intent, origin, now),
    )


def withdraw(
    connection: Connection,
    workspace: str,
    question_id: UUID,
    person: str,
    intent: str,
) -> bool:
    """Take a label back if it still says so; True when it did."""
    gone = connection.execute(
        "DELETE FROM labels WHERE workspace_id = %s AND question_id = %s AND person = %s"
        " AND intent = %s",
        (workspace, question_id, person, intent),
    )
    return gone.rowcount > 0


def rows(
    connection: Connection, workspace: str, until: datetime | None = None
) -> list[tuple[str, str]]:
    """List (message, intent), one per message: an admin's word first, then the asker's, then most people's.

    Messages on which people disagree evenly are left out, and with `until` what was said after it.
    """
    found = connection.execute(
        "WITH counted AS ("
        " SELECT l.question_id, q.body, l.intent, count(*) AS people, bool_or(l.origin = %(admin)s)"
        " AS by_admin, bool_or(l.person = q.person) AS by_asker, max(l.labelled_at) AS at"
        " FROM labels l JOIN questions q USING (workspace_id, question_id)"
        " WHERE l.workspace_id = %(workspace)s"
        " AND (%(until)s::timestamptz IS NULL OR l.labelled_at <= %(until)s)"
        " GROUP BY l.question_id, q.body, l.intent"
        "), ranked AS (SELECT *, rank() OVER (PARTITION BY question_id"
        " ORDER BY by_admin DESC, by_asker DESC, people DESC) AS place FROM counted)"
        " SELECT min(body), min(intent) FROM ranked WHERE place = 1"
        " GROUP BY question_id HAVING count(*) = 1 ORDER BY max(at), min(body)",
        {"workspace": workspace, "admin": ADMIN, "until": until},
    ).fetchall()
    return [(row[0], row[1]) for row in found]


def seen(connection: Connection, workspace: str, since: datetime) -> list[Seen]:
    """Sum up what messages were taken for since a moment, the most frequent first."""
    found = connection.execute(
        "WITH lately AS ("
        " SELECT question_id, intent, coalesce(intent_confidence, 0) AS confidence FROM questions"
        " WHERE workspace_id = %(workspace)s AND claimed_at >= %(since)s AND intent IS NOT NULL"
        " AND chosen IS NULL"
        "), wrong AS (SELECT q.intent, l.intent AS said, count(*) AS times FROM lately q"
        " JOIN labels l ON l.workspace_id = %(workspace)s AND l.question_id = q.question_id"
        " AND l.intent <> q.intent GROUP BY q.intent, l.intent)"
        " SELECT intent, count(*), avg(confidence)::float8,"
        " coalesce((SELECT sum(times) FROM wrong w WHERE w.intent = lately.intent), 0)::int,"
        " (SELECT said FROM wrong w WHERE w.intent = lately.intent ORDER BY times DESC, said LIMIT 1)"
        " FROM lately GROUP BY intent ORDER BY count(*) DESC, intent",
        {"workspace": workspace, "since": since},
    ).fetchall()
    return [Seen(*row) for row in found]
