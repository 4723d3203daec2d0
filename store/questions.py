"""Questions: claimed once per message, begun, ended in exactly one state.

Knows nothing about Slack: a channel, a message and a person are only texts here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from store.database import Connection
from store.records import CHOICE, Ask, Question, Status
from store.redaction import redacted
from store.values import storable

MUTE = "mute"
"""The intent of a message that asked to be left alone in its thread."""

DIRECT_MINUTES = 10
"""How long a direct message that is no thread's counts as said just before."""

LIMITED = "asked too much at once"
"""The error of a question that was not answered since its asker had reached a limit."""

_COLUMNS = """question_id, workspace_id, channel, message_ts, person, body, origin, is_private,
    thread_ts, respond_url, chosen, claimed_at, attempts, status, is_outside, forwarded, edited_ts"""


@dataclass(frozen=True, slots=True)
class Burst:
    """What a person asked: in the last minute, still waiting, and how many of them were refused lately."""

    lately: int
    waiting: int
    refused: int


def claim(connection: Connection, ask: Ask, now: datetime) -> UUID | None:
    """Keep a message as a question; None when the same message was claimed before."""
    row = connection.execute(
        "INSERT INTO questions (workspace_id, question_id, channel, message_ts, thread_ts, person,"
        " body, origin, is_private, respond_url, chosen, is_outside, forwarded, claimed_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (workspace_id, channel, message_ts) DO NOTHING RETURNING question_id",
        (
            ask.workspace,
            uuid4(),
            ask.channel,
            ask.message_ts,
            ask.thread_ts,
            ask.person,
            storable(ask.body),
            ask.origin,
            ask.is_private,
            ask.respond_url,
            ask.chosen,
            ask.is_outside,
            None if ask.forwarded is None else storable(ask.forwarded),
            now,
        ),
    ).fetchone()
    return row[0] if row else None


def place(connection: Connection, workspace: str, question_id: UUID, front: int | None) -> int:
    """Give a question its place in the order of answering, once: the higher, the sooner.

    `front` is the place of what is being answered now, None when nothing waits. A person's first question
    goes there, each further one behind the one before, so that people take turns however many one of
    them asks; among equals the older goes first. This is start-time fair queueing: places only fall
    while anything waits, so that nobody is overtaken for ever.
    """
    row = connection.execute(
        "UPDATE questions q SET place = coalesce(q.place, least(coalesce(%(front)s::integer, 0),"
        " (SELECT min(o.place) - 1 FROM questions o WHERE o.workspace_id = q.workspace_id"
        "  AND o.person = q.person AND o.ended_at IS NULL)))"
        " WHERE q.workspace_id = %(workspace)s AND q.question_id = %(question)s RETURNING q.place",
        {"workspace": workspace, "question": question_id, "front": front},
    ).fetchone()
    return int(row[0]) if row else 0


def burst(connection: Connection, workspace: str, person: str) -> Burst:
    """Say how much a person asked in the last minute, by the clock of the server."""
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE claimed_at > now() - interval '1 minute'"
        "  AND error IS DISTINCT FROM %(limited)s),"
        " count(*) FILTER (WHERE ended_at IS NULL),"
        " count(*) FILTER (WHERE claimed_at > now() - interval '1 minute' AND error = %(limited)s)"
        " FROM questions WHERE workspace_id = %(workspace)s AND person = %(person)s"
        " AND claimed_at > now() - interval '1 day'",
        {"workspace": workspace, "person": person, "limited": LIMITED},
    ).fetchone()
    assert row is not None
    return Burst(*row)


def lately(connection: Connection, workspace: str, channel: str) -> int:
    """Count what was asked in a channel in the last minute for all to see, by the clock of the server; what
    was refused as too much does not count."""
    row = connection.execute(
        "SELECT count(*) FROM questions WHERE workspace_id = %s AND channel = %s AND NOT is_private"
        " AND claimed_at > now() - interval '1 minute' AND error IS DISTINCT FROM %s",
        (workspace, channel, LIMITED),
    ).fetchone()
    return int(row[0]) if row else 0


def begin(
    connection: Connection, workspace: str, question_id: UUID, now: datetime
) -> Question | None:
    """Count an attempt and give the question; None when it is unknown or has ended already."""
    row = connection.execute(
        "UPDATE questions SET attempts = attempts + 1"
        " WHERE workspace_id = %s AND question_id = %s AND ended_at IS NULL"
        f" RETURNING {_COLUMNS}",
        (workspace, question_id),
    ).fetchone()
    return _question(row) if row else None


def give_back(connection: Connection, workspace: str, question_id: UUID) -> None:
    """Let an attempt not count."""
    connection.execute(
        "UPDATE questions SET attempts = attempts - 1 WHERE workspace_id = %s AND question_id = %s",
        (workspace, question_id),
    )


def end(
    connection: Connection,
    workspace: str,
    question_id: UUID,
    status: Status,
    *,
    intent: str | None = None,
    intent_confidence: float | None = None,
    timings: Mapping[str, float] | None = None,
    error: str | None = None,
    now: datetime,
) -> None:
    """End a question; the first end stands, a later one changes nothing.

    What is not given (intent, timings in milliseconds) stays as it was recorded with the answer.
    """
    connection.execute(
        "UPDATE questions SET status = %s, intent = coalesce(%s, intent),"
        " intent_confidence = coalesce(%s, intent_confidence), timings = timings || %s,"
        " error = coalesce(%s, error), ended_at = %s"
        " WHERE workspace_id = %s AND question_id = %s AND ended_at IS NULL",
        (
            status,
            intent,
            intent_confidence,
            Jsonb(dict(timings or {})),
            None if error is None else storable(redacted(error)),
            now,
            workspace,
            question_id,
        ),
    )


def blame(connection: Connection, workspace: str, question_id: UUID, error: str) -> None:
    """Keep what went wrong with a question that will end as failed."""
    connection.execute(
        "UPDATE questions SET error = %s WHERE workspace_id = %s AND question_id = %s",
        (storable(redacted(error)), workspace, question_id),
    )


def waiting(connection: Connection, workspace: str, older_than: datetime) -> list[Question]:
    """List the questions claimed before `older_than` that have not ended, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM questions"
        " WHERE workspace_id = %s AND ended_at IS NULL AND claimed_at < %s ORDER BY claimed_at",
        (workspace, older_than),
    ).fetchall()
    return [_question(row) for row in rows]


def get(connection: Connection, workspace: str, question_id: UUID) -> Question | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM questions WHERE workspace_id = %s AND question_id = %s",
        (workspace, question_id),
    ).fetchone()
    return _question(row) if row else None


def said_at(
    connection: Connection, workspace: str, channel: str, message_ts: str
) -> Question | None:
    """Find the question that a message was claimed as, and keep others from changing it meanwhile."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM questions"
        " WHERE workspace_id = %s AND channel = %s AND message_ts = %s FOR UPDATE",
        (workspace, channel, message_ts),
    ).fetchone()
    return _question(row) if row else None


def revise(
    connection: Connection, workspace: str, question_id: UUID, body: str, edited_ts: str
) -> None:
    """Put an edited text in place of what was asked; its attempts are counted anew."""
    connection.execute(
        "UPDATE questions SET body = %s, edited_ts = %s, attempts = 0"
        " WHERE workspace_id = %s AND question_id = %s",
        (storable(body), edited_ts, workspace, question_id),
    )


def stands(connection: Connection, workspace: str, question: Question) -> bool:
    """Whether a question is still asked as it was read, and keep it so until the transaction ends."""
    row = connection.execute(
        "SELECT ended_at IS NULL AND edited_ts IS NOT DISTINCT FROM %s FROM questions"
        " WHERE workspace_id = %s AND question_id = %s FOR UPDATE",
        (question.edited_ts, workspace, question.question_id),
    ).fetchone()
    return row is not None and bool(row[0])


def open_in_thread(
    connection: Connection, workspace: str, channel: str, thread_ts: str
) -> list[str]:
    """List the messages of a thread, its first one too, that were asked and have not ended."""
    rows = connection.execute(
        "SELECT message_ts FROM questions WHERE workspace_id = %s AND channel = %s"
        " AND (thread_ts = %s OR message_ts = %s) AND ended_at IS NULL",
        (workspace, channel, thread_ts, thread_ts),
    ).fetchall()
    return [row[0] for row in rows]


def of_person(connection: Connection, workspace: str, person: str, limit: int) -> list[Question]:
    """Give the last questions of a person, the latest first, without what was nobody's question."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM questions WHERE workspace_id = %s AND person = %s"
        " AND coalesce(status, '') NOT IN ('ignored', 'smalltalk')"
        " ORDER BY claimed_at DESC LIMIT %s",
        (workspace, person, limit),
    ).fetchall()
    return [_question(row) for row in rows]


def asker_of_thread(
    connection: Connection, workspace: str, channel: str, thread_ts: str
) -> str | None:
    """Name who brought the bot into a thread; None when it never spoke there or was told to stop.

    The last call counts: a mention after a "mute" brings it back.
    """
    row = connection.execute(
        "SELECT q.person, q.intent FROM questions q LEFT JOIN answers a USING (workspace_id, question_id)"
        " WHERE q.workspace_id = %s AND q.channel = %s AND (q.thread_ts = %s OR q.message_ts = %s)"
        " AND (q.intent = %s OR a.posted_ts IS NOT NULL AND q.origin <> 'thread')"
        " ORDER BY q.message_ts DESC LIMIT 1",
        (workspace, channel, thread_ts, thread_ts, MUTE),
    ).fetchone()
    return None if row is None or row[1] == MUTE else row[0]


def before(connection: Connection, workspace: str, ask: Ask, *, limit: int) -> list[str]:
    """Give the last questions before this one in its thread, oldest first, with what they forwarded.

    A direct message outside a thread goes on with those of the last minutes (DIRECT_MINUTES).
    """
    rows = connection.execute(
        "SELECT concat_ws(' ', body, forwarded) FROM questions"
        " WHERE workspace_id = %(workspace)s AND channel = %(channel)s AND origin <> 'command'"
        " AND message_ts <> %(ts)s AND position(%(choice)s IN message_ts) = 0"
        " AND status IS DISTINCT FROM 'ignored' AND (thread_ts = %(thread)s OR message_ts = %(thread)s"
        "  OR %(thread)s::text IS NULL AND %(origin)s = 'dm' AND thread_ts IS NULL"
        "  AND claimed_at > now() - make_interval(mins => %(minutes)s))"
        " AND claimed_at <= coalesce((SELECT claimed_at FROM questions WHERE workspace_id = %(workspace)s"
        "  AND channel = %(channel)s AND message_ts = %(ts)s), now())"
        " ORDER BY claimed_at DESC LIMIT %(limit)s",
        {
            "workspace": workspace,
            "channel": ask.channel,
            "ts": ask.message_ts,
            "thread": ask.thread_ts,
            "origin": ask.origin,
            "choice": CHOICE,
            "minutes": DIRECT_MINUTES,
            "limit": limit,
        },
    ).fetchall()
    return [text for (text,) in reversed(rows) if text.strip()]


def of_answer(connection: Connection, workspace: str, answer_id: UUID) -> Question | None:
    """Find the question that an answer was given to."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM questions WHERE workspace_id = %s AND question_id ="
        " (SELECT question_id FROM answers WHERE workspace_id = %s AND answer_id = %s)",
        (workspace, workspace, answer_id),
    ).fetchone()
    return _question(row) if row else None


def at(connection: Connection, workspace: str, channel: str, message_ts: str) -> UUID | None:
    """Name the question that this message, or the answer posted as it, belongs to; None for others."""
    row = connection.execute(
        "SELECT question_id FROM questions"
        " WHERE workspace_id = %(workspace)s AND channel = %(channel)s AND message_ts = %(ts)s"
        " UNION ALL SELECT question_id FROM answers"
        " WHERE workspace_id = %(workspace)s AND channel = %(channel)s AND posted_ts = %(ts)s LIMIT 1",
        {"workspace": workspace, "channel": channel, "ts": message_ts},
    ).fetchone()
    return row[0] if row else None


def mark(connection: Connection, workspace: str, question_id: UUID, marker: str) -> bool:
    """Keep how the message was marked as being worked on; False when the answer was quicker."""
    marked = connection.execute(
        "UPDATE questions SET marker = %s"
        " WHERE workspace_id = %s AND question_id = %s AND marker IS DISTINCT FROM 'none'",
        (marker, workspace, question_id),
    )
    return marked.rowcount > 0


def unmark(connection: Connection, workspace: str, question_id: UUID) -> str | None:
    """Give the marker that has to be taken off, once; no other can be put on afterwards."""
    row = connection.execute(
        "SELECT marker FROM questions WHERE workspace_id = %s AND question_id = %s FOR UPDATE",
        (workspace, question_id),
    ).fetchone()
    connection.execute(
        "UPDATE questions SET marker = 'none' WHERE workspace_id = %s AND question_id = %s",
        (workspace, question_id),
    )
    return row[0] if row and row[0] != "none" else None


def remark(connection: Connection, workspace: str, question_id: UUID, marker: str) -> None:
    """Keep a marker that could not be taken off, for the next try."""
    connection.execute(
        "UPDATE questions SET marker = %s WHERE workspace_id = %s AND question_id = %s",
        (marker, workspace, question_id),
    )


def _question(row: TupleRow) -> Question:
    ask = Ask(
        workspace=row[1],
        channel=row[2],
        message_ts=row[3],
        person=row[4],
        body=row[5],
        origin=row[6],
        is_private=row[7],
        thread_ts=row[8],
        respond_url=row[9],
        chosen=row[10],
        is_outside=row[14],
        forwarded=row[15],
    )
    return Question(
        row[0], ask, claimed_at=row[11], attempts=row[12], status=row[13], edited_ts=row[16]
    )
