"""Takes a source's documents over to a new encoder out of the store, when the source cannot be read.

All sources are swapped to a new encoder together: one that is away for good would keep the others waiting.
Knows nothing about sources or parsing.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from ingest.embedder import Encode
from ingest.splitting.chunks import embedded
from store.database import Database
from store.index import builds, documents, runs
from store.index.builds import Build

FAILED_RUNS = 3  # in a row, after which a source is not waited for
TOGETHER = 16  # documents encoded and written in one transaction

log = logging.getLogger(__name__)


def take_over(
    database: Database,
    workspace: str,
    source: str,
    encode: Encode,
    now: Callable[[], datetime],
) -> bool:
    """Fill the build that waits for a failing source from what is served of it, and complete it.

    False where nothing waits for it, or while its last runs have not all failed. What is taken over is read
    anew when the source can be read again. A kill in the middle leaves the rest to the next run.
    """
    with database.connection() as connection:
        last = runs.last(connection, workspace, source, FAILED_RUNS)
        found = builds.of(connection, workspace, source)
        live, waiting = found.get("live"), found.get("building")
        if len(last) < FAILED_RUNS or any(run.state != "failed" for run in last):
            return False
        if live is None or waiting is None or live.embedder_id == waiting.embedder_id:
            return False
        have = documents.stored(connection, workspace, waiting.build_id)
        left = sorted(documents.stored(connection, workspace, live.build_id).keys() - have.keys())
    for start in range(0, len(left), TOGETHER):
        _copy(database, workspace, live, waiting, left[start : start + TOGETHER], encode, now())
    with database.connection() as connection:
        swapped = builds.complete(connection, workspace, waiting, now())
    log.warning("taken_over source=%s documents=%d swapped=%d", source, len(left), len(swapped))
    return True


def _copy(
    database: Database,
    workspace: str,
    live: Build,
    waiting: Build,
    paths: list[str],
    encode: Encode,
    now: datetime,
) -> None:
    with database.connection() as connection:
        found = documents.served(connection, workspace, live.build_id, paths)
    texts = [embedded(d.title, c.heading, c.body) for d in found for c in d.chunks]
    vectors = list(encode(texts)) if texts else []
    with database.connection() as connection:
        documents.replace(connection, workspace, waiting, found, vectors, now)
