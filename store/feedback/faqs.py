"""Verified answers: a person's reply that was kept, approved by an admin, and is served first.

Knows nothing about Slack. Who may see one is decided by its audience, in the SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from psycopg.rows import TupleRow

from store.database import Connection
from store.records import EVERYONE, FaqState, Viewer
from store.values import halfvec, storable

_COLUMNS = (
    "faq_id, question, body, author, author_name, audience, permalink, state, kept_at, decided_by,"
    " flagged_at, expires_at"
)

_CURRENT = "(expires_at IS NULL OR expires_at > now())"

SERVED = f"state = 'approved' AND flagged_at IS NULL AND {_CURRENT}"
"""Tells in SQL which kept replies are given at the moment."""

DISLIKES = 2
"""People by whom those who dislike a kept reply outnumber the others when it goes out of service."""


@dataclass(frozen=True, slots=True)
class Faq:
    """A kept reply: `state` is candidate, approved or rejected; flagged when a document changed. It is
    not served from `expires_at` on."""

    faq_id: UUID
    question: str
    body: str
    author: str
    author_name: str
    audience: tuple[str, ...]
    permalink: str | None
    state: FaqState
    kept_at: datetime
    decided_by: str | None
    flagged_at: datetime | None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A person's reply in a thread whose question was asked to the bot.

    Only members of `channel` may see what is made of it, unless `is_public`.
    """

    channel: str
    thread_ts: str
    message_ts: str
    author: str
    author_name: str
    body: str
    permalink: str | None
    is_public: bool


def keep(connection: Connection, workspace: str, reply: Reply, now: datetime) -> Faq | None:
    """Keep a reply as a candidate for the thread's question and give it; None when there is no such question, or
    the reply is kept already. A question that was asked in private is never made public."""
    row = connection.execute(
        "INSERT INTO faqs (workspace_id, faq_id, question, body, author, author_name, asker, audience,"
        " permalink, channel, message_ts, text_hash, embedder_id, embedding, kept_at)"
        " SELECT q.workspace_id, %(id)s, q.body, %(body)s, %(author)s, %(name)s, q.person,"
        " CASE WHEN %(public)s AND NOT q.is_private THEN ARRAY[%(everyone)s] ELSE ARRAY[q.channel] END,"
        " %(permalink)s, q.channel, %(ts)s, decode(a.passages->0->>'text_hash', 'hex'),"
        " a.embedder_id, a.embedding, %(now)s"
        " FROM questions q JOIN answers a USING (workspace_id, question_id)"
        " WHERE q.workspace_id = %(workspace)s AND q.channel = %(channel)s"
        " AND %(thread)s IN (q.message_ts, q.thread_ts) AND a.embedding IS NOT NULL"
        " AND a.embedder_id IS NOT NULL"
        # A thread may hold several questions: a reply belongs to the last one before it.
        " AND split_part(q.message_ts, '+', 1) COLLATE \"C\" <= %(ts)s"
        ' ORDER BY q.message_ts COLLATE "C" DESC LIMIT 1'
        " ON CONFLICT (workspace_id, channel, message_ts) DO NOTHING"
        f" RETURNING {_COLUMNS}",
        {
            "workspace": workspace,
            "id": uuid4(),
            "body": storable(reply.body),
            "author": reply.author,
            "name": reply.author_name,
            "public": reply.is_public,
            "everyone": EVERYONE,
            "permalink": reply.permalink,
            "ts": reply.message_ts,
            "channel": reply.channel,
            "thread": reply.thread_ts,
            "now": now,
        },
    ).fetchone()
    return _faq(row) if row else None


def decide(
    connection: Connection,
    workspace: str,
    faq_id: UUID,
    admin: str,
    now: datetime,
    *,
    approve: bool,
) -> Faq | None:
    """Approve or reject a candidate, or a flagged one again; None when there is no such one."""
    row = connection.execute(
        "UPDATE faqs SET state = %s, decided_by = %s, decided_at = %s, flagged_at = NULL,"
        " text_hash = CASE WHEN flagged_at IS NULL THEN text_hash END"
        f" WHERE workspace_id = %s AND faq_id = %s RETURNING {_COLUMNS}",
        ("approved" if approve else "rejected", admin, now, workspace, faq_id),
    ).fetchone()
    return _faq(row) if row else None


def near(
    connection: Connection,
    workspace: str,
    embedder_id: int,
    vector: Sequence[float],
    viewer: Viewer,
    floor: float,
) -> list[tuple[Faq, float]]:
    """List the approved answers that may be seen and whose questions are near (cosine >= floor), the nearest
    first, ten at most."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, 1 - (embedding <=> %(vector)s::halfvec) AS similarity FROM faqs"
        " WHERE workspace_id = %(workspace)s AND embedder_id = %(embedder)s"
        f" AND {SERVED} AND audience && %(principals)s::text[]"
        " AND embedding <=> %(vector)s::halfvec <= 1 - %(floor)s::float8"
        " ORDER BY similarity DESC, faq_id LIMIT 10",
        {
            "workspace": workspace,
            "embedder": embedder_id,
            "vector": halfvec(connection, vector),
            "principals": list(viewer.principals),
            "floor": floor,
        },
    ).fetchall()
    return [(_faq(row[:-1]), row[-1]) for row in rows]


def serves(connection: Connection, workspace: str, faq_id: str, viewer: Viewer) -> bool:
    """Whether a kept reply is still in service, and a viewer may see it."""
    row = connection.execute(
        "SELECT 1 FROM faqs WHERE workspace_id = %s AND faq_id = %s::uuid AND state = 'approved'"
        f" AND flagged_at IS NULL AND {_CURRENT} AND audience && %s::text[]",
        (workspace, faq_id, list(viewer.principals)),
    ).fetchone()
    return row is not None


def open_channels(connection: Connection, workspace: str, faq_ids: Sequence[str]) -> list[str]:
    """Give the channels that those of these replies come from which every member may read."""
    rows = connection.execute(
        "SELECT DISTINCT channel FROM faqs WHERE workspace_id = %s AND faq_id = ANY (%s::uuid[])"
        " AND %s = ANY (audience) ORDER BY channel",
        (workspace, list(faq_ids), EVERYONE),
    ).fetchall()
    return [row[0] for row in rows]


def narrow(connection: Connection, workspace: str, channel: str) -> None:
    """Let only a channel's own members read what was kept of it."""
    connection.execute(
        "UPDATE faqs SET audience = ARRAY[channel] WHERE workspace_id = %s AND channel = %s"
        " AND %s = ANY (audience)",
        (workspace, channel, EVERYONE),
    )


def dislikers(connection: Connection, workspace: str, answer_id: UUID) -> list[str]:
    """Give who dislikes answers that gave the same kept reply as this one, in order."""
    rows = connection.execute(
        "SELECT DISTINCT v.person FROM answers a JOIN answers o ON o.workspace_id = a.workspace_id"
        " AND o.versions->>'faq' = a.versions->>'faq'"
        " JOIN votes v ON v.workspace_id = o.workspace_id AND v.answer_id = o.answer_id"
        " WHERE a.workspace_id = %s AND a.answer_id = %s AND o.versions ? 'faq' AND v.value < 0 ORDER BY 1",
        (workspace, answer_id),
    ).fetchall()
    return [str(row[0]) for row in rows]


def flag_disliked(
    connection: Connection,
    workspace: str,
    answer_id: UUID,
    now: datetime,
    *,
    programs: Sequence[str] = (),
) -> Faq | None:
    """Flag the kept reply that this answer was, where more people dislike it than like it, by two at least.

    Gives it when that took it out of service. Votes before an admin approved it again count no more, nor do those of
    `programs`. The reply is locked first: of two votes at the same time, the second is counted together with the first.
    """
    row = connection.execute(
        "SELECT f.faq_id FROM faqs f JOIN answers a ON f.workspace_id = a.workspace_id"
        " AND f.faq_id = (a.versions->>'faq')::uuid"
        " WHERE a.workspace_id = %s AND a.answer_id = %s FOR UPDATE OF f",
        (workspace, answer_id),
    ).fetchone()
    found = _flag(connection, workspace, [row[0]], now, programs) if row else []
    return found[0] if found else None


def flag_all_disliked(connection: Connection, workspace: str, now: datetime) -> list[Faq]:
    """Flag every kept reply that more people dislike than like, by two at least, and give those; for what a
    vote did not do at once: a process that ended, or a like that was erased with its person."""
    rows = connection.execute(
        "SELECT faq_id FROM faqs WHERE workspace_id = %s AND state = 'approved' AND flagged_at IS NULL"
        " ORDER BY faq_id FOR UPDATE",
        (workspace,),
    ).fetchall()
    return _flag(connection, workspace, [row[0] for row in rows], now)


def _flag(
    connection: Connection,
    workspace: str,
    ids: list[UUID],
    now: datetime,
    programs: Sequence[str] = (),
) -> list[Faq]:
    rows = connection.execute(
        "UPDATE faqs f SET flagged_at = %(now)s WHERE f.workspace_id = %(workspace)s AND f.faq_id = ANY(%(ids)s)"
        " AND f.state = 'approved' AND f.flagged_at IS NULL AND ("
        "  SELECT coalesce(sum(opinion), 0) FROM ("
        "   SELECT sign(sum(v.value)) AS opinion FROM answers o JOIN votes v USING (workspace_id, answer_id)"
        "   WHERE o.workspace_id = f.workspace_id AND o.versions ? 'faq' AND o.versions->>'faq' = f.faq_id::text"
        "   AND v.voted_at > coalesce(f.decided_at, '-infinity') AND v.person <> ALL(%(programs)s)"
        "   GROUP BY v.person) AS people) <= %(limit)s"
        f" RETURNING {', '.join('f.' + name.strip() for name in _COLUMNS.split(','))}",
        {
            "workspace": workspace,
            "ids": ids,
            "now": now,
            "limit": -DISLIKES,
            "programs": list(programs),
        },
    ).fetchall()
    return [_faq(row) for row in rows]


def flag_changed(connection: Connection, workspace: str, now: datetime) -> list[Faq]:
    """Flag approved answers whose document text is gone, and give them; they no longer serve."""
    rows = connection.execute(
        "UPDATE faqs f SET flagged_at = %s WHERE workspace_id = %s AND state = 'approved'"
        " AND flagged_at IS NULL AND text_hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM chunks c"
        f" WHERE c.workspace_id = f.workspace_id AND c.text_hash = f.text_hash) RETURNING {_COLUMNS}",
        (now, workspace),
    ).fetchall()
    return [_faq(row) for row in rows]


def adopt(
    connection: Connection,
    workspace: str,
    question_id: UUID,
    body: str,
    admin: str,
    now: datetime,
    *,
    is_public: bool,
) -> Faq | None:
    """Keep an admin's words as the answer to a question, approved; None where it was kept already, or the
    question cannot be compared with others (nothing was searched for it) or was asked in private."""
    row = connection.execute(
        "INSERT INTO faqs (workspace_id, faq_id, question, body, author, author_name, asker, audience,"
        " permalink, channel, message_ts, text_hash, embedder_id, embedding, state, decided_by,"
        " decided_at, kept_at)"
        " SELECT q.workspace_id, %(id)s, q.body, %(body)s, %(admin)s, 'an admin', q.person,"
        " CASE WHEN %(public)s THEN ARRAY[%(everyone)s] ELSE ARRAY[q.channel] END, NULL, q.channel,"
        " 'screen:' || q.question_id, decode(a.passages->0->>'text_hash', 'hex'), a.embedder_id,"
        " a.embedding, 'approved', %(admin)s, %(now)s, %(now)s"
        " FROM questions q JOIN answers a USING (workspace_id, question_id)"
        " WHERE q.workspace_id = %(workspace)s AND q.question_id = %(question)s"
        " AND NOT q.is_private AND a.embedding IS NOT NULL AND a.embedder_id IS NOT NULL"
        " ON CONFLICT (workspace_id, channel, message_ts) DO NOTHING"
        f" RETURNING {_COLUMNS}",
        {
            "workspace": workspace, "id": uuid4(), "question": question_id, "body": storable(body),
            "admin": admin, "now": now, "public": is_public, "everyone": EVERYONE,
        },
    ).fetchone()  # fmt: skip
    return _faq(row) if row else None


def edit(
    connection: Connection, workspace: str, faq_id: UUID, body: str, expires_at: datetime | None
) -> bool:
    """Change what a kept reply says and until when it is served; False when there is no such one."""
    changed = connection.execute(
        "UPDATE faqs SET body = %s, expires_at = %s WHERE workspace_id = %s AND faq_id = %s",
        (storable(body), expires_at, workspace, faq_id),
    )
    return changed.rowcount > 0


def of_readers(
    connection: Connection, workspace: str, principals: Sequence[str], *, limit: int = 500
) -> tuple[list[Faq], int]:
    """List the kept replies that any of these may see, what waits for a decision first, then the latest;
    and count the others."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM faqs WHERE workspace_id = %s AND audience && %s::text[]"
        " ORDER BY (state = 'candidate' OR flagged_at IS NOT NULL) DESC, kept_at DESC LIMIT %s",
        (workspace, list(principals), limit),
    ).fetchall()
    others = connection.execute(
        "SELECT count(*) FROM faqs WHERE workspace_id = %s AND NOT audience && %s::text[]",
        (workspace, list(principals)),
    ).fetchone()
    assert others is not None
    return [_faq(row) for row in rows], int(others[0])


def get(
    connection: Connection, workspace: str, faq_id: UUID, principals: Sequence[str]
) -> Faq | None:
    """Give a kept reply; None where there is none that any of these may see."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM faqs WHERE workspace_id = %s AND faq_id = %s AND audience && %s::text[]",
        (workspace, faq_id, list(principals)),
    ).fetchone()
    return _faq(row) if row else None


def conflicts(
    connection: Connection, workspace: str, principals: Sequence[str], floor: float
) -> list[tuple[UUID, UUID, float]]:
    """Give pairs of served replies to nearly the same question (cosine >= floor) that say different things,
    the nearest first, fifty at most."""
    rows = connection.execute(
        "WITH served AS (SELECT faq_id, body, embedder_id, embedding FROM faqs"
        f"  WHERE workspace_id = %s AND state = 'approved' AND flagged_at IS NULL AND {_CURRENT}"
        "  AND audience && %s::text[] ORDER BY kept_at DESC LIMIT 500)"
        " SELECT a.faq_id, b.faq_id, 1 - (a.embedding <=> b.embedding) AS cosine FROM served a"
        " JOIN served b ON a.faq_id < b.faq_id AND a.embedder_id = b.embedder_id AND a.body <> b.body"
        " WHERE a.embedding <=> b.embedding <= 1 - %s::float8 ORDER BY cosine DESC LIMIT 50",
        (workspace, list(principals), floor),
    ).fetchall()
    return [(row[0], row[1], float(row[2])) for row in rows]


def open_ones(connection: Connection, workspace: str) -> list[Faq]:
    """List what an admin should look at: candidates and flagged ones, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM faqs WHERE workspace_id = %s"
        " AND (state = 'candidate' OR flagged_at IS NOT NULL) ORDER BY kept_at",
        (workspace,),
    ).fetchall()
    return [_faq(row) for row in rows]


def _faq(row: TupleRow) -> Faq:
    fields = (*row[:5], tuple(row[5]), *row[6:])
    return Faq(*fields)
