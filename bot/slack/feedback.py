"""Feedback: thumbs, check marks, buttons and reasons, all of them kept as votes.

Knows nothing about learning from them.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from slack_bolt import Ack, App

from bot.slack import clients, faqs, labels, payload, render
from bot.slack.edge import Edge
from bot.slack.messages import MUTE_WORDS
from bot.slack.payload import Payload, Sign
from bot.slack.render import Message
from store import answers, questions
from store.database import Connection
from store.feedback import votes
from store.records import Ask, Reason, Vote, reason_of

THUMBS = {"+1": 1, "thumbsup": 1, "-1": -1, "thumbsdown": -1}
THANKS = Message("Thanks, noted.")

EXPERT_WEIGHT = 3.0
"""What an expert's check mark weighs: as much as three thumbs, which err 8 % of the time together."""


def register(app: App, edge: Edge) -> None:
    def on_button(ack: Ack, body: Payload) -> None:
        press(edge, body)
        ack()

    def on_reason(ack: Ack, body: Payload) -> None:
        explain(edge, body)
        ack()

    def on_words(ack: Ack, body: Payload) -> None:
        explain_in_words(edge, body)
        ack()

    app.action(re.compile("^feedback"))(on_button)
    app.action(re.compile("^reason:"))(on_reason)
    app.view("reason_other")(on_words)


def understands(edge: Edge, sign: Sign) -> bool:
    """Whether a sign is a thumb, an expert's check mark, or the wish to be left alone."""
    return bool(_value(edge, sign)) or _is_mute(sign)


def react(edge: Edge, sign: Sign) -> None:
    """Count a sign on one of our answers, or take it back; a muting one ends its thread's talk."""
    is_new = is_gone = False
    with edge.database.connection() as connection:
        answer_id = answers.at(connection, edge.workspace, sign.channel, sign.ts)
        if answer_id is None:
            return
        vote = _vote(edge, sign, answer_id)
        if vote is None:
            _mute(connection, edge, sign, answer_id)
        elif sign.is_added:
            is_new = votes.cast(connection, edge.workspace, vote, sign.at)
        else:
            is_gone = votes.withdraw(connection, edge.workspace, vote, sign.at)
    if is_gone:
        edge.later(faqs.reconsider, edge, answer_id)
    if vote and is_new:
        edge.metrics.voted(vote.value)
        edge.later(_after_reaction, edge, vote)


def press(edge: Edge, body: Payload) -> None:
    """Count a feedback button; for thumbs down, ask why."""
    action, person = payload.action(body), payload.person(body)
    direction, _, identifier = str(action.get("value", "")).partition(":")
    answer_id = payload.uuid(identifier)
    if answer_id is None or direction not in ("up", "down"):
        return
    vote = Vote(answer_id, person, 1 if direction == "up" else -1, "button")
    with edge.database.connection() as connection:
        question = questions.of_answer(connection, edge.workspace, answer_id)
        if question is None:
            return
        at = payload.at(action.get("action_ts"))
        is_new = votes.cast(connection, edge.workspace, vote, at)
    if is_new:
        edge.metrics.voted(vote.value)
    is_down = vote.value < 0
    if is_down:
        edge.later(faqs.reconsider, edge, answer_id)
    if is_down or action.get("type") == "button":
        said = render.reasons(answer_id) if is_down else THANKS
        edge.later(_reply, edge, question.ask, person, said, payload.response_url(body))


def explain(edge: Edge, body: Payload) -> None:
    """Keep the reason that was clicked; `other` opens a modal for a few words."""
    action, person = payload.action(body), payload.person(body)
    reason = reason_of(str(action.get("action_id", "")).partition(":")[2])
    answer_id = payload.uuid(str(action.get("value", "")))
    if answer_id is None or reason is None:
        return
    _keep(edge, answer_id, person, reason, None)
    if reason == "wrong_topic":
        edge.later(_ask_topic, edge, answer_id, body)
    elif reason == "other":
        view, trigger = render.reason_view(answer_id), str(body.get("trigger_id"))
        edge.later(_open, edge, trigger, view)
    else:
        edge.later(_thank, edge, body)


def explain_in_words(edge: Edge, body: Payload) -> None:
    """Keep the reason that was written into the modal."""
    view = cast(dict[str, object], body.get("view") or {})
    answer_id = payload.uuid(str(view.get("private_metadata", "")))
    state = cast(dict[str, dict[str, dict[str, dict[str, str | None]]]], view.get("state") or {})
    entry = state.get("values", {}).get("reason", {}).get("detail", {})
    if answer_id is not None:
        _keep(edge, answer_id, payload.person(body), "other", (entry.get("value") or "")[:500])


def _keep(edge: Edge, answer_id: UUID, person: str, reason: Reason, detail: str | None) -> None:
    vote = Vote(answer_id, person, -1, "button", reason=reason, detail=detail)
    with edge.database.connection() as connection:
        if questions.of_answer(connection, edge.workspace, answer_id) is None:
            return
        votes.cast(connection, edge.workspace, vote, datetime.now(UTC))
    edge.later(faqs.reconsider, edge, answer_id)


def _after_reaction(edge: Edge, vote: Vote) -> None:
    """Drop the vote of a program; ask a person who voted down why."""
    is_bot = edge.is_bot(vote.person)
    with edge.database.connection() as connection:
        question = questions.of_answer(connection, edge.workspace, vote.answer_id)
        if is_bot:
            votes.withdraw(connection, edge.workspace, vote, datetime.now(UTC))
    # An errand of its own: a Slack that does not take the question why keeps no bad reply in service.
    edge.later(faqs.reconsider, edge, vote.answer_id)
    if question and vote.value < 0 and not is_bot:
        _reply(edge, question.ask, vote.person, render.reasons(vote.answer_id), "")


def _reply(edge: Edge, ask: Ask, person: str, message: Message, url: str) -> None:
    thread_ts = None if ask.origin == "command" else ask.thread_ts or ask.message_ts
    edge.whisper(message, person=person, channel=ask.channel, thread_ts=thread_ts, url=url)


def _thank(edge: Edge, body: Payload) -> None:
    edge.rewrite(payload.response_url(body), THANKS.text)


def _ask_topic(edge: Edge, answer_id: UUID, body: Payload) -> None:
    """Let the voter pick what the message was about; without any intents there is nothing to pick."""
    offered, url = labels.offered(edge), payload.response_url(body)
    if offered and url:
        asked = render.topics(answer_id, offered)
        clients.webhook(url).send(text=asked.text, blocks=list(asked.blocks), replace_original=True)
    else:
        _thank(edge, body)


def _open(edge: Edge, trigger: str, view: render.Block) -> None:
    edge.client.views_open(trigger_id=trigger, view=view)


def _value(edge: Edge, sign: Sign) -> int:
    """What a sign says of an answer: 1, -1, or 0 for nothing."""
    return 1 if _is_check(edge, sign) else THUMBS.get(sign.name, 0)


def _vote(edge: Edge, sign: Sign, answer_id: UUID) -> Vote | None:
    if _is_check(edge, sign):
        return Vote(answer_id, sign.person, 1, "expert", weight=EXPERT_WEIGHT)
    value = _value(edge, sign)
    return Vote(answer_id, sign.person, value, "reaction") if value else None


def _is_check(edge: Edge, sign: Sign) -> bool:
    """Whether a listed expert vouches for the answer."""
    return sign.name == edge.settings.expert_emoji and sign.person in edge.settings.experts


def _is_mute(sign: Sign) -> bool:
    return sign.is_added and f":{sign.name}:" in MUTE_WORDS


def _mute(connection: Connection, edge: Edge, sign: Sign, answer_id: UUID) -> None:
    """Keep the wish to be left alone like a message in the thread that said so."""
    question = questions.of_answer(connection, edge.workspace, answer_id)
    if question is None or question.ask.is_private:
        return
    wish = replace(
        question.ask,
        message_ts=sign.event_ts,
        person=sign.person,
        body="",
        origin="thread",
        thread_ts=question.ask.thread_ts or question.ask.message_ts,
    )
    edge.close(connection, wish, questions.MUTE)
