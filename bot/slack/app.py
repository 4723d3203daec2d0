"""Makes the Bolt app: whose token it is, and all listeners on it.

With process_before_response a listener that raises leaves its event unacknowledged (measured on
slack_bolt 1.30), so Slack delivers it again and nothing is lost.
"""

import logging
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.error import URLError

from slack_bolt import App, BoltResponse
from slack_sdk.errors import SlackApiError

from bot.answering.lifecycle import NotYet
from bot.intents import IntentFile
from bot.runtime.metrics import Metrics
from bot.settings import Settings
from bot.slack import (
    agent,
    audience,
    calls,
    clients,
    commands,
    edits,
    faqs,
    feedback,
    gaps,
    home,
    labels,
    messages,
    reactions,
    shortcuts,
)
from bot.slack.edge import Edge
from store import workspaces
from store.database import Database, StoreError
from store.queue import Queue

ERRAND_THREADS = 4
RECONNECT_SECONDS = 5

_log = logging.getLogger(__name__)


class OtherWorkspace(Exception):
    """The database holds another Slack workspace's documents and questions."""


@dataclass(frozen=True, slots=True)
class Bot:
    """What serves Slack: Bolt with its listeners, and what they work with."""

    app: App
    edge: Edge


def connect(settings: Settings, database: Database) -> str:
    """Ask Slack whose token this is and make that team the workspace; give its id.

    Raises SlackRefused for a bad token, OtherWorkspace when the database belongs to another team.
    """
    client = clients.patient(settings.slack_bot_token, settings.slack_api_url)
    try:
        me = client.auth_test()
    except SlackApiError as error:
        raise clients.explained(error, "auth.test") from error
    team, name = str(me["team_id"]), str(me.get("team") or "")
    with database.connection() as connection:
        workspaces.connect(connection, team, name, datetime.now(UTC))
        current = workspaces.current(connection)
    if current != team:
        raise OtherWorkspace(
            f"This database belongs to Slack workspace {current}, the token to {team} ({name})."
            " Use that workspace's token, or another DATABASE_URL (or THREADWISE_HOME)."
        )
    return current


def wait_to_connect(settings: Settings, database: Database, stop: threading.Event) -> str | None:
    """Connect, waiting for a Slack that cannot be reached; None when stopped meanwhile."""
    while not stop.is_set():
        try:
            return connect(settings, database)
        except (URLError, OSError, NotYet) as error:
            _log.warning("slack_unreachable url=%s reason=%s", settings.slack_api_url, error)
            told = error.after if isinstance(error, NotYet) else None
            stop.wait(told or RECONNECT_SECONDS)
    return None


def build(settings: Settings, database: Database, queue: Queue, workspace: str) -> Bot:
    """Make the Bolt app with all listeners on it, and what they work with."""
    client = clients.web(settings.slack_bot_token, settings.slack_api_url)
    logging.getLogger("slack_bolt.App").addFilter(_is_news)
    with _hidden("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        app = App(
            client=client,
            signing_secret=settings.slack_signing_secret or "",
            process_before_response=True,
            attaching_conversation_kwargs_enabled=False,
        )
    edge = Edge(
        settings=settings,
        database=database,
        queue=queue,
        workspace=workspace,
        me=str(
            clients.patient(settings.slack_bot_token, settings.slack_api_url).auth_test()["user_id"]
        ),
        client=client,
        errands=ThreadPoolExecutor(ERRAND_THREADS, thread_name_prefix="errand"),
        metrics=Metrics(database),
        intents=IntentFile(settings.intents),
        audience=audience.of(settings.slack_bot_token, settings.slack_api_url, workspace),
    )
    edits.register(app, edge)  # before messages, which would take them as well
    messages.register(app, edge)
    commands.register(app, edge)
    feedback.register(app, edge)
    reactions.register(app, edge)
    labels.register(app, edge)
    faqs.register(app, edge)
    gaps.register(app, edge)
    calls.register(app, edge)
    shortcuts.register(app, edge)
    home.register(app, edge)
    agent.register(app, edge)
    app.event(re.compile(".*"))(_ignore)
    app.error(_on_error)
    return Bot(app, edge)


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Hide variables of the environment. By these two, which are there for signing in to the screen, Bolt would take us
    for an app of many workspaces, whose tokens it has to look up, and drop every event."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _is_news(record: logging.LogRecord) -> bool:
    """Keep out Bolt's warning that it found the token, which the client has, in the environment."""
    return "`token` will be unused" not in record.getMessage()


def _ignore() -> None:
    """Acknowledge an event that nothing needs: without a listener Slack would send it again."""


def _on_error(error: Exception, body: dict[str, object]) -> BoltResponse | None:
    """Log; a person who typed a command is told, an event stays unacknowledged and comes again."""
    _log.error(
        "listener broke: %s", error, exc_info=None if isinstance(error, StoreError) else error
    )
    if "command" in body:
        return BoltResponse(
            status=200, body="I cannot do that right now. Please try again in a minute."
        )
    return None
