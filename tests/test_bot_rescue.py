"""What a killed process left behind is found and queued again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from bot import jobs
from bot.processes.rescue import rescue
from bot.services import Services
from bot.settings import Settings
from store import election, questions, queue
from store.database import Database
from store.records import Ask


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    return Services(Settings(_env_file=None, home=tmp_path), database, None)  # type: ignore[call-arg]


def claim(services: Services, ago: timedelta = timedelta(minutes=1)) -> UUID:
    ask = Ask("local", "C1", "1.0", "U1", "Where?", "mention", is_private=False)
    with services.database.connection() as connection:
        question_id = questions.claim(connection, ask, datetime.now(UTC) - ago)
    assert question_id is not None
    return question_id


def defer(services: Services, task: str, name: str, args: dict[str, object]) -> None:
    with services.database.connection() as connection:
        services.queue.defer(connection, task, args, queue=name, lock="one")


def take_and_die(services: Services) -> None:
    """Be a worker that took the next job a minute ago and was not heard of since."""
    with services.database.connection() as connection:
        connection.execute(
            "SELECT procrastinate_fetch_job_v2(NULL, worker_id)"
            " FROM procrastinate_register_worker_v1()"
        )
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1m'"
        )


def depths(services: Services) -> list[queue.Depth]:
    with services.database.connection() as connection:
        return queue.depths(connection)


def test_a_question_of_a_dead_worker_is_queued_again(services: Services) -> None:
    question_id = claim(services)
    defer(services, "answer", jobs.QUESTIONS, {"question_id": str(question_id)})
    take_and_die(services)
    assert rescue(services) == 1
    assert depths(services) == [queue.Depth("questions", 1, 0)]
    assert rescue(services) == 0


def test_a_question_whose_job_vanished_gets_a_new_one(services: Services) -> None:
    claim(services)
    assert rescue(services) == 1
    assert depths(services) == [queue.Depth("questions", 1, 0)]
    assert rescue(services) == 0


def test_a_question_that_was_claimed_just_now_is_left_alone(services: Services) -> None:
    claim(services, ago=timedelta(seconds=1))
    assert rescue(services) == 0


def test_an_ended_question_stays_ended(services: Services) -> None:
    question_id = claim(services)
    with services.database.connection() as connection:
        questions.end(connection, "local", question_id, "answered", now=datetime.now(UTC))
    assert rescue(services) == 0


def test_long_work_that_takes_its_worker_down_each_time_is_given_up_and_frees_its_lock(
    services: Services,
) -> None:
    defer(services, "ingest", jobs.WORK, {"source": "wiki"})
    for _ in range(3):
        take_and_die(services)
        assert rescue(services) == 1
    assert depths(services) == []
    defer(services, "ingest", jobs.WORK, {"source": "wiki"})
    take_and_die(services)
    assert depths(services) == [queue.Depth("work", 0, 1)]


def test_two_workers_do_not_rescue_at_once(services: Services) -> None:
    claim(services)
    with services.database.connection() as connection:
        assert election.alone(connection, "threadwise-rescue")
        assert rescue(services) == 0
    assert rescue(services) == 1
