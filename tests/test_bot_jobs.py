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
from store.queue import Queue
from store.records import Ask
from tests.fake_slack import TEAM


class GivenUp(Exception):
    """Who asked does not wait."""


@pytest.fixture
def opened(bot: Bot, database: Database) -> Services:
    return Services(bot.edge.settings, database, None)


def ask(body: str) -> Ask:
    return Ask(TEAM, "C1", body, body, body, "mention", is_private=False)


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


def fetched(database: Database, queue: str, limit: int = 1000) -> list[str]:
    """What the questions of a queue's jobs say, in the order in which workers take them."""
    said = []
    with database.connection() as connection:
        while len(said) < limit:
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
        return said


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


def queue_up(database: Database, people: str) -> None:
    """Let people ask in this order; what they ask says who and how often before: a0 a1 b0."""
    jobs_queue = Queue(database.url)
    with database.connection() as connection:
        for person in people:
            row = connection.execute(
                "SELECT count(*) FROM questions WHERE person = %s", (person,)
            ).fetchone()
            assert row
            body = f"{person}{row[0]}"
            asked = Ask(TEAM, "C1", body, person, body, "mention", is_private=False)
            question_id = questions.claim(connection, asked, datetime.now(UTC))
            assert question_id
            jobs.defer_answer(connection, jobs_queue, TEAM, question_id)


def end(database: Database, *bodies: str) -> None:
    with database.connection() as connection:
        connection.execute(
            "UPDATE questions SET ended_at = now() WHERE body = ANY(%s)", (list(bodies),)
        )


@pytest.mark.parametrize(
    ("people", "order"),
    [
        ("aaaab", "a0 b0 a1 a2 a3"),
        ("abab", "a0 b0 a1 b1"),
        ("aaabbc", "a0 b0 c0 a1 b1 a2"),
        ("abcd", "a0 b0 c0 d0"),
    ],
)
def test_people_take_turns_however_many_one_of_them_asks(
    database: Database, people: str, order: str
) -> None:
    queue_up(database, people)
    assert fetched(database, jobs.QUESTIONS) == order.split()


def test_who_comes_later_goes_before_the_rest_of_a_crowd_but_overtakes_nobody_for_ever(
    database: Database,
) -> None:
    queue_up(database, "a" * 6)
    assert fetched(database, jobs.QUESTIONS, limit=3) == ["a0", "a1", "a2"]
    end(database, "a0", "a1")
    queue_up(database, "bca")
    assert fetched(database, jobs.QUESTIONS) == ["b0", "c0", "a3", "a4", "a5", "a6"]


def test_a_rescued_question_keeps_its_place(opened: Services, database: Database) -> None:
    queue_up(database, "aab")
    with database.connection() as connection:
        connection.execute("UPDATE questions SET claimed_at = now() - interval '1 minute'")
        connection.execute(
            "DELETE FROM procrastinate_jobs WHERE args ->> 'question_id' ="
            " (SELECT question_id::text FROM questions WHERE body = 'a1')"
        )
    queue_up(database, "b")
    assert rescue(opened) == 1
    assert fetched(database, jobs.QUESTIONS) == ["a0", "b0", "b1", "a1"]


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
