"""A folder that tests ingest: files written with dates of their own, runs on a clock of their own.

Knows nothing about what is tested.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest import run as running
from ingest.embedder import Embedder, Wrapped
from ingest.entries import SourceConfig
from store.database import Database
from store.index import runs, search
from store.records import EVERYONE, Failure, Run, Viewer
from tests.fakes import HashEmbedder

START = datetime(2026, 3, 1, tzinfo=UTC)
CALL = {"full", "allow_removal", "asked_by", "on_progress"}
"""What is given to a run and not to the source."""


class Ingester:
    """Ingests one folder with a clock and an encoder of its own."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.encoder = HashEmbedder()
        self.now = START

    def __call__(
        self, name: str = "wiki", *, embedder: Embedder | None = None, **options: Any
    ) -> Run:
        given = {key: options.pop(key) for key in list(options) if key in CALL}
        config = SourceConfig(name, "folder", str(self.folder), **options)
        self.encoder.encoded.clear()
        return running.ingest(
            config,
            database=self.database,
            workspace="local",
            embedder=embedder or self.encoder,
            now=self.tick,
            **given,
        )

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        # Two writes may fall into one tick of the file system's clock.
        stamp = int(self.tick().timestamp())
        os.utime(file, (stamp, stamp))
        return file

    def find(self, question: str, *principals: str) -> list[str]:
        with self.database.connection() as connection:
            plan = search.prepare(connection, "local", question, Viewer((EVERYONE, *principals)))
            vector = self.encoder.encode([question])[0].tolist()
            found = search.passages(connection, "local", plan, vector, weight=0.5)
        return [passage.path for passage in found]

    def failures(self) -> dict[str, Failure]:
        with self.database.connection() as connection:
            return {f.path: f for f, _ in runs.failures(connection, "local", "wiki")}


def failing_after(batches: int, embedder: HashEmbedder) -> Wrapped:
    """An encoder that dies, as a killed process would, after some batches."""
    calls = iter(range(batches))

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return embedder.encode(texts)

    return Wrapped(embedder, encode)
