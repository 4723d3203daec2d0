"""Kept replies: a person's words in a thread that become a verified answer once an admin approves.

Knows nothing about serving them. What was said in a private channel is shown there alone.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import cast
from uuid import UUID

from slack_bolt import Ack, App
from slack_sdk.errors import SlackApiError

from bot import jobs
from bot.slack import payload, render
from bot.slack.audience import Place, place
from bot.slack.edge import Edge
from bot.slack.markup import kept, mrkdwn
from bot.slack.payload import Payload, Sign
from bot.slack.render import Message
from bot.text import shorten
from store.feedback import faqs
from store.feedback.faqs import Faq, Reply
from store.records import EVERYONE

SHORTCUT = "keep_reply"
"""The message shortcut's callback id, as in manifest.json."""

KEPT = "Kept. Once an admin approves it (`/threadwise replies`), I will answer with it."
ELSEWHERE = "A reply was kept in a private channel. Decide there: `/threadwise replies` in that channel shows it."
DISLIKED = (
    "Colleagues dislike a kept reply, so I no longer answer with it. To bring it back, approve it again:"
    " `/threadwise replies` in its channel shows it."
)
NOT_KEPT = (
    "I can keep a person's reply in a thread where I was asked something; this is none, or it was"
    " kept before."
)
REFUSAL = "Only admins decide about kept replies."


def register(app: App, edge: Edge) -> None:
    """Listen to the message shortcut and to the buttons of a candidate."""

    def on_shortcut(ack: Ack, body: Payload) -> None:
        ack()
        edge.later(keep_by_shortcut, edge, body)

    def on_decision(ack: Ack, body: Payload) -> None:
        ack()
        edge.later(decide, edge, body)

    app.shortcut({"type": "message_action", "callback_id": SHORTCUT})(on_shortcut)
    app.action(re.compile("^reply:"))(on_decision)


def keep_by_sign(edge: Edge, sign: Sign) -> None:
    keep_at(edge, sign.channel, sign.ts, sign.person, "")


def keep_at(edge: Edge, channel: str, ts: str, person: str, url: str) -> None:
    """Keep the reply that stands at `ts`; `person` is told by `url`, where there is one."""
    page = edge.client.conversations_replies(
        channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=1
    )
    found: list[Payload] = [m for m in page.get("messages") or [] if m.get("ts") == ts]
    _keep(edge, channel, found[0] if found else {}, person, url)


def keep_by_shortcut(edge: Edge, body: Payload) -> None:
    """Keep the reply on which the shortcut was used."""
    message = cast(Payload, body.get("message") or {})
    url = payload.response_url(body)
    _keep(edge, payload.channel(body), message, payload.person(body), url)


def decide(edge: Edge, body: Payload) -> None:
    """Approve or reject a candidate, if an admin says so."""
    click, person = payload.action(body), payload.person(body)
    faq_id, url = payload.uuid(click.get("value")), payload.response_url(body)
    if faq_id is None:
        return
    if not edge.is_admin(person):
        edge.whisper(
            Message(REFUSAL), person=person, channel=payload.channel(body), thread_ts=None, url=url
        )
        return
    is_approved, now = click.get("action_id") == "reply:approve", datetime.now(UTC)
    with edge.database.connection() as connection:
        where = edge.workspace
        faq = faqs.decide(connection, where, faq_id, person, now, approve=is_approved)
        if faq and is_approved:
            jobs.defer_retry(connection, edge.queue)  # it may answer what was asked in vain
    if faq:
        did = "Approved" if is_approved else "Rejected"
        edge.rewrite(url, f"{did} by <@{person}>: {mrkdwn(shorten(faq.question, 300))}")


def reconsider(edge: Edge, answer_id: UUID) -> None:
    """Take a kept reply that was served out of service where colleagues dislike it, and tell the admins.

    A program's thumb may not have been dropped yet, so it is looked at here again who is one.
    """
    with edge.database.connection() as connection:
        against = faqs.dislikers(connection, edge.workspace, answer_id)
    if len(against) < faqs.DISLIKES:
        return
    programs = [person for person in against if edge.is_bot(person)]
    with edge.database.connection() as connection:
        faq = faqs.flag_disliked(
            connection, edge.workspace, answer_id, datetime.now(UTC), programs=programs
        )
    if faq:
        _tell_later(edge, faq, DISLIKED)


def open_ones(edge: Edge, channel: str) -> list[Message]:
    """Show what waits for a decision and may be seen in this channel."""
    with edge.database.connection() as connection:
        found = faqs.open_ones(connection, edge.workspace)
    visible = [faq for faq in found if {EVERYONE, channel} & set(faq.audience)]
    return [render.candidate(faq) for faq in visible]


def _keep(edge: Edge, channel: str, message: Mapping[str, object], person: str, url: str) -> None:
    author, thread_ts = str(message.get("user", "")), str(message.get("thread_ts", ""))
    faq = None
    if author not in ("", edge.me) and thread_ts and not message.get("bot_id"):
        ts = str(message["ts"])
        reply = Reply(
            channel=channel,
            thread_ts=thread_ts,
            message_ts=ts,
            author=author,
            author_name=edge.name_of(author),
            body=kept(str(message.get("text", "")), partial(_name, edge)),
            permalink=str(
                edge.client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"]
            ),
            is_public=_is_public(edge, channel),
        )
        with edge.database.connection() as connection:
            faq = faqs.keep(connection, edge.workspace, reply, datetime.now(UTC))
    said, where = Message(KEPT if faq else NOT_KEPT), thread_ts or None
    # Errands of their own: one that is tried again would find the reply kept, and tell the opposite.
    edge.later(
        partial(edge.whisper, said, person=person, channel=channel, thread_ts=where, url=url)
    )
    if faq:
        _tell_later(edge, faq)


def _tell_later(edge: Edge, faq: Faq, before: str = "") -> None:
    """Tell the admins in an errand of its own: what was done to the reply is done once, telling is tried again."""
    if edge.settings.admin_channel:
        edge.later(_tell_admins, edge, edge.settings.admin_channel, faq, before)


def _tell_admins(edge: Edge, channel: str, faq: Faq, before: str = "") -> None:
    """Show a candidate to the admins; of what is not for everyone, only that there is one."""
    shown = render.candidate(faq)
    if EVERYONE not in faq.audience or _place(edge, channel).is_shared:
        shown = Message(before or ELSEWHERE)
    elif before:
        shown = Message(f"{before}\n{shown.text}", (render.section(before), *shown.blocks))
    edge.client.chat_postMessage(channel=channel, text=shown.text, blocks=list(shown.blocks))


def _is_public(edge: Edge, channel: str) -> bool:
    """Whether every member may read the channel; what Slack does not tell is private."""
    return not _place(edge, channel).is_private


def _name(edge: Edge, identifier: str) -> str:
    """Name a person or a channel as people read it; what all may not know keeps a plain word."""
    if identifier.startswith("S"):
        return "group"
    try:
        if identifier[:1] in "UW":
            return edge.name_of(identifier)
        found = edge.client.conversations_info(channel=identifier)
    except SlackApiError:
        return "someone" if identifier[:1] in "UW" else "channel"
    if place(found, edge.workspace).is_private:
        return "channel"
    return str((found.get("channel") or {}).get("name") or "channel")


def _place(edge: Edge, channel: str) -> Place:
    try:
        return place(edge.client.conversations_info(channel=channel), edge.workspace)
    except SlackApiError:
        return Place()
