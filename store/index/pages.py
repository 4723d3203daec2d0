"""Documents as an admin looks through them: how old, how often cited, how liked, read in part or hidden.

Knows nothing about who may see them, nor about what they say.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from store.database import Connection
from store.values import storable

Order = Literal["cited", "stale", "disliked", "partial", "hidden", "path"]


@dataclass(frozen=True, slots=True)
class Page:
    """A document that is served, with how often it was cited and liked in a span of days."""

    source: str
    path: str
    title: str
    url: str | None
    updated_at: datetime | None
    ingested_at: datetime
    chunks: int
    left_out: tuple[str, ...]
    is_hidden: bool
    cited: int
    liked: int
    disliked: int


MOST_CITED = 1000
"""Documents among which those are looked for that are cited though they are old, or disliked."""

_PAGE = """
d.source, d.path, d.title, d.url, d.updated_at, d.ingested_at, d.chunks, d.left_out,
EXISTS (SELECT FROM hidden_documents h WHERE h.workspace_id = %(workspace)s AND h.source = d.source
        AND h.path = d.path)
"""

_SERVED = """
SELECT b.source, d.* FROM documents d JOIN builds b USING (workspace_id, build_id)
WHERE d.workspace_id = %(workspace)s AND b.state = 'live' AND d.document_id > 0
"""

_SUMS = """
SELECT coalesce(sum(f.asked), 0)::int AS cited, coalesce(sum(f.liked), 0)::int AS liked,
       coalesce(sum(f.disliked), 0)::int AS disliked
FROM daily_figures f WHERE f.workspace_id = %(workspace)s AND f.part = 'document' AND f.source = {source}
AND f.name = {path} AND f.day >= %(since)s
"""

# Of what was cited, the documents are looked up; of the others, the figures.
_CITED = f"""
WITH cited AS (
    SELECT source, name, sum(asked)::int AS cited, sum(liked)::int AS liked, sum(disliked)::int AS disliked
    FROM daily_figures WHERE workspace_id = %(workspace)s AND part = 'document' AND day >= %(since)s
    GROUP BY source, name ORDER BY {{order}} DESC, source, name LIMIT {MOST_CITED})
SELECT {_PAGE}, c.cited, c.liked, c.disliked FROM cited c
CROSS JOIN LATERAL ({_SERVED} AND b.source = c.source AND d.path = c.name OFFSET 0) AS d
WHERE {{only}} ORDER BY c.{{order}} DESC, d.source, d.path LIMIT %(limit)s
"""

_OTHERS = f"""
WITH d AS ({_SERVED} {{only}} ORDER BY d.build_id, d.path LIMIT %(limit)s)
SELECT {_PAGE}, s.cited, s.liked, s.disliked FROM d
CROSS JOIN LATERAL ({_SUMS.format(source="d.source", path="d.path")}) AS s ORDER BY d.source, d.path
"""

_QUERIES = {
    "cited": _CITED.format(only="true", order="cited"),
    "stale": _CITED.format(only="d.updated_at < %(stale)s", order="cited"),
    "disliked": _CITED.format(only="c.disliked > 0", order="disliked"),
    "partial": _OTHERS.format(only="AND d.left_out <> '{}'"),
    "hidden": _OTHERS.format(
        only="AND (b.source, d.path) IN (SELECT h.source, h.path FROM hidden_documents h"
        " WHERE h.workspace_id = %(workspace)s)"
    ),
    "path": _OTHERS.format(
        only="AND (position(lower(%(text)s) IN lower(d.path)) > 0"
        " OR position(lower(%(text)s) IN lower(d.title)) > 0)"
    ),
}


def listed(
    connection: Connection,
    workspace: str,
    order: Order,
    since: date,
    stale: datetime,
    *,
    text: str = "",
    limit: int = 100,
) -> list[Page]:
    """List documents: the most cited since a day, those of them older than `stale`, the most disliked,
    those read in part, those hidden, or (`path`) those with a text in path or title."""
    rows = connection.execute(
        _QUERIES[order],
        {
            "workspace": workspace,
            "since": since,
            "stale": stale,
            "text": storable(text),
            "limit": limit,
        },
    ).fetchall()
    return [replace(Page(*row), left_out=tuple(row[7])) for row in rows]
