"""Two net dislikes take a kept reply out of service, whichever way they come; the admins are told once."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from bot.slack.app import Bot
from store import answers, people, questions
from store.database import Connection, Database
from store.feedback import faqs, votes
from store.feedback.faqs import Reply
from store.index import embedders
from store.records import Ask, Vote
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack, Fault
from tests.slack_parts import FakeServices, answer_of, work_off

CHANNEL = "CADMIN"


@pytest.fixture
def bot(fake: FakeSlack, database: Database) -> Iterator[Bot]:
    """A bot that knows an expert and the admins' channel."""
    settings = slack_parts.settings_for(
        fake, database.url, experts=("U8",), admin_channel=CHANNEL, expert_emoji="white_check_mark"
    )
    with slack_parts.served(fake, settings, database) as bot:
        yield bot


def kept_reply(database: Database) -> UUID:
    """Keep a reply that an admin approved."""
    ask, now = Ask(TEAM, "C1", "1.1", "U1", "who orders milk", "mention", False), datetime.now(UTC)
    with database.connection() as connection:
        number = embedders.ensure_embedder(connection, TEAM, "tiny", 3)
        question_id = questions.claim(connection, ask, now)
        assert question_id
        answers.record(connection, TEAM, question_id, answer_of(), [1.0, 0, 0], number, now)
        kept = faqs.keep(
            connection, TEAM, Reply("C1", "1.1", "1.2", "U7", "Ana", "Ana.", None, True), now
        )
        assert kept and faqs.decide(connection, TEAM, kept.faq_id, "UBOSS", now, approve=True)
    return kept.faq_id


def served(fake: FakeSlack, database: Database, faq_id: UUID) -> dict[str, Any]:
    """Post an answer that was the kept reply; give the message."""
    assert fake.event(fake.say(f"<@{BOT_USER}> who orders the milk?")).ok
    work_off(FakeServices(slack_parts.settings_for(fake, database.url), database), fake)
    with database.connection() as connection:
        connection.execute(
            "UPDATE answers SET versions = jsonb_build_object('faq', %s::text) WHERE answer_id = %s",
            (str(faq_id), fake.messages[-1]["metadata"]["event_payload"]["answer_id"]),
        )
    return fake.messages[-1]


def is_served(database: Database) -> bool:
    with database.connection() as connection:
        row = connection.execute("SELECT flagged_at FROM faqs").fetchone()
    assert row
    return row[0] is None


def told(fake: FakeSlack) -> list[str]:
    """What the admins were told about dislikes."""
    posted = [call.params for call in fake.called("chat.postMessage")]
    return [p["text"] for p in posted if p["channel"] == CHANNEL and "dislike" in p["text"]]


def press(fake: FakeSlack, message: dict[str, Any], user: str, *, up: bool = False) -> None:
    answer_id = message["metadata"]["event_payload"]["answer_id"]
    value = f"{'up' if up else 'down'}:{answer_id}"
    fake.action({"type": "feedback_buttons", "action_id": "feedback", "value": value}, user=user)


def thumb(fake: FakeSlack, message: dict[str, Any], user: str) -> None:
    fake.react("-1", message["ts"], user=user)


def reason(fake: FakeSlack, message: dict[str, Any], user: str) -> None:
    value = message["metadata"]["event_payload"]["answer_id"]
    fake.action({"type": "button", "action_id": "reason:outdated", "value": value}, user=user)


def words(fake: FakeSlack, message: dict[str, Any], user: str) -> None:
    view = {
        "callback_id": "reason_other",
        "private_metadata": message["metadata"]["event_payload"]["answer_id"],
    }
    said = {"reason": {"detail": {"type": "plain_text_input", "value": "no"}}}
    fake.submit({"type": "modal", **view}, said, user=user)


def flipped(fake: FakeSlack, message: dict[str, Any], user: str) -> None:
    press(fake, message, user, up=True)
    press(fake, message, user)


Way = Callable[[FakeSlack, dict[str, Any], str], None]


@pytest.mark.parametrize("way", [press, thumb, reason, words, flipped])
def test_a_second_persons_dislike_ends_the_service_and_the_admins_hear_it_once(
    fake: FakeSlack, database: Database, bot: Bot, way: Way
) -> None:
    message = served(fake, database, kept_reply(database))
    way(fake, message, "U2")
    way(fake, message, "U2")
    slack_parts.errands_done(bot)
    assert is_served(database) and told(fake) == []
    way(fake, message, "U3")
    slack_parts.errands_done(bot)
    assert not is_served(database)
    way(fake, message, "U4")
    slack_parts.errands_done(bot)
    assert len(told(fake)) == 1


@pytest.mark.parametrize("sign", ["+1", "white_check_mark"])
def test_a_like_that_is_taken_back_lets_two_dislikes_count(
    fake: FakeSlack, database: Database, bot: Bot, sign: str
) -> None:
    message = served(fake, database, kept_reply(database))
    fake.react(sign, message["ts"], user="U8")
    thumb(fake, message, "U2")
    reason(fake, message, "U3")
    slack_parts.errands_done(bot)
    assert is_served(database)
    fake.react(sign, message["ts"], user="U8", added=False)
    slack_parts.errands_done(bot)
    assert not is_served(database)
    assert len(told(fake)) == 1


def test_programs_dislikes_end_no_service(fake: FakeSlack, database: Database, bot: Bot) -> None:
    fake.people["UROBOT"] = {"is_bot": True}
    message = served(fake, database, kept_reply(database))
    thumb(fake, message, "U2")
    thumb(fake, message, "UROBOT")
    slack_parts.errands_done(bot)
    assert is_served(database)


def test_a_programs_dislike_that_is_not_dropped_yet_ends_no_service(
    fake: FakeSlack, database: Database, bot: Bot
) -> None:
    fake.people["UROBOT"] = {"is_bot": True}
    message = served(fake, database, kept_reply(database))
    answer_id = UUID(message["metadata"]["event_payload"]["answer_id"])
    with database.connection() as connection:
        votes.cast(connection, TEAM, Vote(answer_id, "UROBOT", -1, "reaction"), datetime.now(UTC))
    thumb(fake, message, "U2")
    slack_parts.errands_done(bot)
    assert is_served(database)


def test_a_slack_that_takes_no_question_why_keeps_no_disliked_reply_in_service(
    fake: FakeSlack, database: Database, bot: Bot
) -> None:
    message = served(fake, database, kept_reply(database))
    fake.fail("chat.postEphemeral", *[Fault(error="user_not_in_channel")] * 2)
    thumb(fake, message, "U2")
    thumb(fake, message, "U3")
    slack_parts.errands_done(bot)
    assert not is_served(database)


def test_admins_are_told_although_slack_limits_the_first_try(
    fake: FakeSlack, database: Database, bot: Bot
) -> None:
    message = served(fake, database, kept_reply(database))
    press(fake, message, "U2")
    slack_parts.errands_done(bot)
    fake.fail("chat.postMessage", Fault(error="internal_error"))
    press(fake, message, "U3")
    fake.wait_for(lambda: any(m["channel"] == CHANNEL for m in fake.messages))
    assert not is_served(database)


def vote_on(database: Database, faq_id: UUID, number: int) -> UUID:
    """Record an answer that was the kept reply; give its id."""
    now = datetime.now(UTC)
    ask = Ask(TEAM, "C1", f"2.{number}", "U1", "who orders milk", "mention", False)
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, now)
        assert question_id
        answer = answer_of(answer_id=uuid4(), versions={"faq": str(faq_id)})
        answers.record(connection, TEAM, question_id, answer, None, None, now)
    return answer.answer_id


def test_of_two_dislikes_at_the_same_time_one_ends_the_service(database: Database) -> None:
    """Each transaction sees its own vote alone: without waiting, none would count two."""
    faq_id, now = kept_reply(database), datetime.now(UTC)
    one, other = (vote_on(database, faq_id, number) for number in range(2))

    def dislike(connection: Connection, answer_id: UUID, person: str) -> bool:
        votes.cast(connection, TEAM, Vote(answer_id, person, -1, "terminal"), now)
        return faqs.flag_disliked(connection, TEAM, answer_id, now) is not None

    def second() -> bool:
        with database.connection() as connection:
            return dislike(connection, other, "U3")

    with ThreadPoolExecutor(1) as pool, psycopg.connect(database.url) as first:
        assert not dislike(first, one, "U2")
        later = pool.submit(second)
        waited_for(database, first.info.backend_pid, later)
        first.commit()
        assert later.result()


def waited_for(database: Database, pid: int, later: "Future[bool]") -> None:
    """Return once another session waits for the one with this process id, or did not wait at all."""
    while not later.done():
        with database.connection() as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", (pid,)
            ).fetchone()
        if found:
            return


def test_a_night_ends_the_service_where_a_like_was_erased_with_its_person(
    database: Database,
) -> None:
    faq_id, now = kept_reply(database), datetime.now(UTC)
    answer_id = vote_on(database, faq_id, 1)
    with database.connection() as connection:
        for person, value in (("U2", -1), ("U3", -1), ("U4", 1)):
            votes.cast(connection, TEAM, Vote(answer_id, person, value, "button"), now)
        assert faqs.flag_all_disliked(connection, TEAM, now) == []
        people.forget(connection, TEAM, "U4")
        assert [one.faq_id for one in faqs.flag_all_disliked(connection, TEAM, now)] == [faq_id]
        assert faqs.flag_all_disliked(connection, TEAM, now) == []
