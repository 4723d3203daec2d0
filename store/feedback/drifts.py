"""Drifts: what was asked on the days of nine weeks, and what a night found when it compared the last one with the others.

Knows nothing about how they are compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from store.database import Connection
from store.values import adapt_vectors

Measure = Literal["topics", "confidence", "refusals", "intents"]
"""What may drift: what questions are about, how sure answers are, how many find nothing, what messages are for."""

DAYS = 63
"""The last week and the eight before it, in days of 24 hours counted back from the night: day 0 is the latest."""

PERSON_QUESTIONS = 5
"""Of one person so many questions count per day, the first ones: nobody makes a drift alone."""

BINS = 100
"""The confidence is told apart by hundredths."""

# What nobody asked the bot, and what failed, says nothing about what people ask and get.
_ASKED = """
SELECT * FROM (
    SELECT q.question_id, q.day, q.status, q.intent, a.confidence, a.embedder_id, a.embedding,
           row_number() OVER (PARTITION BY q.person, q.day ORDER BY q.claimed_at, q.question_id) AS nth
    FROM (SELECT *, floor(extract(epoch FROM %(now)s - claimed_at) / 86400)::int AS day FROM questions
          WHERE workspace_id = %(workspace)s AND claimed_at > %(since)s AND claimed_at <= %(now)s
          AND status IN ('answered', 'unsure', 'not_found', 'routed', 'smalltalk')) AS q
    LEFT JOIN answers a ON a.workspace_id = %(workspace)s AND a.question_id = q.question_id
) AS asked WHERE nth <= %(each)s
"""

_TALLIES = f"""
SELECT day, status, intent, CASE WHEN status IN ('answered', 'unsure', 'not_found')
       THEN least(%(bins)s, 1 + floor(confidence * %(bins)s))::int - 1 END AS bin, count(*)
FROM ({_ASKED}) AS counted GROUP BY 1, 2, 3, 4
"""

# Ids are random, so that the first ones are a sample.
_VECTORS = f"""
SELECT day, question_id, embedding FROM (
    SELECT *, row_number() OVER (PARTITION BY day ORDER BY question_id) AS place FROM ({_ASKED}) AS counted
    WHERE embedder_id = %(embedder)s AND embedding IS NOT NULL) AS placed
WHERE place <= %(most)s ORDER BY day, question_id
"""

_COLUMNS = "measure, tested_at, week, before, effect, p, since, detail, question_ids"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many questions of a day had this status, intent and confidence (`bin` of BINS, from 0; None without one)."""

    day: int
    status: str
    intent: str | None
    bin: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A question's day and vector."""

    day: int
    question_id: UUID
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """What a night found of one measure: `week` questions of the last week beside `before` of the eight before.

    `effect` (0 to 1) is how far they are apart beyond chance, `p` how often chance alone sets weeks so far apart.
    `since` is the night that saw the drift first; None where there is none. `detail` has (before, week)
    shares or means by what they are of, `question_ids` those questions that show it best, the best first.
    """

    measure: Measure
    tested_at: datetime
    week: int
    before: int
    effect: float
    p: float
    since: datetime | None = None
    detail: Mapping[str, Sequence[float]] = field(default_factory=dict)
    question_ids: tuple[UUID, ...] = ()


def tallies(connection: Connection, workspace: str, now: datetime) -> list[Tally]:
    """Count the questions of the last DAYS by day, how they ended, what they were for, and how sure the answer was."""
    given = {**_span(workspace, now), "bins": BINS}
    return [Tally(*row) for row in connection.execute(_TALLIES, given).fetchall()]


def vectors(
    connection: Connection, workspace: str, now: datetime, embedder_id: int, most: int
) -> list[Placed]:
    """List up to `most` questions of each of the last DAYS, drawn at random, with their vectors by that encoder."""
    adapt_vectors(connection)
    given = {**_span(workspace, now), "embedder": embedder_id, "most": most}
    rows = connection.execute(_VECTORS, given).fetchall()
    return [Placed(day, question_id, tuple(vector.to_list())) for day, question_id, vector in rows]


def add(connection: Connection, workspace: str, found: Iterable[Drift]) -> None:
    """Keep what a night found."""
    connection.cursor().executemany(
        f"INSERT INTO drifts (workspace_id, {_COLUMNS})"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            (workspace, each.measure, each.tested_at, each.week, each.before, each.effect, each.p,
             each.since, Jsonb(dict(each.detail)), list(each.question_ids))
            for each in found
        ],
    )  # fmt: skip


def latest(connection: Connection, workspace: str) -> dict[Measure, Drift]:
    """Give what was found last of each measure; absent where it was never tested."""
    rows = connection.execute(
        f"SELECT DISTINCT ON (measure) {_COLUMNS} FROM drifts WHERE workspace_id = %s"
        " ORDER BY measure, tested_at DESC",
        (workspace,),
    ).fetchall()
    return {row[0]: _drift(row) for row in rows}


def history(connection: Connection, workspace: str, since: datetime) -> list[Drift]:
    """List what the nights since a moment found, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM drifts WHERE workspace_id = %s AND tested_at >= %s"
        " ORDER BY tested_at, measure",
        (workspace, since),
    ).fetchall()
    return [_drift(row) for row in rows]


def channels(connection: Connection, workspace: str, question_ids: Sequence[UUID]) -> list[str]:
    """Name the channels that these questions were asked in, but for private ones."""
    rows = connection.execute(
        "SELECT DISTINCT channel FROM questions WHERE workspace_id = %s AND question_id = ANY (%s)"
        " AND NOT is_private AND origin <> 'terminal' ORDER BY channel",
        (workspace, list(question_ids)),
    ).fetchall()
    return [channel for (channel,) in rows]


def named(
    connection: Connection, workspace: str, drift: Drift, named_in: Sequence[str], most: int
) -> list[str]:
    """Give up to `most` of the questions that show a drift best, out of the channels `named_in` and the terminal."""
    rows = connection.execute(
        "SELECT q.body FROM unnest(%s::uuid[]) WITH ORDINALITY AS shown (question_id, place)"
        " JOIN questions q ON q.workspace_id = %s AND q.question_id = shown.question_id"
        " WHERE NOT q.is_private AND NOT q.is_outside"
        " AND (q.origin = 'terminal' OR q.channel = ANY (%s)) ORDER BY shown.place LIMIT %s",
        (list(drift.question_ids), workspace, list(named_in), most),
    ).fetchall()
    return [body for (body,) in rows]


def _span(workspace: str, now: datetime) -> dict[str, object]:
    since = now - timedelta(days=DAYS)
    return {"workspace": workspace, "now": now, "since": since, "each": PERSON_QUESTIONS}


def _drift(row: TupleRow) -> Drift:
    fields = (*row[:8], tuple(row[8]))
    return Drift(*fields)
