"""Keeps the embedded Postgres alive while a process uses it.

Knows nothing about what the process does with it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from store.server.embedded import Server, ServerError

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0


@contextmanager
def watched(server: Server | None) -> Iterator[None]:
    """Look every second whether the server answers and start it again if not; None: not ours."""
    if server is None:
        yield
        return
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(server, done), name="watchdog", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(server: Server, done: threading.Event) -> None:
    while not done.wait(CHECK_SECONDS):
        if server.answers():
            continue
        log.warning("postgres_down folder=%s", server.folder)
        try:
            server.revive()
            log.warning("postgres_revived folder=%s", server.folder)
        except ServerError as error:
            log.error("postgres_not_revived reason=%s", error)
