"""Calls for a person: the button, what the people in charge are told, one reminder, and the end.

Knows nothing about who is in charge (bot/slack/handovers.py). The reply of the one who helped is offered
as an answer to keep.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid5

from slack_bolt import Ack, App

from bot.slack import faqs, handovers, messages, payload, render
from bot.slack.edge import Edge
from bot.slack.markup import mrkdwn, spoken
from bot.slack.notices import Notice, Speaker
from bot.slack.payload import Payload
from bot.slack.render import Message
from bot.text import shorten
from store import calls, channels, questions
from store.calls import Call
from store.records import Question

ALREADY = Message("Somebody was called to this thread already.")
NOBODY = Message(
    "Nobody is named for this channel yet. An admin can name people: `/threadwise owners @name`."
)
PRIVATE = Message("Here only you read along. Please ask in the channel, so that people can help.")
CLOSED = "Closed by <@{}>."
OFFERED_CHARS = 300
PAGES = 10
"""Of a thread that are read for what was said, 200 messages each."""


def register(app: App, edge: Edge) -> None:
    """Listen to the buttons: to call, to close, to keep what was said."""

    def on_call(ack: Ack, body: Payload) -> None:
        press(edge, body)
        ack()

    def on_close(ack: Ack, body: Payload) -> None:
        close(edge, body)
        ack()

    def on_keep(ack: Ack, body: Payload) -> None:
        ack()
        edge.later(keep, edge, body)

    app.action("human")(on_call)
    app.action("call:close")(on_close)
    app.action("call:keep")(on_keep)


def press(edge: Edge, body: Payload) -> None:
    """Open a call in the thread of an answer, once for a click; the rest is a durable job."""
    click, person = payload.action(body), payload.person(body)
    answer_id = payload.uuid(click.get("value"))
    if answer_id is None:
        return
    with edge.database.connection() as connection:
        question = questions.of_answer(connection, edge.workspace, answer_id)
        if question is None:
            return
        channel = channels.get(connection, edge.workspace, question.ask.channel)
        said = None
        if question.ask.is_private:
            said = PRIVATE
        elif not handovers.in_charge(channel, edge.intents.now()):
            said = NOBODY
        else:
            call_id = uuid5(answer_id, str(click.get("action_ts")))
            call = handovers.call(call_id, question, person)
            if not handovers.open_call(connection, edge.queue, edge.workspace, call):
                said = ALREADY
    if said:
        edge.later(_whisper, edge, question, person, said)


def close(edge: Edge, body: Payload) -> None:
    """Close a call, and offer the last reply of a person as an answer to keep."""
    call_id, person = payload.uuid(payload.action(body).get("value")), payload.person(body)
    if call_id is None:
        return
    with edge.database.connection() as connection:
        call = calls.close(connection, edge.workspace, call_id, person, datetime.now(UTC))
    edge.later(edge.rewrite, payload.response_url(body), CLOSED.format(person))
    if call:
        edge.later(_offer, edge, call, person)


def keep(edge: Edge, body: Payload) -> None:
    """Keep the reply that was offered."""
    call_id, ts = payload.named(payload.action(body).get("value"))
    if call_id is None or not ts:
        return
    with edge.database.connection() as connection:
        call = calls.get(connection, edge.workspace, call_id)
    if call:
        url = payload.response_url(body)
        faqs.keep_at(edge, call.channel, ts, payload.person(body), url)


def called(speaker: Speaker, about: Mapping[str, Any]) -> Notice | None:
    """Tell the people in charge that somebody needs them."""
    return _told(speaker, about, "would like to talk to a person about this")


def reminder(speaker: Speaker, about: Mapping[str, Any]) -> Notice | None:
    """Remind the people in charge of a call that is still open."""
    return _told(speaker, about, "still waits to talk to a person about this")


def _told(speaker: Speaker, about: Mapping[str, Any], wish: str) -> Notice | None:
    """Tell it in the thread, where people and groups can be called by name, else in their channel with a link."""
    call, question = _still_open(speaker, about)
    if call is None or question is None:
        return None
    people, elsewhere = _whom(speaker, call)
    if people:
        text = f"{_names(people)} <@{call.person}> {wish}."
        return Notice(call.channel, (_with_button(text, call),), call.thread_ts)
    if elsewhere and speaker.audience.may_hear(question.ask, elsewhere):
        link = speaker.client.chat_getPermalink(channel=call.channel, message_ts=call.thread_ts)
        asked = shorten(" ".join(question.ask.body.split()), handovers.SUMMARY_CHARS)
        text = f"Somebody {wish}: “{mrkdwn(asked)}” <{link['permalink']}>"
        return Notice(elsewhere, (_with_button(text, call),))
    return None


def _still_open(speaker: Speaker, about: Mapping[str, Any]) -> tuple[Call | None, Question | None]:
    with speaker.database.connection() as connection:
        call = calls.get(connection, speaker.workspace, UUID(about["call"]))
        if call is None or call.closed_at:
            return None, None
        return call, questions.get(connection, speaker.workspace, call.question_id)


def _whom(speaker: Speaker, call: Call) -> tuple[tuple[str, ...], str | None]:
    """Give the people and groups who are called in the thread, and a channel to tell instead."""
    with speaker.database.connection() as connection:
        channel = channels.get(connection, speaker.workspace, call.channel)
    found = handovers.in_charge(channel, speaker.intents())
    people = tuple(each for each in found if not handovers.is_channel(each))
    return people, next((each for each in found if handovers.is_channel(each)), None)


def _names(people: tuple[str, ...]) -> str:
    """Call people and groups by name, which pings them."""
    return " ".join(f"<!subteam^{p}>" if p.startswith("S") else f"<@{p}>" for p in people)


def _with_button(text: str, call: Call) -> Message:
    actions = [render.button("Close", "call:close", str(call.call_id))]
    return Message(text, (render.verbatim(text), {"type": "actions", "elements": actions}))


def _offer(edge: Edge, call: Call, person: str) -> None:
    """Show the one who closed a call what was said last by somebody else than its caller."""
    found = [
        message
        for message in _said_since(edge, call)
        if messages.is_said(message, edge.me) and message.get("user") != call.person
    ]
    if not found:
        return
    last = found[-1]
    said = shorten(spoken(str(last.get("text") or ""), edge.me), OFFERED_CHARS)
    text = f"Shall I keep this as an answer for the next one who asks? “{mrkdwn(said)}”"
    value = render.named(call.call_id, str(last["ts"]))
    actions = [render.button("Keep it", "call:keep", value)]
    offered = Message(text, (render.verbatim(text), {"type": "actions", "elements": actions}))
    edge.whisper(offered, person=person, channel=call.channel, thread_ts=call.thread_ts)


def _said_since(edge: Edge, call: Call) -> Iterator[Payload]:
    """Give what was said in the thread since the call, page by page."""
    since, cursor = f"{call.opened_at.timestamp():.6f}", None
    for _ in range(PAGES):
        page = edge.client.conversations_replies(
            channel=call.channel, ts=call.thread_ts, oldest=since, limit=200, cursor=cursor
        )
        for message in cast(list[Payload], page.get("messages") or []):
            if str(message.get("ts")) > since:  # Slack also gives the thread's first message
                yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return


def _whisper(edge: Edge, question: Question, person: str, said: Message) -> None:
    ask = question.ask
    thread_ts = None if ask.origin == "command" else ask.thread_ts or ask.said_ts
    edge.whisper(said, person=person, channel=ask.channel, thread_ts=thread_ts)
