"""A process of its own for parsing, so that a hostile file kills or stalls only that process.

Knows nothing about formats: it hands a file over and takes Markdown or a reason back, as JSON,
never as objects.
"""

import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import IO
from weakref import finalize

from ingest.entries import Unreadable
from ingest.parsing.text import Parsed

TIMEOUT_SECONDS = 120
MEMORY_MB = 512
RECYCLE_AFTER = 500  # documents; libraries that leak do it slowly
ROOT = Path(__file__).resolve().parent.parent.parent
LENGTH = struct.Struct(">I")


class Parser:
    """Parses documents one after another in a child, which is started when first needed."""

    def __init__(
        self, *, timeout_seconds: float = TIMEOUT_SECONDS, memory_mb: int = MEMORY_MB
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.memory_mb = memory_mb
        self._child: subprocess.Popen[bytes] | None = None
        self._parsed = 0

    def __call__(self, name: str, data: bytes) -> Parsed:
        """Parse `data` by the ending of `name`; raises Unreadable."""
        if self._child is None or self._child.poll() is not None or self._parsed >= RECYCLE_AFTER:
            self._start()
        self._parsed += 1
        with tempfile.NamedTemporaryFile(prefix="threadwise-") as file:
            file.write(data)
            file.flush()
            reply = self._ask({"name": name, "file": file.name})
        if "reason" in reply:
            raise Unreadable(str(reply["reason"]), is_skip=bool(reply.get("is_skip")))
        when = reply.get("updated_at")
        return Parsed(
            body=str(reply["body"]),
            title=_text(reply.get("title")),
            updated_at=datetime.fromisoformat(str(when)) if when else None,
            anchors=_text(reply.get("anchors")),
            named=_pairs(reply.get("named")),
            left_out=_texts(reply.get("left_out")),
        )

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            _kill(self._child)
            self._child = None

    def _start(self) -> None:
        self.close()
        # Without our environment: what a document could make it do, it does without our tokens.
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ingest.parsing.sandbox_child", str(self.memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        self._parsed = 0
        finalize(self, _kill, self._child)

    def _ask(self, request: dict[str, str]) -> dict[str, object]:
        child = self._child
        assert child and child.stdin and child.stdout
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            reply = _receive(child.stdout, time.monotonic() + self.timeout_seconds)
        except TimeoutError:
            self.close()
            raise Unreadable(
                f"It took longer than {self.timeout_seconds:g} s to read. Split it, or exclude it."
            ) from None
        except (EOFError, OSError):
            self.close()
            raise Unreadable(
                f"Reading it took more than {self.memory_mb} MB or broke the parser. It may be"
                " damaged: save it again, or exclude it."
            ) from None
        return reply


def _receive(stream: IO[bytes], deadline: float) -> dict[str, object]:
    (length,) = LENGTH.unpack(_read(stream.fileno(), LENGTH.size, deadline))
    reply = json.loads(_read(stream.fileno(), length, deadline))
    assert isinstance(reply, dict)
    return reply


def _read(descriptor: int, length: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while length:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError
        part = os.read(descriptor, min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _kill(child: "subprocess.Popen[bytes]") -> None:
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream:
            with contextlib.suppress(OSError):  # what was still to be written to it
                stream.close()


def _text(value: object) -> str | None:
    return str(value) if value else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    return tuple((str(a), str(b)) for a, b in value) if isinstance(value, list) else ()
