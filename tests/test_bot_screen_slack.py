"""The screen beside a real bot: the link of a slash command, and rights and channels as Slack says them."""

import base64
import json
import re
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from werkzeug.test import Client

from bot.processes import screen
from bot.slack import app, clients
from bot.slack.app import Bot
from bot.slack.audience import Audience
from bot.slack.directory import KEPT_SECONDS, Directory
from store import questions
from store.database import Database
from store.queue import Queue
from store.records import Ask
from tests.fake_slack import TEAM, FakeSlack, Fault
from tests.screen_parts import NOW
from tests.slack_parts import FakeServices, settings_for


def link(fake: FakeSlack, person: str) -> str:
    """What `/threadwise screen` says to a person."""
    count = len(fake.called("response_url"))
    assert fake.command("/threadwise", "screen", user=person).ok
    return str(fake.wait_called("response_url", count + 1)[-1].params["text"])


def signed_in(fake: FakeSlack, bot: Bot, person: str) -> Client:
    """A browser that followed the link, and clicked."""
    found = re.search(r"<(http[^|]+)\|", link(fake, person))
    assert found
    address = urlsplit(found[1])
    assert (address.hostname, address.path) == ("127.0.0.1", "/screen/sign-in")
    client = Client(screen.of_bot(bot)["/screen/"])
    token = address.query.removeprefix("token=")
    assert client.post("/screen/sign-in", data={"token": token}).status_code == 303
    return client


def ask(database: Database, body: str, channel: str) -> None:
    with database.connection() as connection:
        given = Ask(TEAM, channel, str(uuid4()), "U1", body, "mention", is_private=False)
        question_id = questions.claim(connection, given, NOW)
        assert question_id
        questions.end(connection, TEAM, question_id, "failed", now=NOW)


def test_only_admins_get_a_link(fake: FakeSlack, bot: Bot) -> None:
    assert "<http" in link(fake, "UBOSS")
    assert "only Slack admins" in link(fake, "U1")
    fake.people["U2"] = {"is_admin": True}
    assert "<http" in link(fake, "U2")
    fake.people["U3"] = {
        "is_admin": True,
        "team_id": "T9",
    }  # of the company that a channel is shared with
    assert "only Slack admins" in link(fake, "U3")


def test_who_is_no_admin_any_more_sees_nothing_with_the_next_click(
    fake: FakeSlack, bot: Bot
) -> None:
    fake.people["U2"] = {"is_admin": True}
    client = signed_in(fake, bot, "U2")
    assert client.get("/screen/").status_code == 200
    fake.people["U2"] = {"is_admin": False}
    assert client.get("/screen/").status_code == 403
    fake.people["U2"] = {"is_admin": True}
    assert client.get("/screen/").status_code == 200


def test_while_slack_does_not_say_who_is_an_admin_nobody_is(fake: FakeSlack, bot: Bot) -> None:
    fake.people["U2"] = {"is_admin": True}
    client = signed_in(fake, bot, "U2")
    fake.fail("users.info", Fault(500))
    assert client.get("/screen/").status_code == 503


def test_conversations_of_open_channels_alone_are_shown(
    fake: FakeSlack, bot: Bot, services: FakeServices
) -> None:
    fake.private.add("C2SECRET")
    ask(services.database, "asked in the open", "C1")
    ask(services.database, "asked behind a door", "C2SECRET")
    page = (
        signed_in(fake, bot, "UBOSS")
        .get("/screen/conversations?from=2026-03-01&to=2026-03-03")
        .text
    )
    assert "asked in the open" in page and "asked behind a door" not in page


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize(
    "channel",
    [
        {"is_private": True}, {"is_private": None}, {"is_ext_shared": True}, {"is_ext_shared": None},
        {"is_pending_ext_shared": True}, {"pending_shared": ["T9"]}, {"is_org_shared": True},
        {"is_mpim": True}, {"shared_team_ids": [TEAM, "T9"]}, {"conversation_host_id": "T9"},
    ],
)  # fmt: skip
def test_a_channel_is_open_by_the_same_rule_wherever_slack_tells_of_it(
    fake: FakeSlack, channel: dict[str, object], is_listed: bool
) -> None:
    fake.channels |= {"C1": {"name": "all"}, "C2": {"name": "elsewhere"} | channel}
    fake.listed = ["C1", "C2"] if is_listed else None
    client = clients.quick("xoxb-1", fake.api_url)
    audience = Audience(client, TEAM)
    assert Directory(client, TEAM, audience)(["C1", "C2"]) == {"C1": "all"}
    assert (audience.is_open("C1"), audience.is_open("C2")) == (True, False)


def test_what_was_listed_is_believed_for_a_minute(fake: FakeSlack) -> None:
    now, client = [0.0], clients.quick("xoxb-1", fake.api_url)
    fake.channels["C1"], fake.listed = {"name": "all"}, ["C1"]
    named = Directory(client, TEAM, Audience(client, TEAM), lambda: now[0])
    assert named(["C1"]) == {"C1": "all"}
    fake.channels["C1"] = {"is_ext_shared": True}
    assert named(["C1"]) == {"C1": "all"}
    now[0] += KEPT_SECONDS
    assert named(["C1"]) == {}


ADDRESS = "https://threadwise.example.com"


def returned(
    fake: FakeSlack,
    database: Database,
    *,
    person: str,
    team: str = TEAM,
    nonce: str = "",
    state: str = "",
) -> Client:
    """A browser that went to Slack and came back, with another nonce or state than ours where given."""
    settings = settings_for(
        fake, database.url, url=ADDRESS, slack_client_id="1.2", slack_client_secret="s3cret"
    )
    bot = app.build(settings, database, Queue(database.url), TEAM)
    client = Client(screen.of_bot(bot)["/screen/"])
    away = client.get("/screen/slack", base_url=ADDRESS)
    sent = parse_qs(urlsplit(away.headers["Location"]).query)
    assert sent["redirect_uri"] == [f"{ADDRESS}/screen/from-slack"] and sent["team"] == [TEAM]
    claims = {"aud": "1.2", "nonce": nonce or sent["nonce"][0]}
    fake.id_token = (
        f"x.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"
    )
    fake.identity = {"https://slack.com/user_id": person, "https://slack.com/team_id": team}
    given = {"code": "c", "state": state or sent["state"][0]}
    client.get("/screen/from-slack", query_string=given, base_url=ADDRESS)
    bot.edge.errands.shutdown()
    return client


def test_an_admin_signs_in_with_slack(fake: FakeSlack, database: Database) -> None:
    assert (
        returned(fake, database, person="UBOSS").get("/screen/", base_url=ADDRESS).status_code
        == 200
    )


def test_others_and_forged_returns_do_not_get_in(fake: FakeSlack, database: Database) -> None:
    for wrong, code in (
        ({"person": "U1"}, 403), ({"person": "UBOSS", "team": "T9"}, 303),
        ({"person": "UBOSS", "nonce": "other"}, 303), ({"person": "UBOSS", "state": "other"}, 303),
        ({"person": ""}, 303),
    ):  # fmt: skip
        client = returned(fake, database, **wrong)  # type: ignore[arg-type]
        assert client.get("/screen/", base_url=ADDRESS).status_code == code, wrong


def test_without_a_public_address_there_is_no_way_by_slack(fake: FakeSlack, bot: Bot) -> None:
    client = Client(screen.of_bot(bot)["/screen/"])
    assert client.get("/screen/slack").status_code == 404
    assert client.get("/screen/from-slack?code=c&state=s").status_code == 404
