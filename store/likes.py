"""The like rate: thumbs up among all thumbs on answers given in a span of time.

Knows nothing about why people like an answer.
"""

from datetime import datetime

import psycopg
from psycopg.rows import TupleRow


def between(
    connection: psycopg.Connection[TupleRow], workspace: str, since: datetime, until: datetime
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
