"""The Slack edge: listeners that claim, queue and only then acknowledge, over a socket or HTTP.

Knows nothing about answering. With process_before_response a listener that raises leaves its event
unacknowledged (measured on slack_bolt 1.30), so Slack delivers it again and nothing is lost.
"""

import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.error import URLError

from slack_bolt import App, BoltResponse
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk.errors import SlackApiError

from bot.intents import IntentFile
from bot.processes import web
from bot.runtime.metrics import Metrics
from bot.runtime.watchdog import watched
from bot.services import open_services
from bot.settings import Settings
from bot.slack import clients, commands, faqs, feedback, labels, messages, reactions
from bot.slack.edge import Edge
from store import workspaces
from store.database import Database, StoreError
from store.queue import Queue

ERRAND_THREADS = 4
LISTENER_THREADS = 16
PING_SECONDS = 2
"""A dead socket is noticed after about four pings: 11 s instead of the default's minute (measured)."""

RECEIVE_BYTES = 65536
"""slack_sdk reads a message recursively, once per buffer: a small one would overflow on a big one."""

RECONNECT_SECONDS = 5
HEALTH_SECONDS = 2

_log = logging.getLogger(__name__)


class OtherWorkspace(Exception):
    """The database holds another Slack workspace's documents and questions."""


@dataclass(frozen=True, slots=True)
class Bot:
    """The edge, ready to serve."""

    app: App
    edge: Edge


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Serve Slack until SIGTERM or SIGINT (or `stop`)."""
    stop = stop or _stopped_by_signal()
    with open_services(settings) as services, watched(services.server):
        workspace = wait_to_connect(settings, services.database, stop)
        if workspace is not None:
            serve(settings, build(settings, services.database, services.queue, workspace), stop)


def connect(settings: Settings, database: Database) -> str:
    """Ask Slack whose token this is and make that team the workspace; give its id.

    Raises SlackRefused for a bad token, OtherWorkspace when the database belongs to another team.
    """
    client = clients.web(settings.slack_bot_token, settings.slack_api_url)
    try:
        me = client.auth_test()
    except SlackApiError as error:
        raise clients.refusal(error, "auth.test") or error from error
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
        except (URLError, OSError) as error:
            _log.warning("slack_unreachable url=%s reason=%s", settings.slack_api_url, error)
            stop.wait(RECONNECT_SECONDS)
    return None


def build(settings: Settings, database: Database, queue: Queue, workspace: str) -> Bot:
    """Make the Bolt app with all listeners on it, and what they work with."""
    client = clients.web(settings.slack_bot_token, settings.slack_api_url)
    logging.getLogger("slack_bolt.App").addFilter(_is_news)
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
        me=str(client.auth_test()["user_id"]),
        client=client,
        errands=ThreadPoolExecutor(ERRAND_THREADS, thread_name_prefix="errand"),
        metrics=Metrics(database),
        intents=IntentFile(settings.intents),
    )
    messages.register(app, edge)
    commands.register(app, edge)
    feedback.register(app, edge)
    reactions.register(app, edge)
    labels.register(app, edge)
    faqs.register(app, edge)
    app.event(re.compile(".*"))(_ignore)
    app.error(_on_error)
    return Bot(app, edge)


def serve(
    settings: Settings, bot: Bot, stop: threading.Event, *, ping: float = PING_SECONDS
) -> None:
    """Serve over the socket or HTTP until `stop` is set, then finish what was begun."""
    is_http = settings.slack_mode == "http"
    way = _over_http(settings, bot) if is_http else _over_socket(settings, bot, ping)
    try:
        with way as where:
            _log.info("bot_started workspace=%s via=%s", bot.edge.workspace, where)
            stop.wait()
    finally:
        bot.edge.errands.shutdown(wait=True)
    _log.info("bot_stopped")


@contextmanager
def _over_http(settings: Settings, bot: Bot) -> Iterator[str]:
    health = _health(bot, lambda: None)
    served = web.site(bot.app, health, bot.edge.metrics.text)
    server = web.Server(served, settings.http_host, settings.http_port)
    try:
        yield f"http://{settings.http_host}:{server.port}{web.EVENTS}"
    finally:
        server.close()


@contextmanager
def _over_socket(settings: Settings, bot: Bot, ping: float) -> Iterator[str]:
    handler = SocketModeHandler(
        bot.app,
        settings.slack_app_token,
        web_client=clients.web(settings.slack_app_token, settings.slack_api_url),
        ping_interval=ping,
        receive_buffer_size=RECEIVE_BYTES,
        concurrency=LISTENER_THREADS,
    )

    def socket_trouble() -> str | None:
        return None if handler.client.is_connected() else "the socket to Slack is down"

    try:
        handler.client.connect()
    except SlackApiError as error:
        handler.client.close()
        raise clients.refusal(error, "apps.connections.open") or error from error
    server = _side_server(settings, bot, _health(bot, socket_trouble))
    try:
        yield "socket"
    finally:
        handler.client.close()
        if server:
            server.close()


def _side_server(
    settings: Settings, bot: Bot, health: Callable[[], str | None]
) -> web.Server | None:
    """Serve health and metrics; several bots on one machine may want the port, one gets it."""
    try:
        served = web.site(None, health, bot.edge.metrics.text)
        return web.Server(served, settings.http_host, settings.http_port)
    except web.PortTaken as error:
        _log.warning("no_health_endpoint reason=%s", error)
        return None


def _health(bot: Bot, socket_trouble: Callable[[], str | None]) -> Callable[[], str | None]:
    """Check the socket, and the database in one thread that never waits for long."""
    checker = ThreadPoolExecutor(1, thread_name_prefix="health")

    def database_answers() -> None:
        with bot.edge.database.connection() as connection:
            workspaces.current(connection)

    def trouble() -> str | None:
        try:
            checker.submit(database_answers).result(HEALTH_SECONDS)
        except (StoreError, TimeoutError):
            return "the database does not answer"
        return socket_trouble()

    return trouble


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


def _stopped_by_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
