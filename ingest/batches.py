"""Gathers prepared documents, encodes them in batches, and writes each while the next is encoded.

Knows nothing about where documents come from, nor what is removed.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.embedder import Encode
from ingest.prepare import Outcome, Part, Prepared, Refused, Same
from ingest.progress import Progress
from ingest.splitting.chunks import embedded
from store.database import Database, StoreGone
from store.index import documents, drafts, runs
from store.index.builds import Build
from store.records import Document, Failure, Run

BATCH_CHUNKS = 256  # encoded and written together; what a killed run may have to encode again
# (and the batch before, when it is killed in the moment that this one is written)
MOST_CHUNKS = 512  # given to the encoder at once, when a document has many
BATCH_OUTCOMES = 1024  # written together when there is nothing to encode
TRIES = 5
PAUSE_SECONDS = 0.5  # the connection itself waits longer for a server that is away

T = TypeVar("T")
log = logging.getLogger(__name__)


class Batches:
    """Takes outcomes one by one into a build; `flush` and `settle` end it."""

    def __init__(
        self,
        database: Database,
        workspace: str,
        build: Build,
        encode: Encode,
        writer: ThreadPoolExecutor,
        progress: Progress,
        *,
        reuse: bool,
    ) -> None:
        """`reuse` takes vectors of the same texts from other builds; `writer` has one thread."""
        self.database = database
        self.workspace = workspace
        self.build = build
        self.encode = encode
        self.progress = progress
        self.reuse = reuse
        self._writer = writer
        self._writing: Future[None] | None = None
        self._batch: list[Outcome] = []
        self._chunks = 0

    def take(self, outcome: Outcome) -> None:
        """Add an outcome to the batch, which is encoded and written when it is full."""
        if isinstance(outcome, Part):  # a batch of its own
            self.flush()
        self._batch.append(outcome)
        if isinstance(outcome, Prepared | Part):
            self._chunks += len(outcome.document.chunks)
        is_full = self._chunks >= BATCH_CHUNKS or len(self._batch) >= BATCH_OUTCOMES
        if is_full or isinstance(outcome, Part):
            self.flush()

    def flush(self) -> None:
        """Encode the batch, and write it while the next one is gathered."""
        batch, self._batch, self._chunks = self._batch, [], 0
        if not batch:
            return
        vectors = self._vectors([o.document for o in batch if isinstance(o, Prepared | Part)])
        self.settle()
        self.progress.count(chunks=len(vectors))
        self.progress.beat()
        self._writing = self._writer.submit(
            self._again, partial(self._write, batch, vectors, self.progress.run)
        )

    def settle(self) -> None:
        """Wait until the batch before is written; raises what went wrong with it."""
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _vectors(self, ready: Sequence[Document]) -> list[NDArray[np.float32]]:
        """Give the vectors of all chunks; a text that is known, or comes twice, is encoded once."""
        chunks = [(document.title, chunk) for document in ready for chunk in document.chunks]
        hashes = [chunk.text_hash for _, chunk in chunks]
        texts = {c.text_hash: embedded(title, c.heading, c.body) for title, c in chunks}
        known = self._again(lambda: self._known(list(texts)))
        new = [digest for digest in texts if digest not in known]
        for start in range(0, len(new), MOST_CHUNKS):
            part = new[start : start + MOST_CHUNKS]
            known.update(zip(part, self.encode([texts[d] for d in part]), strict=True))
            self.progress.count(embedded=len(part))
            self.progress.beat()
        return [known[digest] for digest in hashes]

    def _known(self, text_hashes: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        with self.database.connection() as connection:
            return documents.known_vectors(
                connection,
                self.workspace,
                self.build.embedder_id,
                text_hashes,
                None if self.reuse else self.build.build_id,
            )

    def _again(self, action: Callable[[], T]) -> T:
        """Do it; and again when the server went away in the middle. Each action is a transaction."""
        for _ in range(1, TRIES):
            try:
                return action()
            except StoreGone as error:
                log.warning("ingest.again source=%s error=%s", self.build.source, error)
                time.sleep(PAUSE_SECONDS)
        return action()

    def _write(
        self, batch: Sequence[Outcome], vectors: Sequence[NDArray[np.float32]], run: Run
    ) -> None:
        """Write a batch in one transaction."""
        build_id, at = self.build.build_id, run.seen_at
        for outcome in batch:
            if isinstance(outcome, Part):
                self._write_part(outcome, vectors, run)
                return
        ready = [o.document for o in batch if isinstance(o, Prepared)]
        same = {o.path: o.version for o in batch if isinstance(o, Same)}
        refused = [o for o in batch if isinstance(o, Refused)]
        failures = [
            (Failure(run.source, o.path, o.reason, at, o.is_skip), o.version) for o in refused
        ]
        cured = [document.path for document in ready] + list(same)
        with self.database.connection() as connection:
            runs.note_failures(connection, self.workspace, failures)
            runs.forget_failures(connection, self.workspace, run.source, cured)
            documents.touch(connection, self.workspace, build_id, same)
            if ready:
                documents.replace(connection, self.workspace, self.build, ready, vectors, at)
            # What is empty or no document any more is not quoted any more.
            emptied = [o.path for o in refused if o.is_skip]
            documents.remove(connection, self.workspace, build_id, emptied)

    def _write_part(self, part: Part, vectors: Sequence[NDArray[np.float32]], run: Run) -> None:
        """Write a part of a large document; after the last one, let the whole be seen."""
        document, at = part.document, run.seen_at
        with self.database.connection() as connection:
            drafts.extend(connection, self.workspace, self.build, document, vectors, at)
        if part.is_last:
            with self.database.connection() as connection:
                runs.forget_failures(connection, self.workspace, run.source, [document.path])
                drafts.publish(connection, self.workspace, self.build, document, at)
