"""What the tasks do: ingestion that is interrupted goes on, questions are tried again, jobs forgotten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from procrastinate.jobs import Job
from procrastinate.testing import InMemoryConnector

from bot.learning.training import TrainingTrigger
from bot.processes import tasks
from bot.processes.tasks import Backoff, WorkerContext
from bot.runtime.metrics import Metrics
from bot.runtime.throttle import Stopping, Throttle
from bot.services import Services
from bot.settings import Settings
from store import queue
from store.database import Database
from store.index import runs
from store.records import Run
from tests.fakes import HashEmbedder, Nowhere


@pytest.fixture
def told() -> list[Run]:
    return []


@pytest.fixture
def context(database: Database, tmp_path: Path, told: list[Run]) -> WorkerContext:
    (tmp_path / "wiki").mkdir()
    (tmp_path / "wiki" / "page.md").write_text("# Page\n\nSome words.\n")
    (tmp_path / "sources.toml").write_text('[[source]]\nname = "wiki"\naddress = "wiki"\n')
    values = {
        "home": tmp_path / "home",
        "sources": tmp_path / "sources.toml",
        "intents": tmp_path / "intents.toml",
        "database_url": database.url,
    }
    settings = Settings(_env_file=None, **values)  # type: ignore[call-arg, arg-type]
    services = Services(settings, database, None, embedder=HashEmbedder())
    return WorkerContext(
        services=services,
        throttle=Throttle(),
        metrics=Metrics(database),
        bulk=ThreadPoolExecutor(1),
        delivery=Nowhere(),
        tell=told.append,
        announce=lambda _: None,
        ready=lambda: None,
    )


def waiting(context: WorkerContext) -> list[queue.Depth]:
    with context.services.database.connection() as connection:
        return queue.depths(connection)


def last_run(context: WorkerContext) -> Run:
    with context.services.database.connection() as connection:
        return runs.last(connection, "local", "wiki")[0]


def test_a_run_ends_done_and_who_asked_for_it_is_told(
    context: WorkerContext, told: list[Run]
) -> None:
    assert tasks.ingest(context, "wiki", asked_by="U1") == "done"
    assert [(run.source, run.asked_by, run.changed) for run in told] == [("wiki", "U1", 1)]


def test_a_run_that_a_stopping_worker_interrupts_goes_on_as_a_new_job(
    context: WorkerContext,
) -> None:
    context.throttle.stop()
    assert tasks.ingest(context, "wiki", asked_by="U1") == "interrupted"
    assert waiting(context) == [queue.Depth("work", 1, 0)]
    assert last_run(context).state == "failed"


def test_what_is_interrupted_again_and_again_is_left_to_the_schedule(
    context: WorkerContext,
) -> None:
    context.throttle.stop()
    with pytest.raises(Stopping):
        tasks.ingest(context, "wiki", resumed=tasks.MAX_RESUMES)
    assert waiting(context) == []


def test_a_source_that_somebody_else_reads_is_left_to_them(
    context: WorkerContext, database: Database
) -> None:
    with runs.only_one(database, "local", "wiki"):
        assert tasks.ingest(context, "wiki") == "busy"


def test_a_night_that_a_stopping_worker_ends_is_held_again_later(context: WorkerContext) -> None:
    context.throttle.stop()
    assert tasks.learn(context) == {"state": "interrupted"}
    assert waiting(context) == [queue.Depth("work", 1, 0)]


def test_a_training_that_a_stopping_worker_ends_stays_due(
    context: WorkerContext, tmp_path: Path
) -> None:
    (tmp_path / "intents.toml").write_text(
        '[[intent]]\nname = "leave"\naction = "answer"\nexamples = ["days off", "book leave"]\n'
    )
    context.throttle.stop()
    assert tasks.train(context) == "interrupted"
    assert TrainingTrigger(context.services).offer()


def test_without_new_examples_nothing_is_trained(context: WorkerContext) -> None:
    assert tasks.train(context) == "known"


def test_only_jobs_that_ended_long_ago_are_forgotten(context: WorkerContext) -> None:
    with context.services.database.connection() as connection:
        for _ in range(2):
            job_id = context.services.queue.defer(connection, "answer", {}, queue="questions")
            assert job_id is not None
            queue.fail(connection, job_id)
        connection.execute(
            "UPDATE procrastinate_events SET at = at - interval '8 days' WHERE job_id = %s",
            (job_id,),
        )
    assert tasks.retain(context) == 1


def test_the_pauses_between_tries_grow_and_come_to_an_end() -> None:
    def pause(attempts: int) -> float | None:
        job = Job(queue="q", lock=None, queueing_lock=None, task_name="answer", attempts=attempts)
        decision = Backoff().get_retry_decision(exception=OSError(), job=job)
        if decision is None or decision.retry_at is None:
            return None
        return round((decision.retry_at - datetime.now(UTC)).total_seconds())

    pauses = [pause(attempts) for attempts in range(tasks.MAX_TRIES)]
    assert pauses == [1, 2, 4, 8, 16, None]


def test_a_job_of_a_newer_threadwise_is_done_and_what_is_unknown_of_it_is_said(
    context: WorkerContext, caplog: pytest.LogCaptureFixture
) -> None:
    app = tasks.build(context, InMemoryConnector())
    for name in ("answer", "deliver"):
        given = {"workspace": "T1", "question_id": str(uuid4()), "colour": "blue"}
        assert app.tasks[name].func(**given) == "unknown"
        assert f"newer_job task={name} ignored=colour" in caplog.text
