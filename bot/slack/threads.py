"""What people said in a thread before a message, for a question that leans on it.

Knows nothing about answering. Everyone who reads the reply reads the thread it stands in.
"""

import logging
import re

from slack_sdk import WebClient

from bot.slack import clients
from bot.slack.markup import spoken
from bot.slack.messages import is_said
from store.records import Ask

MESSAGES = 200
"""Asked for at once, from the thread's beginning on; an app that Slack limits gets 15."""

_log = logging.getLogger(__name__)


def before(client: WebClient, ask: Ask) -> list[str]:
    """Give the last messages of people before this one, oldest first; none where Slack does not say."""
    try:
        page = client.conversations_replies(
            channel=ask.channel,
            ts=ask.thread_ts or ask.message_ts,
            latest=ask.said_ts,
            inclusive=False,
            limit=MESSAGES,
        )
    except clients.FAILURES as error:
        _log.warning("thread not read: %s", clients.explained(error, "conversations.replies"))
        return []
    found = [m for m in page.get("messages") or [] if str(m.get("ts")) < ask.said_ts]
    # What mentions the bot reads "@someone ...": its own id is not known to a worker, and tells nothing.
    texts = [spoken(str(m.get("text") or ""), "") for m in found if is_said(m, "")]
    return [re.sub(r"^@someone\b[\s,:]*", "", text) for text in texts]
