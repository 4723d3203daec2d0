"""The lexical index: which chunk holds which lexeme how often, and in how many chunks each stands.

Knows nothing about documents or vectors: chunks are ids with a text. Postgres' English text search
makes the lexemes, here as in the search; codes and acronyms stand beside them (codes.py).
"""

from collections import Counter
from collections.abc import Sequence

from store.database import Connection
from store.index import codes

LONGEST_TEXT = 100_000
"""Characters of a chunk that are indexed; a tsvector of more than 1 MB would be an error."""

# An array of arrays cannot be of several lengths, so the codes of a chunk come as one text.
_LEXEMES = """
SELECT t.chunk_id, t.scope_id, l.term, l.tf, l.is_word
FROM unnest(%(ids)s::bigint[], %(scopes)s::integer[], %(texts)s::text[], %(codes)s::text[])
     AS t(chunk_id, scope_id, body, codes)
CROSS JOIN LATERAL (
    SELECT lexeme AS term, coalesce(cardinality(positions), 1) AS tf, true AS is_word
    FROM unnest(to_tsvector('english', t.body))
    UNION ALL SELECT code, 1, false FROM string_to_table(t.codes, ' ') AS code WHERE code <> ''
) AS l
"""

_ADD = f"""
WITH lexemes AS MATERIALIZED ({_LEXEMES}),
lengths AS (SELECT chunk_id, coalesce(sum(tf) FILTER (WHERE is_word), 0)::integer AS length
            FROM lexemes GROUP BY chunk_id),
added AS (
    INSERT INTO postings (workspace_id, term, chunk_id, scope_id, tf, length)
    SELECT %(workspace)s, term, chunk_id, scope_id, tf, length
    FROM lexemes JOIN lengths USING (chunk_id) ORDER BY term, chunk_id
    RETURNING term
)
SELECT NULL::bigint, term, count(*)::integer FROM added GROUP BY term
UNION ALL SELECT chunk_id, NULL, length FROM lengths
"""

_REMOVE = f"""
WITH lexemes AS MATERIALIZED ({_LEXEMES}),
removed AS (
    DELETE FROM postings p USING lexemes l
    WHERE p.workspace_id = %(workspace)s AND p.term = l.term AND p.chunk_id = l.chunk_id
    RETURNING p.term
)
SELECT term, count(*)::integer FROM removed GROUP BY term
"""

_MOVE = f"""
WITH lexemes AS MATERIALIZED ({_LEXEMES})
UPDATE postings p SET scope_id = l.scope_id FROM lexemes l
WHERE p.workspace_id = %(workspace)s AND p.term = l.term AND p.chunk_id = l.chunk_id
"""

_COUNT = """
INSERT INTO term_stats (workspace_id, term, chunks)
SELECT %s, term, change FROM unnest(%s::text[], %s::bigint[]) AS t(term, change) ORDER BY term
ON CONFLICT (workspace_id, term) DO UPDATE SET chunks = term_stats.chunks + excluded.chunks
"""


def add(
    connection: Connection,
    workspace: str,
    chunks: Sequence[tuple[int, int, str]],
) -> tuple[dict[int, int], Counter[str]]:
    """Index chunks given as (chunk_id, scope_id, text).

    Gives the number of terms of each chunk, and in how many of them each term stands: pass that
    to `count` once per transaction.
    """
    lengths = {chunk_id: 0 for chunk_id, _, _ in chunks}
    terms: Counter[str] = Counter()
    for chunk_id, term, number in connection.execute(_ADD, _arrays(workspace, chunks)):
        if term is None:
            lengths[chunk_id] = number
        else:
            terms[term] = number
    return lengths, terms


def remove(
    connection: Connection,
    workspace: str,
    chunks: Sequence[tuple[int, int, str]],
) -> Counter[str]:
    """Take chunks out again, given as they were added; give the terms to take off with `count`."""
    if not chunks:
        return Counter()
    rows = connection.execute(_REMOVE, _arrays(workspace, chunks)).fetchall()
    return Counter(dict(rows))


def move(
    connection: Connection,
    workspace: str,
    chunks: Sequence[tuple[int, int, str]],
) -> None:
    """Put the postings of chunks, given as (chunk_id, scope_id, text), into that scope."""
    connection.execute(_MOVE, _arrays(workspace, chunks))


def count(
    connection: Connection,
    workspace: str,
    added: Counter[str],
    removed: Counter[str],
) -> None:
    """Bring the terms' chunk counts up to date, last in the transaction: it takes a lock.

    The lock and the order of terms keep sources that are written at the same time from waiting
    for one another in a circle.
    """
    change = {term: added[term] - removed[term] for term in added.keys() | removed.keys()}
    change = {term: number for term, number in sorted(change.items()) if number}
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"term_stats:{workspace}",)
    )
    if change:
        connection.execute(_COUNT, (workspace, list(change), list(change.values())))


def _arrays(
    workspace: str, chunks: Sequence[tuple[int, int, str]]
) -> dict[str, str | list[int] | list[str]]:
    texts = [text[:LONGEST_TEXT] for _, _, text in chunks]
    return {
        "workspace": workspace,
        "ids": [chunk_id for chunk_id, _, _ in chunks],
        "scopes": [scope_id for _, scope_id, _ in chunks],
        "texts": [f"{text}\n{codes.retold(text)}" for text in texts],
        "codes": [" ".join(codes.lexemes(text)) for text in texts],
    }
