"""What is said besides answers: what it is, made at the moment it is said, and posted once.

Knows nothing about when it is said: each is a durable job. What goes to a channel passes the audience.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.answering.lifecycle import NotYet
from bot.intents import Intents
from bot.settings import Settings
from bot.slack import clients
from bot.slack.audience import Audience
from bot.slack.newer import NewerBlocks
from bot.slack.render import Message
from store import notices
from store.database import Database, StoreGone

EVENT_TYPE = "threadwise_notice"

EARLY_SECONDS = 60.0
"""How much earlier than our first try a message is looked for: clocks differ."""

LOOKED_THROUGH = 200
"""Messages of a channel that are looked through for one of our own, the newest."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be posted where; of the `messages` the first one that Slack takes."""

    channel: str
    messages: tuple[Message, ...]
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """What the makers of notices work with."""

    settings: Settings
    database: Database
    workspace: str
    client: WebClient
    audience: Audience
    intents: Callable[[], Intents]
    newer: NewerBlocks


Maker = Callable[[Speaker, Mapping[str, Any]], Notice | None]
"""Makes a notice of the ids in its job; None when there is nothing to say any more."""


def say(speaker: Speaker, make: Maker, key: str, about: Mapping[str, Any]) -> bool:
    """Say something, once for its key; False when there is nothing to say any more.

    Raises NotYet when Slack may take it later, SlackRefused when it will not.
    """
    notice_id, workspace = uuid5(NAMESPACE_URL, f"{speaker.workspace}/{key}"), speaker.workspace
    try:
        notice = make(speaker, about)
    except clients.FAILURES as error:
        raise clients.explained(error, "chat.getPermalink") from error
    if notice is None:
        return False
    with speaker.database.connection() as connection:
        before, since = notices.begin(connection, workspace, notice_id, clients.LEASE_SECONDS)
    if before == "said":
        return True
    if before == "busy":
        raise NotYet(
            "an earlier try may be under way", after=clients.BUSY_SECONDS, is_failure=False
        )
    is_open = before == "open"
    try:
        ts = _own(speaker, notice, notice_id, since) if is_open else None
        is_open = True  # until Slack says otherwise
        ts = ts or _posted(speaker, notice, notice_id)
    except StoreGone:
        raise
    except Exception as error:
        with speaker.database.connection() as connection:
            is_open = is_open and clients.is_open(error)
            notices.end(connection, workspace, notice_id, is_open=is_open)
        raise clients.explained(error, "chat.postMessage") from error
    with speaker.database.connection() as connection:
        notices.said(connection, workspace, notice_id, notice.channel, ts)
    return True


def _posted(speaker: Speaker, notice: Notice, notice_id: UUID) -> str:
    *others, last = notice.messages
    was_chart = False
    for message in others:
        try:
            return _post(speaker, notice, message, notice_id)
        except SlackApiError as error:
            if clients.code_of(error) not in clients.BLOCK_ERRORS:
                raise
            was_chart = True
    ts = _post(speaker, notice, last, notice_id)
    if was_chart:
        speaker.newer.refused(speaker.workspace, "chart")
    return ts


def _post(speaker: Speaker, notice: Notice, message: Message, notice_id: UUID) -> str:
    response = speaker.client.chat_postMessage(
        channel=notice.channel,
        thread_ts=notice.thread_ts,
        text=message.text,
        blocks=list(message.blocks) or None,
        metadata={"event_type": EVENT_TYPE, "event_payload": {"notice_id": str(notice_id)}},
        client_msg_id=str(notice_id),
        unfurl_links=False,
        unfurl_media=False,
    )
    return str(response["ts"])


def _own(speaker: Speaker, notice: Notice, notice_id: UUID, since: datetime) -> str | None:
    """Look for this notice where it was to be said; None where it is not, or we may not look.

    There Slack knows it by its `client_msg_id`.
    """
    oldest = str(max(since.astimezone(UTC).timestamp() - EARLY_SECONDS, 0))
    given = {"channel": notice.channel, "oldest": oldest, "include_all_metadata": True}
    cursor, seen = None, 0
    try:
        while seen < LOOKED_THROUGH:
            page = (
                speaker.client.conversations_replies(ts=notice.thread_ts, cursor=cursor, **given)  # type: ignore[arg-type]
                if notice.thread_ts
                else speaker.client.conversations_history(cursor=cursor, **given)  # type: ignore[arg-type]
            )
            found = page.get("messages") or []
            for message in found:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("notice_id") == str(notice_id):
                    return str(message["ts"])
            seen += len(found)
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
    except clients.FAILURES as error:
        reason = clients.explained(error, "conversations.history")
        if isinstance(reason, NotYet):
            raise reason from error
        log.warning("notice not looked for: %s", reason)
    return None
