"""Labels: what people say that a message was about, by a button, a menu or an admin's emoji.

Knows nothing about classifiers. A label is a row for the next training of the intents.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from slack_bolt import Ack, App

from bot.intents import Intent
from bot.slack import payload
from bot.slack.edge import Edge
from bot.slack.markup import mrkdwn
from bot.slack.payload import Payload, Sign
from bot.slack.render import Message
from store import questions
from store.feedback import labels
from store.records import CHOICE, Ask, Question

NOT_YOURS = Message("Only the person who asked can choose.")


def register(app: App, edge: Edge) -> None:
    """Listen to the buttons of "did you mean" and to the menu of topics."""

    def on_choice(ack: Ack, body: Payload) -> None:
        choose(edge, body)
        ack()

    def on_topic(ack: Ack, body: Payload) -> None:
        correct(edge, body)
        ack()

    app.action(re.compile("^choice:"))(on_choice)
    app.action("topic")(on_topic)


def choose(edge: Edge, body: Payload) -> None:
    """Keep what the asker meant, and claim the message once more as that; the first click acts."""
    asked, intent = _asked(edge, payload.action(body).get("value"))
    person, url = payload.person(body), payload.response_url(body)
    if asked is None:
        return
    if person != asked.ask.person:
        edge.later(_refuse, edge, asked.ask, person, url)
        return
    with edge.database.connection() as connection:
        now, where = datetime.now(UTC), edge.workspace
        labels.put(connection, where, asked.question_id, person, intent, "choice", now)
        edge.claim(connection, _as_chosen(asked.ask, intent, url))
    edge.later(edge.rewrite, url, f"You chose: {mrkdwn(_label(edge, intent))}")


def correct(edge: Edge, body: Payload) -> None:
    """Keep the topic that was picked after a thumbs-down."""
    picked = cast(Payload, payload.action(body).get("selected_option") or {})
    asked, intent = _asked(edge, picked.get("value"))
    if asked is None:
        return
    person, now = payload.person(body), datetime.now(UTC)
    with edge.database.connection() as connection:
        labels.put(connection, edge.workspace, asked.question_id, person, intent, "reason", now)
    text = f"Thanks, noted: {mrkdwn(_label(edge, intent))}"
    edge.later(edge.rewrite, payload.response_url(body), text)


def relabel(edge: Edge, sign: Sign, intent: str) -> None:
    """Keep an admin's intent emoji on a message, or on its answer, as its label; or take it back."""
    if not edge.is_admin(sign.person):
        return
    with edge.database.connection() as connection:
        where, person = edge.workspace, sign.person
        question_id = questions.at(connection, where, sign.channel, sign.ts)
        if question_id is None:
            return
        if sign.is_added:
            labels.put(connection, where, question_id, person, intent, "admin", sign.at)
        else:
            labels.withdraw(connection, where, question_id, person, intent)


def offered(edge: Edge) -> list[Intent]:
    """List the intents that can be picked."""
    return list(edge.intents.now().by_name.values())


def _asked(edge: Edge, value: object) -> tuple[Question | None, str]:
    """Find the question, and the intent that a button or an option stands for."""
    answer_id, intent = payload.named(value)
    if answer_id is None or intent not in edge.intents.now().by_name:
        return None, intent
    with edge.database.connection() as connection:
        return questions.of_answer(connection, edge.workspace, answer_id), intent


def _refuse(edge: Edge, ask: Ask, person: str, url: str) -> None:
    channel, thread_ts = ask.channel, ask.thread_ts or ask.message_ts
    edge.whisper(NOT_YOURS, person=person, channel=channel, thread_ts=thread_ts, url=url)


def _label(edge: Edge, intent: str) -> str:
    return edge.intents.now().by_name[intent].label


def _as_chosen(ask: Ask, intent: str, respond_url: str) -> Ask:
    """Ask the same again, meant as the intent: answered where the first answer stands."""
    origin = ask.origin if ask.origin in ("command", "dm") else "mention"
    return replace(
        ask,
        message_ts=f"{ask.said_ts}{CHOICE}",
        thread_ts=ask.thread_ts or ask.message_ts,
        origin=origin,
        chosen=intent,
        respond_url=respond_url if origin == "command" else None,
    )
