"""One of our processes as `up` starts it: it ends when `up` has ended, however that ended.

Knows nothing about what the process does: `python -m bot.cli.child worker` is `threadwise worker`.
"""

import os
import signal
import sys
import threading
import time

from bot import embedding
from bot.cli.main import main as run_command

GRACE_SECONDS = 20.0


def main() -> None:
    """Run the command line beside a watch on stdin, a pipe that only `up` holds open."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    if sys.argv[1:2] == ["worker"]:
        # The slowest import, begun while the database starts.
        threading.Thread(target=embedding.preload, daemon=True).start()
    run_command()


def _end_with_parent() -> None:
    # Not sys.stdin: its lock, held by a waiting thread, would break the interpreter's own end.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
