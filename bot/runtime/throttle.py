"""Lets questions go first: bulk encoding waits, for a while, whenever one is being answered.

Knows nothing about jobs or what is encoded.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ingest.embedder import Encode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PATIENCE_SECONDS = 2.0
"""The longest that one batch waits, so that a stream of questions slows ingestion but never stops it."""

BATCH = 8
"""Texts between two looks at the throttle: 50 to 400 ms of encoding on two cores, no slower than 32."""

THRIFTY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "1000000",
    "MALLOC_TRIM_THRESHOLD_": "1000000",
}
"""Environment of a process that trains: glibc gives back at once what tensors leave (1,080 -> 910 MB)."""

NICENESS = 15
"""Of 19: a fifth of a question's share of the processor, all of it when nobody asks."""


class Stopping(Exception):
    """The process is ending; the work goes on in the next one."""


class Throttle:
    """Counts the questions being answered in this process and holds bulk work back meanwhile."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._asked = 0
        self._changed = threading.Condition()
        self._is_stopping = False

    @contextmanager
    def question(self) -> Iterator[None]:
        """Mark that a question is being answered."""
        with self._changed:
            self._asked += 1
        try:
            yield
        finally:
            with self._changed:
                self._asked -= 1
                self._changed.notify_all()

    def pass_through(self) -> None:
        """Wait until no question is in flight, at most for the throttle's patience.

        Raises Stopping once the process is ending.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or not self._asked, self._patience)
            if self._is_stopping:
                raise Stopping("the worker is stopping; this run goes on when it is back")

    def stop(self) -> None:
        """Let nothing pass from now on."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def encoder(self, encode: Encode) -> Encode:
        """Wrap `encode` so that it gives way between batches; texts of like length share one."""
        import numpy as np

        def encode_politely(texts: Sequence[str]) -> "NDArray[np.float32]":
            order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
            parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
            found = []
            for part in parts:
                self.pass_through()
                found.append(encode([texts[i] for i in part]))
            if not found:
                return encode([])
            vectors = np.concatenate(found)
            return vectors[np.argsort(np.array(order))]

        return encode_politely


def lower_priority() -> None:
    """Lower the calling thread's priority for good, where the system has one per thread (Linux)."""
    if os.uname().sysname == "Linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
