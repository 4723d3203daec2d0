"""Ends a process in order: SIGTERM and Ctrl-C are noted, and what runs comes to its own end."""

import asyncio
import signal
import threading
from collections.abc import Callable

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def event() -> threading.Event:
    """Give an event that is set once this process is to end; call it in the main thread."""
    stop = threading.Event()

    def note(*_: object) -> None:
        # From a thread: the main one may hold the event's lock, being about to wait for it, and would
        # never let go while it runs this handler.
        threading.Thread(target=stop.set, daemon=True).start()

    for number in SIGNALS:
        signal.signal(number, note)
    return stop


def call(end: Callable[[], None]) -> None:
    """Let the running event loop call `end` once this process is to end.

    Unlike a plain handler it does not run in the middle of other code, so it may take locks.
    """
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, end)
