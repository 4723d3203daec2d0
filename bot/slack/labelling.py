"""What listeners call when people say what a message was about, or vouch for an answer.

Knows nothing about Slack events: persons, messages and intents are texts here.
"""

from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from store import faqs, labels, questions, votes
from store.faqs import Reply
from store.records import Vote

EXPERT_WEIGHT = 3.0
"""What an expert's check mark weighs: as much as three thumbs, which err 8 % of the time together."""

Connection = psycopg.Connection[TupleRow]


def vouch(
    connection: Connection, workspace: str, answer_id: UUID, expert: str, now: datetime
) -> bool:
    """Count an expert's check mark; True when it is new."""
    vote = Vote(answer_id, expert, 1, "expert", weight=EXPERT_WEIGHT)
    return votes.cast(connection, workspace, vote, now)


def label(
    connection: Connection,
    workspace: str,
    answer_id: UUID,
    person: str,
    intent: str,
    origin: str,
    now: datetime,
) -> bool:
    """Keep what a person says the answered message was about; False when there is no such answer.

    `origin` is labels.ADMIN (an intent's emoji), CHOICE ("did you mean") or REASON (wrong topic).
    """
    question = questions.of_answer(connection, workspace, answer_id)
    if question is None:
        return False
    labels.put(connection, workspace, question.question_id, person, intent, origin, now)
    return True


def keep_reply(connection: Connection, workspace: str, reply: Reply, now: datetime) -> UUID | None:
    """Keep a person's reply as a candidate (the "keep" emoji or shortcut); None when it cannot be."""
    return faqs.keep(connection, workspace, reply, now)
