"""The processes that `up` runs: started, restarted when they die, and ended together.

Knows nothing about what they do. Their output goes to one log file each.
"""

import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.2
YOUNG_SECONDS = 15.0
"""A process that died younger than this did not get going."""

YOUNG_DEATHS = 3
"""So many in a row mean that starting it again will not help."""

LONGEST_PAUSE_SECONDS = 30.0
GRACE_SECONDS = 15.0
LOG_BYTES = 10_000_000


class ChildFailed(Exception):
    """A process cannot get going; the message is the last that it said."""


@dataclass(slots=True)
class _Child:
    role: str
    process: subprocess.Popen[bytes]
    started_at: float
    young_deaths: int = 0
    due_at: float | None = None


class Children:
    """A context in which the processes run; all of them have ended when it is left."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[_Child] = []
        self._failure: str | None = None
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="children", daemon=True)

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Ask all to end, wait for them, and kill what does not."""
        if self._done.is_set():
            return
        self._done.set()
        self._watcher.join()
        for child in self._children:
            _let_go(child.process)
            child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._children:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("killed role=%s", child.role)
                child.process.kill()
                child.process.wait()

    def start(self, role: str) -> None:
        """Start `threadwise ROLE` as a child."""
        self._children.append(_Child(role, self._launch(role), time.monotonic()))

    def check(self) -> None:
        """Raise ChildFailed when one of them cannot get going."""
        if self._failure is not None:
            raise ChildFailed(self._failure)

    def pid(self, role: str) -> int:
        return next(child.process.pid for child in self._children if child.role == role)

    def log_of(self, role: str) -> Path:
        return self._logs / f"{role}.log"

    def _launch(self, role: str) -> subprocess.Popen[bytes]:
        path = self.log_of(role)
        _rotate(path)
        with path.open("ab") as output:
            # A session of its own: Ctrl-C reaches `up` alone, which then ends them in order.
            return subprocess.Popen(
                [sys.executable, "-m", "bot.cli.child", role],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _watch(self) -> None:
        while not self._done.wait(WATCH_SECONDS):
            for child in list(self._children):
                _rotate(self.log_of(child.role))
                if child.process.poll() is not None:
                    self._revive(child)

    def _revive(self, child: _Child) -> None:
        now = time.monotonic()
        if child.due_at is None:
            is_young = now - child.started_at < YOUNG_SECONDS
            child.young_deaths = child.young_deaths + 1 if is_young else 0
            if child.young_deaths >= YOUNG_DEATHS:
                self._failure = f"The {child.role} cannot start: {self._last_words(child.role)}"
            pause = min(2.0 ** (child.young_deaths - 1) - 0.5, LONGEST_PAUSE_SECONDS)
            child.due_at = now + pause
        if now >= child.due_at:
            _let_go(child.process)
            child.process, child.started_at, child.due_at = self._launch(child.role), now, None

    def _last_words(self, role: str) -> str:
        lines = self.log_of(role).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"see {self.log_of(role)}"


def _rotate(path: Path, limit: int = LOG_BYTES) -> None:
    """Begin a log anew when it has grown too long, keeping the one before.

    It is emptied, not moved: a process goes on writing to the file that it was given, at its end.
    """
    with suppress(OSError):
        if path.stat().st_size > limit:
            shutil.copyfile(path, path.with_suffix(".old"))
            os.truncate(path, 0)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that tells a child that we live."""
    assert process.stdin is not None
    process.stdin.close()
