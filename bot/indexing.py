"""Ingestion as this installation does it: which sources there are, and a run of one of them.

Knows nothing about jobs, schedules or screens.
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values

from bot import renewal
from bot.settings import Settings
from bot.terminal import console
from ingest.config import load, of_address
from ingest.embedder import Encode, Wrapped
from ingest.entries import SourceConfig
from store.index import sources as stored
from store.queue import WORK
from store.records import Run

if TYPE_CHECKING:
    from bot.services import Services

REMEMBERED = "docs.txt"
"""Folders and URLs that were given on the command line once, a line each, in the home folder."""


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
    services: "Services",
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
    )
    renewal.renew(services, encode or embedder.encode)
    return made


def run_all(
    services: "Services",
    configs: Sequence[SourceConfig],
    *,
    full: bool = False,
    allow_removal: bool = False,
) -> list[Run]:
    """Bring sources up to date one after the other, with a bar and a closing line for each."""
    runs = []
    with console.bars() as report:
        for config in configs:
            made = run(
                services,
                config,
                full=full,
                allow_removal=allow_removal,
                on_progress=lambda run: report(run.source, run.seen, run.total),
            )
            runs.append(made)
            console.notices().print(summary(made), markup=False)
    return runs


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


def register(services: "Services", configs: Sequence[SourceConfig]) -> None:
    """Make the configured sources known, and serve no longer what is not configured any more."""
    workspace = services.workspace
    with services.database.connection() as connection:
        stored.retire_others(connection, workspace, [c.name for c in configs], datetime.now(UTC))
        for c in configs:
            stored.register(connection, workspace, c.name, c.kind, c.address, c.schedule)


def lock(workspace: str, name: str) -> str:
    """The queue's lock: jobs of one source run one after the other."""
    return f"ingest:{workspace}:{name}"


def defer(
    services: "Services",
    names: Sequence[str],
    *,
    asked_by: str | None = None,
    full: bool = False,
    allow_removal: bool = False,
    resumed: int = 0,
) -> list[str]:
    """Queue a run of each source; returns the names of those that did not wait already."""
    workspace = services.workspace
    args = {"full": full, "asked_by": asked_by, "allow_removal": allow_removal, "resumed": resumed}
    with services.database.connection() as connection:
        queued = {
            name: services.queue.defer(
                connection,
                "ingest",
                {"workspace": workspace, "source": name, **args},
                queue=WORK,
                lock=lock(workspace, name),
                queueing_lock=lock(workspace, name),
            )
            for name in names
        }
    return [name for name, job in queued.items() if job is not None]
