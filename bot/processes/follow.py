"""Follows ingestion that other processes do, by what they write down of it, and shows how far it is.

Knows nothing about how sources are read.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from bot import jobs
from bot.services import Services
from store import queue
from store.index import runs
from store.records import Run

POLL_SECONDS = 0.1
LINE_SECONDS = 5.0

Report = Callable[[str, int, int], None]


@contextmanager
def bars(console: Console, names: Sequence[str]) -> Iterator[Report]:
    """Show a bar with an ETA for each source, moved by what is reported; lines in a file."""
    if not console.is_terminal:
        yield _lines(console)
        return
    progress = Progress(
        TextColumn(" "),
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    tasks = {
        name: progress.add_task(name, total=None, detail="loading the models") for name in names
    }

    def report(name: str, done: int, total: int) -> None:
        detail = f"{done} of {total} documents"
        progress.update(tasks[name], completed=done, total=total or None, detail=detail)

    with progress:
        yield report


def _lines(console: Console) -> Report:
    """Report as a line every few seconds, where a bar cannot move."""
    due = time.monotonic() + LINE_SECONDS

    def report(name: str, done: int, total: int) -> None:
        nonlocal due
        if time.monotonic() > due and done < total:
            due = time.monotonic() + LINE_SECONDS
            console.print(f"    {name}: {done} of {total} documents", markup=False)

    return report


def follow(
    services: Services,
    names: Sequence[str],
    since: datetime,
    report: Report,
    check: Callable[[], None],
) -> list[Run]:
    """Wait until no job for these sources waits or runs; gives each one's run since `since`.

    `check` is called again and again and may raise, to give up.
    """
    while True:
        check()
        with services.database.connection() as connection:
            held = queue.held(connection, jobs.INGEST, "source")
        found = _runs(services, names, since)
        for run in found:
            report(run.source, run.seen, run.total)
        if not held.intersection(names):
            return found
        time.sleep(POLL_SECONDS)


def _runs(services: Services, names: Sequence[str], since: datetime) -> list[Run]:
    workspace = services.workspace
    with services.database.connection() as connection:
        latest = [run for name in names for run in runs.last(connection, workspace, name)]
    return [run for run in latest if run.started_at >= since]
