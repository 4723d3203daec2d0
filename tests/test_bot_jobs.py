"""The door to the queue: who waits behind whom, and what is queued only once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bot import jobs
from bot.processes.rescue import rescue
from bot.services import Services
from bot.slack.app import Bot
from bot.terminal.chat import Conversation
from store import questions
from store.database import Database
from store.records import Ask
from tests.fake_slack import TEAM


class GivenUp(Exception):
    """Who asked does not wait."""


@pytest.fixture
def opened(bot: Bot, database: Database) -> Services:
    return Services(bot.edge.settings, database, None)


def ask(body: str) -> Ask:
    return Ask(TEAM, "C1", body, "U1", body, "mention", is_private=False)


def mention(bot: Bot, body: str) -> None:
    """Ask in Slack."""
    with bot.edge.database.connection() as connection:
        bot.edge.claim(connection, ask(body))


def type_in(services: Services, body: str) -> None:
    """Ask in the terminal of `threadwise up`."""

    def give_up() -> None:
        raise GivenUp

    with pytest.raises(GivenUp):
        Conversation.through_queue(services, give_up).ask(body)


def lose_and_rescue(services: Services, body: str) -> None:
    """Claim a question whose job vanished, and have it found."""
    with services.database.connection() as connection:
        questions.claim(connection, ask(body), datetime.now(UTC) - timedelta(minutes=1))
    assert rescue(services) == 1


def fetched(database: Database, queue: str) -> list[str]:
    """What the questions of a queue's jobs say, in the order in which workers take them."""
    said = []
    with database.connection() as connection:
        while True:
            row = connection.execute(
                "SELECT (procrastinate_fetch_job_v2(ARRAY[%s::text], worker_id)).args"
                " FROM procrastinate_register_worker_v1()",
                (queue,),
            ).fetchone()
            if row is None or row[0] is None:
                return said
            question = questions.get(connection, TEAM, UUID(row[0]["question_id"]))
            assert question is not None
            said.append(question.ask.body)


@pytest.mark.parametrize("newest", ["Slack", "terminal", "rescued"])
def test_an_older_question_goes_first_however_it_came_into_the_queue(
    bot: Bot, opened: Services, database: Database, newest: str
) -> None:
    ways = {
        "rescued": lambda: lose_and_rescue(opened, "rescued"),
        "terminal": lambda: type_in(opened, "terminal"),
        "Slack": lambda: mention(bot, "Slack"),
    }
    order = [*(way for way in ways if way != newest), newest]
    for way in order:
        ways[way]()
    assert fetched(database, jobs.QUESTIONS) == order


def test_a_source_waits_once_and_another_beside_it(opened: Services, database: Database) -> None:
    def defer(source: str, workspace: str = TEAM) -> bool:
        with database.connection() as connection:
            return jobs.defer_ingest(connection, opened.queue, workspace, source)

    assert [defer("wiki"), defer("wiki"), defer("hr"), defer("wiki", "T2")] == [
        True,
        False,
        True,
        True,
    ]


def test_what_the_clock_defers_waits_once(opened: Services, database: Database) -> None:
    for defer in (jobs.defer_learn, jobs.defer_retain, jobs.defer_training):
        with database.connection() as connection:
            assert [defer(connection, opened.queue) for _ in range(2)] == [True, False]
