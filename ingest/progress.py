"""A run's counts, shown to whoever watches and kept in the database while it goes on.

Knows nothing about what is counted.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ingest.entries import SourceConfig
from store.database import Database, StoreGone
from store.index import runs, sources
from store.records import Run, RunState
from store.redaction import redacted

BEAT_SECONDS = 1


class Progress:
    """Counts one run. `run` is how far it is."""

    def __init__(
        self,
        config: SourceConfig,
        database: Database,
        workspace: str,
        now: Callable[[], datetime],
        on_progress: Callable[[Run], None] | None,
        keep: Callable[[], None] = lambda: None,
    ) -> None:
        """`keep` sees to it that nobody else reads the source; it is called while the run goes on."""
        self._config = config
        self._database = database
        self._workspace = workspace
        self._now = now
        self._on_progress = on_progress
        self.keep = keep
        at = now()
        self.run = Run(
            uuid.uuid4(), config.name, "running", at, at, None, 0, 0, 0, 0, 0, 0, 0, 0, 0, None
        )

    def begin(self, *, full: bool, asked_by: str | None) -> None:
        """Make the source and the run known, and close runs that were killed."""
        self.run = replace(self.run, is_full=full, asked_by=asked_by)
        name, config = self._config.name, self._config
        with self._database.connection() as connection:
            runs.stop_stale(connection, self._workspace, name, self.run.started_at)
            sources.register(
                connection, self._workspace, name, config.kind, config.kept_address, config.schedule,
                config.complaint, config.origin,
            )  # fmt: skip
            runs.save(connection, self._workspace, self.run)

    def count(self, **changes: int) -> None:
        """Add to the run's numbers, by their names."""
        self.run = replace(
            self.run, **{name: getattr(self.run, name) + n for name, n in changes.items()}
        )

    def beat(self) -> None:
        """Show that the run is alive: at once to the watcher, each second to the database."""
        at = self._now()
        if (at - self.run.seen_at).total_seconds() >= BEAT_SECONDS:
            self.run = replace(self.run, seen_at=at)
            # A beat that is lost does no harm, and the next one may find the server back.
            with suppress(StoreGone):
                with self._database.connection() as connection:
                    runs.save(connection, self._workspace, self.run)
                self.keep()
        if self._on_progress:
            self._on_progress(self.run)

    def end(self, error: str | None = None) -> Run:
        """Note that the run came to its end, or why it did not; give it."""
        at, error = self._now(), error and redacted(error, self._config.secrets)
        state: RunState = "done" if error is None else "failed"
        self.run = replace(self.run, state=state, error=error, seen_at=at, finished_at=at)
        with self._database.connection() as connection:
            runs.save(connection, self._workspace, self.run)
            if error is None:
                sources.succeeded(connection, self._workspace, self.run.source, at)
            else:
                sources.failed(connection, self._workspace, self.run.source, error)
        if self._on_progress:
            self._on_progress(self.run)
        return self.run
