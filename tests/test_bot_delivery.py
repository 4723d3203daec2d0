"""Delivery: one message whatever Slack or the process does in between."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from bot.intents import Intent, Intents
from bot.slack import clients
from bot.slack.clients import SlackRefused
from bot.slack.delivery import SlackDelivery
from store import answers, questions
from store.database import Database
from store.records import Answer, Ask, Question
from tests.fake_slack import TEAM, FakeSlack, Fault
from tests.slack_parts import answer_of

ASK = Ask(TEAM, "C1", "1700000000.000100", "U1", "How many days off?", "mention", False)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def deliver(fake: FakeSlack, database: Database, waits: list[float]) -> SlackDelivery:
    client = clients.web("xoxb-1", fake.api_url)
    return SlackDelivery(client, database, TEAM, sleep=waits.append)


def asked(database: Database, ask: Ask = ASK, **changes: Any) -> tuple[Question, Answer]:
    """A question with its recorded answer."""
    now = datetime.now(UTC)
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, now)
        assert question_id
        given = answer_of(**changes)
        answer = answers.record(connection, TEAM, question_id, given, None, None, now)
    return Question(question_id, ask, now, 1, None), answer


def place(database: Database, answer_id: UUID) -> tuple[str, str | None] | None:
    with database.connection() as connection:
        return answers.posted_at(connection, TEAM, answer_id)


def test_an_answer_is_posted_in_the_thread_with_its_ids(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    question, answer = asked(database)
    ts = deliver(question, answer, 1)
    (message,) = fake.messages
    assert message["thread_ts"] == ASK.message_ts
    assert message["text"] and message["blocks"]
    assert message["metadata"]["event_payload"] == {
        "question_id": str(question.question_id),
        "answer_id": str(answer.answer_id),
    }
    assert place(database, answer.answer_id) == ("C1", ts)
    assert fake.called("conversations.replies") == []


def test_after_a_crash_its_own_message_is_found_among_many(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    question, answer = asked(database)
    for number in range(5):
        fake.reply(
            "chat.postMessage", {"channel": "C1", "thread_ts": ASK.message_ts, "text": f"{number}"}
        )
    ts = deliver(question, answer, 1)
    with database.connection() as connection:
        connection.execute("UPDATE answers SET posted_ts = NULL, channel = NULL")
    assert deliver(question, answer, 2) == ts
    assert len(fake.messages) == 6
    assert place(database, answer.answer_id) == ("C1", ts)


def test_two_workers_with_one_question_post_once(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    question, answer = asked(database)
    threads = [threading.Thread(target=deliver, args=(question, answer, n)) for n in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fake.messages) == 1


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("happens", [True, False])
def test_a_server_error_leads_to_one_message(
    fake: FakeSlack, database: Database, deliver: SlackDelivery, status: int, happens: bool
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(status, happens=happens))
    deliver(question, answer, 1)
    assert len(fake.messages) == 1


def test_a_rate_limit_is_obeyed(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(429, "ratelimited", retry_after=1))
    started = time.monotonic()
    deliver(question, answer, 1)
    assert time.monotonic() - started >= 1
    assert len(fake.messages) == 1


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        ("not_in_channel", "/invite"),
        ("channel_not_found", "/invite"),
        ("is_archived", "archived"),
        ("missing_scope", "needed: chat:write|chat:write"),
        ("token_revoked", "install the app again"),
    ],
)
def test_a_refusal_names_the_cure(
    fake: FakeSlack, database: Database, deliver: SlackDelivery, error: str, cure: str
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(error=error))
    with pytest.raises(SlackRefused, match=cure):
        deliver(question, answer, 1)
    assert place(database, answer.answer_id) is None


def test_refused_blocks_are_replaced_by_simpler_ones(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(error="invalid_blocks"))
    deliver(question, answer, 1)
    assert fake.messages[0]["blocks"][-1]["type"] == "actions"
    question, answer = asked(database, replace(ASK, message_ts="1700000000.000200"))
    fake.fail("chat.postMessage", *[Fault(error="invalid_blocks")] * 2)
    deliver(question, answer, 1)
    assert not fake.messages[1].get("blocks") and "28 days" in fake.messages[1]["text"]


def test_a_channel_gets_one_message_a_second(
    fake: FakeSlack, database: Database, deliver: SlackDelivery, waits: list[float]
) -> None:
    deliver(*asked(database), 1)
    deliver(*asked(database, replace(ASK, message_ts="1700000000.000200")), 1)
    deliver(*asked(database, replace(ASK, channel="C2")), 1)
    assert len(waits) == 1 and 0.3 < waits[0] <= 1


def test_a_private_reply_goes_to_the_asker_alone_and_once(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    ask = replace(ASK, origin="command", is_private=True, respond_url=fake.response_url(1))
    question, answer = asked(database, ask)
    assert deliver(question, answer, 1) is None
    assert deliver(question, answer, 2) is None
    (call,) = fake.called("response_url")
    assert call.params["response_type"] == "ephemeral" and fake.messages == []


def test_an_expired_response_url_is_replaced_by_an_ephemeral(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    ask = replace(ASK, origin="command", is_private=True, respond_url=fake.response_url(1))
    fake.fail("response_url", Fault(404, "expired_url"))
    deliver(*asked(database, ask), 1)
    (call,) = fake.called("chat.postEphemeral")
    assert call.params["user"] == "U1"


def test_an_ignored_question_and_one_from_the_terminal_post_nothing(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    assert deliver(*asked(database, status="ignored"), 1) is None
    assert deliver(*asked(database, replace(ASK, channel="t", origin="terminal")), 1) is None
    assert fake.calls == []


def test_an_ignored_question_loses_its_status(
    fake: FakeSlack, database: Database, deliver: SlackDelivery
) -> None:
    question, answer = asked(database, status="ignored")
    with database.connection() as connection:
        questions.mark(connection, TEAM, question.question_id, "status")
    deliver(question, answer, 1)
    assert fake.called("assistant.threads.setStatus")[0].params["status"] == ""


def travel(to: str) -> Intents:
    return Intents.of((Intent("travel", "Travel", "route", ("t",), route_to=to),))


@pytest.mark.parametrize(
    ("to", "channel", "begins"),
    [("C0HELP", "C0HELP", "Travel: “x &lt;b&gt;”"), ("S0TEAM", "C1", "<!subteam^S0TEAM> Travel")],
)
def test_a_routed_question_is_passed_on_with_a_link(
    fake: FakeSlack, database: Database, to: str, channel: str, begins: str
) -> None:
    client = clients.web("xoxb-1", fake.api_url)
    deliver = SlackDelivery(client, database, TEAM, intents=lambda: travel(to))
    deliver(*asked(database, replace(ASK, body="x <b>"), status="routed", intent="travel"), 1)
    told, reply = fake.messages
    assert told["channel"] == channel and told["text"].startswith(begins)
    assert "<https://team.slack.example/" in told["text"]
    assert reply["thread_ts"] == ASK.message_ts


def test_what_was_asked_in_private_is_not_passed_on(fake: FakeSlack, database: Database) -> None:
    client = clients.web("xoxb-1", fake.api_url)
    deliver = SlackDelivery(client, database, TEAM, intents=lambda: travel("C0HELP"))
    ask = replace(ASK, channel="D1", origin="dm", is_private=True)
    deliver(*asked(database, ask, status="routed", intent="travel"), 1)
    (reply,) = fake.messages
    assert reply["channel"] == "D1" and "Please ask in <#C0HELP>." in reply["text"]
