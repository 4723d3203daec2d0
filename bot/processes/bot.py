"""The process that serves Slack, over a socket or HTTP, with its health and its metrics beside.

Knows nothing about what is served (bot/slack/app.py).
"""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk.errors import SlackApiError

from bot.processes import screen, web
from bot.runtime import shutdown
from bot.runtime.watchdog import watched
from bot.services import open_services
from bot.settings import Settings
from bot.slack import app, clients
from bot.slack.app import Bot
from store import workspaces
from store.database import StoreError

LISTENER_THREADS = 16
PING_SECONDS = 2
"""A dead socket is noticed after about four pings: 11 s instead of the default's minute (measured)."""

RECEIVE_BYTES = 65536
"""slack_sdk reads a message recursively, once per buffer: a small one would overflow on a big one."""

HEALTH_SECONDS = 2

HEALTH_HOST = "127.0.0.1"
"""Where a health port of its own listens: only for who is on the machine."""

_log = logging.getLogger(__name__)


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Serve Slack until SIGTERM or SIGINT (or `stop`)."""
    stop = stop or shutdown.event()
    with open_services(settings) as services, watched(services.server):
        workspace = app.wait_to_connect(settings, services.database, stop)
        if workspace is not None:
            serve(settings, app.build(settings, services.database, services.queue, workspace), stop)


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
    guard = web.Guard(settings.slack_signing_secret or "", bot.edge.database)
    pages = web.events(bot.app, guard) | screen.of_bot(bot)
    health = web.health(_health(bot, lambda: None), bot.edge.metrics.text)
    if settings.health_port is None:
        pages |= health
    server = web.Server(web.site(pages), settings.http_host, settings.http_port)
    beside = _side_server(settings, health) if settings.health_port is not None else None
    try:
        yield f"http://{settings.http_host}:{server.port}{web.EVENTS}"
    finally:
        server.close()
        if beside:
            beside.close()


@contextmanager
def _over_socket(settings: Settings, bot: Bot, ping: float) -> Iterator[str]:
    handler = SocketModeHandler(
        bot.app,
        settings.slack_app_token,
        web_client=clients.patient(settings.slack_app_token, settings.slack_api_url),
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
    pages = screen.of_bot(bot)
    health = web.health(_health(bot, socket_trouble), bot.edge.metrics.text)
    if settings.health_port is None:
        pages |= health
    servers = [
        _beside(pages, settings.http_host, settings.http_port),
        _side_server(settings, health) if settings.health_port is not None else None,
    ]
    try:
        yield "socket"
    finally:
        handler.client.close()
        for server in servers:
            if server:
                server.close()


def _side_server(settings: Settings, health: dict[str, WSGIApplication]) -> web.Server | None:
    """Serve health and metrics on a port of their own."""
    return _beside(health, HEALTH_HOST, settings.health_port or 0)


def _beside(pages: dict[str, WSGIApplication], host: str, port: int) -> web.Server | None:
    """Serve what Slack does not need; several bots on one machine may want the port, one gets it."""
    try:
        return web.Server(web.site(pages), host, port)
    except web.PortTaken as error:
        _log.warning("not_served pages=%s reason=%s", ",".join(pages), error)
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
