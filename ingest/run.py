"""The loop that brings one source up to date, reading ahead of the encoder and writing behind it.

Knows nothing about kinds of sources, formats, models or schedules.
"""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ingest import plan as planning
from ingest import split
from ingest.entries import SourceConfig, SourceError
from ingest.parser import Parser
from ingest.prepare import Outcome, Prepared, Preparer, Refused, Same
from ingest.reader import Listed, Reader, Stuck
from ingest.sources import open_source
from store import builds, documents, embedders, runs, sources
from store.builds import Build
from store.database import Database, StoreGone
from store.records import Failure, Run, Stored

BATCH_CHUNKS = 256  # encoded and written together; what a killed run may have to encode again
WRITE_TRIES = 5
CLEAN_DOCUMENTS = 100  # removed per transaction when an old build is cleaned away

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
log = logging.getLogger(__name__)


def ingest(
    config: SourceConfig,
    *,
    database: Database,
    workspace: str,
    encode: Encode,
    count: split.Count,
    embedder_name: str,
    dims: int,
    window: int,
    now: Callable[[], datetime],
    full: bool = False,
    allow_removal: bool = False,
    asked_by: str | None = None,
    on_progress: Callable[[Run], None] | None = None,
    gate: Callable[[], None] | None = None,
) -> Run:
    """Bring a source up to date and give the ended run: `done`, or `failed` with its error.

    `encode` gives (n, dims) vectors, `count` the tokens of texts, `window` is the encoder's in
    tokens. `full` reads and encodes everything again beside what is served. `gate` is called
    before each batch is encoded and may wait, so that questions go first. Raises runs.Busy when
    the source is being ingested already, StoreError when the database fails.
    """
    with runs.only_one(database, workspace, config.name):
        ingestion = _Ingestion(
            config, database, workspace, encode, embedder_name, now, on_progress, gate
        )
        with database.connection() as connection:
            number = embedders.ensure_embedder(connection, workspace, embedder_name, dims)
        ingestion.begin(full=full, asked_by=asked_by)
        parser = Parser()
        try:
            source = open_source(config)
            prepare = Preparer(config, source, parser, count, window, config.audience_of)
            ingestion.work(prepare, number, full=full, allow_removal=allow_removal)
        except (SourceError, Stuck, planning.TooManyRemovals) as error:
            return ingestion.fail(str(error))
        except BaseException as error:
            ingestion.fail(f"{type(error).__name__}: {error}")
            raise
        finally:
            parser.close()
        return ingestion.end()


class _Ingestion:
    """One run: its counts, and the batch between the encoder and the writer."""

    def __init__(
        self,
        config: SourceConfig,
        database: Database,
        workspace: str,
        encode: Encode,
        embedder_name: str,
        now: Callable[[], datetime],
        on_progress: Callable[[Run], None] | None,
        gate: Callable[[], None] | None,
    ) -> None:
        self.config = config
        self.database = database
        self.workspace = workspace
        self.encode = encode
        self.now = now
        self.on_progress = on_progress
        self.gate = gate
        at = now()
        self.run = Run(
            uuid.uuid4(), config.name, "running", at, at, None, 0, 0, 0, 0, 0, 0, 0, 0, 0, None
        )
        self.batch: list[Outcome] = []
        self.batch_chunks = 0
        self.is_full = False

    def begin(self, *, full: bool, asked_by: str | None) -> None:
        """Make the source and the run known."""
        self.is_full = full
        self.run = replace(self.run, is_full=full, asked_by=asked_by)
        config = self.config
        with self.database.connection() as connection:
            runs.stop_stale(connection, self.workspace, config.name, self.run.started_at)
            sources.register(
                connection, self.workspace, config.name, config.kind, config.address,
                config.schedule,
            )  # fmt: skip
            runs.save(connection, self.workspace, self.run)

    def work(self, prepare: Preparer, embedder_id: int, *, full: bool, allow_removal: bool) -> None:
        """List, plan, read, encode and write; then remove what is gone, swap, and clean."""
        with self.database.connection() as connection:
            self.build = builds.choose(
                connection, self.workspace, self.config.name, embedder_id, split.CHUNKER,
                self.run.started_at, full=full,
            )  # fmt: skip
            stored = documents.stored(connection, self.workspace, self.build.build_id)
            live = builds.of(connection, self.workspace, self.config.name).get("live")
            served = (
                documents.stored(connection, self.workspace, live.build_id) if live else {}
            )
            known = runs.failures(connection, self.workspace, self.config.name)
        failed = {} if full else {failure.path: version for failure, version in known}
        kinds = {failure.path: failure.is_skip for failure, _ in known}
        reader = Reader(prepare.source, self.config)
        with ThreadPoolExecutor(1, thread_name_prefix="ingest-write") as writer:
            self.writing: Future[None] | None = None
            self.writer = writer
            with reader:
                plan = self._plan(reader, stored, failed, kinds, served, allow_removal)
                reader.read(plan.read, lambda entry: prepare(entry, stored.get(entry.path)))
                for outcome in reader.outcomes(self._beat):
                    self._take(outcome, stored)
            self._flush()
            self._settle()
        self._finish(plan, served, allow_removal)

    def _plan(
        self,
        reader: Reader,
        stored: dict[str, Stored],
        failed: dict[str, str],
        kinds: dict[str, bool],
        served: dict[str, Stored],
        allow_removal: bool,
    ) -> planning.Plan:
        listing: Listed = reader.listing(self._beat)
        plan = planning.plan(listing.entries, stored, failed, self.config.audience_of)
        gone = sorted(served.keys() - {entry.path for entry in listing.entries})
        if not allow_removal:
            self._check(gone, len(served))
        skipping = sum(kinds.get(path, False) for path in plan.failing)
        self._count(
            total=len(listing.entries),
            seen=plan.unchanged + len(plan.failing),
            unchanged=plan.unchanged,
            failed=len(plan.failing) - skipping,
            skipped=skipping,
        )
        self._beat()
        return plan

    def _check(self, gone: Sequence[str], before: int) -> None:
        planning.check_removals(
            gone, before, share=self.config.max_removed_share, count=self.config.max_removed,
            source=self.config.name,
        )  # fmt: skip

    def _take(self, outcome: Outcome, stored: dict[str, Stored]) -> None:
        self.batch.append(outcome)
        if isinstance(outcome, Prepared):
            self.batch_chunks += len(outcome.texts)
        self._count(
            seen=1,
            unchanged=isinstance(outcome, Same),
            changed=isinstance(outcome, Prepared),
            failed=isinstance(outcome, Refused) and not outcome.is_skip,
            skipped=isinstance(outcome, Refused) and outcome.is_skip,
            removed=isinstance(outcome, Refused) and outcome.is_skip and outcome.path in stored,
        )
        if self.batch_chunks >= BATCH_CHUNKS or len(self.batch) >= 4 * BATCH_CHUNKS:
            self._flush()

    def _flush(self) -> None:
        """Encode the batch, and write it while the next one is gathered."""
        batch, self.batch, self.batch_chunks = self.batch, [], 0
        if not batch:
            return
        prepared = [outcome for outcome in batch if isinstance(outcome, Prepared)]
        vectors = self._vectors(prepared)
        self._count(chunks=len(vectors))
        self._settle()
        self.run = replace(self.run, seen_at=self.now())
        self.writing = self.writer.submit(self._write, batch, vectors, self.run)
        self._report()

    def _vectors(self, prepared: Sequence[Prepared]) -> list[NDArray[np.float32]]:
        """Give the vectors of all chunks; a text that is known, or comes twice, is encoded once."""
        hashes = [c.text_hash for p in prepared for c in p.document.chunks]
        texts = dict(zip(hashes, (text for p in prepared for text in p.texts), strict=True))
        with self.database.connection() as connection:
            known = documents.known_vectors(
                connection, self.workspace, self.build.embedder_id, list(texts),
                self.build.build_id if self.is_full else None,
            )  # fmt: skip
        new = [digest for digest in texts if digest not in known]
        for start in range(0, len(new), BATCH_CHUNKS):
            part = new[start : start + BATCH_CHUNKS]
            if self.gate:
                self.gate()
            known.update(zip(part, self.encode([texts[d] for d in part]), strict=True))
            self._count(embedded=len(part))
            self._beat()
        return [known[digest] for digest in hashes]

    def _write(
        self, batch: Sequence[Outcome], vectors: Sequence[NDArray[np.float32]], run: Run
    ) -> None:
        """Write a batch in one transaction; again when the server went away in the middle."""
        for attempt in range(1, WRITE_TRIES + 1):
            try:
                self._write_once(batch, vectors, run)
                return
            except StoreGone as error:
                if attempt == WRITE_TRIES:
                    raise
                log.warning("ingest.write_again source=%s error=%s", run.source, error)
                time.sleep(attempt)

    def _write_once(
        self, batch: Sequence[Outcome], vectors: Sequence[NDArray[np.float32]], run: Run
    ) -> None:
        build_id, at = self.build.build_id, run.seen_at
        ready = [o.document for o in batch if isinstance(o, Prepared)]
        same = {o.path: o.version for o in batch if isinstance(o, Same)}
        refused = [o for o in batch if isinstance(o, Refused)]
        with self.database.connection() as connection:
            runs.note_failures(
                connection,
                self.workspace,
                [
                    (Failure(run.source, o.path, o.reason, at, o.is_skip), o.version)
                    for o in refused
                ],
            )
            cured = [document.path for document in ready] + list(same)
            runs.forget_failures(connection, self.workspace, run.source, cured)
            documents.touch(connection, self.workspace, build_id, same)
            runs.save(connection, self.workspace, run)
            skipped = [o.path for o in refused if o.is_skip]
            if skipped:
                documents.remove(connection, self.workspace, build_id, skipped)
            if ready:
                documents.replace(connection, self.workspace, self.build, ready, vectors, at)

    def _settle(self) -> None:
        """Wait until the batch before is written, and learn how that went."""
        if self.writing is not None:
            self.writing.result()
            self.writing = None

    def _finish(self, plan: planning.Plan, served: dict[str, Stored], allow_removal: bool) -> None:
        build: Build = self.build
        for start in range(0, len(plan.remove), CLEAN_DOCUMENTS):
            with self.database.connection() as connection:
                part = plan.remove[start : start + CLEAN_DOCUMENTS]
                documents.remove(connection, self.workspace, build.build_id, part)
            self._count(removed=len(part))
            self._beat()
        with self.database.connection() as connection:
            runs.forget_failures(connection, self.workspace, self.config.name, plan.forget)
            if build.state == "building" and not allow_removal:
                have = documents.stored(connection, self.workspace, build.build_id)
                self._check(sorted(served.keys() - have.keys()), len(served))
            builds.complete(connection, self.workspace, build, self.now())
        clean(self.database, self.workspace)

    def end(self) -> Run:
        """Note that the run came to its end."""
        return self._close("done", None)

    def fail(self, error: str) -> Run:
        """Note why the run did not come to its end."""
        return self._close("failed", error)

    def _close(self, state: str, error: str | None) -> Run:
        at = self.now()
        self.run = replace(self.run, state=state, error=error, seen_at=at, finished_at=at)
        with self.database.connection() as connection:
            runs.save(connection, self.workspace, self.run)
            if error is None:
                sources.succeeded(connection, self.workspace, self.run.source, at)
            else:
                sources.failed(connection, self.workspace, self.run.source, error)
        self._report()
        return self.run

    def _count(self, **changes: int) -> None:
        self.run = replace(
            self.run, **{name: getattr(self.run, name) + n for name, n in changes.items()}
        )

    def _beat(self) -> None:
        """Show that the run is alive, at most once a second in the database."""
        at = self.now()
        if (at - self.run.seen_at).total_seconds() >= 1:
            self.run = replace(self.run, seen_at=at)
            with self.database.connection() as connection:
                runs.save(connection, self.workspace, self.run)
        self._report()

    def _report(self) -> None:
        if self.on_progress:
            self.on_progress(self.run)


def clean(database: Database, workspace: str) -> None:
    """Delete what retired builds still hold, bit by bit; does nothing while another does it."""
    try:
        with runs.only_one(database, workspace, ".clean"):
            with database.connection() as connection:
                retired = builds.retired(connection, workspace)
            for build_id in retired:
                while _clean_some(database, workspace, build_id):
                    pass
    except runs.Busy:
        return


def _clean_some(database: Database, workspace: str, build_id: int) -> bool:
    with database.connection() as connection:
        paths = documents.some_paths(connection, workspace, build_id, CLEAN_DOCUMENTS)
        documents.remove(connection, workspace, build_id, paths)
        if not paths:
            builds.forget(connection, workspace, build_id)
    return bool(paths)
