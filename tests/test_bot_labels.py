"""Labels from Slack: the buttons of "did you mean", the menu of topics, an admin's emoji."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.intents import Intents, load
from bot.settings import ROOT
from bot.slack.app import Bot
from store.database import Database
from store.feedback import labels
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack
from tests.slack_parts import FakeServices, texts, work_off

ADMIN = "UBOSS"
OPEN = {"intent:access_request": 0.5, "intent:password_trouble": 0.4}


def rows(database: Database) -> list[tuple[str, str]]:
    with database.connection() as connection:
        return labels.rows(connection, TEAM)


def asked_back(fake: FakeSlack, services: FakeServices) -> list[dict[str, Any]]:
    """Ask something open; give the two buttons that come back."""
    services.answerer.status, services.answerer.signals = "routed", OPEN
    assert fake.event(fake.say(f"<@{BOT_USER}> the vpn thing")).ok
    work_off(services, fake, intents=lambda: Intents.of(load(ROOT / "intents.toml")))
    blocks = fake.messages[-1]["blocks"]
    blocks = json.loads(blocks) if isinstance(blocks, str) else blocks
    assert [b["type"] for b in blocks[1:]] == ["actions"]
    buttons: list[dict[str, Any]] = blocks[-1]["elements"]
    return buttons


def test_the_click_on_did_you_mean_is_a_label_and_is_acted_upon(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    first, second = asked_back(fake, services)
    root = fake.messages[-1]["thread_ts"]
    assert [first["text"]["text"], second["text"]["text"]] == ["Access request", "Password trouble"]
    assert fake.action(second).ok
    assert rows(services.database) == [("the vpn thing", "password_trouble")]
    (rewritten,) = fake.wait_called("response_url")
    assert rewritten.params["replace_original"] and "Password trouble" in rewritten.params["text"]
    services.answerer.status = "answered"
    assert work_off(services, fake) == ["answered"]
    assert [asked.chosen for asked in services.answerer.asked] == [None, "password_trouble"]
    assert fake.messages[-1]["thread_ts"] == root


def test_only_the_first_click_acts_but_the_last_is_the_label(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    first, second = asked_back(fake, services)
    for button in (first, first, second):
        assert fake.action(button).ok
    assert rows(services.database) == [("the vpn thing", "password_trouble")]
    assert len(work_off(services, fake)) == 1


def test_nobody_else_chooses_for_the_asker(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    first, _ = asked_back(fake, services)
    assert fake.action(first, user="U2").ok
    (said,) = fake.wait_called("response_url")
    assert "Only the person who asked" in said.params["text"]
    assert rows(services.database) == [] and work_off(services, fake) == []


def test_a_choice_of_nothing_does_nothing(fake: FakeSlack, bot: Bot) -> None:
    for value in ("", "nonsense", f"{slack_parts.answer_of().answer_id}:no_such_intent"):
        assert fake.action({"type": "button", "action_id": "choice:0", "value": value}).ok


def test_wrong_topic_asks_for_the_right_one(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    assert fake.event(fake.say(f"<@{BOT_USER}> my badge is gone")).ok
    work_off(services, fake)
    answer_id = fake.messages[-1]["metadata"]["event_payload"]["answer_id"]
    reason = {"type": "button", "action_id": "reason:wrong_topic", "value": answer_id}
    assert fake.action(reason, user="U2").ok
    (menu,) = fake.wait_called("response_url")
    (select,) = menu.params["blocks"][1]["elements"]
    option = next(o for o in select["options"] if o["value"].endswith(":equipment_room"))
    assert len(option["value"]) <= 75
    picked = {"type": "static_select", "action_id": "topic", "selected_option": option}
    assert fake.action(picked, user="U2").ok
    assert rows(services.database) == [("my badge is gone", "equipment_room")]
    fake.wait_called("response_url", 2)
    assert texts(fake)[-1] == "Thanks, noted: Equipment room"


def test_an_admins_emoji_is_a_label_until_it_is_taken_away(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"<@{BOT_USER}> who lets me in?")
    assert fake.event(event).ok
    work_off(services, fake)
    fake.react("key", event["ts"], user="U2")
    slack_parts.errands_done(bot)
    assert rows(services.database) == []
    fake.react("key", fake.messages[-1]["ts"], user=ADMIN)
    slack_parts.errands_done(bot)
    assert rows(services.database) == [("who lets me in?", "access_request")]
    fake.react("key", event["ts"], user=ADMIN, added=False)
    slack_parts.errands_done(bot)
    assert rows(services.database) == []


def test_admins_see_what_messages_were_taken_for(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"<@{BOT_USER}> who lets me in?")
    assert fake.event(event).ok
    with services.database.connection() as connection:
        connection.execute("UPDATE questions SET intent = 'question', intent_confidence = 0.5")
    fake.react("key", event["ts"], user=ADMIN)
    slack_parts.errands_done(bot)
    with services.database.connection() as connection:
        (seen,) = labels.seen(connection, TEAM, datetime.now(UTC) - timedelta(days=1))
    assert seen == labels.Seen("question", 1, 0.5, 1, "access_request")
    assert fake.command("/threadwise", "intents", user=ADMIN).ok
    assert fake.command("/threadwise", "intents", user="U2").ok
    told = [call.params["text"] for call in fake.wait_called("response_url", 2)]
    assert sum("1 messages, confidence 0.50, 1 corrected" in text for text in told) == 1
    assert sum("only Slack admins" in text for text in told) == 1
