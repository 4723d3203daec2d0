"""The agent's pane: what one may ask there, a session with its status, and a stop button that stops.

Knows nothing about answering. Where a workspace has no sessions yet, the older status is shown.
"""

import logging
from datetime import UTC, datetime, timedelta

from slack_bolt import App
from slack_sdk import WebClient

from bot.answering.readers import Reader
from bot.slack import clients, edits
from bot.slack.edge import Edge
from bot.slack.payload import Payload
from bot.text import shorten
from store import questions
from store.feedback import likes
from store.index import scopes

STOPPED = "stopped by a click"
"""The error of a question whose session was stopped before it was answered."""

LIKED_FOR = timedelta(days=90)
LOOKED_AT = 30
"""Liked questions that are looked at for some that a person may see."""

PROMPTS = 4
PROMPT_CHARS = 75
GREETING = "Ask anything that our documents may know. For example:"

_log = logging.getLogger(__name__)


def register(app: App, edge: Edge) -> None:
    def on_stop(event: Payload) -> None:
        stop(edge, str(event.get("channel", "")), str(event.get("thread_ts", "")))

    app.event("agent_session_stopped")(on_stop)


def stop(edge: Edge, channel: str, thread_ts: str) -> None:
    """End what is asked in a session and not answered yet: nothing will be posted for it."""
    with edge.database.connection() as connection:
        asked = questions.open_in_thread(connection, edge.workspace, channel, thread_ts)
    for message_ts in asked:
        edits.withdraw(edge, channel, message_ts, STOPPED)
    edge.later(_rest, edge.client, channel, thread_ts)


def suggest(edge: Edge, person: str, channel: str) -> None:
    """Offer questions that colleagues liked the answers of, where the person may see both."""
    prompts = prompts_for(edge, person)
    if prompts:
        edge.client.assistant_threads_setSuggestedPrompts(
            channel_id=channel, title=GREETING, prompts=prompts
        )


def prompts_for(edge: Edge, person: str) -> list[dict[str, str]]:
    """Give the liked questions that were asked where every member may read, with answers that the person may see."""
    reader = edge.audience.person(person)
    if reader.closed is not None:
        return []
    since = datetime.now(UTC) - LIKED_FOR
    with edge.database.connection() as connection:
        found = likes.liked(connection, edge.workspace, since, LOOKED_AT)
    chosen: list[str] = []
    for each in found:
        if len(chosen) < PROMPTS and each.question not in chosen and _may_see(edge, reader, each):
            chosen.append(each.question)
    return [{"title": shorten(text, PROMPT_CHARS), "message": text} for text in chosen]


def _may_see(edge: Edge, reader: Reader, each: likes.Liked) -> bool:
    """Whether a question was asked in public, and all that its answer cites is open to a person."""
    if not edge.audience.is_open(each.channel):
        return False
    with edge.database.connection() as connection:
        return not scopes.hides(connection, edge.workspace, reader.viewer, each.pages, strict=True)


def _rest(client: WebClient, channel: str, thread_ts: str) -> None:
    try:
        client.api_call(
            "agents.sessions.setStatus",
            json={"channel_id": channel, "thread_ts": thread_ts, "status": "active"},
        )
    except clients.FAILURES as error:
        _log.info("session_not_rested reason=%s", clients.explained(error, "setStatus"))
