"""The bot's small web server: Slack's events in HTTP mode, /healthz and /metrics in both.

Knows nothing about what the events mean.
"""

import json
import threading
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from waitress import wasyncore
from waitress.server import create_server

THREADS = 16
POLL_SECONDS = 0.2
EVENTS = "/slack/events"


class PortTaken(Exception):
    """The server cannot listen where it was told to."""


class Server:
    """A running web server; `port` is the real one when 0 was asked for."""

    def __init__(self, site: WSGIApplication, host: str, port: int) -> None:
        self._sockets: dict[int, object] = {}
        self._stopping = threading.Event()
        try:
            server = create_server(site, map=self._sockets, host=host, port=port, threads=THREADS)
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
            wasyncore.loop(timeout=POLL_SECONDS, map=self._sockets, count=1)
        self._workers.shutdown()
        wasyncore.close_all(self._sockets)


def site(
    app: App | None, trouble: Callable[[], str | None], metrics: Callable[[], bytes]
) -> WSGIApplication:
    """Make the site; `app` takes Slack's events when given; `trouble` says what is wrong, if so."""
    slack = SlackRequestHandler(app, path=EVENTS) if app else None

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if slack and path == EVENTS:
            return slack(environ, start_response)
        if path == "/healthz":
            wrong = trouble()
            status = "503 Service Unavailable" if wrong else "200 OK"
            body = json.dumps({"status": wrong or "ok"}).encode()
            start_response(status, [("Content-Type", "application/json")])
            return [body]
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
            return [metrics()]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"Not found: there are /slack/events, /healthz and /metrics.\n"]

    return serve
