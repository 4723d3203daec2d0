"""A process of its own for parsing, so that a hostile file kills or stalls only that process.

Knows nothing about formats: it hands a file over and takes sections or a reason back, as JSON,
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from weakref import finalize

from ingest.entries import Unreadable
from ingest.splitting.sections import Block, Section

TIMEOUT_SECONDS = 120
MEMORY_MB = 512
RECYCLE_AFTER = 500  # documents; libraries that leak do it slowly
ROOT = Path(__file__).resolve().parent.parent
LENGTH = struct.Struct(">I")


class TooSlow(Unreadable):
    """A document took too long, perhaps because of what else the machine had to do."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a document is called: its path, and the titles that its source gave and lists."""

    path: str
    given: str | None = None
    listed: str | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """A document as it was read. Its sections come piece by piece, once, before the next document.

    `left_out` says what was not read, and is whole when the last piece was taken.
    """

    title: str
    updated_at: datetime | None
    left_out: list[str]
    pieces: Iterator[list[Section]]


Read = Callable[[str, bytes, Names], Outline]
"""Reads a document: takes a name with the right ending, the bytes, and what it is called."""


class Parser:
    """Reads documents one after another in a child, which is started when first needed."""

    def __init__(
        self, *, timeout_seconds: float = TIMEOUT_SECONDS, memory_mb: int = MEMORY_MB
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.memory_mb = memory_mb
        self._child: subprocess.Popen[bytes] | None = None
        self._parsed = 0
        self._is_answering = False

    def __call__(self, name: str, data: bytes, names: Names) -> Outline:
        """Read `data` by the ending of `name`; raises Unreadable, as does taking the pieces."""
        left_out: list[str] = []
        request = {
            "name": name,
            "path": names.path,
            "given": names.given or "",
            "listed": names.listed or "",
        }
        frames = self._frames(request, data, left_out)
        about = next(frames)
        when = about.get("updated_at")
        return Outline(
            title=str(about["title"]),
            updated_at=datetime.fromisoformat(str(when)) if when else None,
            left_out=left_out,
            pieces=(_sections(frame.get("sections")) for frame in frames),
        )

    def look(self, what: str, data: bytes, address: str) -> Mapping[str, object]:
        """Look at what is no document yet, see ingest.parsing.looks; raises Unreadable."""
        (said,) = self._frames({"look": what, "address": address}, data, [])
        return said

    def close(self) -> None:
        if self._child is not None:
            _kill(self._child)
            self._child = None

    def _start(self) -> None:
        self.close()
        # Without our environment: what a document could make it do, it does without our tokens.
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ingest.sandbox_child", str(self.memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        self._parsed = 0
        self._is_answering = False
        finalize(self, _kill, self._child)

    def _frames(
        self, request: dict[str, str], data: bytes, left_out: list[str]
    ) -> Iterator[dict[str, object]]:
        """Give the parts of the child's answer as they come; the last says what was left out."""
        if (
            self._child is None
            or self._child.poll() is not None
            or self._is_answering  # what the one before still has to say is of no use
            or self._parsed >= RECYCLE_AFTER
        ):
            self._start()
        self._parsed += 1
        self._is_answering = True
        with tempfile.NamedTemporaryFile(prefix="threadwise-") as file:
            file.write(data)
            file.flush()
            request = {**request, "file": file.name}
            frame = self._next(json.dumps(request).encode() + b"\n")
        while "end" not in frame and "reason" not in frame:
            yield frame
            frame = self._next()
        self._is_answering = False
        left_out += _texts(frame.get("left_out"))
        if "reason" in frame:
            raise Unreadable(str(frame["reason"]), is_skip=bool(frame.get("is_skip")))

    def _next(self, request: bytes = b"") -> dict[str, object]:
        child = self._child
        assert child and child.stdin and child.stdout
        try:
            child.stdin.write(request)
            child.stdin.flush()
            return _receive(child.stdout, time.monotonic() + self.timeout_seconds)
        except TimeoutError:
            self.close()
            raise TooSlow(
                f"It took longer than {self.timeout_seconds:g} s to read. Split it, or exclude it.",
                is_passing=True,
            ) from None
        except (EOFError, OSError):
            self.close()
            raise Unreadable(
                f"Reading it took more than {self.memory_mb} MB or broke the parser. It may be"
                " damaged: save it again, or exclude it."
            ) from None


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


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _sections(value: object) -> list[Section]:
    assert isinstance(value, list)
    return [
        Section(
            tuple(map(str, headings)),
            None if anchor is None else str(anchor),
            tuple(
                Block(str(kind), str(text), tuple((int(depth), str(item)) for depth, item in items))
                for kind, text, items in blocks
            ),
            str(markup),
        )
        for headings, anchor, blocks, markup in value
    ]
