"""Conversations as an admin looks through them: what was asked, and how it ended.

Knows nothing about pages. What was asked in private, or in a channel that is not named as open, is given to
its asker alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from store.database import Connection
from store.records import Status
from store.values import storable

Thumbs = Literal["up", "down", "none"]

MOST_SECONDS = 5
"""Of one search: what matches nothing in years of questions is given up."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who looks, and the channels that everyone may read."""

    person: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None and "" stand for anything. `since` to before `until` were asked then.

    `words` are looked for as English words, `least` and `most` bound the confidence (0..1).
    """

    since: datetime
    until: datetime
    words: str = ""
    status: Status | None = None
    thumbs: Thumbs | None = None
    least: float | None = None
    most: float | None = None
    channel: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question and how it ended; `source` and `title` are those of the first citation."""

    question_id: UUID
    asked_at: datetime
    channel: str
    is_private: bool
    body: str
    status: Status | None
    intent: str | None
    error: str | None
    message_ts: str
    answer_id: UUID | None
    confidence: float | None
    source: str | None
    title: str | None
    liked: int
    disliked: int


_COLUMNS = """
q.question_id, q.claimed_at, q.channel, q.is_private, q.body, q.status, q.intent, q.error, q.message_ts,
a.answer_id, a.confidence, a.citations->0->>'source', a.citations->0->>'title',
(SELECT count(*) FROM votes v WHERE v.workspace_id = a.workspace_id AND v.answer_id = a.answer_id AND v.value > 0),
(SELECT count(*) FROM votes v WHERE v.workspace_id = a.workspace_id AND v.answer_id = a.answer_id AND v.value < 0)
"""

_SEEN = "(NOT q.is_private AND q.channel = ANY (%(channels)s) OR q.person = %(person)s)"

_VOTED = (
    "EXISTS (SELECT FROM votes v WHERE v.workspace_id = a.workspace_id AND v.answer_id = a.answer_id"
    "{only})"
)

_FILTERS: Mapping[str, str] = {
    "words": "to_tsvector('english', q.body) @@ plainto_tsquery('english', %(words)s)",
    "status": "q.status = %(status)s",
    "least": "a.confidence >= %(least)s::real",
    "most": "a.confidence <= %(most)s::real",
    "channel": "q.channel = %(channel)s",
    "source": "a.citations->0->>'source' = %(source)s",
    "before": "(q.claimed_at, q.question_id) < (%(before)s, %(before_id)s)",
}

_THUMBS: Mapping[str | None, str] = {
    "up": _VOTED.format(only=" AND v.value > 0"),
    "down": _VOTED.format(only=" AND v.value < 0"),
    "none": f"a.answer_id IS NOT NULL AND NOT {_VOTED.format(only='')}",
}

_FROM = "FROM questions q {join} JOIN answers a USING (workspace_id, question_id)"


def search(
    connection: Connection,
    workspace: str,
    wanted: Wanted,
    onlooker: Onlooker,
    *,
    limit: int = 50,
    before: tuple[datetime, UUID] | None = None,
) -> list[Conversation]:
    """List conversations, the latest first, from the one after `before` on; raises StoreError when it
    takes longer than MOST_SECONDS."""
    given: dict[str, object] = {
        "words": storable(wanted.words), "status": wanted.status, "least": wanted.least,
        "most": wanted.most, "channel": wanted.channel, "source": wanted.source,
        "before": before and before[0], "before_id": before and before[1],
    }  # fmt: skip
    chosen = [text for name, text in _FILTERS.items() if given[name] not in (None, "")]
    if wanted.thumbs:
        chosen.append(_THUMBS[wanted.thumbs])
    if wanted.status != "ignored":
        chosen.append("q.status IS DISTINCT FROM 'ignored'")
    needs_answer = wanted.source or wanted.thumbs or wanted.least or wanted.most is not None
    rows = connection.execute(
        "SELECT set_config('statement_timeout', %s, true)", (f"{MOST_SECONDS}s",)
    )
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM.format(join='' if needs_answer else 'LEFT')}"
        " WHERE q.workspace_id = %(workspace)s AND q.claimed_at >= %(since)s"
        f" AND q.claimed_at < %(until)s AND {' AND '.join([_SEEN, *chosen])}"
        " ORDER BY q.claimed_at DESC, q.question_id DESC LIMIT %(limit)s",
        {**given, **_view(workspace, onlooker), "since": wanted.since, "until": wanted.until,
         "limit": limit},
    )  # fmt: skip
    return [Conversation(*row) for row in rows.fetchall()]


def get(
    connection: Connection, workspace: str, question_id: UUID, onlooker: Onlooker
) -> Conversation | None:
    """Give one conversation; None where there is none that the onlooker may see."""
    row = connection.execute(
        f"SELECT {_COLUMNS} {_FROM.format(join='LEFT')}"
        f" WHERE q.workspace_id = %(workspace)s AND q.question_id = %(question)s AND {_SEEN}",
        {**_view(workspace, onlooker), "question": question_id},
    ).fetchone()
    return Conversation(*row) if row else None


def channel_of(connection: Connection, workspace: str, question_id: UUID) -> str | None:
    """Name the channel that a question was asked in."""
    row = connection.execute(
        "SELECT channel FROM questions WHERE workspace_id = %s AND question_id = %s",
        (workspace, question_id),
    ).fetchone()
    return row[0] if row else None


def _view(workspace: str, onlooker: Onlooker) -> dict[str, object]:
    return {
        "workspace": workspace,
        "person": onlooker.person,
        "channels": list(onlooker.channels),
    }
