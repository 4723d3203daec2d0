"""Slack is away for seconds or for most of an hour: every answer arrives, once. Time is passed by hand."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from bot import jobs
from bot.processes import tasks
from bot.processes.rescue import rescue
from bot.processes.tasks import WorkerContext
from bot.runtime.metrics import Metrics
from bot.runtime.throttle import Throttle
from bot.services import Services
from bot.slack import clients
from bot.slack.audience import Audience
from bot.slack.delivery import SlackDelivery
from store import questions
from store.database import Database
from store.queue import Queue
from store.records import Ask
from tests.fake_slack import TEAM, FakeSlack, Fault
from tests.slack_parts import FakeAnswerer, settings_for

FAULTS = (
    Fault(503),
    Fault(500, happens=True),
    Fault(429, "ratelimited", retry_after=3),
    Fault(200, "fatal_error"),
    Fault(502, happens=True),
)
"""What an unwell Slack answers, one after the other; some of it takes effect all the same."""


@pytest.fixture
def context(fake: FakeSlack, database: Database, tmp_path: Path) -> WorkerContext:
    settings = settings_for(fake, database.url, home=tmp_path)
    services = Services(settings, database, None, answer=FakeAnswerer().answer)
    client = clients.web("xoxb-1", fake.api_url)
    # At each look a minute has passed: what could not be looked up is not remembered for long.
    audience = Audience(client, TEAM, clock=itertools.count(0.0, 60.0).__next__)
    return WorkerContext(
        services=services,
        throttle=Throttle(),
        metrics=Metrics(database),
        bulk=ThreadPoolExecutor(1),
        delivery=SlackDelivery(client, database, TEAM, audience=audience),
        tell=lambda _: None,
        announce=lambda _: None,
        ready=lambda: None,
    )


def ask(database: Database, number: int, channels: int) -> None:
    channel, ts = f"C{number % channels}", f"1700000000.{number:06}"
    asked = Ask(TEAM, channel, ts, f"U{number}", "How many days off?", "mention", False)
    with database.connection() as connection:
        question_id = questions.claim(connection, asked, datetime.now(UTC))
        assert question_id
        jobs.defer_answer(connection, Queue(database.url), TEAM, question_id)


def pass_time(database: Database) -> float:
    """Let time pass until the next job is due; gives the seconds."""
    with database.connection() as connection:
        row = connection.execute(
            "SELECT greatest(extract(epoch FROM min(coalesce(scheduled_at, now())) - now())::float8, 0)"
            " FROM procrastinate_jobs WHERE status = 'todo'"
        ).fetchone()
        assert row
        for column in (
            "procrastinate_jobs.scheduled_at",
            "answers.posting_at",
            "channel_turns.next_at",
        ):
            table, name = column.split(".")
            connection.execute(
                f"UPDATE {table} SET {name} = {name} - make_interval(secs => %s)", (row[0],)
            )
    return float(row[0])


def work(context: WorkerContext) -> int:
    """Do every job that is due, as a worker does; gives how many."""
    done = 0
    while True:
        with context.services.database.connection() as connection:
            row = connection.execute(
                "SELECT (job).id, (job).task_name, (job).args FROM (SELECT"
                " procrastinate_fetch_job_v2(NULL, procrastinate_register_worker_v1()) AS job) f"
            ).fetchone()
        if row is None or row[0] is None:
            return done
        job_id, task, args = row
        args["question_id"] = UUID(args["question_id"])
        (tasks.answer if task == jobs.ANSWER else tasks.deliver)(context, **args)
        with context.services.database.connection() as connection:
            connection.execute(
                "SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", (job_id,)
            )
        done += 1


def outlast(context: WorkerContext, fake: FakeSlack, seconds: float) -> float:
    """Work until nothing waits, with Slack away for so long; gives how late the last answer was."""
    database, clock = context.services.database, 0.0
    fake.away = itertools.cycle(FAULTS)
    while work(context) or clock < seconds:
        with database.connection() as connection:
            row = connection.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
            ).fetchone()
        if row == (0,):
            break
        clock += pass_time(database)
        if clock >= seconds:
            fake.away = itertools.repeat(None)
    return clock


@pytest.mark.parametrize(
    ("minutes", "asked", "channels"), [(1 / 3, 30, 30), (5, 15, 1), (50, 6, 3)]
)
def test_every_answer_arrives_once_however_long_slack_was_away(
    context: WorkerContext,
    fake: FakeSlack,
    database: Database,
    minutes: float,
    asked: int,
    channels: int,
) -> None:
    for number in range(asked):
        ask(database, number, channels)
    late = outlast(context, fake, minutes * 60)
    answered = sorted(str(message["thread_ts"]) for message in fake.messages)
    assert answered == [f"1700000000.{number:06}" for number in range(asked)]
    assert late <= minutes * 60 + 240
    with database.connection() as connection:
        row = connection.execute("SELECT DISTINCT status, error FROM questions").fetchall()
    assert row == [("answered", None)]


def test_a_worker_that_dies_at_any_point_of_a_delivery_still_posts_once(
    context: WorkerContext, fake: FakeSlack, database: Database
) -> None:
    """After the put-off is queued and before the old job ends: the rescued one finds its successor."""
    ask(database, 1, 1)
    fake.fail("chat.postMessage", Fault(500, happens=True))
    assert work(context) == 2
    with database.connection() as connection:
        connection.execute(
            "UPDATE procrastinate_jobs SET status = 'doing'"
            " WHERE status = 'succeeded' AND task_name = 'deliver'"
        )
    rescue(context.services)
    pass_time(database)
    work(context)
    assert len(fake.messages) == 1
