"""Messages: which of them are questions to the bot, and on whose behalf.

Knows nothing about answering. A mention arrives twice, as `app_mention` and as `message`; both make
the same claim, so either may come first.
"""

import re
from dataclasses import replace
from typing import cast

from slack_bolt import App

from bot.slack.audience import is_outside
from bot.slack.edge import Edge
from bot.slack.markup import spoken
from bot.slack.payload import Payload
from bot.slack.render import Message
from store import channels, questions
from store.database import Connection
from store.records import Ask

SAID = (None, "thread_broadcast", "file_share", "me_message")
"""Subtypes that are somebody saying something; edits, joins and the like are not."""

MUTE_WORDS = ("mute", "/mute", "stop", ":mute:", ":no_bell:", ":zipper_mouth_face:")
OFF = "I am switched off in this channel. Ask me in a direct message, or ask an admin to change it."

_OTHERS = re.compile(r"^\s*<@[UW][A-Z0-9]+")


def register(app: App, edge: Edge) -> None:
    def on_message(event: Payload, body: Payload) -> None:
        hear(edge, event, body)

    app.event("message")(on_message)
    app.event("app_mention")(on_message)


def hear(edge: Edge, event: Payload, body: Payload) -> None:
    """Claim the message if it is for the bot; a mark shows at once that it was heard.

    `body` is what the event came in.
    """
    is_posted = is_by_workflow(event, edge.me)
    if not is_posted and not is_said(event, edge.me):
        return
    is_off = False
    with edge.database.connection() as connection:
        ask = _asked(connection, edge, event)
        if ask and is_posted and not channels.get(connection, ask.workspace, ask.channel).workflows:
            return
        if ask is None:
            return
        ask = replace(ask, is_outside=is_outside(event, body, edge.workspace))
        if ask.origin == "mention" and _mode(connection, ask) == "off":
            question_id, is_off = None, edge.close(connection, ask)
        elif ask.origin != "dm" and ask.thread_ts and ask.body.lower() in MUTE_WORDS:
            question_id, _ = None, edge.close(connection, ask, questions.MUTE)
        else:
            question_id = edge.claim(connection, ask)
    if is_off:
        edge.later(_say_off, edge, ask)
    elif question_id and ask.origin in ("mention", "dm"):
        edge.later(edge.mark, question_id, ask)


def is_said(event: Payload, me: str) -> bool:
    """Whether a person said it: no bot, no edit, nothing of the bot's own."""
    return (
        event.get("subtype") in SAID
        and not event.get("bot_id")
        and not event.get("hidden")
        and event.get("user") not in (None, me, "USLACKBOT")
    )


def is_by_workflow(event: Payload, me: str) -> bool:
    """Whether a workflow or another app posted it, in no thread: replies of programs start no talk."""
    thread = event.get("thread_ts")
    return (
        event.get("subtype") in (None, "bot_message")
        and bool(event.get("bot_id"))
        and not event.get("hidden")
        and event.get("user") != me
        and thread in (None, event.get("ts"))
        and not str(event.get("channel", "")).startswith("D")
    )


def names(text: object, me: str) -> bool:
    """Whether a message's text mentions the bot."""
    return re.search(rf"<@{re.escape(me)}[|>]", str(text or "")) is not None


def forwarded(event: Payload, me: str) -> str | None:
    """Give the text of the messages that a message shares, as people read them."""
    shared = [
        spoken(str(part.get("text") or part.get("fallback") or ""), me)
        for part in cast(list[Payload], event.get("attachments") or [])
        if part.get("is_share") or part.get("is_msg_unfurl")
    ]
    return "\n".join(text for text in shared if text) or None


def _asked(connection: Connection, edge: Edge, event: Payload) -> Ask | None:
    text, channel = str(event.get("text") or ""), str(event["channel"])
    is_dm = event.get("channel_type") == "im" or channel.startswith("D")
    ts, thread = str(event["ts"]), event.get("thread_ts")
    ask = Ask(
        workspace=edge.workspace,
        channel=channel,
        message_ts=ts,
        person=str(event.get("bot_id") or event["user"]),
        body=spoken(text, edge.me),
        origin="dm" if is_dm else "mention",
        is_private=is_dm,
        thread_ts=str(thread) if thread and thread != ts else None,
        forwarded=forwarded(event, edge.me),
    )
    if is_dm or names(text, edge.me):
        return ask
    return _overheard(connection, ask, _OTHERS.match(text) is not None)


def _overheard(connection: Connection, ask: Ask, is_to_other: bool) -> Ask | None:
    """Take a message without a mention: a follow-up in our thread, or in a channel that wants it."""
    mode = _mode(connection, ask)
    if mode == "off" or is_to_other:
        return None
    if ask.thread_ts is None:
        return replace(ask, origin="channel") if mode in ("questions", "all") else None
    asker = questions.asker_of_thread(connection, ask.workspace, ask.channel, ask.thread_ts)
    is_wanted = asker is not None and (
        asker == ask.person or ask.body.endswith("?") or ask.body.lower() in MUTE_WORDS
    )
    return replace(ask, origin="thread") if is_wanted else None


def _mode(connection: Connection, ask: Ask) -> str:
    return channels.get(connection, ask.workspace, ask.channel).mode


def _say_off(edge: Edge, ask: Ask) -> None:
    edge.whisper(Message(OFF), person=ask.person, channel=ask.channel, thread_ts=ask.thread_ts)
