"""The clock: only the leader schedules, and all it does is to defer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.processes.clock import ScheduleError, Timetable, tick, trigger
from bot.services import Services
from bot.settings import Settings
from ingest.entries import SourceConfig
from store import queue
from store.database import Database
from store.election import Candidate
from store.index import sources


def write(file: Path, schedule: str, name: str = "wiki") -> None:
    file.write_text(
        f'[[source]]\nname = "{name}"\naddress = "{file.parent}"\nschedule = "{schedule}"\n'
    )


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    file = tmp_path / "sources.toml"
    write(file, "0 4 * * *")
    settings = Settings(_env_file=None, home=tmp_path / "home", sources=file)  # type: ignore[call-arg]
    return Services(settings, database, None)


@contextmanager
def running(services: Services) -> Iterator[None]:
    stop = threading.Event()
    clock = threading.Thread(target=tick, args=(services, stop, 0.05))
    clock.start()
    yield
    stop.set()
    clock.join(timeout=10)
    assert not clock.is_alive()


def soon(happens: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def planned(services: Services) -> dict[str, object]:
    with services.database.connection() as connection:
        return {s.name: s.next_run for s in sources.statuses(connection, services.workspace)}


def test_the_leader_writes_down_what_runs_next(services: Services) -> None:
    with running(services):
        assert soon(lambda: planned(services).get("wiki") is not None)


def test_who_does_not_lead_plans_nothing_and_takes_over_later(services: Services) -> None:
    leader = Candidate(services.database.url, "threadwise-clock")
    assert leader.leads()
    with running(services):
        assert not soon(lambda: bool(planned(services)), seconds=0.3)
        leader.resign()
        assert soon(lambda: bool(planned(services)))


def test_a_changed_file_is_taken_up_and_a_slip_in_it_is_not(services: Services) -> None:
    file = services.settings.sources
    assert file is not None
    with running(services):
        assert soon(lambda: set(planned(services)) == {"wiki"})
        file.write_text("[[source]\n")
        assert not soon(lambda: set(planned(services)) != {"wiki"}, seconds=0.3)
        write(file, "off", name="notes")
        assert soon(lambda: planned(services) == {"notes": None})


def test_a_trigger_only_defers_and_never_twice(services: Services) -> None:
    timetable = Timetable(services)
    timetable.refresh()
    timetable._defer_ingestion("wiki")
    timetable._defer_ingestion("wiki")
    timetable.end()
    with services.database.connection() as connection:
        assert queue.depths(connection) == [queue.Depth("work", 1, 0)]


def test_a_schedule_that_is_none_names_the_source_and_the_cure() -> None:
    with pytest.raises(ScheduleError, match="wiki.*cron line"):
        trigger(SourceConfig("wiki", "folder", "/", schedule="99 * * * *"))


@pytest.mark.parametrize(
    ("weekdays", "expected"),
    [
        ("0", {"Sun"}),
        ("7", {"Sun"}),
        ("1-5", {"Mon", "Tue", "Wed", "Thu", "Fri"}),
        ("mon,3", {"Mon", "Wed"}),
        ("*/3", {"Sun", "Wed", "Sat"}),
        ("5-7", {"Fri", "Sat", "Sun"}),
    ],
)
def test_weekdays_are_counted_as_cron_counts_them(weekdays: str, expected: set[str]) -> None:
    when = trigger(SourceConfig("wiki", "folder", "/", schedule=f"0 4 * * {weekdays}"))
    now, found = datetime.now(UTC), set[str]()
    for _ in range(14):
        fires = when.get_next_fire_time(None, now)
        found.add(fires.strftime("%a"))
        now = fires + timedelta(minutes=1)
    assert found == expected
