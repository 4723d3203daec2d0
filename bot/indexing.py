"""Ingestion as this installation does it: which sources there are, and a run of one of them.

Knows nothing about jobs, schedules or screens.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from dotenv import dotenv_values

from bot.services import Services
from bot.settings import Settings
from ingest.config import ConfigError, load, of_address
from ingest.embedder import Encode, Wrapped
from ingest.entries import SourceConfig
from store.feedback import stale
from store.index import embedders, scopes
from store.index import sources as stored
from store.records import Run

REMEMBERED = "docs.txt"
"""Folders and URLs that were given on the command line once, a line each, in the home folder."""

REREAD_SECONDS = 3.0
"""How long a run may go on with the audiences of settings that have changed."""

RENEWED = 256
"""Judged questions encoded anew per transaction: what a kill in the middle repeats at most."""


log = logging.getLogger(__name__)


class UnknownSource(Exception):
    """No source of that name is configured."""


def sources(settings: Settings) -> list[SourceConfig]:
    """Read the configured sources and the remembered ones; raises ingest.config.ConfigError."""
    environ = {k: v for k, v in dotenv_values(".env").items() if v is not None} | dict(os.environ)
    return load(
        settings.sources,
        remembered(settings.home),
        environ=environ,
        max_mb=settings.max_file_mb,
        max_removed_share=settings.max_removed_share,
        cache=settings.home / "clones",
    )


def chosen(settings: Settings, texts: Sequence[str]) -> list[SourceConfig]:
    """Find sources by name, folder or URL; all of them when none is given.

    A folder or URL becomes a source for good. UnknownSource names those there are.
    """
    found = {config.name: config for config in sources(settings)}
    if not texts:
        return list(found.values())
    for text in texts:
        if text not in found:
            is_address = (
                "://" in text or text.startswith("git@") or Path(text).expanduser().exists()
            )
            if not is_address:
                raise UnknownSource(
                    f"{text!r} is neither a source ({', '.join(found)}) nor a folder that exists."
                )
            remember(settings.home, of_address(text).address)
    by_key = {key: c for c in sources(settings) for key in (c.name, c.address)}
    return [by_key[t if t in by_key else of_address(t).address] for t in texts]


def source(settings: Settings, name: str) -> SourceConfig:
    """Find one source by its name; UnknownSource names those there are."""
    found = {config.name: config for config in sources(settings)}
    if name not in found:
        raise UnknownSource(f"There is no source {name!r}. Configured: {', '.join(found)}.")
    return found[name]


def remembered(home: Path) -> list[str]:
    """The folders and URLs that were given on the command line, oldest first."""
    file = home / REMEMBERED
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def remember(home: Path, address: str) -> None:
    """Keep a folder or URL as a source from now on (remove its line from `docs.txt` to undo)."""
    known = remembered(home)
    if address not in known:
        home.mkdir(parents=True, exist_ok=True)
        (home / REMEMBERED).write_text("\n".join([*known, address]) + "\n", encoding="utf-8")


def run(
    services: Services,
    config: SourceConfig,
    *,
    encode: Encode | None = None,
    full: bool = False,
    allow_removal: bool = False,
    asked_by: str | None = None,
    on_progress: Callable[[Run], None] | None = None,
) -> Run:
    """Bring one source up to date with this installation's encoder; `encode` may stand in for it."""
    from ingest.run import ingest

    embedder = services.embedder
    # First what is stored: whatever cannot be fetched now would stay as open as it was.
    restrict(services, [config])
    made = ingest(
        config,
        database=services.database,
        workspace=services.workspace,
        embedder=Wrapped(embedder, encode) if encode else embedder,
        full=full,
        allow_removal=allow_removal,
        asked_by=asked_by,
        on_progress=on_progress,
        now=lambda: datetime.now(UTC),
        audience_of=CurrentAudience(services.settings, config),
    )
    restrict(services, [_current(services.settings, config)])
    renew(services, encode or embedder.encode)
    return made


def renew(services: Services, encode: Encode) -> int:
    """Encode judged questions and those of kept replies that have another encoder's vector; gives how
    many. Does nothing while the encoder before still serves. Safe to run again, and to be killed."""
    embedder, workspace, done = services.embedder, services.workspace, 0
    with services.database.connection() as connection:
        if embedders.serving(connection, workspace) != embedder.name:
            return 0
    number = embedders.embedder_id(embedder.name)
    while True:
        with services.database.connection() as connection:
            found = stale.outdated(connection, workspace, number, RENEWED)
        if not found:
            return done
        encoded = encode([one.question for one in found]).tolist()
        with services.database.connection() as connection:
            stale.renew(connection, workspace, number, found, encoded)
        done += len(found)


def summary(made: Run) -> str:
    """Say in one line what a run did, and what to do if it did not end well."""
    if made.state != "done":
        return f"{made.source}: {made.error or made.state}"
    seconds = ((made.finished_at or made.seen_at) - made.started_at).total_seconds()
    parts = [f"{made.changed} changed", f"{made.unchanged} unchanged"]
    parts += [
        f"{n} {word}" for n, word in ((made.removed, "removed"), (made.failed, "failed")) if n
    ]
    return (
        f"{made.source}: {', '.join(parts)}, {made.embedded} passages embedded in {seconds:.1f} s"
    )


def register(services: Services, configs: Sequence[SourceConfig]) -> None:
    """Make the configured sources known and let their stored documents be seen by whom they name now;
    serve no longer what is not configured any more."""
    workspace = services.workspace
    with services.database.connection() as connection:
        stored.retire_others(connection, workspace, [c.name for c in configs], datetime.now(UTC))
        for c in configs:
            stored.register(
                connection, workspace, c.name, c.kind, c.address, c.schedule, c.complaint
            )
            scopes.restrict(connection, workspace, c.name, c.audience_of)


def restrict(services: Services, configs: Sequence[SourceConfig]) -> None:
    """Let the stored documents of sources be seen by whom these configurations name, in one transaction."""
    workspace = services.workspace
    with services.database.connection() as connection:
        for config in configs:
            changed = scopes.restrict(connection, workspace, config.name, config.audience_of)
            if changed:
                log.info("audience_changed source=%s documents=%d", config.name, changed)


class CurrentAudience:
    """Who may see a source's documents, at most REREAD_SECONDS after the settings changed."""

    def __init__(
        self,
        settings: Settings,
        config: SourceConfig,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._config = config
        self._clock = clock
        self._read_at = clock()

    def __call__(self, path: str) -> tuple[str, ...]:
        """Give who may see the document at `path`, sorted."""
        if self._clock() - self._read_at >= REREAD_SECONDS:
            self._read_at = self._clock()
            self._config = _current(self._settings, self._config)
        return self._config.audience_of(path)


def _current(settings: Settings, config: SourceConfig) -> SourceConfig:
    """Read a source's configuration again; the one before, where it cannot be read or is there no more."""
    try:
        return source(settings, config.name)
    except (ConfigError, UnknownSource):
        return config
