"""Follow-ups: which questions lean on what went before, and what they are understood with."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.answering import history
from bot.slack import clients, threads
from bot.slack.app import Bot
from bot.slack.delivery import SlackDelivery
from store import questions
from store.records import Ask, Origin
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack, Fault
from tests.slack_parts import FakeServices, waiting, work_off

ME = f"<@{BOT_USER}>"
BEFORE = ("how many days of holiday do i get",)


@pytest.mark.parametrize(
    "question",
    [
        "and if I work three days a week?",
        "what about contractors",
        "and how far ahead do i have to ask?",
        "how far ahead do i have to ask?",
        "for interns?",
        "ok, but who approves it?",
        "does that also hold for people on probation?",
        "can they be carried over to next year?",
        "why?",
        "part-timers",
        "thanks! and abroad?",
        "Sorry, I meant unpaid leave",
        "same for part-timers?",
        "ok but abroad",
        "and the deadline",
        "is that also true in Berlin?",
        "if I work three days a week?",
        "when I am on parental leave with the youngest of three children?",
        "in the Berlin office on public holidays too?",
        "per month or per calendar year?",
        "und wie lange im Voraus?",
        "gilt das auch in der Probezeit für Praktikanten?",
        "et pour les stagiaires au bureau de Vienne?",
        "until when do I have to hand it in?",
        "how long does it take?",
        "who approves?",
        "where do I find the form?",
        "is there a limit?",
        "is there an exception for managers?",
        "Major characters",
    ],
)
def test_a_question_that_leans_on_what_went_before_is_known(question: str) -> None:
    assert history.leans(question, BEFORE)
    assert not history.leans(question, ())


@pytest.mark.parametrize(
    "question",
    [
        "how do i book a meeting room for visitors?",
        "is it possible to work from another country in summer?",
        "what does talon mean",
        "if I lose my badge, who replaces it and what does it cost?",
        "When is the payroll run this month for contractors?",
        "thanks a lot!",
        "",
        "Is there a gym?",
        "Do we have a dress code?",
        "who is the CFO?",
        "when is pay day?",
        "what is the wifi password?",
        "error ERR-4042",
        "For how long are applicant files kept?",
        "If I borrow money, can I treat it as equity?",
        "if the badge of a visitor is lost who replaces badges?",
        "In which meeting rooms is smoking allowed on weekends?",
        "with how many colleagues can I share a parking space?",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert not history.leans(question, BEFORE)


def test_of_a_long_talk_the_last_messages_count_and_of_each_its_beginning() -> None:
    said = history.recent([f"message {n} {'x' * 1000}" for n in range(20)] + ["..."])
    assert [text[:10] for text in said] == ["message 17", "message 18", "message 19"]
    assert max(map(len, said)) == history.MESSAGE_CHARS


def test_a_follow_up_is_answered_with_the_question_before_it(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    first = fake.say(f"{ME} how many days of holiday do i get?")
    fake.event(first)
    fake.event(fake.say(f"{ME} elsewhere, something else?"))
    work_off(services, fake)
    fake.event(fake.say("and if I work three days a week?", thread_ts=first["ts"]))
    work_off(services, fake)
    asked = services.answerer.asked[-1]
    assert asked.text == "and if I work three days a week?"
    assert asked.earlier == ("how many days of holiday do i get?",)


def test_a_direct_message_goes_on_with_the_one_just_before(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    for text in ("how many days off?", "what about contractors"):
        fake.event(fake.say(text, channel="D1"))
        work_off(services, fake)
    fake.event(fake.say("what about contractors", channel="D2", user="U2"))
    work_off(services, fake)
    assert [each.earlier for each in services.answerer.asked] == [(), ("how many days off?",), ()]


def read(fake: FakeSlack) -> Any:
    return lambda ask: threads.before(clients.quick("xoxb-1", fake.api_url), ask)


def test_a_bare_mention_answers_the_question_above_it_and_says_which(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    root = fake.say("Who orders the milk?", user="U2")
    fake.messages.append(root)
    fake.event(fake.say(ME, thread_ts=root["ts"]))
    (question_id,) = waiting(services.database)
    slack_parts.answered(services, question_id, thread=read(fake))
    assert services.answerer.asked[0].text == "Who orders the milk?"
    delivery = SlackDelivery(clients.web("xoxb-1", fake.api_url), services.database, TEAM)
    slack_parts.delivered(services, question_id, delivery)
    assert "Understood with: “Who orders the milk?”" in json.dumps(
        fake.messages[-1]["blocks"], ensure_ascii=False
    )


@pytest.mark.parametrize(
    "call",
    [
        "any idea?",
        "Hey, can you help here, please?",
        ":point_up:",
        "thoughts on this? :eyes:",
        "what do you think?",
        "this ^^",
        "Kannst du helfen?",
    ],
)
def test_a_mention_that_only_calls_for_an_answer_is_as_good_as_a_bare_one(
    fake: FakeSlack, services: FakeServices, bot: Bot, call: str
) -> None:
    root = fake.say("Who orders the milk?", user="U2")
    fake.messages.append(root)
    fake.event(fake.say(f"{ME} {call}", thread_ts=root["ts"]))
    (question_id,) = waiting(services.database)
    slack_parts.answered(services, question_id, thread=read(fake))
    assert services.answerer.asked[0].text == "Who orders the milk?"


@pytest.mark.parametrize(
    "said", ["thanks!", ":+1:", "help with the VPN on Linux", "who knows the wifi password?"]
)
def test_a_mention_that_says_something_is_taken_at_its_word(
    fake: FakeSlack, services: FakeServices, bot: Bot, said: str
) -> None:
    root = fake.say("Who orders the milk?", user="U2")
    fake.messages.append(root)
    fake.event(fake.say(f"{ME} {said}", thread_ts=root["ts"]))
    (question_id,) = waiting(services.database)
    slack_parts.answered(services, question_id, thread=read(fake))
    assert services.answerer.asked[0].text == said


def test_a_call_with_nothing_to_answer_is_a_message_like_any_other(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.event(fake.say(f"{ME} any idea?"))
    assert work_off(services, fake) == ["answered"]
    assert services.answerer.asked[0].text == "any idea?"


def test_a_thread_that_slack_does_not_show_loses_no_answer(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    root = fake.now()
    fake.event(fake.say(ME, thread_ts=root))
    fake.event(fake.say(f"{ME} and for interns?", thread_ts=root))
    for question_id in waiting(services.database):
        fake.fail("conversations.replies", Fault(status=503))
        slack_parts.answered(services, question_id, thread=read(fake))
    assert [(each.text, each.earlier) for each in services.answerer.asked] == [
        ("and for interns?", ())
    ]
    assert work_off(services, fake) == ["smalltalk", "answered"]


def test_a_bare_mention_alone_gets_one_friendly_line(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.event(fake.say(ME))
    assert work_off(services, fake) == ["smalltalk"]
    assert "Ask me a question in words" in json.dumps(fake.messages)
    assert fake.called("conversations.replies") == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", ("Who orders <milk> & tea?", ())),
        ("fyi", ("Who orders <milk> & tea?", ())),
        ("can someone answer this?", ("Who orders <milk> & tea?", ())),
        ("und in Wien?", ("und in Wien?", ("Who orders <milk> & tea?",))),
        ("what about this?", ("what about this?", ("Who orders <milk> & tea?",))),
    ],
)
def test_a_forwarded_message_is_what_is_asked_about(
    fake: FakeSlack, services: FakeServices, bot: Bot, said: str, expected: Any
) -> None:
    shared = {"is_share": True, "text": "Who orders &lt;milk&gt; &amp; tea?", "author_id": "U2"}
    unfolded = {"title": "A page", "text": "Not said by anybody"}
    fake.event(fake.say(f"{ME} {said}", attachments=[unfolded, shared]))
    assert work_off(services, fake) == ["answered"]
    (asked,) = services.answerer.asked
    assert (asked.text, asked.earlier) == expected


def test_slack_is_asked_for_the_thread_only_where_a_question_leans(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.event(fake.say(f"{ME} How do I book a room for visitors?", thread_ts=fake.now()))
    (question_id,) = waiting(services.database)
    slack_parts.answered(services, question_id, thread=read(fake))
    assert fake.called("conversations.replies") == []
    assert services.answerer.asked[0].earlier == ()


def test_what_was_asked_in_private_is_no_history_of_anybody_in_the_thread(
    services: FakeServices,
) -> None:
    """Neither by the same person: the reply, and what is sent for it, are read by the whole channel."""

    def claimed(ts: str, person: str, body: str, origin: Origin, *, is_private: bool) -> Ask:
        ask = Ask(TEAM, "C1", ts, person, body, origin, is_private, thread_ts="1.0")
        with services.database.connection() as connection:
            assert questions.claim(connection, ask, datetime.now(UTC))
        return ask

    claimed("1.1", "U5", "am I going to be fired?", "command", is_private=True)
    claimed("1.2", "U2", "how many days off?", "mention", is_private=False)
    for person in ("U5", "U2"):
        ask = claimed(f"2.{person}", person, "and abroad?", "mention", is_private=False)
        with services.database.connection() as connection:
            said = questions.before(connection, TEAM, ask, limit=9)
        assert "am I going to be fired?" not in said and "how many days off?" in said


@pytest.mark.parametrize(
    ("question", "is_follow_up"),
    [
        ("how many listeners do we have?", False),
        ("where is the toilet?", False),
        ("how many exceptions do we have?", True),
        ("where is the form?", True),
        ("where are they?", True),
    ],
)
def test_a_short_question_about_a_thing_of_its_own_is_whole(
    question: str, *, is_follow_up: bool
) -> None:
    assert history.leans(question, ["what does a lost key cost?"]) is is_follow_up
