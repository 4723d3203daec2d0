"""Feedback: reactions, buttons and reasons, kept as one vote per person."""

from typing import Any
from uuid import UUID

import pytest

from bot.slack.app import Bot
from store.feedback import votes
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack
from tests.slack_parts import FakeServices, work_off

ME = f"<@{BOT_USER}>"


def answered(fake: FakeSlack, services: FakeServices, **more: Any) -> dict[str, Any]:
    """Ask and get a posted answer; give the message."""
    assert fake.event(fake.say(f"{ME} How many days off?", **more)).ok
    work_off(services, fake)
    return fake.messages[-1]


def tally(services: FakeServices, message: dict[str, Any]) -> dict[str, int]:
    answer_id = message["metadata"]["event_payload"]["answer_id"]
    with services.database.connection() as connection:
        return {vote.person: vote.value for vote in votes.of(connection, TEAM, answer_id)}


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
    fake: FakeSlack, services: FakeServices, bot: Bot, name: str, value: int
) -> None:
    message = answered(fake, services)
    assert fake.react(name, message["ts"], user="U2").ok
    assert tally(services, message) == {"U2": value}


def test_votes_flip_and_go(fake: FakeSlack, services: FakeServices, bot: Bot) -> None:
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
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    message = answered(fake, services)
    fake.react("tada", message["ts"])
    fake.react("+1", "1.000001")
    fake.react("+1", message["ts"], channel="C2")
    assert tally(services, message) == {}


def test_programs_do_not_vote(fake: FakeSlack, services: FakeServices, bot: Bot) -> None:
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
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    message = answered(fake, services)
    assert fake.action(pressed(message), user="U2").ok
    assert tally(services, message) == {"U2": 1}
    assert fake.action(pressed(message, up=False), user="U2").ok
    fake.react("+1", message["ts"], user="U2")
    assert tally(services, message) == {"U2": 1}


def test_thumbs_down_asks_only_the_voter_why_and_keeps_it(
    fake: FakeSlack, services: FakeServices, bot: Bot
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
    fake: FakeSlack, services: FakeServices, bot: Bot
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


@pytest.mark.parametrize("value", ["", "up:", "up:nonsense", f"up:{UUID(int=1)}"])
def test_a_button_of_nothing_does_nothing(fake: FakeSlack, bot: Bot, value: str) -> None:
    assert fake.action({"type": "button", "action_id": "feedback_up", "value": value}).ok
