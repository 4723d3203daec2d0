"""Measures ingestion of four sources by two worker processes against one.

Knows nothing about how the jobs are shared out.
"""

from collections.abc import Iterator
from pathlib import Path

from bot import indexing, jobs
from bot.services import Services
from store.index import runs
from tests.bench.place import EXAMPLE, Clock, Place, Row, copies, opened, scratch
from tests.killing import Processes, wait

SOURCES = 4
EDITIONS = 60
"""Copies of the example handbook in all."""

TEAMS = ((1, 2), (2, 2), (2, 1))
"""Workers, and threads of each: two with two each want more than the two cores that are meant here."""

PATIENCE_SECONDS = 1800.0


def run(place: Place) -> Iterator[Row]:
    """Ingest the same four sources by each team, each time into an empty store."""
    with scratch() as folder:
        for number in range(SOURCES):
            copies(EXAMPLE, folder / f"part{number}", max(1, place.size(EDITIONS) // SOURCES))
        seconds = {team: _ingested(folder, *team) for team in TEAMS}
    alone = seconds[TEAMS[0]]
    for (workers, threads), took in seconds.items():
        what = f"{SOURCES} sources by {workers} worker(s), {threads} thread(s) each"
        yield Row(what, took, "s", reference=f"{alone / took:.2f} x the speed of one")


def _ingested(folder: Path, workers: int, threads: int) -> float:
    """Give the seconds from queueing to the last end; the models are loaded before."""
    with opened() as services:
        processes = Processes(services.settings.home, "")
        processes.env |= {
            "SLACK_BOT_TOKEN": "",
            "SLACK_APP_TOKEN": "",
            "THREADWISE_LOG_LEVEL": "INFO",
            "THREADWISE_THREADS": f"{threads}",
        }
        log = services.settings.home / "workers.log"
        with log.open("ab") as lines:
            try:
                for _ in range(workers):
                    processes.start("worker", "bot", lines)
                wait(lambda: log.read_text().count("models_loaded") == workers, PATIENCE_SECONDS)
                return _timed(services, folder)
            finally:
                processes.end()


def _timed(services: Services, folder: Path) -> float:
    for part in sorted(folder.iterdir()):
        indexing.add(services, str(part))
    configs = indexing.known(services)
    indexing.register(services, configs)
    clock = Clock()
    names, workspace = [config.name for config in configs], services.workspace
    with services.database.connection() as connection:
        for name in names:
            jobs.defer_ingest(connection, services.queue, workspace, name)
    wait(lambda: all(_is_done(services, name) for name in names), PATIENCE_SECONDS)
    return clock.seconds


def _is_done(services: Services, name: str) -> bool:
    with services.database.connection() as connection:
        latest = runs.last(connection, services.workspace, name)
    assert not latest or latest[0].state in ("running", "done"), latest
    return bool(latest) and latest[0].state == "done"
