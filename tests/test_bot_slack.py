"""The Slack edge, from a delivery to the queue: what is claimed, acknowledged, refused and voted."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import slack
from bot.clients import SlackRefused
from store import channels, votes
from store.database import Database
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack, Fault
from tests.slack_parts import FakeServices, answer_of, settings_for, texts, work_off

ME = f"<@{BOT_USER}>"
ADMIN = "UBOSS"


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as running:
        yield running


@pytest.fixture
def services(fake: FakeSlack, database: Database) -> FakeServices:
    return FakeServices(settings_for(fake, database.url), database)


@pytest.fixture
def bot(fake: FakeSlack, services: FakeServices) -> Iterator[slack.Bot]:
    with slack_parts.served(fake, services.settings, services.database) as running:
        yield running


def mention(fake: FakeSlack, event: dict[str, Any]) -> dict[str, Any]:
    """The app_mention that Slack sends beside a message."""
    return {k: v for k, v in event.items() if k != "channel_type"} | {"type": "app_mention"}


def set_mode(database: Database, mode: channels.Mode, **more: Any) -> None:
    with database.connection() as connection:
        wanted = channels.ChannelSettings("C1", mode, **more)
        channels.put(connection, TEAM, wanted, ADMIN, slack.datetime.now(slack.UTC))


def answered(fake: FakeSlack, services: FakeServices, **more: Any) -> dict[str, Any]:
    """Ask and get a posted answer; give the message."""
    assert fake.event(fake.say(f"{ME} How many days off?", **more)).ok
    work_off(services, fake)
    return fake.messages[-1]


def tally(services: FakeServices, message: dict[str, Any]) -> dict[str, int]:
    answer_id = message["metadata"]["event_payload"]["answer_id"]
    with services.database.connection() as connection:
        return {vote.person: vote.value for vote in votes.of(connection, TEAM, answer_id)}


# Ways in.


def test_a_mention_gets_one_answer_in_its_thread(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    event = fake.say(f"{ME} How many days off &amp; when?")
    assert fake.event(event).ok
    assert fake.event(mention(fake, event)).ok
    assert work_off(services, fake) == ["answered"]
    assert [m["thread_ts"] for m in fake.messages] == [event["ts"]]
    assert services.answerer.asked[0][0] == "How many days off & when?"
    assert services.answerer.asked[0][1].principals == ("*", "C1")


def test_a_mention_counts_whichever_event_comes_first(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    assert fake.event(mention(fake, event)).ok
    assert fake.event(event).ok
    assert work_off(services, fake) == ["answered"]


def test_a_direct_message_is_answered_with_the_askers_rights(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    assert fake.event(fake.say("days off?", channel="D1")).ok
    assert work_off(services, fake) == ["answered"]
    assert services.answerer.asked[0][1].principals == ("*", "D1", "U1")


def test_the_ask_command_is_answered_for_the_asker_alone(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    ack = fake.command("/ask", "days <off>?")
    assert ack.ok and "days &lt;off&gt;" in ack.body
    assert work_off(services, fake) == ["answered"]
    assert fake.messages == []
    (reply,) = fake.called("response_url")
    assert reply.params["response_type"] == "ephemeral"
    assert services.answerer.asked[0][1].principals == ("*", "C1", "U1")


def test_the_ask_command_without_a_question_explains_itself(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    assert "/ask How do I" in fake.command("/ask", " ").body
    assert work_off(services, fake) == []


@pytest.mark.parametrize(
    ("mode", "count"), [("mention", 0), ("questions", 1), ("all", 1), ("off", 0)]
)
def test_a_channel_is_overheard_only_if_it_wants(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot, mode: channels.Mode, count: int
) -> None:
    set_mode(services.database, mode, sources=("hr",))
    assert fake.event(fake.say("days off?")).ok
    assert len(work_off(services, fake)) == count
    assert len(fake.messages) == count
    assert [sources for _, _, sources in services.answerer.asked] == [("hr",)] * count


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
    bot: slack.Bot,
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
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    set_mode(services.database, "off")
    event = fake.say(f"{ME} days off?")
    fake.event(event)
    fake.event(mention(fake, event))
    slack_parts.errands_done(bot)
    assert work_off(services, fake) == []
    assert ["switched off" in text for text in texts(fake)] == [True]


def test_the_asker_goes_on_in_the_thread_without_a_mention(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    root = answered(fake, services)["thread_ts"]
    fake.event(fake.say("and for part-timers", thread_ts=root))
    fake.event(fake.say("nice weather", user="U2", thread_ts=root))
    fake.event(fake.say("<@U1> did you see this?", user="U2", thread_ts=root))
    fake.event(fake.say("and for interns?", user="U2", thread_ts=root))
    assert work_off(services, fake) == ["answered", "answered"]
    assert [asked[0] for asked in services.answerer.asked[1:]] == [
        "and for part-timers",
        "and for interns?",
    ]


def test_a_thread_of_others_is_left_alone(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    fake.event(fake.say("lunch?", thread_ts=fake.now()))
    assert work_off(services, fake) == []


@pytest.mark.parametrize("word", ["mute", ":no_bell:", "Mute"])
def test_mute_ends_the_talk_until_the_next_mention(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot, word: str
) -> None:
    root = answered(fake, services)["thread_ts"]
    fake.event(fake.say(word, user="U2", thread_ts=root))
    fake.event(fake.say("and for interns?", thread_ts=root))
    assert work_off(services, fake) == []
    fake.event(fake.say(f"{ME} and for interns?", thread_ts=root))
    work_off(services, fake)
    fake.event(fake.say("and for others?", thread_ts=root))
    assert work_off(services, fake) == ["answered"]


def test_a_muting_reaction_ends_the_talk(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
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
    fake: FakeSlack, services: FakeServices, bot: slack.Bot, more: dict[str, Any]
) -> None:
    assert fake.event(fake.say(f"{ME} days off?") | more).ok
    assert work_off(services, fake) == []


@pytest.mark.parametrize("subtype", ["thread_broadcast", "file_share"])
def test_broadcasts_and_files_with_a_question_count(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot, subtype: str
) -> None:
    assert fake.event(fake.say(f"{ME} days off?", subtype=subtype)).ok
    assert work_off(services, fake) == ["answered"]


def test_events_that_nothing_needs_are_acknowledged(fake: FakeSlack, bot: slack.Bot) -> None:
    assert fake.event({"type": "app_home_opened", "user": "U1", "tab": "home"}).ok
    assert fake.react("tada", "1.2").ok


@pytest.mark.parametrize("text", ["x" * 40_000, "🦜🦜", "a\x00b", "", "<!channel> <@U2|ann> why?"])
def test_any_text_is_claimed_and_answered(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot, text: str
) -> None:
    assert fake.event(fake.say(f"{ME} {text}")).ok
    assert len(work_off(services, fake)) == 1
    assert len(fake.messages) == 1
    assert "<!" not in json.dumps(fake.messages)


def test_only_the_beginning_of_a_very_long_question_is_read_and_it_says_so(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    fake.event(fake.say(f"{ME} {'x' * 40_000}"))
    work_off(services, fake)
    assert len(services.answerer.asked[0][0]) == 3000
    assert "Only the first 3,000 characters were read." in json.dumps(fake.messages[0]["blocks"])


# Once and never lost.


def test_an_event_delivered_five_times_is_answered_once(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    for retry in range(4):
        assert fake.event(event, event_id="Ev9", retry=retry).ok
    work_off(services, fake)
    assert fake.event(event, event_id="Ev9", retry=4).ok
    assert work_off(services, fake) == []
    assert len(fake.messages) == 1


def test_while_the_database_is_away_events_are_not_acknowledged_and_come_again(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    with services.database.connection() as connection:
        connection.execute("ALTER TABLE questions RENAME TO elsewhere")
    assert not fake.event(event, event_id="Ev9").ok
    with services.database.connection() as connection:
        connection.execute("ALTER TABLE elsewhere RENAME TO questions")
    assert fake.event(event, event_id="Ev9", retry=1).ok
    assert work_off(services, fake) == ["answered"]


def test_a_claim_without_a_job_is_never_left(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    with services.database.connection() as connection:
        connection.execute("ALTER TABLE procrastinate_jobs RENAME TO elsewhere")
    assert not fake.event(fake.say(f"{ME} days off?")).ok
    assert slack_parts.waiting(services.database) == []


def test_a_person_is_told_when_a_command_breaks(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    with services.database.connection() as connection:
        connection.execute("ALTER TABLE questions RENAME TO elsewhere")
    ack = fake.command("/ask", "days off?")
    assert ack.ok and "try again" in ack.body


def test_a_wrong_signature_is_refused(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    fake.secret = "guessed"
    assert fake.event(fake.say(f"{ME} days off?")).status == 401
    assert work_off(services, fake) == []


# Marks.


def test_a_status_shows_at_once_and_needs_no_clearing_after_the_post(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    fake.event(fake.say(f"{ME} days off?"))
    slack_parts.errands_done(bot)
    work_off(services, fake)
    (call,) = fake.called("assistant.threads.setStatus")
    assert call.params["status"]
    assert fake.called("reactions.add") == fake.called("reactions.remove") == []


def test_eyes_stand_in_for_the_status_and_go_at_the_end(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    fake.fail("assistant.threads.setStatus", Fault(error="unknown_method"))
    event = fake.say(f"{ME} days off?")
    fake.event(event)
    slack_parts.errands_done(bot)
    assert fake.called("reactions.add")[0].params["timestamp"] == event["ts"]
    work_off(services, fake)
    assert fake.called("reactions.remove")[0].params["timestamp"] == event["ts"]


# Votes.


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("+1", 1),
        ("thumbsup", 1),
        ("+1::skin-tone-3", 1),
        ("-1", -1),
        ("thumbsdown::skin-tone-6", -1),
    ],
)
def test_a_thumb_is_a_vote(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot, name: str, value: int
) -> None:
    message = answered(fake, services)
    assert fake.react(name, message["ts"], user="U2").ok
    assert tally(services, message) == {"U2": value}


def test_votes_flip_and_go(fake: FakeSlack, services: FakeServices, bot: slack.Bot) -> None:
    message = answered(fake, services)
    ts = message["ts"]
    fake.react("-1", ts, user="U2")
    fake.react("+1", ts, user="U2")
    fake.react("-1", ts, user="U2", added=False)
    assert tally(services, message) == {"U2": 1}
    fake.react("-1", ts, user="U3")
    fake.react("+1", ts, user="U2", added=False)
    assert tally(services, message) == {"U3": -1}


def test_other_signs_and_other_messages_are_no_votes(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    message = answered(fake, services)
    fake.react("tada", message["ts"])
    fake.react("+1", "1.000001")
    fake.react("+1", message["ts"], channel="C2")
    assert tally(services, message) == {}


def test_programs_do_not_vote(fake: FakeSlack, services: FakeServices, bot: slack.Bot) -> None:
    message = answered(fake, services)
    fake.people["UROBOT"] = {"is_bot": True}
    fake.react("+1", message["ts"], user="UROBOT")
    fake.react("+1", message["ts"], user=BOT_USER)
    slack_parts.errands_done(bot)
    assert tally(services, message) == {}


def pressed(
    message: dict[str, Any], kind: str = "feedback_buttons", up: bool = True
) -> dict[str, Any]:
    answer_id = message["metadata"]["event_payload"]["answer_id"]
    return {"type": kind, "action_id": "feedback", "value": f"{'up' if up else 'down'}:{answer_id}"}


def test_a_feedback_button_is_a_vote_like_a_reaction(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    message = answered(fake, services)
    assert fake.action(pressed(message), user="U2").ok
    assert tally(services, message) == {"U2": 1}
    assert fake.action(pressed(message, up=False), user="U2").ok
    fake.react("+1", message["ts"], user="U2")
    assert tally(services, message) == {"U2": 1}


def test_thumbs_down_asks_only_the_voter_why_and_keeps_it(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    message = answered(fake, services)
    fake.react("-1", message["ts"], user="U2")
    (call,) = fake.wait_called("chat.postEphemeral")
    assert call.params["user"] == "U2" and call.params["thread_ts"] == message["thread_ts"]
    buttons = call.params["blocks"][1]["elements"]
    assert len(buttons) == 6
    outdated = next(b for b in buttons if b["action_id"] == "reason:outdated")
    assert fake.action({"type": "button", **outdated}, user="U2").ok
    answer_id = message["metadata"]["event_payload"]["answer_id"]
    with services.database.connection() as connection:
        (vote,) = votes.of(connection, TEAM, answer_id)
    assert (vote.value, vote.reason) == (-1, "outdated")


def test_a_reason_in_own_words_is_taken_by_a_modal(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    message = answered(fake, services)
    answer_id = message["metadata"]["event_payload"]["answer_id"]
    fake.action({"type": "button", "action_id": "reason:other", "value": answer_id}, user="U2")
    (call,) = fake.wait_called("views.open")
    words = {"reason": {"detail": {"type": "plain_text_input", "value": "too\x00 vague"}}}
    assert fake.submit(call.params["view"], words, user="U2").ok
    with services.database.connection() as connection:
        (vote,) = votes.of(connection, TEAM, answer_id)
    assert (vote.reason, vote.detail) == ("other", "too vague")


@pytest.mark.parametrize("value", ["", "up:", "up:nonsense", f"up:{answer_of().answer_id}"])
def test_a_button_of_nothing_does_nothing(fake: FakeSlack, bot: slack.Bot, value: str) -> None:
    assert fake.action({"type": "button", "action_id": "feedback_up", "value": value}).ok


# The process.


def test_health_and_metrics_are_served(
    fake: FakeSlack, services: FakeServices, bot: slack.Bot
) -> None:
    for path, expected in (("/healthz", b'"ok"'), ("/metrics", b"threadwise_database_up 1.0")):
        connection = http.client.HTTPConnection(*fake.target, timeout=5)
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200 and expected in response.read()
        connection.close()


def test_the_socket_works_and_comes_back_after_a_cut(
    fake: FakeSlack, services: FakeServices, database: Database
) -> None:
    settings = services.settings.model_copy(update={"slack_mode": "socket"})
    with slack_parts.served(fake, settings, database):
        event = fake.say(f"{ME} {'long ' * 20_000} days off?")
        assert fake.event(event).ok
        assert fake.event(event, retry=1).ok
        assert fake.command("/ask", "days off?").body
        fake.cut()
        fake.wait_for(lambda: fake.is_linked, 30)
        assert fake.event(fake.say("days off?", channel="D1")).ok
    assert len(work_off(services, fake)) == 3


def test_a_bad_token_is_one_line_with_the_cure(fake: FakeSlack, services: FakeServices) -> None:
    fake.fail("auth.test", Fault(error="invalid_auth"))
    with pytest.raises(SlackRefused, match=r"auth.test \(invalid_auth\).*copy it anew"):
        slack.connect(services.settings, services.database)


def test_a_database_of_another_workspace_is_refused(
    fake: FakeSlack, services: FakeServices
) -> None:
    with services.database.connection() as connection:
        slack.workspaces.connect(connection, "T9", "Other", slack.datetime.now(slack.UTC))
    with pytest.raises(slack.OtherWorkspace, match="belongs to Slack workspace T9"):
        slack.connect(services.settings, services.database)


def test_the_bot_process_stays_light() -> None:
    heavy = ("numpy", "torch", "sklearn", "transformers", "markitdown")
    code = f"import sys, bot.slack; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
