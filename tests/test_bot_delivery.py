"""Delivery: one message whatever Slack or the process does in between."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from bot.answering.lifecycle import NotYet
from bot.intents import Intent, Intents
from bot.slack import clients
from bot.slack.clients import SlackRefused
from bot.slack.delivery import SlackDelivery
from bot.slack.newer import REFUSED_SECONDS, NewerBlocks
from store import answers, questions
from store.database import Database
from store.feedback import faqs
from store.feedback.faqs import Reply
from store.records import Answer, Ask, Question
from tests.fake_slack import TEAM, FakeSlack, Fault
from tests.slack_parts import answer_of

ASK = Ask(TEAM, "C1", "1700000000.000100", "U1", "How many days off?", "mention", False)


@pytest.fixture
def delivery(fake: FakeSlack, database: Database) -> SlackDelivery:
    return SlackDelivery(clients.web("xoxb-1", fake.api_url), database, TEAM)


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
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    question, answer = asked(database)
    ts = delivery.show(question, answer)
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
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    question, answer = asked(database)
    for number in range(5):
        fake.reply(
            "chat.postMessage", {"channel": "C1", "thread_ts": ASK.message_ts, "text": f"{number}"}
        )
    ts = delivery.show(question, answer)
    with database.connection() as connection:
        connection.execute(
            "UPDATE answers SET posted_ts = NULL, channel = NULL, posting_at = '-infinity'"
        )
    assert delivery.show(question, answer) == ts
    assert len(fake.messages) == 6
    assert place(database, answer.answer_id) == ("C1", ts)


def shown(delivery: SlackDelivery, question: Question, answer: Answer) -> str | None:
    """Show an answer as often as it takes."""
    while True:
        try:
            return delivery.show(question, answer)
        except NotYet:
            continue


def test_two_workers_with_one_question_post_once(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    question, answer = asked(database)
    with ThreadPoolExecutor(3) as workers:
        said = [workers.submit(shown, delivery, question, answer) for _ in range(3)]
        assert len({each.result() for each in said}) == 1
    assert len(fake.messages) == 1


def test_a_worker_that_died_while_posting_is_waited_for_and_then_looked_after(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    question, answer = asked(database)
    with database.connection() as connection:
        answers.begin_posting(connection, TEAM, answer.answer_id, 0.0)
    with pytest.raises(NotYet, match="under way") as put_off:
        delivery.show(question, answer)
    assert not put_off.value.is_failure and fake.calls == []
    with database.connection() as connection:
        connection.execute("UPDATE answers SET posting_at = now() - interval '1 minute'")
    delivery.show(question, answer)
    methods = [call.method for call in fake.calls if not call.method.endswith(".info")]
    assert methods == ["conversations.replies", "chat.postMessage"]


@pytest.mark.parametrize("status", [200, 500, 503])
@pytest.mark.parametrize("happens", [True, False])
def test_a_server_error_leads_to_one_message(
    fake: FakeSlack, database: Database, delivery: SlackDelivery, status: int, happens: bool
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(status, happens=happens))
    with pytest.raises(NotYet, match="internal_error"):
        delivery.show(question, answer)
    delivery.show(question, answer)
    assert len(fake.messages) == 1


def test_a_rate_limit_is_not_waited_for_but_told(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(429, "ratelimited", retry_after=30))
    with pytest.raises(NotYet) as put_off:
        delivery.show(question, answer)
    assert put_off.value.after == 30
    delivery.show(question, answer)
    assert len(fake.messages) == 1
    assert fake.called("conversations.replies") == []


def test_while_slack_does_not_let_us_look_nothing_is_posted_twice(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(500, happens=True))
    fake.fail("conversations.replies", Fault(429, "ratelimited", retry_after=7), Fault(503))
    for _ in range(3):
        with pytest.raises(NotYet):
            delivery.show(question, answer)
    delivery.show(question, answer)
    assert len(fake.messages) == 1


@pytest.mark.parametrize("happens", [True, False])
@pytest.mark.parametrize("error", ["missing_scope", "not_allowed_token_type", "strange_new_error"])
def test_where_the_thread_may_never_be_searched_slack_knows_the_message_by_its_key(
    fake: FakeSlack, database: Database, delivery: SlackDelivery, error: str, happens: bool
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(500, happens=happens))
    fake.fail("conversations.replies", Fault(error=error))
    with pytest.raises(NotYet):
        delivery.show(question, answer)
    ts = delivery.show(question, answer)
    assert [message["ts"] for message in fake.messages] == [ts]


def test_no_connection_is_held_while_slack_is_called(
    fake: FakeSlack, database_url: str, database: Database
) -> None:
    """With a single connection, as many deliveries as there are threads go on side by side."""
    asked_for = [asked(database, replace(ASK, message_ts=f"1700000000.00020{n}")) for n in range(4)]
    narrow = Database(database_url, size=1, wait_seconds=0)
    delivery = SlackDelivery(clients.web("xoxb-1", fake.api_url), narrow, TEAM)
    fake.pause = threading.Barrier(4)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda each: delivery.show(*each), asked_for))
    narrow.close()
    assert len(fake.messages) == 4


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
    fake: FakeSlack, database: Database, delivery: SlackDelivery, error: str, cure: str
) -> None:
    question, answer = asked(database)
    fake.fail("chat.postMessage", Fault(error=error))
    with pytest.raises(SlackRefused, match=cure):
        delivery.show(question, answer)
    assert place(database, answer.answer_id) is None


def test_refused_blocks_are_replaced_by_simpler_ones(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    question, answer = asked(database)
    fake.unknown_blocks = {"container", "context_actions"}
    delivery.show(question, answer)
    assert fake.messages[0]["blocks"][-1]["type"] == "actions"
    question, answer = asked(database, replace(ASK, message_ts="1700000000.000200"))
    fake.unknown_blocks |= {"rich_text"}
    delivery.show(question, answer)
    assert not fake.messages[1].get("blocks") and "28 days" in fake.messages[1]["text"]
    assert len(fake.messages) == 2


def kinds(message: dict[str, Any]) -> list[str]:
    """The types of a message's blocks."""
    return [block["type"] for block in message["blocks"]]


@pytest.mark.parametrize("origin", ["mention", "command"])
def test_sources_are_folded_until_a_workspace_refuses_it_and_again_a_while_later(
    fake: FakeSlack, database: Database, origin: Any
) -> None:
    now = [0.0]
    newer = NewerBlocks(lambda: now[0])
    client = clients.web("xoxb-1", fake.api_url)
    delivery = SlackDelivery(client, database, TEAM, newer=newer)
    seen: list[dict[str, Any]] = []

    def show(number: int) -> int:
        """Show one more answer; give how many calls it took."""
        url = fake.response_url(number) if origin == "command" else None
        ts = f"1700000000.00030{number}"
        ask = replace(ASK, message_ts=ts, origin=origin, is_private=bool(url), respond_url=url)
        before = len(fake.called("response_url" if url else "chat.postMessage"))
        delivery.show(*asked(database, ask))
        calls = fake.called("response_url" if url else "chat.postMessage")
        seen.append(calls[-1].params)
        return len(calls) - before

    assert show(1) == 1
    folded = next(b for b in seen[0]["blocks"] if b["type"] == "container")
    assert folded["is_collapsible"] and folded["default_collapsed"]
    assert folded["title"]["text"].startswith("Source: Leave policy > Leave > Days, updated")
    fake.unknown_blocks = {"container"}
    assert show(2) == 2  # refused, and shown as before at once
    assert show(3) == 1 and kinds(seen[2]) == kinds(seen[1])
    assert "container" not in kinds(seen[1]) and "context_actions" in kinds(seen[1])
    fake.unknown_blocks, now[0] = set(), REFUSED_SECONDS
    assert show(4) == 1 and "container" in kinds(seen[3])


def test_a_message_that_is_refused_for_its_text_says_nothing_of_the_workspace(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    fake.fail("chat.postMessage", *[Fault(error="invalid_blocks")] * 3)
    delivery.show(*asked(database))
    delivery.show(*asked(database, replace(ASK, message_ts="1700000000.000200")))
    assert "container" in kinds(fake.messages[1])


def test_a_private_reply_goes_to_the_asker_alone_and_once(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    ask = replace(ASK, origin="command", is_private=True, respond_url=fake.response_url(1))
    question, answer = asked(database, ask)
    assert delivery.show(question, answer) is None
    assert delivery.show(question, answer) is None
    (call,) = fake.called("response_url")
    assert call.params["response_type"] == "ephemeral" and fake.messages == []


def test_an_expired_response_url_is_replaced_by_an_ephemeral(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    ask = replace(ASK, origin="command", is_private=True, respond_url=fake.response_url(1))
    fake.fail("response_url", Fault(404, "expired_url"))
    delivery.show(*asked(database, ask))
    (call,) = fake.called("chat.postEphemeral")
    assert call.params["user"] == "U1"


def test_an_ignored_question_and_one_from_the_terminal_post_nothing(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    assert delivery.show(*asked(database, status="ignored")) is None
    assert delivery.show(*asked(database, replace(ASK, channel="t", origin="terminal"))) is None
    assert fake.calls == []


def test_an_ignored_question_loses_its_status(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    question, _ = asked(database, status="ignored")
    with database.connection() as connection:
        questions.mark(connection, TEAM, question.question_id, "status")
    delivery.tidy(question, is_posted=False)
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
    delivery = SlackDelivery(client, database, TEAM, intents=lambda: travel(to))
    delivery.show(*asked(database, replace(ASK, body="x <b>"), status="routed", intent="travel"))
    told, reply = fake.messages
    assert told["channel"] == channel and told["text"].startswith(begins)
    assert "<https://team.slack.example/" in told["text"]
    assert reply["thread_ts"] == ASK.message_ts


def test_what_was_asked_in_private_is_not_passed_on(fake: FakeSlack, database: Database) -> None:
    client = clients.web("xoxb-1", fake.api_url)
    delivery = SlackDelivery(client, database, TEAM, intents=lambda: travel("C0HELP"))
    ask = replace(ASK, channel="D1", origin="dm", is_private=True)
    delivery.show(*asked(database, ask, status="routed", intent="travel"))
    (reply,) = fake.messages
    assert reply["channel"] == "D1" and "Please ask in <#C0HELP>." in reply["text"]


def test_a_kept_reply_that_was_disliked_after_it_was_found_is_not_posted(
    fake: FakeSlack, database: Database, delivery: SlackDelivery
) -> None:
    faq_id = kept_reply(database)
    cited = replace(answer_of().citations[0], source="faq", path=f"faq/{faq_id}", quote="Ask Ana.")
    question, answer = asked(database, body="Ask Ana.", citations=(cited,))
    second, later = asked(
        database, replace(ASK, message_ts="1700000000.000200"), body="Ask Ana.", citations=(cited,)
    )
    delivery.show(question, answer)
    with database.connection() as connection:
        connection.execute("UPDATE faqs SET flagged_at = now()")
    delivery.show(second, later)
    before, after = fake.messages
    assert "Ask Ana." in str(before)
    assert "Ask Ana." not in str(after)


def kept_reply(database: Database) -> UUID:
    """A reply that an admin approved, for everyone."""
    vector, now = [1.0] + [0.0] * 383, datetime.now(UTC)
    ask = replace(ASK, message_ts="1600000000.000100")
    reply = Reply("C1", ask.message_ts, "1600000000.000200", "U7", "Ana", "Ask Ana.", None, True)
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, now)
        assert question_id
        answers.record(connection, TEAM, question_id, answer_of(), vector, 1, now)
        kept = faqs.keep(connection, TEAM, reply, now)
        assert kept and faqs.decide(connection, TEAM, kept.faq_id, "ADMIN", now, approve=True)
    return kept.faq_id
