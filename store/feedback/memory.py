"""Judged questions: which text was shown for them, and how many people found it right or wrong.

Knows nothing about ranking. A row is made of votes, at the moment that somebody votes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from store.database import Connection
from store.index.search import Scope
from store.records import REASONS, Ask, Passage, Reason
from store.values import adapt_vectors, halfvec

PERSON_VOTES = 20
"""Votes of one person that count per day (UTC), the first ones."""

NEAREST = 50
"""Judged questions that one lookup takes into account."""

_COUNTS = """(v.value > 0 OR v.reason = ANY (%(against)s)
  OR (q.origin <> 'channel' AND coalesce(v.reason, '') <> ALL (%(elsewhere)s)))"""
UNFOUNDED: Reason = "not_found"
_REASONS = {
    "against": [reason for reason, against in REASONS.items() if against == "text"],
    "elsewhere": [reason for reason, against in REASONS.items() if against not in ("text", None)],
    "unfounded": UNFOUNDED,
}

_VOTES = """
SELECT v.workspace_id, v.answer_id, v.person, v.value, v.weight, v.reason, v.voted_at
FROM votes v WHERE v.workspace_id = %(workspace)s {only}
  AND (SELECT count(*) FROM votes o WHERE o.workspace_id = v.workspace_id AND o.person = v.person
       AND (o.voted_at, o.answer_id) < (v.voted_at, v.answer_id)
       AND o.voted_at >= date_trunc('day', v.voted_at, 'UTC')) < {most}
"""

_ONE = _VOTES.format(only="AND v.answer_id = %(answer)s", most=PERSON_VOTES)

_NUMBERED = """
SELECT workspace_id, answer_id, person, value, weight, reason, voted_at FROM (
    SELECT v.*, row_number() OVER (PARTITION BY person, date_trunc('day', voted_at, 'UTC')
                                   ORDER BY voted_at, answer_id) AS number
    FROM votes v WHERE workspace_id = %(workspace)s {only}
) AS numbered WHERE number <= {most}
"""

COUNTED = _NUMBERED.format(only="", most=PERSON_VOTES)
"""All votes of a workspace that count, for a query with that parameter."""

COUNTED_SINCE = _NUMBERED.format(
    only="AND voted_at >= date_trunc('day', %(since)s::timestamptz, 'UTC')", most=PERSON_VOTES
)
"""Those from the day of `since` (UTC) on: none is older on an answer that was given since."""

_RECENT = f"""
SELECT c.*, max(voted_at) OVER (PARTITION BY answer_id) AS last_at FROM ({COUNTED}) AS c
WHERE answer_id IN (SELECT answer_id FROM ({COUNTED}) AS r GROUP BY answer_id
                    ORDER BY max(voted_at) DESC, answer_id LIMIT %(answers)s)
"""

_LATEST = f"""
SELECT * FROM (SELECT c.*, row_number() OVER (PARTITION BY person ORDER BY voted_at DESC, answer_id) AS age
               FROM ({_RECENT}) AS c) AS aged WHERE age <= %(most)s
"""

_REFRESH = f"""
INSERT INTO memory (workspace_id, answer_id, text_hash, good, bad, embedder_id, embedding)
SELECT a.workspace_id, a.answer_id, decode(a.passages->0->>'text_hash', 'hex'),
       coalesce(sum(v.weight) FILTER (WHERE v.value > 0), 0),
       coalesce(sum(v.weight) FILTER (WHERE v.value < 0), 0), a.embedder_id, a.embedding
FROM answers a JOIN ({_ONE}) AS v USING (workspace_id, answer_id)
JOIN questions q USING (workspace_id, question_id)
WHERE a.embedding IS NOT NULL AND a.status IN ('answered', 'unsure')
  AND a.passages->0->>'text_hash' IS NOT NULL AND {_COUNTS}
GROUP BY a.workspace_id, a.answer_id
ON CONFLICT (workspace_id, answer_id) DO UPDATE SET good = excluded.good, bad = excluded.bad
"""

# OFFSET 0 keeps the planner from joining all visible chunks with the few that are wanted, which it
# does where it takes these for one: 50 judged questions then cost 40 ms and more instead of 1.
_NEAR = """
WITH near AS (
    SELECT answer_id, text_hash, good, bad,
           1 - (embedding::halfvec({dims}) <=> %(vector)s::halfvec({dims})) AS similarity
    FROM memory WHERE workspace_id = %(workspace)s AND embedder_id = {embedder}
    ORDER BY embedding::halfvec({dims}) <=> %(vector)s::halfvec({dims}) LIMIT {most}
)
SELECT c.chunk_id, b.source, d.path, d.title, c.heading, coalesce(c.url, d.url), c.body,
       encode(c.text_hash, 'hex'), d.updated_at, c.position, 0::float8,
       1 - (c.embedding <=> %(vector)s::halfvec), NULL::float8,
       near.similarity, near.good, near.bad, near.answer_id, d.left_out
FROM near
CROSS JOIN LATERAL (
    SELECT * FROM chunks WHERE workspace_id = %(workspace)s AND embedder_id = {embedder}
    AND text_hash = near.text_hash AND scope_id = ANY (%(scopes)s) OFFSET 0
) AS c
CROSS JOIN LATERAL (
    SELECT * FROM documents WHERE workspace_id = %(workspace)s AND document_id = c.document_id OFFSET 0
) AS d
JOIN builds b ON b.workspace_id = %(workspace)s AND b.build_id = d.build_id
WHERE near.similarity >= %(floor)s
"""

_JUDGED = f"""
SELECT a.answer_id, q.workspace_id, q.channel, q.message_ts, q.person, q.body, q.origin,
       q.is_private, a.embedding, a.passages->0->>'text_hash',
       coalesce(sum(v.weight) FILTER (WHERE v.value > 0), 0)::float8,
       coalesce(sum(v.weight) FILTER (WHERE v.value < 0 AND v.reason IS DISTINCT FROM %(unfounded)s),
                0)::float8,
       array_agg(v.person), a.signals,
       coalesce(sum(v.weight) FILTER (WHERE v.value < 0 AND v.reason = %(unfounded)s), 0)::float8,
       max(v.last_at),
       (SELECT jsonb_object_agg(p->>'text_hash', p->'unit')
        FROM jsonb_path_query(a.passages, '$[*] ? (@.unit != null)') AS p)
FROM answers a JOIN questions q USING (workspace_id, question_id)
JOIN ({_LATEST}) AS v USING (workspace_id, answer_id)
WHERE a.embedding IS NOT NULL AND a.status IN ('answered', 'unsure')
  AND a.embedder_id = %(embedder)s AND ({_COUNTS} OR v.reason = %(unfounded)s)
GROUP BY a.answer_id, a.workspace_id, q.workspace_id, q.question_id, a.embedding, a.passages,
         a.signals
ORDER BY max(v.voted_at), a.answer_id
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """A judged question near the one that is asked, and a text that the viewer may see.

    `similarity` is the cosine of the two questions, `good` and `bad` the weight of its votes.
    """

    passage: Passage
    similarity: float
    good: float
    bad: float
    answer_id: UUID


@dataclass(frozen=True, slots=True)
class Judged:
    """A question as it was asked, the text shown first, the votes for and against it and the signals
    that confidence is made of. `unfounded` is the weight of those who wanted "not found", `voted_at` the
    time of the latest vote. `units` are the cosines of the found passages' best units, by text hash."""

    answer_id: UUID
    ask: Ask
    vector: tuple[float, ...]
    text_hash: str
    good: float
    bad: float
    people: tuple[str, ...]
    signals: Mapping[str, float]
    unfounded: float = 0.0
    voted_at: datetime | None = None
    units: Mapping[str, float] = field(default_factory=dict)


def refresh(connection: Connection, workspace: str, answer_id: UUID) -> None:
    """Make the answer's row anew from its votes; it goes when no vote is left."""
    # Two people who vote at once wait for one another: the next statement then sees both votes.
    connection.execute(
        "SELECT 1 FROM answers WHERE workspace_id = %s AND answer_id = %s FOR NO KEY UPDATE",
        (workspace, answer_id),
    )
    connection.execute(
        "DELETE FROM memory WHERE workspace_id = %s AND answer_id = %s", (workspace, answer_id)
    )
    connection.execute(_REFRESH, {"workspace": workspace, "answer": answer_id, **_REASONS})


def near(
    connection: Connection,
    workspace: str,
    scope: Scope,
    vector: Sequence[float],
    floor: float,
) -> list[Memory]:
    """Find judged questions like this one whose text the viewer may see (one round trip)."""
    query = _NEAR.format(dims=int(scope.dims), embedder=int(scope.embedder_id), most=NEAREST)
    rows = connection.execute(
        query,
        {
            "workspace": workspace,
            "vector": halfvec(connection, vector),
            "scopes": list(scope.scope_ids),
            "floor": floor,
        },
    ).fetchall()
    return [Memory(Passage(*(*row[:13], 0.0, tuple(row[17]))), *row[13:17]) for row in rows]


def answers_judged(connection: Connection, workspace: str) -> int:
    """Count the answers with a vote that counts."""
    row = connection.execute(
        f"SELECT count(DISTINCT answer_id) FROM ({COUNTED}) AS c", {"workspace": workspace}
    ).fetchone()
    assert row is not None
    return int(row[0])


def votes_each(connection: Connection, workspace: str, answers: int) -> list[int]:
    """Count the votes that count of every person who voted, on the `answers` last voted on."""
    rows = connection.execute(
        f"SELECT count(*) FROM ({_RECENT}) AS c GROUP BY person",
        {"workspace": workspace, "answers": answers},
    ).fetchall()
    return [row[0] for row in rows]


def judged(
    connection: Connection, workspace: str, embedder_id: int, most: int, answers: int
) -> list[Judged]:
    """List the questions of the `answers` last voted on that have votes which count for some learner, oldest
    vote first; of each person the latest votes, up to `most`."""
    adapt_vectors(connection)
    rows = connection.execute(
        _JUDGED,
        {
            "workspace": workspace,
            "embedder": embedder_id,
            "most": most,
            "answers": answers,
            **_REASONS,
        },
        binary=True,
    ).fetchall()
    return [
        Judged(
            answer_id=row[0],
            ask=Ask(*row[1:8]),
            vector=tuple(row[8].to_list()),
            text_hash=row[9],
            good=row[10],
            bad=row[11],
            people=tuple(row[12]),
            signals=row[13],
            unfounded=row[14],
            voted_at=row[15],
            units=row[16] or {},
        )
        for row in rows
    ]


def prune(connection: Connection, workspace: str) -> int:
    """Drop rows whose text stands in no chunk any more, of whatever encoder; gives how many."""
    gone = connection.execute(
        "DELETE FROM memory m WHERE workspace_id = %s AND NOT EXISTS (SELECT 1 FROM chunks c"
        " WHERE c.workspace_id = m.workspace_id AND c.text_hash = m.text_hash)",
        (workspace,),
    )
    return gone.rowcount
