"""The night as a job: a process of its own, low in priority, with bounded threads and memory.

Knows nothing about what a night does. A worker that is killed leaves a night that ends by itself.
"""

import json
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Mapping

from bot.runtime.throttle import NICENESS, THRIFTY

log = logging.getLogger(__name__)

TASK = "learn"

THREADS = 1
"""The rest of the machine answers questions."""

DATA_BYTES = 3_000_000_000
"""Of private memory; a night takes about 1 GB, most of it the encoder."""

LIMIT_SECONDS = 3600


class NightFailed(Exception):
    """The night ended without a report."""


def run(environ: Mapping[str, str]) -> dict[str, object]:
    """Run `threadwise learn` in a child process and give its report; NightFailed with its last line."""
    threads = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "THREADWISE_THREADS")}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bot", "learn", "--json"],
            env={**environ, **threads, **THRIFTY},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            preexec_fn=_bound,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NightFailed(f"The night was ended after {LIMIT_SECONDS} s.") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NightFailed(f"The night ended without a report: {last}")
    report: dict[str, object] = json.loads(done.stdout)
    log.info("night judged=%s parts=%s", report["judged"], report["parts"])
    return report


def _bound() -> None:
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
