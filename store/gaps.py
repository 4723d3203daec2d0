"""Gaps: topics of questions that found no answer, or one that people disliked.

Knows nothing about how questions are grouped. A question that was asked where not every member may read it
counts, and its text is never given to others: only public questions name a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID, uuid4

from store import audit
from store.audit import Deed
from store.database import Connection
from store.records import Origin
from store.values import adapt_vectors, storable

State = Literal["open", "assigned", "muted", "closed"]
"""A gap is open until somebody is assigned, it is muted for good, or it is closed."""

Cause = Literal["document", "reply", "person"]
"""What closed a gap: a document or a kept reply that answers it now, or a person who said so."""

THREADWISE = "threadwise"
"""Stands in the audit for what nobody did by hand."""

# A thumbs-down for speaking at all, or about the wrong topic, names no gap in the documents.
_UNMET = """
SELECT q.question_id, q.claimed_at, q.channel, q.person, q.origin, q.is_private, found.is_disliked,
       a.embedding, g.gap_id
FROM (
    SELECT question_id, false AS is_disliked FROM (
        SELECT question_id FROM questions WHERE workspace_id = %(workspace)s AND status = 'not_found'
        AND claimed_at >= %(since)s ORDER BY claimed_at DESC LIMIT %(most)s) AS unanswered
    UNION ALL
    SELECT o.question_id, true FROM (
        SELECT DISTINCT answer_id FROM (
            SELECT answer_id FROM votes WHERE workspace_id = %(workspace)s AND value < 0
            AND coalesce(reason, '') NOT IN ('silent', 'wrong_topic')
            AND voted_at >= %(since)s ORDER BY voted_at DESC LIMIT %(most)s) AS down) AS disliked
    JOIN answers o ON o.workspace_id = %(workspace)s AND o.answer_id = disliked.answer_id
    WHERE o.status IN ('answered', 'unsure') AND 0 > (
        SELECT sum(v.value * v.weight) FROM votes v
        WHERE v.workspace_id = o.workspace_id AND v.answer_id = o.answer_id)
) AS found
JOIN questions q ON q.workspace_id = %(workspace)s AND q.question_id = found.question_id
JOIN answers a ON a.workspace_id = %(workspace)s AND a.question_id = found.question_id
LEFT JOIN gap_questions g ON g.workspace_id = %(workspace)s AND g.question_id = found.question_id
WHERE a.embedder_id = %(embedder)s AND a.embedding IS NOT NULL AND q.claimed_at >= %(since)s
ORDER BY q.claimed_at DESC, q.question_id LIMIT %(most)s
"""

_LISTED = """
SELECT s.gap_id, named.body, s.state, sums.asked, sums.people, sums.disliked, sums.first_at, sums.last_at,
       s.assigned_to, s.closed_by, s.changed_by, s.changed_at,
       CASE WHEN named.body IS NOT NULL AND (%(open)s::text[] IS NULL OR s.title_channels <@ %(open)s) THEN s.title END
FROM (SELECT * FROM gaps WHERE workspace_id = %(workspace)s AND state = ANY (%(states)s)
      AND (%(gap)s::uuid IS NULL OR gap_id = %(gap)s) ORDER BY changed_at DESC LIMIT %(most)s) AS s
CROSS JOIN LATERAL (
    SELECT count(*) AS asked, count(DISTINCT q.person) AS people,
           count(*) FILTER (WHERE g.is_disliked) AS disliked,
           min(q.claimed_at) AS first_at, max(q.claimed_at) AS last_at
    FROM gap_questions g JOIN questions q USING (workspace_id, question_id)
    WHERE g.workspace_id = s.workspace_id AND g.gap_id = s.gap_id) AS sums
LEFT JOIN LATERAL (
    SELECT q.body FROM gap_questions g JOIN questions q USING (workspace_id, question_id)
    WHERE g.workspace_id = s.workspace_id AND g.gap_id = s.gap_id AND g.is_public
    AND (%(open)s::text[] IS NULL OR q.origin = 'terminal' OR q.channel = ANY (%(open)s))
    ORDER BY g.nearness DESC, g.question_id LIMIT 1) AS named ON true
WHERE sums.asked > 0
ORDER BY sums.people DESC, sums.asked DESC, sums.last_at DESC LIMIT %(limit)s
"""

_CHANNELS = """
SELECT DISTINCT q.channel
FROM (SELECT workspace_id, gap_id FROM gaps WHERE workspace_id = %(workspace)s AND state = ANY (%(states)s)
      ORDER BY changed_at DESC LIMIT %(most)s) AS s
CROSS JOIN LATERAL (
    SELECT g.question_id FROM gap_questions g
    WHERE g.workspace_id = s.workspace_id AND g.gap_id = s.gap_id AND g.is_public
    ORDER BY g.nearness DESC, g.question_id LIMIT %(each)s) AS near
JOIN questions q ON q.workspace_id = s.workspace_id AND q.question_id = near.question_id
WHERE q.origin <> 'terminal' ORDER BY q.channel
"""

_CENTRAL = """
SELECT s.gap_id, near.* FROM (
    SELECT workspace_id, gap_id FROM gaps
    WHERE workspace_id = %(workspace)s AND state IN ('open', 'assigned')
    ORDER BY changed_at DESC LIMIT %(limit)s) AS s
CROSS JOIN LATERAL (
    SELECT q.question_id, q.body, q.channel, q.person, q.is_private,
           CASE WHEN g.is_disliked THEN a.passages->0->>'text_hash' END
    FROM gap_questions g JOIN questions q USING (workspace_id, question_id)
    JOIN answers a USING (workspace_id, question_id)
    WHERE g.workspace_id = s.workspace_id AND g.gap_id = s.gap_id
    ORDER BY g.nearness DESC, g.question_id LIMIT %(most)s) AS near
"""

CENTRAL = 20
"""Public questions of a gap that are looked at for its name; from other channels none is ever shown."""

MOST_LISTED = 2000
"""Gaps of a state that are looked at, the ones that changed last: more than a team works off."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A topic that the documents do not answer.

    `name` is the most central of its public questions, None where there is none. `asked` counts questions,
    `people` who asked them, `disliked` those that got an answer which people disliked. `title` is an LLM's, where there is one.
    """

    gap_id: UUID
    name: str | None
    state: State
    asked: int
    people: int
    disliked: int
    first_at: datetime
    last_at: datetime
    assigned_to: str | None
    closed_by: Cause | None
    changed_by: str | None
    changed_at: datetime
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Untitled:
    """A gap without a title: the ids, channels and texts of its most central public questions."""

    gap_id: UUID
    question_ids: tuple[UUID, ...]
    channels: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmet:
    """A question without a good answer; `gap_id` is the gap that it belonged to when they were last grouped."""

    question_id: UUID
    asked_at: datetime
    channel: str
    person: str
    origin: Origin
    is_private: bool
    is_disliked: bool
    vector: tuple[float, ...]
    gap_id: UUID | None


@dataclass(frozen=True, slots=True)
class Member:
    """A question of a gap; `nearness` is the cosine with the gap's middle."""

    question_id: UUID
    is_public: bool
    is_disliked: bool
    nearness: float


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that make up a gap; `gap_id` None is a new one. `last_at` is when the last was asked."""

    gap_id: UUID | None
    members: tuple[Member, ...]
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Central:
    """A question that stands for its gap, to be tried again; `disliked` is the hash of the text not to show."""

    gap_id: UUID
    question_id: UUID
    body: str
    channel: str
    person: str
    is_private: bool
    disliked: str | None


def unmet(
    connection: Connection, workspace: str, embedder_id: int, since: datetime, most: int
) -> list[Unmet]:
    """List questions asked since a moment that found no answer or a disliked one, up to `most`, the latest
    first, with their vectors by that encoder; those of another encoder are left out."""
    adapt_vectors(connection)
    given = {"workspace": workspace, "embedder": embedder_id, "since": since, "most": most}
    rows = connection.execute(_UNMET, given).fetchall()
    found = [(*row[:7], tuple(row[7].to_list()), row[8]) for row in rows]
    return [Unmet(*fields) for fields in found]


def regroup(
    connection: Connection, workspace: str, groups: Sequence[Group], now: datetime
) -> list[UUID]:
    """Keep questions as grouped anew and give the ids of the gaps, in the order of the groups.

    What was said about a gap (assigned, muted) stays with its id. A closed one opens again where it was asked
    about since. Gaps without questions go.
    """
    ids = [group.gap_id or uuid4() for group in groups]
    for gap_id, group in zip(ids, groups, strict=True):
        connection.execute(
            "INSERT INTO gaps AS g (workspace_id, gap_id, found_at, changed_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (workspace_id, gap_id) DO UPDATE SET state = 'open', closed_by = NULL,"
            " changed_at = excluded.changed_at, changed_by = %s"
            " WHERE g.state = 'closed' AND g.changed_at < %s",
            (workspace, gap_id, now, now, THREADWISE, group.last_at),
        )
    members = [
        (workspace, m.question_id, gap_id, m.is_public, m.is_disliked, m.nearness)
        for gap_id, group in zip(ids, groups, strict=True)
        for m in group.members
    ]
    connection.cursor().executemany(
        "INSERT INTO gap_questions"
        " (workspace_id, question_id, gap_id, is_public, is_disliked, nearness)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (workspace_id, question_id) DO UPDATE SET gap_id = excluded.gap_id,"
        " is_public = excluded.is_public, is_disliked = excluded.is_disliked,"
        " nearness = excluded.nearness",
        members,
    )
    prune(connection, workspace)
    return ids


def prune(connection: Connection, workspace: str) -> None:
    """Drop gaps that have no question any more, and titles made from such questions: these were erased, or belong to
    other gaps now."""
    connection.execute(
        "UPDATE gaps g SET title = NULL, title_questions = '{}', title_channels = '{}'"
        " WHERE g.workspace_id = %s AND g.title IS NOT NULL AND cardinality(g.title_questions) <>"
        " (SELECT count(*) FROM gap_questions q WHERE q.workspace_id = g.workspace_id"
        " AND q.gap_id = g.gap_id AND q.is_public AND q.question_id = ANY (g.title_questions))",
        (workspace,),
    )
    connection.execute(
        "DELETE FROM gaps g WHERE g.workspace_id = %s AND NOT EXISTS (SELECT 1 FROM gap_questions q"
        " WHERE q.workspace_id = g.workspace_id AND q.gap_id = g.gap_id)",
        (workspace,),
    )


def untitled(
    connection: Connection, workspace: str, *, limit: int, each: int, channels: Sequence[str]
) -> list[Untitled]:
    """List gaps that wait and have two public questions or more but no title, `limit` at most, with `each` questions at most.

    With `channels`, only questions from these are given.
    """
    rows = connection.execute(
        "SELECT s.gap_id, near.ids, near.channels, near.texts FROM ("
        "  SELECT workspace_id, gap_id FROM gaps WHERE workspace_id = %(workspace)s"
        "  AND state IN ('open', 'assigned') AND title IS NULL) AS s"
        " CROSS JOIN LATERAL ("
        "  SELECT array_agg(question_id) AS ids, array_agg(body) AS texts,"
        "   array_agg(DISTINCT channel) FILTER (WHERE origin <> 'terminal') AS channels FROM ("
        "    SELECT q.question_id, q.body, q.channel, q.origin"
        "    FROM gap_questions g JOIN questions q USING (workspace_id, question_id)"
        "    WHERE g.workspace_id = s.workspace_id AND g.gap_id = s.gap_id AND g.is_public"
        "    AND (cardinality(%(channels)s::text[]) = 0 OR q.channel = ANY (%(channels)s))"
        "    ORDER BY g.nearness DESC, g.question_id LIMIT %(each)s) AS central) AS near"
        " WHERE cardinality(near.ids) > 1 ORDER BY cardinality(near.ids) DESC LIMIT %(limit)s",
        {"workspace": workspace, "limit": limit, "each": each, "channels": list(channels)},
    ).fetchall()
    return [
        Untitled(gap_id, tuple(ids), tuple(named or ()), tuple(texts))
        for gap_id, ids, named, texts in rows
    ]


def entitle(connection: Connection, workspace: str, gap: Untitled, title: str) -> None:
    """Give a gap the title that was made from its questions."""
    connection.execute(
        "UPDATE gaps SET title = %s, title_questions = %s, title_channels = %s"
        " WHERE workspace_id = %s AND gap_id = %s",
        (storable(title), list(gap.question_ids), list(gap.channels), workspace, gap.gap_id),
    )
    prune(connection, workspace)  # a question may have been erased while the title was made


def channels(connection: Connection, workspace: str) -> list[str]:
    """Name the channels whose questions named gaps when they were grouped: some may be private by now.

    Of each gap the most central public questions are looked at, since only these ever name it.
    """
    given = {
        "workspace": workspace,
        "states": list(get_args(State)),
        "most": MOST_LISTED,
        "each": CENTRAL,
    }
    rows = connection.execute(_CHANNELS, given).fetchall()
    return [channel for (channel,) in rows]


def listed(
    connection: Connection,
    workspace: str,
    *,
    state: State | None = None,
    limit: int = 100,
    named_in: Sequence[str] | None = None,
) -> list[Gap]:
    """List gaps, those that most people ran into first; None lists those that are open or assigned.

    Only questions from the channels `named_in` name them, and those from the terminal; None leaves it at
    what was public when they were grouped, which is for the terminal alone.
    """
    states: list[State] = ["open", "assigned"] if state is None else [state]
    return _gaps(connection, workspace, states, None, limit, named_in)


def get(
    connection: Connection, workspace: str, gap_id: UUID, *, named_in: Sequence[str] | None = None
) -> Gap | None:
    """Give a gap; `named_in` as for `listed`."""
    found = _gaps(connection, workspace, list(get_args(State)), gap_id, 1, named_in)
    return found[0] if found else None


def count(connection: Connection, workspace: str) -> int:
    """Count the gaps that wait: open, or assigned to somebody."""
    row = connection.execute(
        "SELECT count(*) FROM gaps WHERE workspace_id = %s AND state IN ('open', 'assigned')",
        (workspace,),
    ).fetchone()
    return int(row[0]) if row else 0


def examples(
    connection: Connection, workspace: str, gap_id: UUID, limit: int, named_in: Sequence[str]
) -> list[str]:
    """Give public questions of a gap, the most central first; `named_in` as for `listed`."""
    rows = connection.execute(
        "SELECT q.body FROM gap_questions g JOIN questions q USING (workspace_id, question_id)"
        " WHERE g.workspace_id = %s AND g.gap_id = %s AND g.is_public"
        " AND (q.origin = 'terminal' OR q.channel = ANY (%s))"
        " ORDER BY g.nearness DESC, g.question_id LIMIT %s",
        (workspace, gap_id, list(named_in), limit),
    ).fetchall()
    return [body for (body,) in rows]


def assign(
    connection: Connection, workspace: str, gap_id: UUID, assignee: str, by: str, now: datetime
) -> bool:
    """Give a gap to a person; False when there is no such gap."""
    changed = _set(connection, workspace, gap_id, "assigned", by, now, assignee=assignee)
    return changed and _noted(connection, workspace, gap_id, by, f"assigned to {assignee}", now)


def mute(connection: Connection, workspace: str, gap_id: UUID, by: str, now: datetime) -> bool:
    """Speak of a gap no more, however often it is asked; False when there is no such gap."""
    changed = _set(connection, workspace, gap_id, "muted", by, now)
    return changed and _noted(connection, workspace, gap_id, by, "muted", now)


def reopen(connection: Connection, workspace: str, gap_id: UUID, by: str, now: datetime) -> bool:
    """Take back that a gap was muted, closed or given to somebody; False when there is no such gap."""
    changed = _set(connection, workspace, gap_id, "open", by, now)
    return changed and _noted(connection, workspace, gap_id, by, "opened again", now)


def close(
    connection: Connection,
    workspace: str,
    gap_id: UUID,
    by: str,
    now: datetime,
    *,
    cause: Cause = "person",
) -> bool:
    """Close a gap; False when there is no such gap, or it is closed or muted already."""
    changed = _set(connection, workspace, gap_id, "closed", by, now, cause=cause)
    return changed and _noted(connection, workspace, gap_id, by, f"closed by a {cause}", now)


def central(connection: Connection, workspace: str, *, limit: int, most: int) -> list[Central]:
    """List up to `most` of the most central questions of each gap that waits, `limit` gaps at most."""
    given = {"workspace": workspace, "limit": limit, "most": most}
    return [Central(*row) for row in connection.execute(_CENTRAL, given).fetchall()]


def _gaps(
    connection: Connection,
    workspace: str,
    states: list[State],
    gap_id: UUID | None,
    limit: int,
    named_in: Sequence[str] | None,
) -> list[Gap]:
    given = {
        "workspace": workspace,
        "states": states,
        "gap": gap_id,
        "most": MOST_LISTED,
        "limit": limit,
        "open": None if named_in is None else list(named_in),
    }
    return [Gap(*row) for row in connection.execute(_LISTED, given).fetchall()]


def _set(
    connection: Connection,
    workspace: str,
    gap_id: UUID,
    state: State,
    by: str,
    now: datetime,
    *,
    assignee: str | None = None,
    cause: Cause | None = None,
) -> bool:
    kept = ["closed", "muted"] if state == "closed" else []
    changed = connection.execute(
        "UPDATE gaps SET state = %s, assigned_to = %s, closed_by = %s, changed_by = %s, changed_at = %s"
        " WHERE workspace_id = %s AND gap_id = %s AND state <> ALL (%s::text[])",
        (state, assignee, cause, by, now, workspace, gap_id, kept),
    )
    return changed.rowcount > 0


def _noted(
    connection: Connection, workspace: str, gap_id: UUID, by: str, what: str, now: datetime
) -> bool:
    audit.note(connection, workspace, Deed(by, "gap", f"{gap_id}: {what}", now))
    return True
