"""What of a message is the question: the end of a long one, each of two in one message."""

import json

import pytest

from bot.answering import asking
from bot.slack.app import Bot
from tests.fake_slack import BOT_USER, FakeSlack
from tests.slack_parts import FakeServices, work_off

LOG = "2026-03-01 12:00:01 ERROR job=7 url=/a?b=1 connection refused\n" * 60


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("short, without any question", "short, without any question"),
        (
            f"{LOG}Who restarts the build server at night?",
            "Who restarts the build server at night?",
        ),
        (f"{LOG}\nhow do i restart the worker", "how do i restart the worker"),
        (
            f"Why is it slow? I tried this. {LOG} Who is on call? And where is the runbook?",
            "Who is on call? And where is the runbook?",
        ),
        (f"Who is on call today?\n{LOG}", "Who is on call today?"),
        # 300 to 800 characters of signs and digits are more than an encoder reads.
        (f"{LOG[:620]}what does job=7 mean?", "what does job=7 mean?"),
        (f"{LOG[:620]}Please help me with MQ-310", "Please help me with MQ-310"),
        (f"{LOG}the build server again, help please", "the build server again, help please"),
    ],
)
def test_the_question_of_a_long_message_is_read_wherever_it_stands(message: str, text: str) -> None:
    found = asking.read(message, 3000)
    assert found.text == text
    assert (found.note is None) == (message == text)


def test_a_long_message_without_a_question_is_read_from_its_beginning() -> None:
    note = "Your message is long: mostly its first 1,000 characters count."
    assert asking.read(LOG[:1500], 3000) == asking.Asked(LOG[:1500], note=note)
    assert asking.read("x" * 5000, 3000).note == "Only the first 3,000 characters were read."


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "How many days of holiday do I get? And how do I book a meeting room?",
            ("How many days of holiday do I get?", "how do I book a meeting room?"),
        ),
        (
            "When does the yard close? Who has the key?",
            ("When does the yard close?", "Who has the key?"),
        ),
        (
            "How late is it open and where do I park?",
            ("How late is it open", "where do I park?"),
        ),
        (
            "Who is the treasurer? When is the fair? What does it cost?",
            ("Who is the treasurer?", "When is the fair?"),
        ),
        ("How and where do I apply for leave?", None),
        ("Who approves access and how long does it last?", None),
        ("How many days of holiday do I get? And how do I request them?", None),
        ("Is the office open at night? Thanks!", None),
        ("Really? How do I book a meeting room?", None),
        ("What is at https://x.example/?a=b and who owns it?", None),
        ("talon", None),
        ("", None),
    ],
)
def test_two_questions_are_told_apart_where_each_stands_alone(
    question: str, parts: tuple[str, str] | None
) -> None:
    assert asking.two(question) == parts


def test_of_more_than_two_questions_it_is_said_that_two_were_read() -> None:
    three = "Who is the treasurer? When is the fair? What does parking cost?"
    assert asking.MORE in asking.notes(three, {asking.BOTH: 1.0}, 3000)
    two = "Who is the treasurer? When is the fair?"
    assert asking.MORE not in asking.notes(two, {asking.BOTH: 1.0}, 3000)


def test_the_end_of_a_long_message_is_answered_and_it_says_so(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.event(fake.say(f"<@{BOT_USER}> {LOG}\nWho restarts the build server at night?"))
    assert work_off(services, fake) == ["answered"]
    (asked,) = services.answerer.asked
    assert asked.text == "Who restarts the build server at night?"
    assert asked.earlier[-1].startswith("2026-03-01 12:00:01 ERROR job=7")
    assert "I read the last question of it." in json.dumps(fake.messages[0]["blocks"])
