"""The bot's small web server: Slack's events in HTTP mode, /healthz and /metrics in both.

Knows nothing about what the events mean.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk.signature import SignatureVerifier
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server

from store import signatures
from store.database import Database, StoreError

THREADS = 16
POLL_SECONDS = 0.2
EVENTS = "/slack/events"

BODY_BYTES = 1_000_000
"""Slack's largest deliveries are messages of 40,000 characters with their blocks: far below."""

HEADER_BYTES = 32_768

CONNECTIONS = 400
"""Open at once; a few more than Slack ever has, each a few kilobytes."""

CROWD = CONNECTIONS // 2

SLOW_SECONDS = 10.0
"""Slack gives up after three: who has not sent a request by then is not Slack."""

CROWD_SECONDS = 1.0
"""The same while there are many connections, so that some are always free."""

_log = logging.getLogger(__name__)


class PortTaken(Exception):
    """The server cannot listen where it was told to."""


class Server:
    """A running web server; `port` is the real one when 0 was asked for."""

    def __init__(
        self,
        site: WSGIApplication,
        host: str,
        port: int,
        *,
        slow: float = SLOW_SECONDS,
        crowded: float = CROWD_SECONDS,
    ) -> None:
        self._limits = slow, crowded
        self._sockets: dict[int, object] = {}
        self._since: dict[tuple[HTTPChannel, object], float] = {}
        self._stopping = threading.Event()
        try:
            server = create_server(
                site,
                map=self._sockets,
                host=host,
                port=port,
                threads=THREADS,
                connection_limit=CONNECTIONS,
                max_request_body_size=BODY_BYTES,
                max_request_header_size=HEADER_BYTES,
            )
        except OSError as error:
            raise PortTaken(
                f"Cannot listen on {host}:{port} ({error.strerror or error}). Set"
                " THREADWISE_HTTP_HOST and THREADWISE_HTTP_PORT to a free one."
            ) from error
        self._workers = server.task_dispatcher
        self.port = int(getattr(server, "effective_port", port))
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; what is being answered is finished first."""
        self._stopping.set()
        self._thread.join()

    def _serve(self) -> None:
        """Look after the sockets; they are closed by the thread that polls them."""
        while not self._stopping.is_set():
            wasyncore.loop(timeout=POLL_SECONDS, use_poll=True, map=self._sockets, count=1)
            self._cut_off(time.monotonic())
        self._workers.shutdown()
        wasyncore.close_all(self._sockets)

    def _cut_off(self, now: float) -> None:
        """Close the connections over which no request comes to its end, however they trickle."""
        limit = self._limits[len(self._sockets) >= CROWD]
        channels = [each for each in self._sockets.values() if isinstance(each, HTTPChannel)]
        # One that is being answered has requests; another begins anew with each request.
        slow = {(each, each.request) for each in channels if not each.requests}
        self._since = {key: self._since.get(key, now) for key in slow}
        for (channel, _), since in self._since.items():
            if now - since > limit:
                channel.will_close = True


class Guard:
    """Lets only Slack's own deliveries through, each once; what is not signed is not even read."""

    def __init__(self, secret: str, database: Database) -> None:
        self._verifier = SignatureVerifier(secret)
        self._database = database

    def check(self, environ: WSGIEnvironment) -> str | None:
        """Give the status to refuse a request with, or None; its body can be read again after.

        The signatures seen lately are in Postgres, since that is all that several bots share.
        """
        signature = environ.get("HTTP_X_SLACK_SIGNATURE", "")
        stamp = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "")
        if not signature or not stamp.isdecimal():
            return "401 Unauthorized"
        body = environ["wsgi.input"].read(BODY_BYTES)
        environ["wsgi.input"] = BytesIO(body)
        if not self._verifier.is_valid(body, stamp, signature):
            return "401 Unauthorized"
        try:
            with self._database.connection() as connection:
                is_new = signatures.accept(connection, signature)
        except StoreError as error:
            _log.error("not_acknowledged reason=%s", error)
            return "503 Service Unavailable"
        if is_new:
            return None
        # Slack itself tries again within the same second, and the first try was acknowledged.
        return "200 OK" if "HTTP_X_SLACK_RETRY_NUM" in environ else "401 Unauthorized"

    def forget(self, environ: WSGIEnvironment) -> None:
        """Let a delivery that was not acknowledged come again."""
        try:
            with self._database.connection() as connection:
                signatures.forget(connection, environ["HTTP_X_SLACK_SIGNATURE"])
        except StoreError as error:
            _log.error("signature_kept reason=%s", error)


def site(pages: Mapping[str, WSGIApplication]) -> WSGIApplication:
    """Make the site of these pages, by their paths; one that ends with a slash has all that is below it."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        above = (page for name, page in pages.items() if name[-1] == "/" and path.startswith(name))
        page = pages.get(path) or next(above, None)
        if page is not None:
            return page(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [f"Not found: there are {', '.join(pages)}.\n".encode()]

    return serve


def events(app: App, guard: Guard) -> dict[str, WSGIApplication]:
    """The page that takes Slack's deliveries."""
    slack = SlackRequestHandler(app, path=EVENTS)

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        refused = guard.check(environ)
        if refused:
            start_response(refused, [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        said: list[str] = []

        def note(status: str, *rest: object) -> object:
            said.append(status)
            return start_response(status, *rest)  # type: ignore[arg-type]

        try:
            return slack(environ, note)  # type: ignore[arg-type]
        finally:
            if not said or not said[0].startswith("2"):
                guard.forget(environ)

    return {EVENTS: serve}


def health(
    trouble: Callable[[], str | None], metrics: Callable[[], bytes]
) -> dict[str, WSGIApplication]:
    """The pages for those who run it; `trouble` says what is wrong, if so."""

    def healthz(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        wrong = trouble()
        status = "503 Service Unavailable" if wrong else "200 OK"
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps({"status": wrong or "ok"}).encode()]

    def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
        return [metrics()]

    return {"/healthz": healthz, "/metrics": measured}
