"""Edited and deleted messages: what is asked is what stands there, until an answer was posted.

Knows nothing about answering. Slack also sends an edit when it unfolds a link or a bot changes a message:
these change nothing.
"""

from datetime import UTC, datetime
from functools import partial
from typing import cast

from slack_bolt import App

from bot import jobs
from bot.slack import delivery, messages
from bot.slack.edge import Edge
from bot.slack.markup import spoken
from bot.slack.payload import Payload
from store import answers, questions
from store.database import Connection
from store.records import Question

DELETED = "deleted by its asker"
"""The error of a question whose message was taken back before it was answered."""

SOON_SECONDS = 300.0
"""An edit so soon after the message counts even where the message itself did not arrive."""


def register(app: App, edge: Edge) -> None:
    def on_edit(event: Payload, body: Payload) -> None:
        edited(edge, event, body)

    def on_deletion(event: Payload) -> None:
        deleted(edge, str(event.get("channel", "")), str(event.get("deleted_ts", "")))

    app.event({"type": "message", "subtype": "message_changed"})(on_edit)
    app.event({"type": "message", "subtype": "message_deleted"})(on_deletion)


def edited(edge: Edge, event: Payload, body: Payload) -> None:
    """Ask anew what was edited while no answer was posted; take what now names the bot as asked."""
    message = cast(Payload, event.get("message") or {})
    before = cast(Payload, event.get("previous_message") or {})
    channel, ts = str(event.get("channel", "")), str(message.get("ts", ""))
    if message.get("subtype") == "tombstone":
        deleted(edge, channel, ts)
        return
    text = str(message.get("text") or "")
    if not messages.is_said(message, edge.me) or text == before.get("text"):
        return
    moment = str(cast(Payload, message.get("edited") or {}).get("ts") or event.get("ts") or "")
    with edge.database.connection() as connection:
        question = questions.said_at(connection, edge.workspace, channel, ts)
        if question is not None:
            _revise(connection, edge, question, spoken(text, edge.me), moment)
    if question is None and _is_new(event, message, before, moment, edge.me):
        said = message | {"channel": channel, "channel_type": event.get("channel_type")}
        messages.hear(edge, said, body)


def deleted(edge: Edge, channel: str, ts: str) -> None:
    """Leave a question alone whose message is gone, while no answer was posted."""
    withdraw(edge, channel, ts, DELETED)


def withdraw(edge: Edge, channel: str, ts: str, error: str) -> None:
    """End a question without an answer, unless somebody may have seen one."""
    with edge.database.connection() as connection:
        question, where = questions.said_at(connection, edge.workspace, channel, ts), edge.workspace
        if question is None or question.status is not None:
            return
        if answers.withdraw(connection, where, question.question_id) == "seen":
            return
        now = datetime.now(UTC)
        questions.end(connection, where, question.question_id, "ignored", error=error, now=now)
        marker = questions.unmark(connection, where, question.question_id)
    if marker in ("status", "session") or (
        marker and error != DELETED
    ):  # a reaction went with the message
        edge.later(partial(delivery.unmark, edge.client, question.ask, marker, is_posted=False))


def _revise(connection: Connection, edge: Edge, question: Question, body: str, moment: str) -> None:
    is_older = question.edited_ts is not None and moment <= question.edited_ts
    if question.status is not None or is_older or body == question.ask.body:
        return
    before = answers.withdraw(connection, edge.workspace, question.question_id)
    if before == "seen":
        return
    questions.revise(connection, edge.workspace, question.question_id, body, moment)
    if before == "dropped":  # else the job that is there answers what stands now
        jobs.defer_answer(connection, edge.queue, edge.workspace, question.question_id)


def _is_new(event: Payload, message: Payload, before: Payload, moment: str, me: str) -> bool:
    """Whether an edit makes a message a question: it names the bot only now, or did not arrive before.

    One that named the bot long ago was answered and erased since.
    """
    is_dm = event.get("channel_type") == "im"
    is_asked = is_dm or messages.names(message.get("text"), me)
    was_asked = not before or is_dm or messages.names(before.get("text"), me)
    return is_asked and (not was_asked or _seconds(moment, message.get("ts")) < SOON_SECONDS)


def _seconds(later: object, earlier: object) -> float:
    try:
        return float(str(later)) - float(str(earlier))
    except ValueError:
        return SOON_SECONDS
