"""Feedback: reactions, buttons and reasons, all of them kept as votes.

Knows nothing about learning from them.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow
from slack_bolt import Ack, App

from bot.slack import clients, render
from bot.slack.edge import Edge, Event
from bot.slack.messages import MUTE_WORDS
from bot.slack.render import REASONS, Message
from store import answers, questions, votes
from store.records import Ask, Vote

THUMBS = {"+1": 1, "thumbsup": 1, "-1": -1, "thumbsdown": -1}
THANKS = Message("Thanks, noted.")


def register(app: App, edge: Edge) -> None:
    """Listen to reactions, feedback buttons, reasons and the reason's modal."""

    def on_added(event: Event) -> None:
        react(edge, event, is_added=True)

    def on_removed(event: Event) -> None:
        react(edge, event, is_added=False)

    def on_button(ack: Ack, body: Event) -> None:
        press(edge, body)
        ack()

    def on_reason(ack: Ack, body: Event) -> None:
        explain(edge, body)
        ack()

    def on_words(ack: Ack, body: Event) -> None:
        explain_in_words(edge, body)
        ack()

    app.event("reaction_added")(on_added)
    app.event("reaction_removed")(on_removed)
    app.action(re.compile("^feedback"))(on_button)
    app.action(re.compile("^reason:"))(on_reason)
    app.view("reason_other")(on_words)


def react(edge: Edge, event: Event, *, is_added: bool) -> None:
    """Count a thumb on one of our answers, or take it back; a muting sign ends its thread's talk."""
    item = cast(dict[str, str], event.get("item") or {})
    name, person = str(event.get("reaction", "")).split("::")[0], str(event.get("user", ""))
    value = THUMBS.get(name, 0)
    is_mute = is_added and f":{name}:" in MUTE_WORDS
    if item.get("type") != "message" or person in ("", edge.me) or not (value or is_mute):
        return
    is_new = False
    with edge.database.connection() as connection:
        answer_id = answers.at(connection, edge.workspace, item["channel"], item["ts"])
        if answer_id is None:
            return
        if is_mute:
            _mute(connection, edge, event, answer_id)
        elif is_added:
            vote = Vote(answer_id, person, value, "reaction")
            is_new = votes.cast(connection, edge.workspace, vote, _moment(event.get("event_ts")))
        else:
            votes.withdraw(connection, edge.workspace, answer_id, person, value)
    if is_new:
        edge.metrics.voted(value)
        edge.later(_after_reaction, edge, vote)


def press(edge: Edge, body: Event) -> None:
    """Count a feedback button; for thumbs down, ask why."""
    action, person = _action(body), _person(body)
    direction, _, identifier = str(action.get("value", "")).partition(":")
    answer_id = _uuid(identifier)
    if answer_id is None or direction not in ("up", "down"):
        return
    vote = Vote(answer_id, person, 1 if direction == "up" else -1, "button")
    with edge.database.connection() as connection:
        question = questions.of_answer(connection, edge.workspace, answer_id)
        if question is None:
            return
        at = _moment(action.get("action_ts"))
        is_new = votes.cast(connection, edge.workspace, vote, at)
    if is_new:
        edge.metrics.voted(vote.value)
    is_down = vote.value < 0
    if is_down or action.get("type") == "button":
        said = render.reasons(answer_id) if is_down else THANKS
        edge.later(_reply, edge, question.ask, person, said, str(body.get("response_url") or ""))


def explain(edge: Edge, body: Event) -> None:
    """Keep the reason that was clicked; `other` opens a modal for a few words."""
    action, person = _action(body), _person(body)
    reason = str(action.get("action_id", "")).partition(":")[2]
    answer_id = _uuid(str(action.get("value", "")))
    if answer_id is None or reason not in REASONS:
        return
    _keep(edge, answer_id, person, reason, None)
    if reason == "other":
        view, trigger = render.reason_view(answer_id), str(body.get("trigger_id"))
        edge.later(_open, edge, trigger, view)
    else:
        edge.later(_thank, edge, body)


def explain_in_words(edge: Edge, body: Event) -> None:
    """Keep the reason that was written into the modal."""
    view = cast(dict[str, object], body.get("view") or {})
    answer_id = _uuid(str(view.get("private_metadata", "")))
    state = cast(dict[str, dict[str, dict[str, dict[str, str | None]]]], view.get("state") or {})
    entry = state.get("values", {}).get("reason", {}).get("detail", {})
    if answer_id is not None:
        _keep(edge, answer_id, _person(body), "other", (entry.get("value") or "")[:500])


def _keep(edge: Edge, answer_id: UUID, person: str, reason: str, detail: str | None) -> None:
    vote = Vote(answer_id, person, -1, "button", reason=reason, detail=detail)
    with edge.database.connection() as connection:
        if questions.of_answer(connection, edge.workspace, answer_id) is not None:
            votes.cast(connection, edge.workspace, vote, datetime.now(UTC))


def _after_reaction(edge: Edge, vote: Vote) -> None:
    """Drop the vote of a program; ask a person who voted down why."""
    is_bot = edge.is_bot(vote.person)
    with edge.database.connection() as connection:
        question = questions.of_answer(connection, edge.workspace, vote.answer_id)
        if is_bot:
            votes.withdraw(connection, edge.workspace, vote.answer_id, vote.person, vote.value)
    if question and vote.value < 0 and not is_bot:
        _reply(edge, question.ask, vote.person, render.reasons(vote.answer_id), "")


def _reply(edge: Edge, ask: Ask, person: str, message: Message, url: str) -> None:
    thread_ts = None if ask.origin == "command" else ask.thread_ts or ask.message_ts
    edge.whisper(message, person=person, channel=ask.channel, thread_ts=thread_ts, url=url)


def _thank(edge: Edge, body: Event) -> None:
    url = str(body.get("response_url") or "")
    if url:
        clients.webhook(url).send(text=THANKS.text, replace_original=True)


def _open(edge: Edge, trigger: str, view: render.Block) -> None:
    edge.client.views_open(trigger_id=trigger, view=view)


def _mute(
    connection: psycopg.Connection[TupleRow], edge: Edge, event: Event, answer_id: UUID
) -> None:
    """Keep the wish to be left alone like a message in the thread that said so."""
    question = questions.of_answer(connection, edge.workspace, answer_id)
    if question is None or question.ask.is_private:
        return
    wish = replace(
        question.ask,
        message_ts=str(event.get("event_ts")),
        person=str(event.get("user")),
        body="",
        origin="thread",
        thread_ts=question.ask.thread_ts or question.ask.message_ts,
    )
    edge.close(connection, wish, questions.MUTE)


def _action(body: Event) -> dict[str, object]:
    actions = cast(list[dict[str, object]], body.get("actions") or [{}])
    return actions[0]


def _person(body: Event) -> str:
    return cast(dict[str, str], body.get("user") or {}).get("id", "")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _moment(ts: object) -> datetime:
    """When Slack says that it happened, so that a late delivery does not undo a later change."""
    try:
        return datetime.fromtimestamp(float(str(ts)), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)
