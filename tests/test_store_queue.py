"""Jobs: deferred with the caller's transaction, counted, brought back, forgotten."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from store import queue
from store.database import Connection, Database


@pytest.fixture
def jobs(database_url: str) -> queue.Queue:
    return queue.Queue(database_url)


def defer(
    jobs: queue.Queue, connection: Connection, args: Mapping[str, object] | None = None
) -> int:
    job_id = jobs.defer(connection, "answer", args or {"question_id": "1"}, queue="questions")
    assert job_id is not None
    return job_id


def start(connection: Connection, seconds_ago: int = 60) -> int:
    """Let a worker that was last heard of so long ago take the next job."""
    row = connection.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat)"
        " VALUES (now() - make_interval(secs => %s)) RETURNING id",
        (seconds_ago,),
    ).fetchone()
    assert row is not None
    connection.execute("SELECT procrastinate_fetch_job_v2(NULL, %s)", (row[0],))
    return int(row[0])


def status(connection: Connection, job_id: int) -> str:
    row = connection.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", (job_id,))
    (found,) = row.fetchone() or ("gone",)
    return str(found)


def test_a_job_is_deferred_with_the_transaction_or_not_at_all(
    database: Database, jobs: queue.Queue
) -> None:
    with pytest.raises(ZeroDivisionError), database.connection() as connection:
        defer(jobs, connection)
        _ = 1 / 0
    with database.connection() as connection:
        assert queue.depths(connection) == []
        defer(jobs, connection)
    with database.connection() as connection:
        assert queue.depths(connection) == [queue.Depth("questions", 1, 0)]


def test_the_arguments_arrive_as_they_were_given(database: Database, jobs: queue.Queue) -> None:
    args = {"workspace": "T1", "full": True, "asked_by": None, "share": 0.5}
    with database.connection() as connection:
        defer(jobs, connection, args)
        start(connection)
        (job,) = queue.stalled(connection, 10)
    assert job.task == "answer" and job.queue == "questions" and dict(job.args) == args


def test_a_job_of_the_same_queueing_lock_is_not_queued_twice(
    database: Database, jobs: queue.Queue
) -> None:
    def ask(connection: Connection) -> int | None:
        return jobs.defer(
            connection, "ingest", {}, queue="work", lock="s", queueing_lock="ingest:s"
        )

    with database.connection() as connection:
        assert ask(connection) is not None
        assert ask(connection) is None
        assert queue.depths(connection) == [queue.Depth("work", 1, 0)]
        start(connection)
        assert ask(connection) is not None, "one that runs may have missed what changed since"
        assert queue.depths(connection) == [queue.Depth("work", 1, 1)]


def test_only_jobs_of_silent_workers_are_stalled(database: Database, jobs: queue.Queue) -> None:
    with database.connection() as connection:
        alive, silent, pruned = (defer(jobs, connection) for _ in range(3))
        start(connection, seconds_ago=1)
        start(connection, seconds_ago=60)
        worker = start(connection, seconds_ago=1)
        connection.execute("DELETE FROM procrastinate_workers WHERE id = %s", (worker,))
        assert [job.job_id for job in queue.stalled(connection, 10)] == [silent, pruned]
        assert status(connection, alive) == "doing"
        assert queue.workers(connection, 10) == 1


def test_a_stalled_job_runs_again_and_its_attempts_count(
    database: Database, jobs: queue.Queue
) -> None:
    with database.connection() as connection:
        job_id = defer(jobs, connection)
        start(connection)
        assert queue.retry(connection, job_id)
        assert status(connection, job_id) == "todo"
        start(connection)
        (job,) = queue.stalled(connection, 10)
        assert job.attempts == 1


def test_a_stalled_job_is_dropped_when_one_like_it_waits(
    database: Database, jobs: queue.Queue
) -> None:
    with database.connection() as connection:
        first = jobs.defer(connection, "ingest", {}, queue="work", queueing_lock="ingest:s")
        start(connection)
        second = jobs.defer(connection, "ingest", {}, queue="work", queueing_lock="ingest:s")
        assert first is not None and second is not None
        assert not queue.retry(connection, first)
        assert status(connection, first) == "failed" and status(connection, second) == "todo"


def test_a_failed_job_frees_its_lock(database: Database, jobs: queue.Queue) -> None:
    with database.connection() as connection:
        first = jobs.defer(connection, "ingest", {}, queue="work", lock="s")
        jobs.defer(connection, "ingest", {}, queue="work", lock="s")
        start(connection)
        start(connection)
        assert queue.depths(connection) == [queue.Depth("work", 1, 1)]
        assert first is not None
        queue.fail(connection, first)
        start(connection)
        assert queue.depths(connection) == [queue.Depth("work", 0, 1)]


def test_held_names_the_questions_that_a_job_waits_or_runs_for(
    database: Database, jobs: queue.Queue
) -> None:
    with database.connection() as connection:
        ended = defer(jobs, connection, {"question_id": "ended"})
        start(connection)
        queue.fail(connection, ended)
        defer(jobs, connection, {"question_id": "runs"})
        start(connection)
        defer(jobs, connection, {"question_id": "waits"})
        assert queue.held(connection, "answer", "question_id") == {"runs", "waits"}


def test_only_jobs_that_ended_long_ago_are_forgotten(database: Database, jobs: queue.Queue) -> None:
    with database.connection() as connection:
        old, fresh = defer(jobs, connection), defer(jobs, connection)
        for job_id in (old, fresh):
            start(connection)
            queue.fail(connection, job_id)
        waiting = defer(jobs, connection)
        connection.execute(
            "UPDATE procrastinate_events SET at = at - interval '9 days' WHERE job_id <> %s",
            (fresh,),
        )
        assert queue.forget(connection, datetime.now(UTC) - timedelta(days=7)) == 1
        assert status(connection, old) == "gone"
        assert status(connection, fresh) == "failed" and status(connection, waiting) == "todo"
