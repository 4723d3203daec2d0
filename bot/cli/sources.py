"""Commands about documents: ingest, sources.

Knows nothing about how documents are read.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import console
from bot.terminal.json_contract import source_json
from bot.text import missing, visible
from store.records import Run, SourceStatus
from store.redaction import escaped

if TYPE_CHECKING:
    from bot.services import Services
    from ingest.entries import SourceConfig


def register(app: typer.Typer) -> None:
    app.command()(ingest)
    app.command()(sources)


def ingest(
    context: typer.Context,
    source: Annotated[
        list[str] | None, typer.Argument(help="Configured names, or paths; all when none is given.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Build all anew, beside what serves.")
    ] = False,
    allow_removal: Annotated[
        bool, typer.Option("--allow-removal", help="Remove even a large share of the documents.")
    ] = False,
) -> None:
    """Bring sources up to date now."""
    from bot import indexing
    from bot.services import open_services

    with open_services(context.obj) as services:
        configs = indexing.chosen(services, source or [])
        runs = run_all(services, configs, full=full, allow_removal=allow_removal)
    if any(run.state != "done" for run in runs):
        raise typer.Exit(1)


def sources(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    remove: Annotated[
        str | None, typer.Option(metavar="NAME", help="Serve one no longer that was added by hand.")
    ] = None,
) -> None:
    """List the sources: documents, chunks, last run, next run, last error."""
    from bot import indexing
    from bot.services import open_services
    from store.index import documents, runs, sources

    with open_services(context.obj) as services:
        if remove is not None:
            indexing.remove(services, remove)
    with open_services(context.obj) as services, services.database.reading() as connection:
        workspace = services.workspace
        found = sources.statuses(connection, workspace)
        failures = {s.name: runs.failures(connection, workspace, s.name) for s in found}
        partial = {s.name: documents.partial(connection, workspace, s.name) for s in found}
    if as_json:
        console.put_json([source_json(status, partial[status.name]) for status in found])
        return
    _print(found)
    for name, documents_left in partial.items():
        for path, left_out in documents_left:
            line = f"  {name}: {visible(path)}: {missing(left_out)}"
            console.data().print(line, markup=False, style="yellow")
    for name, failed in failures.items():
        for failure, _ in failed:
            line = f"  {name}: {visible(failure.path)}: {visible(failure.reason)}"
            console.data().print(line, markup=False, style="dim" if failure.is_skip else "yellow")


def run_all(
    services: "Services",
    configs: Sequence["SourceConfig"],
    *,
    full: bool = False,
    allow_removal: bool = False,
) -> list[Run]:
    """Bring sources up to date one after the other, with a bar and a closing line for each."""
    from bot import indexing

    runs = []
    with console.bars() as report:
        for config in configs:
            made = indexing.run(
                services,
                config,
                full=full,
                allow_removal=allow_removal,
                on_progress=lambda run: report(run.source, run.seen, run.total),
            )
            runs.append(made)
            console.notices().print(escaped(indexing.summary(made)), markup=False)
    return runs


def _print(found: list[SourceStatus]) -> None:
    now = datetime.now(UTC)
    columns = (
        "source",
        "kind",
        "documents",
        "chunks",
        "failed",
        "skipped",
        "partly read",
        "last success",
        "next run",
    )
    rows = [
        (s.name, s.kind, s.documents, s.chunks, s.failed, s.skipped, s.partial,
         console.ago(s.last_success, now), console.ago(s.next_run, now) if s.next_run else "by hand")
        for s in found
    ]  # fmt: skip
    console.data().print(console.table("", columns, rows))
    for status in found:
        if status.last_error:
            line = f"  {status.name}: {escaped(status.last_error)}"
            console.data().print(line, markup=False, style="red")
        if status.complaint:
            console.data().print(f"  {status.complaint}", markup=False, style="red")
