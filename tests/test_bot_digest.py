"""The weekly digest: what it says, with its numbers, once; charts where the workspace has them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bot import jobs
from bot.slack.app import Bot
from store import answers, gaps, questions
from store.database import Database
from store.feedback import votes
from store.gaps import Group, Member
from store.records import Ask, Vote
from tests import slack_parts
from tests.fake_slack import TEAM, FakeSlack, Fault
from tests.slack_parts import answer_of
from tests.slack_work import Worker

TODAY = datetime.now(UTC).date()


@pytest.fixture
def worker(fake: FakeSlack, database: Database, bot: Bot) -> Worker:
    return Worker(fake, database, admin_channel="CADMIN")


def asked(database: Database, status: Any, days: int, value: int = 0) -> None:
    """A question that ended so some days ago, and what somebody thought of it."""
    when = datetime.now(UTC) - timedelta(days=days)
    ask = Ask(TEAM, "C1", uuid4().hex, "U1", "Where do I park?", "mention", False)
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, when)
        assert question_id
        answer = answer_of(status)
        answers.record(connection, TEAM, question_id, answer, None, None, when)
        questions.end(connection, TEAM, question_id, status, now=when)
        if value:
            votes.cast(connection, TEAM, Vote(answer.answer_id, "U2", value, "button"), when)
        if status == "not_found":
            member = Member(question_id, True, False, 0.9)
            gaps.regroup(connection, TEAM, [Group(None, (member,), when)], when)


def digest(worker: Worker, until: date = TODAY) -> list[str]:
    """Send the digest; give how that ended."""
    with worker.services.database.connection() as connection:
        jobs.defer_notice(
            connection, worker.services.queue, TEAM, "digest", f"digest:{until}",
            {"until": until.isoformat()},
        )  # fmt: skip
    return worker.speak("digest")


def test_a_digest_counts_the_week_with_its_numbers_and_names_gaps(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    asked(database, "answered", 1, 1)
    asked(database, "answered", 2, -1)
    asked(database, "not_found", 3)
    asked(database, "answered", 9, 1)
    assert digest(worker) == ["said"]
    (message,) = fake.messages
    assert message["channel"] == "CADMIN"
    assert "3 asked: 2 answered (67%), 1 not found (33%)" in message["text"]
    assert "1 of 2 judged answers liked (50%)" in message["text"]
    assert "*1 gap* in the documents" in message["text"] and "Where do I park?" in message["text"]
    assert message["text"].endswith("100% of 1, 50% of 2")
    charts = [b for b in message["blocks"] if b["type"] == "data_visualization"]
    assert len(charts) == 2
    for chart in charts:
        names = chart["chart"]["axis_config"]["categories"]
        assert len(chart["title"]) <= 50 and len(names) == len(set(names)) == 8
        for series in chart["chart"]["series"]:
            assert [point["label"] for point in series["data"]] == names
            assert len(series["name"]) <= 20


def test_a_digest_comes_once_whatever_happens(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    asked(database, "answered", 1)
    fake.fail("chat.postMessage", Fault(503, happens=True))
    assert digest(worker) == ["later"]
    assert worker.speak("digest") == ["said"] == worker.speak("digest")
    assert len(fake.messages) == 1


def test_without_charts_the_same_is_said_in_words_and_they_are_not_tried_each_week(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    asked(database, "answered", 1)
    fake.unknown_blocks = {"data_visualization"}
    assert digest(worker) == ["said"]
    assert len(fake.called("chat.postMessage")) == 2
    assert [b["type"] for b in fake.messages[0]["blocks"]] == ["section"]
    digest(worker, TODAY + timedelta(days=1))
    assert len(fake.called("chat.postMessage")) == 3


def test_a_quiet_week_is_a_line(fake: FakeSlack, worker: Worker) -> None:
    assert digest(worker) == ["said"]
    assert "Nobody asked anything." in fake.messages[0]["text"]


def test_a_channel_that_others_read_along_gets_counts_alone(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    fake.channels["CADMIN"] = {"is_ext_shared": True}
    asked(database, "not_found", 1)
    digest(worker)
    assert "1 asked" in fake.messages[0]["text"] and "park" not in str(fake.messages[0])


def test_two_clocks_queue_one_digest_for_a_day(database: Database, worker: Worker) -> None:
    with database.connection() as connection:
        for _ in range(2):
            jobs.defer_digest(connection, worker.services.queue, TEAM)
    (job,) = slack_parts.jobs(database, "say")
    assert job["key"] == f"digest:{TODAY.isoformat()}"


def test_an_installation_without_an_admins_channel_sends_none(
    fake: FakeSlack, database: Database, bot: Bot, tmp_path: Path
) -> None:
    assert digest(Worker(fake, database)) == ["dropped"] and fake.messages == []
