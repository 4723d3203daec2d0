"""The like rate: thumbs up among all thumbs on answers given in a span of time.

Knows nothing about why people like an answer.
"""

from dataclasses import dataclass
from datetime import datetime

from store.database import Connection


def between(
    connection: Connection, workspace: str, since: datetime, until: datetime
) -> tuple[int, int]:
    """Count (liked, judged) answers given from `since` to before `until`, one opinion per answer."""
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE opinion > 0), count(*) FILTER (WHERE opinion <> 0) FROM ("
        " SELECT sum(v.value * v.weight) AS opinion FROM votes v"
        " JOIN answers a USING (workspace_id, answer_id)"
        " WHERE v.workspace_id = %s AND a.created_at >= %s AND a.created_at < %s"
        " GROUP BY v.answer_id) AS judged",
        (workspace, since, until),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


@dataclass(frozen=True, slots=True)
class Drift:
    """What a span of time looked like: shares of 0..1 and the mean of the best passages' cosines."""

    asked: int
    refused: float
    out_of_scope: float
    cosine: float


def drift(connection: Connection, workspace: str, since: datetime, until: datetime) -> Drift:
    """Describe the questions asked from `since` to before `until`."""
    row = connection.execute(
        "SELECT count(*), avg((q.status = 'not_found')::int), avg((q.intent = 'oos')::int),"
        " avg((a.signals->>'cosine')::float8)"
        " FROM questions q LEFT JOIN answers a USING (workspace_id, question_id)"
        " WHERE q.workspace_id = %s AND q.claimed_at >= %s AND q.claimed_at < %s"
        " AND q.status IS NOT NULL AND q.status <> 'ignored'",
        (workspace, since, until),
    ).fetchone()
    assert row is not None
    return Drift(row[0], *(round(float(value or 0), 4) for value in row[1:]))
