"""Measures ingestion of four sources by two worker processes against one.

Knows nothing about how the jobs are shared out.
"""

from collections.abc import Iterator
from pathlib import Path

from bot import ingestion
from bot.services import Services
from store import runs
from tests.bench_place import EXAMPLE, Clock, Place, Row, copies, opened, scratch
from tests.killing import Processes, wait

SOURCES = 4
EDITIONS = 100
"""Copies of the example handbook in all."""

PATIENCE_SECONDS = 1800.0


def run(place: Place) -> Iterator[Row]:
    """Ingest the same four sources twice, each time into an empty store."""
    with scratch() as folder:
        for number in range(SOURCES):
            copies(EXAMPLE, folder / f"part{number}", max(1, place.size(EDITIONS) // SOURCES))
        seconds = {count: _ingested(folder, count) for count in (1, 2)}
    for count, took in seconds.items():
        yield Row(f"{SOURCES} sources by {count} worker(s)", took, "s")
    told = f"{seconds[1]:.1f} s by one; each has 2 threads"
    yield Row("two workers / one, speed", seconds[1] / seconds[2], "x", reference=told)


def _ingested(folder: Path, workers: int) -> float:
    """Give the seconds from queueing to the last end; the models are loaded before."""
    with opened() as services:
        processes = Processes(services.settings.home, "")
        processes.env |= {
            "SLACK_BOT_TOKEN": "",
            "SLACK_APP_TOKEN": "",
            "THREADWISE_LOG_LEVEL": "INFO",
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
        ingestion.remember(services.settings.home, str(part))
    configs = ingestion.sources(services.settings)
    ingestion.register(services, configs)
    clock = Clock()
    names = ingestion.defer(services, [config.name for config in configs])
    wait(lambda: all(_is_done(services, name) for name in names), PATIENCE_SECONDS)
    return clock.seconds


def _is_done(services: Services, name: str) -> bool:
    with services.database.connection() as connection:
        latest = runs.last(connection, services.workspace, name)
    assert not latest or latest[0].state in ("running", "done"), latest
    return bool(latest) and latest[0].state == "done"
