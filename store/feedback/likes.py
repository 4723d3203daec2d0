"""The like rate: thumbs up among all thumbs on answers given in a span of time.

Knows nothing about why people like an answer.
"""

from dataclasses import dataclass
from datetime import datetime

from store.database import Connection
from store.feedback.memory import COUNTED_SINCE
from store.feedback.shares import fair_share

_COUNTED = f"""
SELECT v.* FROM ({COUNTED_SINCE}) AS v JOIN answers a USING (workspace_id, answer_id)
WHERE a.created_at >= %(since)s AND a.created_at < %(until)s
  AND (%(phrased)s::boolean IS NULL OR a.status = 'answered'
       AND (coalesce(jsonb_array_length(a.phrasing->'sentences'), 0) > 0) = %(phrased)s)
  AND (NOT %(held_back)s OR a.phrasing->'drops' ? 'held_back')
"""

_EACH = f"SELECT count(*) FROM ({_COUNTED}) AS c GROUP BY person"

_OPINIONS = f"""
SELECT count(*) FILTER (WHERE opinion > 0), count(*) FILTER (WHERE opinion <> 0) FROM (
    SELECT sum(value * weight) AS opinion FROM (
        SELECT c.*, row_number() OVER (PARTITION BY person ORDER BY voted_at DESC, answer_id) AS age
        FROM ({_COUNTED}) AS c) AS aged
    WHERE age <= %(most)s GROUP BY answer_id) AS judged
"""


def between(
    connection: Connection,
    workspace: str,
    since: datetime,
    until: datetime,
    *,
    least: int,
    phrased: bool | None = None,
    held_back: bool = False,
) -> tuple[int, int]:
    """Count (liked, judged) answers given from `since` to before `until`, one opinion per answer.

    Of one person so many votes count as of any (memory.PERSON_VOTES a day), and of these the latest up to
    a fair share, but always `least`. With `phrased`, only sure answers count, those with or those without a sentence of
    an LLM; with `held_back`, only those whose sentences were held back to be compared with.
    """
    span = {"workspace": workspace, "since": since, "until": until, "phrased": phrased,
            "held_back": held_back}  # fmt: skip
    each = [row[0] for row in connection.execute(_EACH, span).fetchall()]
    most = fair_share(each, least)
    row = connection.execute(_OPINIONS, {**span, "most": most}).fetchone()
    assert row is not None
    return row[0], row[1]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was asked in a span of time: shares of 0..1 and the mean of the best passages' cosines."""

    asked: int
    refused: float
    out_of_scope: float
    cosine: float


def traffic(connection: Connection, workspace: str, since: datetime, until: datetime) -> Traffic:
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
    return Traffic(row[0], *(round(float(value or 0), 4) for value in row[1:]))


@dataclass(frozen=True, slots=True)
class Liked:
    """A question that was not private and whose answer people liked, and the (source, path) of what it cites."""

    question: str
    channel: str
    pages: tuple[tuple[str, str], ...]


def liked(connection: Connection, workspace: str, since: datetime, most: int) -> list[Liked]:
    """List questions whose answers were liked since a moment, those that most people liked first, up to `most`."""
    rows = connection.execute(
        "SELECT q.body, q.channel, a.citations FROM ("
        "  SELECT answer_id FROM (SELECT answer_id FROM votes WHERE workspace_id = %(workspace)s"
        "   AND value > 0 AND voted_at >= %(since)s ORDER BY voted_at DESC LIMIT 2000) AS up"
        "  GROUP BY answer_id) AS chosen"
        " JOIN answers a ON a.workspace_id = %(workspace)s AND a.answer_id = chosen.answer_id"
        " JOIN questions q ON q.workspace_id = %(workspace)s AND q.question_id = a.question_id"
        " CROSS JOIN LATERAL (SELECT sum(v.value * v.weight) AS liking FROM votes v"
        "  WHERE v.workspace_id = a.workspace_id AND v.answer_id = a.answer_id) AS sums"
        " WHERE a.status = 'answered' AND NOT q.is_private AND NOT q.is_outside"
        " AND q.origin IN ('mention', 'channel') AND q.chosen IS NULL AND sums.liking > 0"
        " ORDER BY sums.liking DESC, q.claimed_at DESC LIMIT %(most)s",
        {"workspace": workspace, "since": since, "most": most},
    ).fetchall()
    return [
        Liked(body, channel, tuple((c["source"], c["path"]) for c in citations))
        for body, channel, citations in rows
    ]
