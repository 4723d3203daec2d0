"""Long work in a process of its own: low in priority, with bounded threads and memory.

Knows nothing about the work. Its memory goes back when it ends, questions do not wait for it, and it
ends with the process that began it, however that ended.
"""

import logging
import os
import pickle
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from bot.runtime import shutdown
from bot.runtime.throttle import NICENESS, THRIFTY, Throttle

log = logging.getLogger(__name__)

T = TypeVar("T")

DATA_BYTES = 3_000_000_000
"""Of private memory; a night or a training takes about 1 GB, most of it the encoder."""

LOOK_SECONDS = 0.5
"""Between two looks at the child, and at whether this process is to end."""


class WorkFailed(Exception):
    """The work gave no result; the message says why."""


def run(work: Callable[[], T], throttle: Throttle, *, limit: float | None = None) -> T:
    """Do `work` in a child and give what it returned; both have to be picklable.

    Raises Stopping once this process is to end, and WorkFailed where the work raised, was killed, or
    took longer than `limit` seconds. Whatever happens, the child has ended then.
    """
    os.environ.update(THRIFTY)  # for the child's C library; that of this process has read its own
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    # Pickled here and read there only after the limits are set: reading it imports all it needs.
    child = context.Process(target=_do, args=(pickle.dumps(work), sender), daemon=True)
    child.start()
    sender.close()
    deadline = None if limit is None else time.monotonic() + limit
    try:
        throttle.pass_through()
        while not receiver.poll(LOOK_SECONDS):
            throttle.pass_through()
            if deadline is not None and time.monotonic() > deadline:
                raise WorkFailed(f"It was ended after {limit:.0f} s.")
        result: T = _received(receiver)
        return result
    except EOFError:
        child.join()
        raise WorkFailed(f"Its process ended with code {child.exitcode}.") from None
    finally:
        child.kill()
        child.join()
        receiver.close()


def _received(receiver: Connection) -> Any:
    """Give the result that was sent; a failure is logged in full and raised in one line."""
    result, failure, trace = pickle.loads(receiver.recv_bytes())
    if failure is not None:
        log.error("background work failed\n%s", trace)
        raise WorkFailed(failure)
    return result


def _do(pickled: bytes, sender: Connection) -> None:
    """Be the child: bound, then work, then send (result, failure, traceback)."""
    # Ctrl-C and service managers signal a whole group of processes; here the parent alone decides.
    for number in shutdown.SIGNALS:
        signal.signal(number, lambda *_: None)
    os.nice(NICENESS)
    os.environ["OMP_NUM_THREADS"] = "1"  # the rest of the machine answers questions
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sent = pickle.dumps((pickle.loads(pickled)(), None, ""))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
        failure = str(error) or type(error).__name__
        sent = pickle.dumps((None, failure, traceback.format_exc()))
    sender.send_bytes(sent)


def _end_with_parent() -> None:
    """Work whose parent was killed must not go on: the next worker would do the same beside it."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
