"""Lists and reads a source in a thread of its own, some way ahead of whoever takes the outcomes.

Knows nothing about what is done with them. A source that hangs is left behind, not waited for.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ingest.entries import Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.prepare import Outcome, Part, Prepared

AHEAD_CHUNKS = 1024  # read and split, waiting to be encoded
STALL_SECONDS = 900  # without a sign of life from a source
POLL_SECONDS = 0.5

Prepare = Callable[[Entry], Iterable[Outcome]]


class Stuck(Exception):
    """A source gave nothing for too long, or the run took too long."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the thread puts first into the queue: all that the source has."""

    entries: tuple[Entry, ...]


class _Done:
    """What the thread puts last into the queue."""


class Reader:
    """Use as a context: the thread ends with it."""

    def __init__(
        self, source: Source, config: SourceConfig, *, stall_seconds: float = STALL_SECONDS
    ) -> None:
        self.source = source
        self.name = config.name
        self.stall_seconds = stall_seconds
        self.deadline = time.monotonic() + config.timeout_minutes * 60
        self.timeout_minutes = config.timeout_minutes
        self._out: queue.SimpleQueue[_Listed | Outcome | BaseException | _Done] = (
            queue.SimpleQueue()
        )
        self._work: queue.SimpleQueue[tuple[Sequence[Entry], Prepare] | None] = queue.SimpleQueue()
        self._room = threading.Condition()
        self._waiting_chunks = 0
        self._alive = time.monotonic()
        self._doing = "listing"
        self._is_stopped = False
        self._thread = threading.Thread(
            target=self._run, name=f"ingest-read-{self.name}", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._room:
            self._is_stopped = True
            self._room.notify_all()
        self._work.put(None)
        if kind is not Stuck:
            self._thread.join(timeout=5)

    def listing(self, beat: Callable[[], None]) -> tuple[Entry, ...]:
        """Wait for the listing, calling `beat` now and then; raises what the source raised."""
        item = self._next(beat)
        assert isinstance(item, _Listed)
        return item.entries

    def read(self, entries: Sequence[Entry], prepare: Prepare) -> None:
        """Begin to read these entries, in order."""
        self._work.put((entries, prepare))

    def outcomes(self, beat: Callable[[], None]) -> Iterator[Outcome]:
        """Give the outcomes as they come, calling `beat` while waiting."""
        while not isinstance(item := self._next(beat), _Done):
            assert not isinstance(item, _Listed)
            with self._room:
                self._waiting_chunks -= _chunks(item)
                self._room.notify_all()
            yield item

    def _next(self, beat: Callable[[], None]) -> _Listed | Outcome | _Done:
        while True:
            self._check_time()
            try:
                item = self._out.get(timeout=POLL_SECONDS)
            except queue.Empty:
                beat()
                self._check_alive()
                continue
            if isinstance(item, BaseException):
                raise item
            return item

    def _check_alive(self) -> None:
        if time.monotonic() - self._alive > self.stall_seconds:
            raise Stuck(
                f"It is stuck: nothing came for {self.stall_seconds / 60:.0f} min while"
                f" {self._doing}. Look whether the source answers; the next run tries again."
            )

    def _check_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise Stuck(
                f"It took longer than {self.timeout_minutes:g} min. What was read is kept and the"
                " next run goes on; raise timeout_minutes if that is not enough."
            )

    def _run(self) -> None:
        try:
            self._out.put(_Listed(tuple(self._list())))
            work = self._work.get()
            if work is None:
                return
            entries, prepare = work
            for entry in entries:
                self._doing = f"reading {entry.path}"
                if not all(map(self._put, prepare(entry))):
                    return
            self._out.put(_Done())
        # Whatever it was, the one who waits must learn of it.
        except BaseException as error:  # noqa: BLE001
            self._out.put(error)

    def _list(self) -> Iterator[Entry]:
        try:
            for entry in self.source.entries():
                self._alive = time.monotonic()
                yield entry
        except Unreadable as error:
            raise SourceError(f"{self.name!r} cannot be listed: {error}") from error

    def _put(self, outcome: Outcome) -> bool:
        self._alive = time.monotonic()
        with self._room:
            while self._waiting_chunks > AHEAD_CHUNKS and not self._is_stopped:
                self._room.wait()
            self._waiting_chunks += _chunks(outcome)
        self._alive = time.monotonic()
        self._out.put(outcome)
        return not self._is_stopped


def _chunks(outcome: Outcome) -> int:
    return len(outcome.document.chunks) if isinstance(outcome, Prepared | Part) else 1
