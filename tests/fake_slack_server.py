"""The web server under the fake Slack: its Web API over HTTP and, by RFC 6455, its sockets.

Knows nothing about Slack's methods: every call goes to `reply`, every open socket to `linked`.
"""

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

SOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Site(Protocol):
    """What answers: the fake."""

    def reply(self, method: str, params: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        """Answer one call: status, headers, body."""

    def linked(self, link: "Link") -> None:
        """Talk over an open socket until it ends."""


@dataclass
class Link:
    """One open socket."""

    connection: socket.socket
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, data: bytes, opcode: int = TEXT) -> None:
        """Send one frame."""
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, size)
        elif size < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
        with self.lock:
            self.connection.sendall(head + data)

    def messages(self) -> Iterator[str]:
        """Give the texts that arrive, answering pings, until the socket ends."""
        stream = self.connection.makefile("rb")
        with gone_is_fine():
            while frame := _frame(stream):
                opcode, data = frame
                if opcode == PING:
                    self.send(data, PONG)
                elif opcode == CLOSE:
                    break
                elif opcode == TEXT:
                    yield data.decode()

    def cut(self) -> None:
        """End the socket hard, as a network does."""
        with gone_is_fine():
            self.connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Handler(BaseHTTPRequestHandler):
    slack: Site
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        key = self.headers.get("Sec-WebSocket-Key")
        if key:
            accept = base64.b64encode(hashlib.sha1(key.encode() + SOCKET_GUID).digest()).decode()
            self.wfile.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
            )
            self.slack.linked(Link(self.connection))
            self.close_connection = True
            return
        self.do_POST()

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        params = _params(body, self.headers.get("Content-Type") or "", parts.query)
        method = parts.path.removeprefix("/api/")
        if method.startswith("/response/"):
            method = "response_url"
        status, headers, answer = self.slack.reply(method, params)
        text = "ok" if method == "response_url" and status == 200 else json.dumps(answer)
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _params(body: str, kind: str, query: str) -> dict[str, Any]:
    if "json" in kind and body:
        return dict(json.loads(body))
    params: dict[str, Any] = dict(parse_qsl(query)) | dict(parse_qsl(body))
    for key in ("blocks", "metadata", "view", "loading_messages", "prompts"):
        value = params.get(key)
        if isinstance(value, str) and value[:1] in "[{":
            params[key] = json.loads(value)
    return params


def _frame(stream: Any) -> tuple[int, bytes] | None:
    head = stream.read(2)
    if len(head) < 2:
        return None
    size = head[1] & 127
    if size > 125:
        size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
    mask = stream.read(4) if head[1] & 128 else b"\0\0\0\0"
    data = stream.read(size)
    return head[0] & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


class gone_is_fine:
    """Passes over a connection that ended meanwhile."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        return isinstance(error, OSError | IndexError | ValueError)
