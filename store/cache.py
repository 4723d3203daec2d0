"""Answers that were found before, each given again only while all that it was made of is as it was.

Knows nothing about questions: an answer is kept under a key that the caller makes. What it was made of is told by
counters that the database itself keeps (migration 0031), and no clock is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from store import answers
from store.database import Connection
from store.feedback import faqs
from store.records import Answer, Viewer
from store.values import adapt_vectors, halfvec

MOST = 5_000
"""Answers that a workspace keeps; what was not used for longest goes."""

_NOW = f"""
WITH visible AS (
    SELECT s.scope_id, s.changes FROM scopes s JOIN builds b USING (workspace_id, build_id)
    WHERE s.workspace_id = %(workspace)s AND b.state = 'live' AND s.chunks > 0
      AND s.audience && %(principals)s::text[]
      AND (%(sources)s::text[] IS NULL OR b.source = ANY (%(sources)s::text[]))
), present AS (
    SELECT (SELECT coalesce(array_agg(scope_id ORDER BY scope_id), '{{}}') FROM visible) AS scope_ids,
           (SELECT coalesce(array_agg(changes ORDER BY scope_id), '{{}}') FROM visible) AS scope_changes,
           (SELECT coalesce(array_agg(faq_id ORDER BY faq_id), '{{}}') FROM faqs
            WHERE workspace_id = %(workspace)s AND {faqs.SERVED}
              AND audience && %(principals)s::text[]) AS faq_ids,
           coalesce((SELECT changes FROM workspace_changes
                     WHERE workspace_id = %(workspace)s), 0) AS changes
)
"""

_RIGHTS = "md5({0}.scope_ids::text || {0}.faq_ids::text)::uuid"

_LOOK = f"""{_NOW}
SELECT p.scope_ids, p.scope_changes, p.faq_ids, p.changes, c.answer, c.embedding, c.asked_at
FROM present p LEFT JOIN cached_answers c
  ON c.workspace_id = %(workspace)s AND c.key = %(key)s AND c.rights = {_RIGHTS.format("p")}
 AND c.scope_ids = p.scope_ids AND c.scope_changes = p.scope_changes
 AND c.faq_ids = p.faq_ids AND c.changes = p.changes
"""

_PUT = f"""
INSERT INTO cached_answers (workspace_id, key, rights, scope_ids, scope_changes, faq_ids, changes,
                            answer, embedding, asked_at, used_at)
SELECT %(workspace)s, %(key)s, {_RIGHTS.format("p")}, p.scope_ids, p.scope_changes, p.faq_ids, p.changes,
       %(answer)s, %(vector)s::halfvec, %(now)s, %(now)s
FROM (SELECT %(scope_ids)s::integer[] AS scope_ids, %(scope_changes)s::bigint[] AS scope_changes,
             %(faq_ids)s::uuid[] AS faq_ids, %(changes)s::bigint AS changes) AS p
ON CONFLICT (workspace_id, key, rights) DO UPDATE
SET scope_changes = excluded.scope_changes, changes = excluded.changes, answer = excluded.answer,
    embedding = excluded.embedding, asked_at = excluded.asked_at, used_at = excluded.used_at
"""

# What somebody is reading or writing just now is left for the next time.
_TRIM = """
DELETE FROM cached_answers WHERE (workspace_id, key, rights) IN (
    SELECT workspace_id, key, rights FROM cached_answers WHERE workspace_id = %s
    ORDER BY used_at DESC, key OFFSET %s FOR UPDATE SKIP LOCKED
)
"""

_SWEEP = """
DELETE FROM cached_answers c WHERE c.workspace_id = %(workspace)s AND (
    c.changes <> coalesce((SELECT changes FROM workspace_changes WHERE workspace_id = %(workspace)s), 0)
    OR c.scope_changes IS DISTINCT FROM (
        SELECT array_agg(s.changes ORDER BY s.scope_id) FROM scopes s
        JOIN builds b ON b.workspace_id = s.workspace_id AND b.build_id = s.build_id
        WHERE s.workspace_id = %(workspace)s AND s.scope_id = ANY (c.scope_ids) AND b.state = 'live')
)
"""


@dataclass(frozen=True, slots=True)
class State:
    """What a viewer's answers are made of: the scopes and kept replies that may be seen, with the counters.

    Two are equal exactly when nothing has changed in between.
    """

    scope_ids: tuple[int, ...]
    scope_changes: tuple[int, ...]
    faq_ids: tuple[UUID, ...]
    changes: int


@dataclass(frozen=True, slots=True)
class Look:
    """How things stand, and the answer that was found when they stood so, since when; None for no such one."""

    state: State
    answer: Answer | None = None
    asked_at: datetime | None = None


def look(
    connection: Connection,
    workspace: str,
    key: bytes,
    viewer: Viewer,
    sources: Sequence[str] | None,
) -> Look:
    """Look for an answer by its key, of these `sources` (None: all), as this viewer may see things now.

    One statement, so that how things stand and the answer belong to one moment.
    """
    adapt_vectors(connection)
    row = connection.execute(
        _LOOK,
        {
            "workspace": workspace,
            "key": key,
            "principals": list(viewer.principals),
            "sources": None if sources is None else list(sources),
        },
    ).fetchone()
    assert row is not None
    state = State(tuple(row[0]), tuple(row[1]), tuple(row[2]), row[3])
    if row[4] is None:
        return Look(state)
    return Look(state, answers.unpacked(row[4], row[5].to_list()), row[6])


def used(connection: Connection, workspace: str, key: bytes, state: State) -> None:
    """Note that an answer was given again; told once an hour, so that a common question costs no writing."""
    connection.execute(
        "UPDATE cached_answers SET used_at = now() WHERE workspace_id = %s AND key = %s"
        " AND scope_ids = %s::integer[] AND faq_ids = %s::uuid[]"
        " AND used_at < now() - interval '1 hour'",
        (workspace, key, list(state.scope_ids), list(state.faq_ids)),
    )


def put(
    connection: Connection,
    workspace: str,
    key: bytes,
    state: State,
    answer: Answer,
    now: datetime,
    *,
    most: int = MOST,
) -> None:
    """Keep an answer that was found while things stood so; of more than `most` the oldest go."""
    connection.execute(
        _PUT,
        {
            "workspace": workspace,
            "key": key,
            "scope_ids": list(state.scope_ids),
            "scope_changes": list(state.scope_changes),
            "faq_ids": list(state.faq_ids),
            "changes": state.changes,
            "answer": answers.packed(answer),
            "vector": halfvec(connection, answer.vector),
            "now": now,
        },
    )
    connection.execute(_TRIM, (workspace, most))


def sweep(connection: Connection, workspace: str) -> int:
    """Delete what can never be given again, since a document, a vote or a version changed; gives how many."""
    return connection.execute(_SWEEP, {"workspace": workspace}).rowcount


def clear(connection: Connection, workspace: str) -> None:
    """Delete all that is kept."""
    connection.execute("DELETE FROM cached_answers WHERE workspace_id = %s", (workspace,))


def size(connection: Connection, workspace: str) -> tuple[int, int]:
    """Count the answers that are kept, and the bytes of their rows as they are stored."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(pg_column_size(c.*)), 0)::bigint FROM cached_answers c"
        " WHERE workspace_id = %s",
        (workspace,),
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
