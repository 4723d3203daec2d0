"""Which of what is new in Slack a workspace takes: tried until it is refused, then left out for a while.

Knows nothing about what it is used for. Kept in memory: what a process forgets, it tries once more.
"""

import threading
import time
from collections.abc import Callable
from typing import Literal

Newer = Literal["container", "chart", "session"]

REFUSED_SECONDS = 6 * 3600.0
"""Until a refused block is tried again: a workspace gets it by an update of Slack's, not within minutes."""


class NewerBlocks:
    """What was refused lately in each workspace; shared by a process' threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._refused: dict[tuple[str, Newer], float] = {}

    def takes(self, workspace: str, block: Newer) -> bool:
        """Whether a block is worth a try."""
        with self._lock:
            refused = self._refused.get((workspace, block))
        return refused is None or self._clock() - refused >= REFUSED_SECONDS

    def refused(self, workspace: str, block: Newer) -> None:
        """Note that a message was taken without the block, and not with it."""
        with self._lock:
            self._refused[workspace, block] = self._clock()
