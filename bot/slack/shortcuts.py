"""The message shortcut "Ask about this": what a message says is asked, and only who used it sees the answer.

Knows nothing about answering.
"""

from functools import partial
from typing import cast

from slack_bolt import Ack, App

from bot.slack import messages, payload
from bot.slack.audience import is_outside
from bot.slack.edge import TOO_MUCH, Edge
from bot.slack.markup import mrkdwn, spoken
from bot.slack.payload import Payload
from bot.slack.render import Message
from bot.text import shorten
from store.records import Ask

SHORTCUT = "ask_about"
"""The message shortcut's callback id, as in manifest.json."""

WORDLESS = "That message has no words that I could look up."
HEARD_CHARS = 300


def register(app: App, edge: Edge) -> None:
    def on_shortcut(ack: Ack, body: Payload) -> None:
        ask_about(edge, body)
        ack()

    app.shortcut({"type": "message_action", "callback_id": SHORTCUT})(on_shortcut)


def ask_about(edge: Edge, body: Payload) -> None:
    """Claim what a message says as a private question of the one who used the shortcut."""
    message, url = cast(Payload, body.get("message") or {}), payload.response_url(body)
    channel, person = payload.channel(body), payload.person(body)
    forwarded = messages.forwarded(message, edge.me)
    text = spoken(str(message.get("text") or ""), edge.me) or forwarded or ""
    said = WORDLESS
    if any(sign.isalnum() for sign in text):
        user = cast(Payload, body.get("user") or {})
        asked = Ask(
            workspace=edge.workspace,
            channel=channel,
            message_ts=str(body.get("trigger_id")),
            person=person,
            body=text,
            origin="command",
            is_private=True,
            respond_url=url or None,
            is_outside=is_outside({"user_team": user.get("team_id")}, {}, edge.workspace),
            forwarded=forwarded if forwarded != text else None,
        )
        with edge.database.connection() as connection:
            is_claimed = edge.claim(connection, asked) is not None
        heard = f"Looking it up: {mrkdwn(shorten(text, HEARD_CHARS))}"
        said = heard if is_claimed else TOO_MUCH
    told = Message(said)
    edge.later(partial(edge.whisper, told, person=person, channel=channel, thread_ts=None, url=url))
