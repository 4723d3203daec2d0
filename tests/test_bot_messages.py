"""Messages: which of them are claimed as questions, how they are marked, and when the bot is silent."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.slack import clients
from bot.slack.app import Bot
from bot.slack.audience import Audience
from store import channels, questions
from store.channels import ChannelSettings
from store.database import Database
from store.records import Ask
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack, Fault
from tests.slack_parts import FakeServices, texts, work_off

ME = f"<@{BOT_USER}>"
ADMIN = "UBOSS"


def mention(fake: FakeSlack, event: dict[str, Any]) -> dict[str, Any]:
    """The app_mention that Slack sends beside a message."""
    return {k: v for k, v in event.items() if k != "channel_type"} | {"type": "app_mention"}


def set_mode(database: Database, mode: channels.Mode, **more: Any) -> None:
    with database.connection() as connection:
        wanted = channels.ChannelSettings("C1", mode, **more)
        channels.put(connection, TEAM, wanted, ADMIN, datetime.now(UTC))


def answered(fake: FakeSlack, services: FakeServices, **more: Any) -> dict[str, Any]:
    """Ask and get a posted answer; give the message."""
    assert fake.event(fake.say(f"{ME} How many days off?", **more)).ok
    work_off(services, fake)
    return fake.messages[-1]


def test_a_mention_gets_one_answer_in_its_thread(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} How many days off &amp; when?")
    assert fake.event(event).ok
    assert fake.event(mention(fake, event)).ok
    assert work_off(services, fake) == ["answered"]
    assert [m["thread_ts"] for m in fake.messages] == [event["ts"]]
    assert services.answerer.asked[0].text == "How many days off & when?"
    assert services.answerer.asked[0].viewer.principals == ("*", "C1")


def test_a_mention_counts_whichever_event_comes_first(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    assert fake.event(mention(fake, event)).ok
    assert fake.event(event).ok
    assert work_off(services, fake) == ["answered"]


def test_a_direct_message_is_answered_with_the_askers_rights(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    assert fake.event(fake.say("days off?", channel="D1")).ok
    assert work_off(services, fake) == ["answered"]
    assert services.answerer.asked[0].viewer.principals == ("*", "D1", "U1")


def test_the_ask_command_is_answered_for_the_asker_alone(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    ack = fake.command("/ask", "days <off>?")
    assert ack.ok and "days &lt;off&gt;" in ack.body
    assert work_off(services, fake) == ["answered"]
    assert fake.messages == []
    (reply,) = fake.called("response_url")
    assert reply.params["response_type"] == "ephemeral"
    assert services.answerer.asked[0].viewer.principals == ("*", "C1", "U1")


def test_the_ask_command_without_a_question_explains_itself(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    assert "/ask How do I" in fake.command("/ask", " ").body
    assert work_off(services, fake) == []


@pytest.mark.parametrize(
    ("mode", "count"), [("mention", 0), ("questions", 1), ("all", 1), ("off", 0)]
)
def test_a_channel_is_overheard_only_if_it_wants(
    fake: FakeSlack, services: FakeServices, bot: Bot, mode: channels.Mode, count: int
) -> None:
    set_mode(services.database, mode, sources=("hr",))
    assert fake.event(fake.say("days off?")).ok
    assert len(work_off(services, fake)) == count
    assert len(fake.messages) == count
    assert [asked.sources for asked in services.answerer.asked] == [("hr",)] * count


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        ("questions", "not_found", 0),
        ("questions", "smalltalk", 0),
        ("questions", "unsure", 1),
        ("all", "not_found", 1),
        ("all", "smalltalk", 0),
    ],
)
def test_unasked_the_bot_speaks_only_with_something_to_say(
    fake: FakeSlack,
    services: FakeServices,
    bot: Bot,
    mode: channels.Mode,
    status: str,
    said: int,
) -> None:
    set_mode(services.database, mode)
    services.answerer.status = status
    fake.event(fake.say("days off?"))
    work_off(services, fake)
    assert len(fake.messages) == said


def test_a_channel_that_is_off_says_so_once_to_who_mentions_the_bot(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    set_mode(services.database, "off")
    event = fake.say(f"{ME} days off?")
    fake.event(event)
    fake.event(mention(fake, event))
    slack_parts.errands_done(bot)
    assert work_off(services, fake) == []
    assert ["switched off" in text for text in texts(fake)] == [True]


def test_the_asker_goes_on_in_the_thread_without_a_mention(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    root = answered(fake, services)["thread_ts"]
    fake.event(fake.say("and for part-timers", thread_ts=root))
    fake.event(fake.say("nice weather", user="U2", thread_ts=root))
    fake.event(fake.say("<@U1> did you see this?", user="U2", thread_ts=root))
    fake.event(fake.say("and for interns?", user="U2", thread_ts=root))
    assert work_off(services, fake) == ["answered", "answered"]
    assert [asked.text for asked in services.answerer.asked[1:]] == [
        "and for part-timers",
        "and for interns?",
    ]


def test_a_thread_of_others_is_left_alone(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.event(fake.say("lunch?", thread_ts=fake.now()))
    assert work_off(services, fake) == []


@pytest.mark.parametrize("word", ["mute", ":no_bell:", "Mute"])
def test_mute_ends_the_talk_until_the_next_mention(
    fake: FakeSlack, services: FakeServices, bot: Bot, word: str
) -> None:
    root = answered(fake, services)["thread_ts"]
    fake.event(fake.say(word, user="U2", thread_ts=root))
    fake.event(fake.say("and for interns?", thread_ts=root))
    assert work_off(services, fake) == []
    fake.event(fake.say(f"{ME} and for interns?", thread_ts=root))
    work_off(services, fake)
    fake.event(fake.say("and for others?", thread_ts=root))
    assert work_off(services, fake) == ["answered"]


def test_a_muting_reaction_ends_the_talk(fake: FakeSlack, services: FakeServices, bot: Bot) -> None:
    message = answered(fake, services)
    assert fake.react("no_bell", message["ts"]).ok
    fake.event(fake.say("and for interns?", thread_ts=message["thread_ts"]))
    assert work_off(services, fake) == []


@pytest.mark.parametrize(
    "more",
    [
        {"subtype": "message_changed"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message", "bot_id": "B2"},
        {"bot_id": "B2"},
        {"user": BOT_USER},
        {"user": None},
    ],
)
def test_what_nobody_said_is_acknowledged_and_ignored(
    fake: FakeSlack, services: FakeServices, bot: Bot, more: dict[str, Any]
) -> None:
    assert fake.event(fake.say(f"{ME} days off?") | more).ok
    assert work_off(services, fake) == []


@pytest.mark.parametrize("subtype", ["thread_broadcast", "file_share"])
def test_broadcasts_and_files_with_a_question_count(
    fake: FakeSlack, services: FakeServices, bot: Bot, subtype: str
) -> None:
    assert fake.event(fake.say(f"{ME} days off?", subtype=subtype)).ok
    assert work_off(services, fake) == ["answered"]


def test_events_that_nothing_needs_are_acknowledged(fake: FakeSlack, bot: Bot) -> None:
    assert fake.event({"type": "app_home_opened", "user": "U1", "tab": "home"}).ok
    assert fake.react("tada", "1.2").ok


@pytest.mark.parametrize("text", ["x" * 40_000, "🦜🦜", "a\x00b", "", "<!channel> <@U2|ann> why?"])
def test_any_text_is_claimed_and_answered(
    fake: FakeSlack, services: FakeServices, bot: Bot, text: str
) -> None:
    assert fake.event(fake.say(f"{ME} {text}")).ok
    assert len(work_off(services, fake)) == 1
    assert len(fake.messages) == 1
    assert "<!" not in json.dumps(fake.messages)


def test_only_the_beginning_of_a_very_long_question_is_read_and_it_says_so(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.event(fake.say(f"{ME} {'x' * 40_000}"))
    work_off(services, fake)
    assert len(services.answerer.asked[0].text) == 3000
    assert "Only the first 3,000 characters were read." in json.dumps(fake.messages[0]["blocks"])


def test_a_status_shows_at_once_and_needs_no_clearing_after_the_post(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.event(fake.say(f"{ME} days off?"))
    slack_parts.errands_done(bot)
    work_off(services, fake)
    (call,) = fake.called("assistant.threads.setStatus")
    assert call.params["status"]
    assert fake.called("reactions.add") == fake.called("reactions.remove") == []


def test_eyes_stand_in_for_the_status_and_go_at_the_end(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.fail("assistant.threads.setStatus", Fault(error="unknown_method"))
    event = fake.say(f"{ME} days off?")
    fake.event(event)
    slack_parts.errands_done(bot)
    assert fake.called("reactions.add")[0].params["timestamp"] == event["ts"]
    work_off(services, fake)
    assert fake.called("reactions.remove")[0].params["timestamp"] == event["ts"]


def test_a_mark_that_comes_after_the_answer_is_taken_off_at_once(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    message = answered(fake, services)
    slack_parts.errands_done(bot)
    question_id = message["metadata"]["event_payload"]["question_id"]
    with services.database.connection() as connection:
        question = questions.get(connection, TEAM, question_id)
    assert question
    bot.edge.mark(question.question_id, question.ask)
    slack_parts.errands_done(bot)
    assert fake.called("assistant.threads.setStatus")[-1].params["status"] == ""


def test_who_asks_too_much_at_once_is_told_so_once_and_others_are_not_held_up(
    fake: FakeSlack, services: FakeServices, database: Database
) -> None:
    settings = services.settings.model_copy(update={"max_per_minute": 3})
    with slack_parts.served(fake, settings, database) as bot:
        for number in range(6):
            assert fake.event(fake.say(f"<@UBOT> question {number}", type="app_mention")).ok
        assert fake.event(fake.say("days off?", channel="D2", user="U2")).ok
        ack = fake.command("/ask", "days off?")
        assert "others are asking" in ack.body
        slack_parts.errands_done(bot)
    assert len(work_off(services, fake)) == 4
    (told,) = fake.called("chat.postEphemeral")
    assert told.params["user"] == "U1" and "ask them again" in told.params["text"]


def test_who_has_too_many_questions_waiting_is_told_so(
    fake: FakeSlack, services: FakeServices, database: Database
) -> None:
    settings = services.settings.model_copy(update={"max_waiting": 2})
    with slack_parts.served(fake, settings, database) as bot:
        for number in range(3):
            fake.event(fake.say(f"<@UBOT> question {number}", type="app_mention"))
        slack_parts.errands_done(bot)
        assert len(work_off(services, fake)) == 2
        fake.event(fake.say("<@UBOT> and now?", type="app_mention"))
    assert len(work_off(services, fake)) == 1
    assert len(fake.called("chat.postEphemeral")) == 1


def workflow(fake: FakeSlack, text: str, **more: Any) -> dict[str, Any]:
    """What a workflow posts."""
    return fake.say(text, user="UFLOW", bot_id="BFLOW", **more)


def test_posts_of_workflows_are_questions_only_where_an_admin_said_so(
    fake: FakeSlack, services: FakeServices, bot: Bot, database: Database
) -> None:
    assert fake.event(workflow(fake, f"{ME} How many days off?")).ok
    set_mode(database, "mention", workflows=True)
    ours = fake.say(f"{ME} How many?", user=BOT_USER, bot_id="BBOT")
    in_thread = workflow(fake, f"{ME} How many?", thread_ts="1700000000.000001")
    for event in (
        ours,
        in_thread,
        workflow(fake, "Not for the bot"),
        workflow(fake, f"{ME} x", channel="D1"),
    ):
        assert fake.event(event).ok
    assert slack_parts.waiting(services.database) == []
    asked = workflow(fake, f"{ME} How many days off?", subtype="bot_message")
    assert fake.event(asked | {"user": None}).ok
    assert fake.event(mention(fake, asked)).ok
    assert work_off(services, fake) == ["answered"]


def test_a_workflow_reads_what_members_read_only_where_it_may_ask(
    fake: FakeSlack, database: Database
) -> None:
    audience = Audience(clients.quick("xoxb-1", fake.api_url), TEAM)
    ask = Ask(TEAM, "C1", "1.1", "BFLOW", "?", "mention", False)
    assert audience.reader(ask, ChannelSettings("C1")).closed == "unknown"
    assert audience.reader(ask, ChannelSettings("C1", workflows=True)).closed is None
    fake.channels["C2"] = {"is_ext_shared": True}
    shared = replace(ask, channel="C2")
    assert audience.reader(shared, ChannelSettings("C2", workflows=True)).closed == "shared"
    outside = replace(ask, is_outside=True)
    assert audience.reader(outside, ChannelSettings("C1", workflows=True)).closed == "outsider"


def test_a_channel_asks_no_more_a_minute_than_its_admins_allow(
    fake: FakeSlack, services: FakeServices, bot: Bot, database: Database
) -> None:
    set_mode(database, "mention", max_per_minute=2)
    for user in ("U1", "U2", "U3", "U4"):
        assert fake.event(fake.say(f"{ME} days off?", user=user)).ok
    assert fake.event(fake.say("days off?", user="U5", channel="D5")).ok  # not the channel's
    assert work_off(services, fake) == ["answered"] * 3
    told = fake.wait_called("chat.postEphemeral", 2)
    assert [call.params["user"] for call in told] == ["U3", "U4"]


def test_a_command_in_a_thread_is_answered_in_the_thread(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.command("/ask", "How many days off?", thread_ts="1700000000.000001")
    assert work_off(services, fake) == ["answered"]
    assert fake.called("response_url")[-1].params["thread_ts"] == "1700000000.000001"


def test_the_shortcut_asks_what_a_message_says_for_the_one_who_used_it_alone(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    message = fake.say("How many <https://x.example|days> off?", user="U2")
    assert fake.shortcut("ask_about", message, user="U1").ok
    assert work_off(services, fake) == ["answered"] and fake.messages == []
    (request,) = services.answerer.asked
    assert request.text.startswith("How many") and request.viewer.principals == ("*", "C1", "U1")
    said = [call.params for call in fake.wait_called("response_url", 2)]
    assert all(each["response_type"] == "ephemeral" for each in said)


@pytest.mark.parametrize("text", ["", "  ", ":+1:" * 0, "…"])
def test_the_shortcut_on_a_message_without_words_says_so(
    fake: FakeSlack, services: FakeServices, bot: Bot, text: str
) -> None:
    assert fake.shortcut("ask_about", fake.say(text), user="U1").ok
    assert "no words" in fake.wait_called("response_url")[0].params["text"]
    assert slack_parts.waiting(services.database) == []
