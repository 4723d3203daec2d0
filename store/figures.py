"""Figures by day: how many questions were asked, how they ended, how people liked it, and how long it took.

Kept in a table with a row per day and part, since adding up a year's questions takes seconds. They are
counts only, and stay when what they counted is erased; of private questions not even the channel is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from psycopg.rows import TupleRow

from store.database import Connection

Part = Literal["channel", "source"]
"""What figures are told apart by; a question counts for the source of its first citation."""

PRIVATE = ""
"""Stands for the channel of everything that was asked in private."""

STEP = 1.2
"""Ratio of two neighbouring buckets of milliseconds: a percentile is right within a tenth."""

LAST_BUCKET = 80
"""The bucket of everything slower than half an hour (1.2 ** 79 ms)."""

FRESH = timedelta(seconds=20)
"""How old figures may be before `refresh` counts again."""

UNSETTLED = timedelta(days=2)
"""How long after it was asked a question may still end."""

LATE = timedelta(hours=1)
"""How late a thumb may reach us."""

_COLUMNS = "asked, answered, unsure, not_found, failed, routed, liked, disliked"

_SUMS = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in _COLUMNS.split(", "))

_CHANGED = """
SELECT DISTINCT (q.claimed_at AT TIME ZONE 'UTC')::date FROM questions q
WHERE q.workspace_id = %(workspace)s AND q.claimed_at >= %(unsettled)s
  AND (q.claimed_at >= %(late)s OR q.ended_at >= %(late)s)
UNION
SELECT DISTINCT (q.claimed_at AT TIME ZONE 'UTC')::date
FROM thumbs t JOIN answers a USING (workspace_id, answer_id)
JOIN questions q USING (workspace_id, question_id)
WHERE t.workspace_id = %(workspace)s AND t.moved_at >= %(late)s
"""

# What nobody asked the bot (ignored) and small talk are no questions.
_ASKED = """
SELECT (q.claimed_at AT TIME ZONE 'UTC')::date AS day, q.status, a.citations,
       CASE WHEN q.is_private THEN %(private)s ELSE q.channel END AS channel,
       CASE WHEN q.status IN ('answered', 'unsure', 'not_found', 'routed') THEN
            greatest(1, least(%(last)s, 1 + floor(ln(greatest(1,
                extract(epoch FROM q.ended_at - q.claimed_at)::float8 * 1000)) / ln(%(step)s::float8))))
            ELSE 0 END::smallint AS bucket,
       (SELECT sign(sum(v.value * v.weight)) FROM votes v
        WHERE v.workspace_id = a.workspace_id AND v.answer_id = a.answer_id) AS opinion
FROM questions q LEFT JOIN answers a USING (workspace_id, question_id)
WHERE q.workspace_id = %(workspace)s AND q.claimed_at >= %(since)s AND q.claimed_at < %(until)s
  AND coalesce(q.status, '') NOT IN ('ignored', 'smalltalk')
"""

_COUNTS = """
count(*), count(*) FILTER (WHERE status = 'answered'), count(*) FILTER (WHERE status = 'unsure'),
count(*) FILTER (WHERE status = 'not_found'), count(*) FILTER (WHERE status = 'failed'),
count(*) FILTER (WHERE status = 'routed'), count(*) FILTER (WHERE opinion > 0),
count(*) FILTER (WHERE opinion < 0)
"""

# Ordered, so that a span of days lies together on the disk.
_COUNT = f"""
WITH asked AS MATERIALIZED ({_ASKED}),
sourced AS (SELECT *, citations->0->>'source' AS cited FROM asked)
INSERT INTO daily_figures (workspace_id, part, day, name, bucket, {_COLUMNS})
SELECT %(workspace)s,
       CASE WHEN grouping(channel) = 0 THEN 'channel' WHEN grouping(cited) = 0 THEN 'source'
            ELSE 'all' END,
       day, coalesce(channel, cited, ''), bucket, {_COUNTS}
FROM sourced
GROUP BY GROUPING SETS ((day, bucket), (day, channel, bucket), (day, cited, bucket))
HAVING grouping(cited) = 1 OR cited IS NOT NULL
ORDER BY 2, day
"""

_CITE = f"""
WITH asked AS MATERIALIZED ({_ASKED}),
sourced AS (SELECT a.day, a.status, a.opinion, c.cited->>'source' AS source, c.cited->>'path' AS path
            FROM asked a CROSS JOIN LATERAL jsonb_array_elements(a.citations) AS c(cited))
INSERT INTO daily_figures (workspace_id, part, day, source, name, bucket, {_COLUMNS})
SELECT %(workspace)s, 'document', day, source, path, 0, {_COUNTS}
FROM sourced WHERE source IS NOT NULL AND path IS NOT NULL GROUP BY day, source, path ORDER BY day
"""

_RANGE = "workspace_id = %(workspace)s AND day >= %(since)s AND day < %(until)s"

_OF_PART = f"""
SELECT name, bucket, {_SUMS} FROM daily_figures WHERE {_RANGE} AND part = %(part)s
GROUP BY name, bucket ORDER BY name, bucket
"""

# Names one after the other, each the next one in the index: reading all rows for them takes a tenth of a second.
_CHANNELS = """
WITH RECURSIVE named(name) AS (
    SELECT min(name) FROM daily_figures
    WHERE workspace_id = %(workspace)s AND part = 'channel' AND name > %(private)s
    UNION ALL
    SELECT (SELECT min(f.name) FROM daily_figures f
            WHERE f.workspace_id = %(workspace)s AND f.part = 'channel' AND f.name > named.name)
    FROM named WHERE named.name IS NOT NULL)
SELECT name FROM named WHERE name IS NOT NULL LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """How many questions were asked and how they ended, `liked` and `disliked` as one opinion per answer.

    `asked` also counts what has not ended yet. `p50` and `p95` are seconds from the question to the end of
    answering, None where nothing was answered.
    """

    asked: int = 0
    answered: int = 0
    unsure: int = 0
    not_found: int = 0
    failed: int = 0
    routed: int = 0
    liked: int = 0
    disliked: int = 0
    p50: float | None = None
    p95: float | None = None

    @property
    def judged(self) -> int:
        """How many answers people had an opinion of."""
        return self.liked + self.disliked


def refresh(connection: Connection, workspace: str, now: datetime) -> datetime:
    """Count again what may have changed since the last time, and give up to when the figures count.

    Cheap enough to call before every reading: it does nothing where the figures are FRESH, or where
    another counts them at this moment.
    """
    row = connection.execute(
        "SELECT refreshed_at FROM figures_refreshed WHERE workspace_id = %s", (workspace,)
    ).fetchone()
    before: datetime | None = row[0] if row else None
    if before is not None and before <= now < before + FRESH:
        return before
    held = connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (f"figures:{workspace}",)
    ).fetchone()
    if held != (True,):
        return before or now
    for first, last in _spans(_changed(connection, workspace, before)):
        _recount(connection, workspace, first, last + timedelta(days=1))
    connection.execute(
        "INSERT INTO figures_refreshed VALUES (%s, %s) ON CONFLICT (workspace_id)"
        " DO UPDATE SET refreshed_at = excluded.refreshed_at",
        (workspace, now),
    )
    return now


def between(connection: Connection, workspace: str, since: date, until: date) -> Figures:
    """Sum up the days (UTC) from `since` to before `until`. Call `refresh` first, in the same transaction.

    For the weekly digest: `between(connection, workspace, today - timedelta(days=7), today)`.
    """
    return _of_part(connection, workspace, "all", since, until).get("", Figures())


def daily(
    connection: Connection, workspace: str, since: date, until: date
) -> list[tuple[date, Figures]]:
    """Give each day's figures from `since` to before `until`, also of days on which nothing was asked."""
    span = {"workspace": workspace, "since": since, "until": until}
    rows = connection.execute(
        f"SELECT day, {_SUMS} FROM daily_figures WHERE {_RANGE} AND part = 'all' GROUP BY day", span
    ).fetchall()
    buckets: dict[date, list[tuple[int, int]]] = {}
    for day, bucket, number in connection.execute(
        f"SELECT day, bucket, asked FROM daily_figures WHERE {_RANGE} AND part = 'all' AND bucket > 0"
        " ORDER BY day, bucket",
        span,
    ):
        buckets.setdefault(day, []).append((bucket, number))
    found = {row[0]: _figures(row[1:], buckets.get(row[0], ())) for row in rows}
    days = (since + timedelta(days=number) for number in range((until - since).days))
    return [(day, found.get(day, Figures())) for day in days]


def by(
    connection: Connection,
    workspace: str,
    part: Part,
    since: date,
    until: date,
    *,
    most: int = 20,
) -> list[tuple[str, Figures]]:
    """Sum up the days from `since` to before `until` for each channel or source, the busiest first.

    The channel named PRIVATE is all that was asked in private.
    """
    found = _of_part(connection, workspace, part, since, until)
    return sorted(found.items(), key=lambda each: (-each[1].asked, each[0]))[:most]


def channels(connection: Connection, workspace: str, most: int) -> list[str]:
    """Name channels that anything was ever asked in, by id; `most` at most."""
    given = {"workspace": workspace, "private": PRIVATE, "most": most}
    return [row[0] for row in connection.execute(_CHANNELS, given).fetchall()]


def cited(
    connection: Connection, workspace: str, since: date, until: date, *, most: int = 20
) -> list[tuple[str, str, Figures]]:
    """Give (source, path, figures) of the documents that were cited most; without times."""
    rows = connection.execute(
        f"SELECT source, name, {_SUMS} FROM daily_figures WHERE {_RANGE} AND part = 'document'"
        " GROUP BY source, name ORDER BY sum(asked) DESC, source, name LIMIT %(most)s",
        {"workspace": workspace, "since": since, "until": until, "most": most},
    ).fetchall()
    return [(row[0], row[1], _figures(row[2:], ())) for row in rows]


def _changed(connection: Connection, workspace: str, before: datetime | None) -> list[date]:
    since = before or datetime.min.replace(tzinfo=UTC) + UNSETTLED + LATE
    given = {"workspace": workspace, "unsettled": since - UNSETTLED, "late": since - LATE}
    return sorted(row[0] for row in connection.execute(_CHANGED, given).fetchall())


def _spans(days: Sequence[date]) -> list[tuple[date, date]]:
    """Join days that follow one another."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and spans[-1][1] + timedelta(days=1) == day:
            spans[-1] = spans[-1][0], day
        else:
            spans.append((day, day))
    return spans


def _recount(connection: Connection, workspace: str, since: date, until: date) -> None:
    """Count the days from `since` to before `until` anew."""
    midnight = datetime.min.time()
    given = {
        "workspace": workspace,
        "private": PRIVATE,
        "last": LAST_BUCKET,
        "step": STEP,
        "since": datetime.combine(since, midnight, UTC),
        "until": datetime.combine(until, midnight, UTC),
    }
    connection.execute(
        "DELETE FROM daily_figures WHERE workspace_id = %s AND day >= %s AND day < %s",
        (workspace, since, until),
    )
    connection.execute(_COUNT, given)
    connection.execute(_CITE, given)


def _of_part(
    connection: Connection, workspace: str, part: str, since: date, until: date
) -> dict[str, Figures]:
    """Sum up the days of a part by name, in one reading of its rows."""
    span = {"workspace": workspace, "since": since, "until": until, "part": part}
    rows: dict[str, list[TupleRow]] = {}
    for name, *row in connection.execute(_OF_PART, span):
        rows.setdefault(name, []).append(tuple(row))
    return {
        name: _figures(
            tuple(map(sum, zip(*(row[1:] for row in found), strict=True))),
            [(row[0], row[1]) for row in found if row[0] > 0],
        )
        for name, found in rows.items()
    }


def _figures(sums: TupleRow, buckets: Sequence[tuple[int, int]]) -> Figures:
    middle, slow = percentile(buckets, 0.5), percentile(buckets, 0.95)
    return replace(Figures(*sums), p50=middle, p95=slow)


def percentile(buckets: Sequence[tuple[int, int]], share: float) -> float | None:
    """Give the seconds below which `share` (0..1) of (bucket, number) pairs lie, ordered by bucket."""
    wanted, seen = share * sum(number for _, number in buckets), 0
    for bucket, number in buckets:
        seen += number
        if seen >= wanted:
            return float(STEP ** (bucket - 0.5)) / 1000
    return None
