"""A small server that speaks the API of chat completions, and breaks it in every way it is told to.

Knows nothing about what it is asked. Real HTTP on this machine.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Act = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request, which an Act answers."""

    protocol_version = "HTTP/1.1"
    fake: "FakeLlm"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.fake.asked.append(json.loads(body))
        self.fake.headers.append({k.lower(): v for k, v in self.headers.items()})
        self.fake.paths.append(self.path)
        acts = self.fake.acts
        (acts.pop(0) if len(acts) > 1 else acts[0])(self)

    def give(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class FakeLlm:
    """Does `acts` one after the other, the last one for ever; what was asked is in `asked`."""

    def __init__(self, *acts: Act) -> None:
        self.acts = list(acts)
        self.asked: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""
        self.ends = threading.Event()

    def sent(self, at: int = -1) -> str:
        """All that a request said, as one text."""
        return json.dumps(self.asked[at], ensure_ascii=False)


@contextmanager
def fake_llm(*acts: Act) -> Iterator[FakeLlm]:
    """Serve a FakeLlm on a free port for as long as the context lasts."""
    fake = FakeLlm(*acts)
    bound = type("Bound", (Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign,assignment]
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.ends.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def completion(content: object, **message: object) -> bytes:
    """A whole reply of the API with this content."""
    said = {"role": "assistant", "content": content, **message}
    return json.dumps({"id": "x", "choices": [{"index": 0, "message": said}]}).encode()


def says(content: object, **message: object) -> Act:
    """Reply with this content, whatever is asked."""
    return lambda handler: handler.give(completion(content, **message))


def writes(*sentences: tuple[str, Sequence[object]], answerable: bool = True) -> Act:
    """Reply with a draft of these (text, quotes)."""
    rows = [{"text": text, "quotes": list(quotes)} for text, quotes in sentences]
    return says(json.dumps({"answerable": answerable, "sentences": rows}))


def fails(status: int, body: bytes = b"{}", **headers: str) -> Act:
    """Reply with an error."""
    return lambda handler: handler.give(body, status, **headers)


def hangs(handler: Handler) -> None:
    """Say nothing until the test ends."""
    handler.fake.ends.wait(30)


def drips(handler: Handler) -> None:
    """Send a byte of the head now and then, until the test ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.fake.ends.wait(0.01):
        handler.wfile.write(b"x")


def drips_body(handler: Handler) -> None:
    """Send a byte of the body now and then, until the test ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not handler.fake.ends.wait(0.01):
        handler.wfile.write(b" ")


def floods(handler: Handler) -> None:
    """Send a body without an end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while not handler.fake.ends.is_set():
        handler.wfile.write(b" " * 65536)


def breaks_off(handler: Handler) -> None:
    """Promise more than is sent, and close."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"choices": [')
    handler.close_connection = True
