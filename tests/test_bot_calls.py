"""Calls for a person: opened once, told, reminded once, closed by a click, and what was said is kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.slack.app import Bot
from store import calls, channels
from store.channels import ChannelSettings
from store.database import Database
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack, Fault
from tests.slack_parts import answer_of, settings_for
from tests.slack_work import Worker

ME = f"<@{BOT_USER}>"
INTENTS = """
[[intent]]
name = "human"
description = "Wants a person"
action = "human"
examples = ["a person please", "human"]
{route}
reply = "Please ask in the help channel."
"""


@pytest.fixture
def worker(fake: FakeSlack, database: Database, bot: Bot, tmp_path: Path) -> Worker:
    (tmp_path / "intents.toml").write_text(INTENTS.format(route=""))
    return Worker(fake, database, intents=tmp_path / "intents.toml")


def name_owners(database: Database, *owners: str) -> None:
    with database.connection() as connection:
        wanted = ChannelSettings("C1", owners=owners)
        channels.put(connection, TEAM, wanted, "UBOSS", datetime.now(UTC))


def answered(fake: FakeSlack, worker: Worker, **more: Any) -> dict[str, Any]:
    """Ask and get a posted answer; give the message."""
    assert fake.event(fake.say(f"{ME} How many days off?", **more)).ok
    worker.work_off()
    return fake.messages[-1]


def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    found = [b for b in message.get("blocks") or [] if b["type"] == "actions"]
    return [{"type": "button", **each} for block in found for each in block["elements"]]


def button(message: dict[str, Any], action: str) -> dict[str, Any]:
    return next(each for each in buttons(message) if each["action_id"] == action)


def open_calls(database: Database) -> int:
    with database.connection() as connection:
        return calls.count(connection, TEAM)


def test_the_button_stands_only_where_somebody_would_come(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    assert buttons(answered(fake, worker)) == []
    name_owners(database, "U7")
    assert button(answered(fake, worker), "human")
    assert buttons(answered(fake, worker, channel="D1")) == []


def test_a_call_tags_the_people_in_charge_once_however_often_it_is_clicked(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    name_owners(database, "U7", "S8")
    message = answered(fake, worker)
    click = button(message, "human") | {"action_ts": fake.now()}
    for _ in range(3):
        assert fake.action(click).ok  # delivered again
    fake.action(button(message, "human"), user="U2")
    assert "called to this thread already" in str(fake.wait_called("chat.postEphemeral")[0].params)
    assert worker.speak("call") == ["said"] == worker.speak("call")
    (told,) = [m for m in fake.messages if "talk to a person" in m["text"]]
    assert told["thread_ts"] == message["thread_ts"]
    assert told["text"].startswith("<@U7> <!subteam^S8> <@U1> would like")
    assert open_calls(database) == 1


@pytest.mark.parametrize("happens", [True, False])
def test_an_outage_neither_loses_nor_doubles_a_call(
    fake: FakeSlack, database: Database, worker: Worker, happens: bool
) -> None:
    name_owners(database, "U7")
    fake.action(button(answered(fake, worker), "human"))
    fake.fail("chat.postMessage", Fault(503, happens=happens))
    assert worker.speak("call") == ["later"]
    worker.speak("call")
    assert len([m for m in fake.messages if "talk to a person" in m["text"]]) == 1


def test_a_reminder_comes_once_and_none_after_the_end(
    fake: FakeSlack, database: Database, worker: Worker, bot: Bot
) -> None:
    name_owners(database, "U7")
    message = answered(fake, worker)
    fake.action(button(message, "human"))
    (reminder,) = [j for j in slack_parts.jobs(database, "say") if j["kind"] == "reminder"]
    assert reminder
    worker.speak("call")
    assert worker.speak("reminder") == ["said"] == worker.speak("reminder")
    assert len([m for m in fake.messages if "still waits" in m["text"]]) == 1
    other = answered(fake, worker)
    fake.action(button(other, "human"))
    worker.speak("call")
    fake.action(button(fake.messages[-1], "call:close"), user="U7")
    slack_parts.errands_done(bot)
    assert worker.speak("reminder") == ["said", "dropped"]


def test_one_click_closes_it_and_offers_what_was_said_as_an_answer(
    fake: FakeSlack, database: Database, worker: Worker, bot: Bot
) -> None:
    name_owners(database, "U7")
    versions, vector = {"encoder": worker.encoder.name}, (1.0,) * worker.encoder.dims
    worker.answers = lambda text: answer_of(question=text, versions=versions, vector=vector)
    message = answered(fake, worker)
    fake.action(button(message, "human"))
    worker.speak("call")
    for user, text in (("U8", "No idea."), ("U7", "Look at *page 4*."), ("U1", "thanks!")):
        said = fake.say(text, user=user, thread_ts=message["thread_ts"])
        fake.messages.append(said)
    close = button(next(m for m in fake.messages if "talk to" in m["text"]), "call:close")
    assert fake.action(close, user="U7").ok
    slack_parts.errands_done(bot)
    assert open_calls(database) == 0
    assert fake.called("response_url")[-1].params["text"] == "Closed by <@U7>."
    offered = fake.wait_called("chat.postEphemeral")[-1].params
    assert offered["user"] == "U7" and "page 4" in offered["text"]
    fake.action(button(offered, "call:keep"), user="U7")
    slack_parts.errands_done(bot)
    with database.connection() as connection:
        kept = connection.execute("SELECT body, author FROM faqs").fetchall()
    assert kept == [("Look at *page 4*.", "U7")]


def test_who_asks_for_a_person_in_words_is_heard_and_told_so(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    name_owners(database, "U7")
    worker.answers = lambda text: answer_of("routed", question=text, intent="human")
    message = answered(fake, worker)
    assert "I have called the people in charge" in message["text"]
    assert worker.speak("call") == ["said"]
    assert fake.messages[-1]["text"].startswith("<@U7> <@U1> would like")


def test_what_is_asked_in_private_calls_nobody(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    worker.answers = lambda text: answer_of("routed", question=text, intent="human")
    answered(fake, worker, channel="D1")
    assert slack_parts.jobs(database, "say") == []


def test_a_channel_of_helpers_gets_a_link_where_it_may(
    fake: FakeSlack, database: Database, worker: Worker, tmp_path: Path
) -> None:
    path = tmp_path / "others.toml"
    path.write_text(INTENTS.format(route='route_to = "C0HELP"'))
    with slack_parts.served(fake, settings_for(fake, database.url, intents=path), database):
        helped = Worker(fake, database, intents=path)
        fake.action(button(answered(fake, helped), "human"))
        assert helped.speak("call") == ["said"]
        told = fake.messages[-1]
        assert told["channel"] == "C0HELP" and "How many days off?" in told["text"]
        fake.private.add("C1")  # since then nobody elsewhere may hear of it
        fake.action(button(answered(fake, helped), "human"))
        posted = len(fake.messages)
        Worker(fake, database, intents=path).speak("call")
        assert len(fake.messages) == posted


def test_who_is_named_by_an_admin_is_called_and_others_cannot_name_anybody(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    fake.command("/threadwise", "owners <@U77777|ana> <!subteam^S88888|@desk>", user="U2")
    assert "only Slack admins" in fake.wait_called("response_url")[0].params["text"]
    fake.command("/threadwise", "owners <@U77777|ana> <!subteam^S88888|@desk>", user="UBOSS")
    assert "2 to call" in fake.wait_called("response_url", 2)[1].params["text"]
    with database.connection() as connection:
        assert channels.get(connection, TEAM, "C1").owners == ("U77777", "S88888")
    for text in ("owners", "owners somebody", "limit 0", "limit ⅷ", "workflows perhaps"):
        fake.command("/threadwise", text, user="UBOSS")
    with database.connection() as connection:
        assert channels.get(connection, TEAM, "C1").owners == ("U77777", "S88888")
