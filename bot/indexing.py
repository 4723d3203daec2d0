"""Ingestion as this installation does it: which sources there are, and a run of one of them.

Knows nothing about jobs, schedules or screens.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot import jobs, secrets
from bot.services import Services
from bot.settings import Settings
from ingest.config import ConfigError, example, load, of_address
from ingest.embedder import Encode, Wrapped
from ingest.entries import SourceConfig
from store.database import Database
from store.feedback import stale
from store.index import embedders, hidden, scopes
from store.index import sources as stored
from store.index.scopes import AudienceOf
from store.records import Run

REMEMBERED = "docs.txt"
"""Where an earlier version kept, in the home folder, what was given on the command line, a line each."""

REREAD_SECONDS = 3.0
"""How long a run may go on with the audiences of settings that have changed."""

RENEWED = 256
"""Judged questions encoded anew per transaction: what a kill in the middle repeats at most."""


log = logging.getLogger(__name__)


class UnknownSource(Exception):
    """No source of that name is configured."""


def sources(settings: Settings) -> list[SourceConfig]:
    """Read the sources' file, none when there is no such file; raises ingest.config.ConfigError."""
    if settings.sources is None:
        return []
    return load(
        settings.sources,
        environ=secrets.environ(),
        max_mb=settings.max_file_mb,
        max_removed_share=settings.max_removed_share,
        cache=settings.home / "clones",
    )


def known(services: Services) -> list[SourceConfig]:
    """Give the sources of the file and those added by hand, on whatever machine; the example handbook
    where there is no source at all. Raises ingest.config.ConfigError."""
    configs = sources(services.settings)
    taken = {config.name for config in configs}
    configs += [config for config in added(services) if config.name not in taken]
    if configs or services.settings.sources is not None:
        return configs
    with services.database.connection() as connection:
        # Another machine may have a file, of which this one knows nothing.
        if stored.is_any_but(connection, services.workspace, example().address):
            return []
    return [_with_limits(services.settings, example())]


def added(services: Services) -> list[SourceConfig]:
    """Give the sources that were added by hand; they are kept in Postgres, for all machines."""
    _adopt(services)
    with services.database.connection() as connection:
        rows = stored.added(connection, services.workspace)
    return [
        _with_limits(
            services.settings,
            SourceConfig(name, kind, address, schedule=schedule, origin="hand"),
        )
        for name, kind, address, schedule in rows
    ]


def add(services: Services, address: str) -> SourceConfig:
    """Make a folder, file or URL a source for good, in place of the example; gives the source."""
    configured, wanted = sources(services.settings), of_address(address)
    for config in configured:
        if config.address == wanted.address:
            return config
    workspace, now = services.workspace, datetime.now(UTC)
    with services.database.connection() as connection:
        names = stored.names(connection, workspace)
        free = of_address(address, names.keys() | {config.name for config in configured})
        name = next((n for n, place in names.items() if place == wanted.address), free.name)
        stored.register(
            connection, workspace, name, wanted.kind, wanted.address, wanted.schedule, origin="hand"
        )
        stored.retire_example(connection, workspace, example().address, now)
    return _with_limits(services.settings, replace(wanted, name=name))


def remove(services: Services, name: str) -> None:
    """Serve a source no longer that was added by hand; UnknownSource when it was not."""
    if name not in {config.name for config in added(services)}:
        raise UnknownSource(
            f"No source {name!r} was added by hand. What the sources' file names is taken out there."
        )
    with services.database.connection() as connection:
        stored.retire(connection, services.workspace, name, datetime.now(UTC))


def chosen(services: Services, texts: Sequence[str]) -> list[SourceConfig]:
    """Find sources by name, folder, file or URL; all of them when none is given.

    A folder, file or URL becomes a source for good. UnknownSource names those there are.
    """
    found = {config.name: config for config in known(services)}
    if not texts:
        return list(found.values())
    by_address = {config.address: config for config in found.values()}
    return [
        found.get(text) or by_address.get(_address(text, found)) or add(services, text)
        for text in texts
    ]


def source(services: Services, name: str) -> SourceConfig:
    """Find one source by its name; UnknownSource names those there are."""
    found = {config.name: config for config in known(services)}
    if name not in found:
        raise UnknownSource(f"There is no source {name!r}. Configured: {', '.join(found)}.")
    return found[name]


def _address(text: str, found: Iterable[str]) -> str:
    """Give a path or URL as a source's address; UnknownSource when it is neither."""
    if "://" in text or text.startswith("git@") or Path(text).expanduser().exists():
        return of_address(text).address
    raise UnknownSource(
        f"{text!r} is neither a source ({', '.join(found)}) nor a folder or file that exists."
    )


def _adopt(services: Services) -> None:
    """Take over what an earlier version kept in a file of this machine, once."""
    file = services.settings.home / REMEMBERED
    if file.exists():
        for address in file.read_text(encoding="utf-8").splitlines():
            add(services, address)
        file.rename(file.with_suffix(".adopted"))


def _with_limits(settings: Settings, config: SourceConfig) -> SourceConfig:
    return replace(
        config,
        max_mb=settings.max_file_mb,
        max_removed_share=settings.max_removed_share,
        cache=str(settings.home / "clones"),
    )


def run(
    services: Services,
    config: SourceConfig,
    *,
    encode: Encode | None = None,
    encode_questions: Encode | None = None,
    full: bool = False,
    allow_removal: bool = False,
    asked_by: str | None = None,
    on_progress: Callable[[Run], None] | None = None,
) -> Run:
    """Bring one source up to date with this installation's encoder; `encode` and `encode_questions` may
    stand in for its own. What a second encoder has to do afterwards is queued."""
    from ingest.run import ingest

    embedder = services.embedder
    workspace = services.workspace
    # First what is stored: whatever cannot be fetched now would stay as open as it was.
    _restrict(services.database, workspace, [config])
    made = ingest(
        config,
        database=services.database,
        workspace=workspace,
        embedder=Wrapped(embedder, encode) if encode else embedder,
        full=full,
        allow_removal=allow_removal,
        asked_by=asked_by,
        on_progress=on_progress,
        now=lambda: datetime.now(UTC),
        audience_of=CurrentAudience(
            services.settings,
            config,
            hidden_paths=partial(_hidden, services.database, workspace, config.name),
        ),
    )
    _restrict(services.database, workspace, [_current(services.settings, config)])
    renew(services, encode_questions or embedder.encode_questions)
    if services.wants_second:
        with services.database.connection() as connection:
            jobs.defer_second(connection, services.queue)
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
    """Make sources known and let their stored documents be seen by whom they name now; serve no longer
    what the sources' file does not name any more, where there is such a file."""
    workspace, names = services.workspace, [c.name for c in configs]
    with services.database.connection() as connection:
        if services.settings.sources is not None:
            stored.retire_others(connection, workspace, names, datetime.now(UTC))
        for c in configs:
            stored.register(
                connection,
                workspace,
                c.name,
                c.kind,
                c.kept_address,
                c.schedule,
                c.complaint,
                c.origin,
            )
            audience = _audience(hidden.paths(connection, workspace, c.name), c)
            scopes.restrict(connection, workspace, c.name, audience)


def restrict(services: Services, configs: Sequence[SourceConfig]) -> None:
    """Let the stored documents of sources be seen by whom these configurations name, in one transaction."""
    _restrict(services.database, services.workspace, configs)


def _restrict(database: Database, workspace: str, configs: Sequence[SourceConfig]) -> None:
    with database.connection() as connection:
        for config in configs:
            audience = _audience(hidden.paths(connection, workspace, config.name), config)
            changed = scopes.restrict(connection, workspace, config.name, audience)
            if changed:
                log.info("audience_changed source=%s documents=%d", config.name, changed)


def _audience(hidden_paths: frozenset[str], config: SourceConfig) -> AudienceOf:
    """Tell who may see a source's documents: whom its settings name, but nobody what is hidden."""
    return lambda path: hidden.NOBODY if path in hidden_paths else config.audience_of(path)


def _hidden(database: Database, workspace: str, source: str) -> frozenset[str]:
    with database.connection() as connection:
        return hidden.paths(connection, workspace, source)


class CurrentAudience:
    """Who may see a source's documents, at most REREAD_SECONDS after the settings changed."""

    def __init__(
        self,
        settings: Settings,
        config: SourceConfig,
        clock: Callable[[], float] = time.monotonic,
        *,
        hidden_paths: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._settings = settings
        self._config = config
        self._hidden_paths = hidden_paths
        self._clock = clock
        self._look(config)

    def __call__(self, path: str) -> tuple[str, ...]:
        """Give who may see the document at `path`, sorted."""
        if self._clock() - self._read_at >= REREAD_SECONDS:
            self._look(_current(self._settings, self._config))
        return self._audience(path)

    def _look(self, config: SourceConfig) -> None:
        self._read_at, self._config = self._clock(), config
        self._audience = _audience(self._hidden_paths(), config)


def _current(settings: Settings, config: SourceConfig) -> SourceConfig:
    """Read a source's configuration again; the one before, where it cannot be read or is there no more."""
    try:
        found = sources(settings)
    except ConfigError:
        return config
    return next((each for each in found if each.name == config.name), config)
