"""Edited and deleted messages: answered once, as they stand, and not at all once they are gone."""

import json
from typing import Any

import pytest

from bot.slack import clients
from bot.slack.app import Bot
from bot.slack.delivery import SlackDelivery
from store import questions
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack, Fault
from tests.slack_parts import FakeServices, delivered, waiting, work_off

ME = f"<@{BOT_USER}>"


def edit(fake: FakeSlack, event: dict[str, Any], text: str, /, **more: Any) -> dict[str, Any]:
    """The event that Slack sends when a message is edited."""
    keys = ("type", "user", "text", "ts", "thread_ts", "team", "bot_id")
    before = {key: event[key] for key in keys if key in event}
    now = fake.now()
    message = before | {"text": text, "edited": {"user": event["user"], "ts": now}} | more
    return {
        "type": "message", "subtype": "message_changed", "hidden": True, "ts": now,
        "channel": event["channel"], "channel_type": event["channel_type"],
        "message": message, "previous_message": before,
    }  # fmt: skip


def deletion(fake: FakeSlack, event: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "message", "subtype": "message_deleted", "hidden": True, "ts": fake.now(),
        "channel": event["channel"], "channel_type": event["channel_type"],
        "deleted_ts": event["ts"], "previous_message": event,
    }  # fmt: skip


def asked(services: FakeServices) -> list[str]:
    return [each.text for each in services.answerer.asked]


def test_an_edit_that_adds_the_mention_is_answered_once(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say("How many days off?")
    assert fake.event(event).ok
    change = edit(fake, event, f"{ME} How many days off?")
    assert fake.event(change).ok
    assert fake.event(change).ok
    assert fake.event(event | {"type": "app_mention", "text": f"{ME} How many days off?"}).ok
    assert work_off(services, fake) == ["answered"]
    assert [m["thread_ts"] for m in fake.messages] == [event["ts"]]
    assert asked(services) == ["How many days off?"]


def test_an_edited_question_is_answered_as_edited(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} How many days of?")
    fake.event(event)
    assert fake.event(edit(fake, event, f"{ME} How many days off?")).ok
    assert work_off(services, fake) == ["answered"]
    assert asked(services) == ["How many days off?"]


def test_an_edit_while_the_answer_is_looked_for_counts(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days of?")
    fake.event(event)
    (question_id,) = waiting(services.database)
    find, edits = services.answerer.answer, [edit(fake, event, f"{ME} days off?")]

    def edited_meanwhile(request: Any) -> Any:
        for change in edits:
            edits.remove(change)
            assert fake.event(change).ok
        return find(request)

    services.answerer.answer = edited_meanwhile  # type: ignore[method-assign]
    slack_parts.answered(services, question_id)
    assert asked(services) == ["days of?", "days off?"]
    assert work_off(services, fake) == ["answered"]
    assert len(fake.messages) == 1


def test_an_edit_after_the_answer_was_found_and_before_it_was_posted_counts(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days of?")
    fake.event(event)
    (question_id,) = waiting(services.database)
    slack_parts.answered(services, question_id)
    late, early = edit(fake, event, f"{ME} days?"), edit(fake, event, f"{ME} days off?")
    assert fake.event(early).ok
    assert fake.event(late).ok  # older than the one that came first
    assert len(slack_parts.jobs(services.database, "answer")) == 2
    assert work_off(services, fake) == ["answered"]
    assert asked(services)[-1] == "days off?"
    assert len(fake.messages) == 1


def test_an_edit_after_the_answer_is_silent(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    fake.event(event)
    work_off(services, fake)
    fake.event(edit(fake, event, f"{ME} days off, please?"))
    assert work_off(services, fake) == []
    assert len(fake.messages) == 1


def test_an_edit_while_a_post_may_be_under_way_is_silent(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    fake.event(event)
    fake.fail("chat.postMessage", Fault(status=503, happens=True))
    with pytest.raises(Exception, match="chat.postMessage"):
        work_off(services, fake)
    fake.event(edit(fake, event, f"{ME} and now?"))
    assert work_off(services, fake) == ["answered"]
    assert (len(fake.messages), asked(services)) == (1, ["days off?"])


@pytest.mark.parametrize(
    "more",
    [
        {"text": "days off? https://x.example", "attachments": [{"title": "X"}]},
        {"text": f"{ME} all done", "bot_id": "B2"},
        {"text": f"{ME} all done", "user": BOT_USER},
        {"text": f"{ME} all done", "subtype": "channel_topic"},
    ],
)
def test_unfolded_links_and_bots_edits_do_nothing(
    fake: FakeSlack, services: FakeServices, bot: Bot, more: dict[str, Any]
) -> None:
    event = fake.say("days off? https://x.example")
    fake.event(event)
    assert fake.event(edit(fake, event, event["text"], **more)).ok
    assert work_off(services, fake) == []


def test_an_edit_of_an_old_question_that_was_erased_is_not_answered(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days off?", ts="1600000000.000100")
    assert fake.event(edit(fake, event, f"{ME} days off, please?")).ok
    assert work_off(services, fake) == []


def test_a_deleted_question_is_not_answered(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    fake.event(event)
    (question_id,) = waiting(services.database)
    slack_parts.answered(services, question_id)
    assert fake.event(deletion(fake, event)).ok
    assert (
        delivered(
            services,
            question_id,
            SlackDelivery(clients.web("xoxb-1", fake.api_url), services.database, TEAM),
        )
        == "unknown"
    )
    with services.database.connection() as connection:
        question = questions.get(connection, TEAM, question_id)
    assert question and question.status == "ignored"
    assert work_off(services, fake) == [] and fake.messages == []


def test_a_deleted_message_whose_thread_goes_on_is_not_answered(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    fake.event(event)
    gone = edit(fake, event, "This message was deleted.", subtype="tombstone", user="USLACKBOT")
    assert fake.event(gone).ok
    assert work_off(services, fake) == []
    assert json.dumps(fake.messages) == "[]"
