"""A small web server for tests: routes in, what was asked out. Hand-written, on this machine only.

Knows nothing about the APIs that tests let it play.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        return dict(json.loads(self.body))


@dataclass
class Reply:
    """What to answer with."""

    body: bytes | str | dict[str, object] | list[object] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Route = Reply | Callable[[Asked], Reply]


class FakeHttp:
    """Answers by `routes`, path -> Reply or function; everything asked is in `asked`.

    What a test opened against it is closed with it, by `closing`.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []
        self.url = ""
        self.closing = ExitStack()

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        route = self.routes.get(asked.path, Reply("not here", 404))
        return route(asked) if callable(route) else route


@contextmanager
def fake_http() -> Iterator[FakeHttp]:
    """Serve a FakeHttp on a free port for as long as the context lasts."""
    fake = FakeHttp()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            headers = {key.lower(): value for key, value in self.headers.items()}
            assert self.command
            reply = fake.answer(Asked(self.command, parts.path, query, headers, body))
            data = reply.body
            kind = {"Content-Type": "text/html; charset=utf-8"}
            if isinstance(data, dict | list):
                data, kind = json.dumps(data), {"Content-Type": "application/json"}
            raw = data.encode() if isinstance(data, str) else data
            self.send_response(reply.status)
            for key, value in {**kind, **reply.headers}.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        with fake.closing:
            yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
