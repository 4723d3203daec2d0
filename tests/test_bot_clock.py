"""The clock: only the leader schedules, and all it does is to defer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.processes.clock import Cron, Timetable, tick
from bot.services import Services
from bot.settings import Settings
from bot.slack import commands
from store import queue, recurring
from store.database import Connection, Database
from store.election import Candidate
from store.index import builds, documents, embedders, sources
from store.records import Document


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


def test_a_wrong_schedule_does_not_keep_an_audience_open(services: Services) -> None:
    file = services.settings.sources
    assert file
    with running(services):
        assert soon(lambda: bool(planned(services)))
        with services.database.connection() as connection:
            number = embedders.ensure_embedder(connection, "local", "tiny", 3)
            build = builds.choose(connection, "local", "wiki", number, "v1", datetime.now(UTC))
            page = Document("a.md", "1", b"", "A", None, None, ("*",), ())
            documents.replace(connection, "local", build, [page], [], datetime.now(UTC))
        write(file, "99 99 * * *")
        file.write_text(file.read_text() + 'audience = ["C0HR"]\n')
        assert soon(lambda: audiences(services) == [["C0HR"]])


def audiences(services: Services) -> list[list[str]]:
    with services.database.connection() as connection:
        return [row[0] for row in connection.execute("SELECT audience FROM scopes").fetchall()]


def test_a_trigger_only_defers_and_never_twice(services: Services) -> None:
    timetable = Timetable(services)
    timetable.refresh()
    timetable._defer_ingestion("wiki")
    timetable._defer_ingestion("wiki")
    timetable.end()
    with services.database.connection() as connection:
        assert queue.depths(connection) == [queue.Depth("work", 1, 0)]


def test_a_bad_schedule_stops_neither_the_other_sources_nor_the_nights(services: Services) -> None:
    file = services.settings.sources
    assert file is not None
    good = file.read_text()
    file.write_text(
        f'{good}[[source]]\nname = "notes"\naddress = "{file.parent}"\nschedule = "every day"\n'
    )
    timetable = Timetable(services)
    timetable.refresh()
    timetable.refresh()
    with services.database.connection() as connection:
        notes, wiki = sources.statuses(connection, services.workspace)
    planned_jobs = (
        {job.id for job in timetable._scheduler.get_jobs()} if timetable._scheduler else {}
    )
    timetable.end()
    assert planned_jobs == {"ingest:wiki", "learn", "retain", "gaps"}
    assert wiki.next_run and wiki.complaint is None and notes.next_run is None
    for said in (
        "sources.toml, line 8:",
        "'every day'",
        "'notes'",
        'such as "0 4 * * *", or "off"',
    ):
        assert said in (notes.complaint or "")
    assert "every day" in commands.state(notes, datetime.now(UTC))
    write(file, "0 4 * * *", name="notes")
    timetable.refresh()
    timetable.end()
    with services.database.connection() as connection:
        (notes,) = sources.statuses(connection, services.workspace)
    assert notes.complaint is None and notes.next_run


def test_what_was_due_while_nobody_kept_time_is_due_at_its_next_time() -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    nightly = Cron("0 4 * * *", UTC)
    assert nightly.get_next_fire_time(None, now) == datetime(2026, 3, 3, 4, tzinfo=UTC)
    last = datetime(2026, 2, 27, 4, tzinfo=UTC)
    assert nightly.get_next_fire_time(last, now) == datetime(2026, 2, 28, 4, tzinfo=UTC)


def waiting(services: Services) -> list[str]:
    with services.database.connection() as connection:
        rows = connection.execute(
            "SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY task_name"
        ).fetchall()
    return [row[0] for row in rows]


def sleep(services: Services, span: str) -> None:
    """Let time pass in which nobody kept it, and everything that waited be done."""
    with services.database.connection() as connection:
        connection.execute("DELETE FROM procrastinate_jobs")
        connection.execute("UPDATE recurring SET done_till = done_till - %s::interval", (span,))
        connection.execute("UPDATE sources SET next_run = next_run - %s::interval", (span,))


def look(services: Services) -> None:
    """Be a clock that takes over and looks once."""
    timetable = Timetable(services)
    timetable.refresh()
    timetable.refresh()
    timetable.end()


def test_a_first_start_has_missed_nothing(services: Services) -> None:
    look(services)
    assert waiting(services) == []


@pytest.mark.parametrize(("span", "weekly"), [("25 hours", None), ("9 days", ["gaps"])])
def test_what_was_missed_is_made_up_for_once(
    services: Services, span: str, weekly: list[str] | None
) -> None:
    look(services)
    sleep(services, span)
    look(services)
    found = waiting(services)
    if weekly is None:  # a day of the week may have gone by
        found = [name for name in found if name != "gaps"]
    assert found == [*(weekly or []), "ingest", "learn", "retain"]
    with services.database.connection() as connection:
        connection.execute("DELETE FROM procrastinate_jobs")
    look(services)
    assert waiting(services) == []


def test_two_clocks_at_once_defer_what_is_due_once(services: Services) -> None:
    """After a network split both may think that they lead."""
    look(services)
    sleep(services, "25 hours")
    with services.database.connection() as connection:
        since, _ = recurring.begin(connection, "learn")
        assert recurring.advance(connection, "learn", since)
        assert not recurring.advance(connection, "learn", since)


def test_when_the_leader_is_cut_off_the_other_clock_takes_over_and_nothing_is_deferred_twice(
    services: Services,
) -> None:
    look(services)
    sleep(services, "25 hours")
    with running(services), running(services):
        assert soon(lambda: {"ingest", "learn", "retain"} <= set(waiting(services)))
        with services.database.connection() as connection:
            before = leaders(connection)
            connection.execute("SELECT pg_terminate_backend(%s)", before)
        assert soon(lambda: now_leading(services) not in (None, before))
    found = waiting(services)
    assert sorted(set(found)) == found


def leaders(connection: Connection) -> tuple[int] | None:
    """Who holds an election's lock, as a process of the server."""
    return connection.execute(
        "SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.granted"
        " AND l.locktype = 'advisory' WHERE a.application_name = 'threadwise-election'"
        " AND a.datname = current_database()"
    ).fetchone()


def now_leading(services: Services) -> tuple[int] | None:
    with services.database.connection() as connection:
        return leaders(connection)


def test_nothing_is_due_before_its_time_whatever_this_machines_clock_shows(
    services: Services,
) -> None:
    """Its timer went off, an hour fast: by the time of the server nothing is due."""
    timetable = Timetable(services)
    timetable.refresh()
    with services.database.connection() as connection:
        connection.execute("UPDATE recurring SET done_till = now()")
    timetable._defer_due("learn")
    timetable._defer_due("retain")
    timetable.end()
    assert waiting(services) == []
