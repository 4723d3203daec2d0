"""Everyone is full members of this workspace: others get only what names their channel or them."""

from typing import Any
from uuid import uuid4

import pytest

from bot.answering.lifecycle import NotYet, Outdated
from bot.answering.readers import NOTES
from bot.answering.request import Request
from bot.slack import clients
from bot.slack.app import Bot
from bot.slack.audience import Audience, place, standing
from bot.slack.delivery import SlackDelivery
from store import channels
from store.channels import ChannelSettings
from store.records import EVERYONE, Answer, Ask
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack, Fault
from tests.slack_parts import FakeServices, answer_of, handled, texts, waiting
from tests.store_parts import begin, make, put

SECRET = "Full-time staff get 28 days of leave."


class Guarded:
    """Answers from a document that is open to everyone, as the search does: to who may see it."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Answer:
        """Give the document's words, or nothing."""
        self.asked.append(request)
        is_open = EVERYONE in request.viewer.principals
        return answer_of("answered" if is_open else "not_found", hints=())


def ask(
    fake: FakeSlack, services: FakeServices, fields: dict[str, Any], outer: dict[str, Any]
) -> list[str]:
    """Ask in a channel; give what was said."""
    event = fake.say(f"<@{BOT_USER}> days off?", user="U5", **fields)
    assert fake.event(event, **outer).ok
    return answered(fake, services)


def answered(fake: FakeSlack, services: FakeServices) -> list[str]:
    services.answerer = Guarded()  # type: ignore[assignment]
    audience = Audience(clients.quick("xoxb-1", fake.api_url), TEAM)
    client = clients.web("xoxb-1", fake.api_url)
    deliver = SlackDelivery(client, services.database, TEAM, audience=audience)
    for question_id in waiting(services.database):
        handled(services, question_id, deliver, audience.reader)
    return texts(fake)


def blocks(fake: FakeSlack) -> str:
    return str([call.params for call in fake.calls])


@pytest.mark.parametrize(
    ("event", "outer", "person", "channel", "note"),
    [
        ({"user_team": "T9"}, {}, {}, {}, "outsider"),
        ({"source_team": "T9"}, {}, {}, {}, "outsider"),
        ({"team": "T9"}, {}, {}, {}, "outsider"),
        ({}, {"context_team_id": "T9"}, {}, {}, "outsider"),
        ({}, {"is_ext_shared_channel": True}, {}, {}, "outsider"),
        ({}, {}, {"is_stranger": True}, {}, "outsider"),
        ({}, {}, {"team_id": "T9"}, {}, "outsider"),
        ({}, {}, {"team_id": "T9", "enterprise_user": {"teams": ["T8"]}}, {}, "outsider"),
        ({}, {}, {"is_restricted": True}, {}, "guest"),
        ({}, {}, {"is_restricted": True, "is_ultra_restricted": True}, {}, "guest"),
        ({}, {}, {"is_bot": True}, {}, "unknown"),
        ({}, {}, {"deleted": True}, {}, "unknown"),
        ({}, {}, {"is_restricted": None}, {}, "unknown"),
        ({}, {}, {}, {"is_ext_shared": True}, "shared"),
        ({}, {}, {}, {"is_pending_ext_shared": True}, "shared"),
        ({}, {}, {}, {"pending_shared": ["T9"]}, "shared"),
        ({}, {}, {}, {"is_org_shared": True}, "shared"),
        ({}, {}, {}, {"conversation_host_id": "T9"}, "shared"),
        ({}, {}, {}, {"shared_team_ids": [TEAM, "T9"]}, "shared"),
        ({}, {}, {}, {"is_ext_shared": None}, "unknown"),
    ],
)  # fmt: skip
def test_who_is_not_a_member_among_members_gets_nothing_that_is_for_everyone(
    fake: FakeSlack,
    services: FakeServices,
    bot: Bot,
    event: dict[str, Any],
    outer: dict[str, Any],
    person: dict[str, Any],
    channel: dict[str, Any],
    note: str,
) -> None:
    fake.people["U5"], fake.channels["C1"] = person, channel
    said = ask(fake, services, event, outer)
    assert len(said) == 1 and SECRET not in blocks(fake)
    assert NOTES[note].split(":")[0] in blocks(fake)  # type: ignore[index]


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("users.info", Fault(error="user_not_found")),
        ("users.info", Fault(status=500)),
        ("users.info", Fault(status=429, retry_after=60)),
        ("conversations.info", Fault(error="missing_scope")),
        ("conversations.info", Fault(status=503)),
    ],
)
def test_what_slack_does_not_say_is_closed_and_the_asker_is_told(
    fake: FakeSlack, services: FakeServices, bot: Bot, method: str, fault: Fault
) -> None:
    fake.fail(method, fault)
    ask(fake, services, {}, {})
    assert SECRET not in blocks(fake) and "Please ask again in a moment" in blocks(fake)


def test_a_member_among_members_is_answered(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    grid = {"team_id": "T8", "enterprise_user": {"teams": ["T8", TEAM]}}
    fake.people["U5"] = grid
    ask(fake, services, {"team": TEAM, "user_team": TEAM}, {"context_team_id": TEAM})
    assert SECRET in blocks(fake)


def test_a_member_is_answered_alone_even_in_a_shared_channel_and_a_guest_is_not(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.channels["C1"] = {"is_ext_shared": True}
    fake.people["U6"] = {"is_restricted": True}
    assert fake.command("/ask", "days off?", user="U6").ok
    answered(fake, services)
    assert SECRET not in blocks(fake)
    assert fake.command("/ask", "days off?", user="U5").ok
    answered(fake, services)
    assert SECRET in blocks(fake)


def test_an_admin_allows_a_channel_by_a_command_and_takes_it_back(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.channels["C1"] = {"is_ext_shared": True}
    for person, word, is_allowed in (("U5", "allow", False), ("UBOSS", "allow", True),
                                     ("UBOSS", "deny", False)):  # fmt: skip
        count = len(fake.called("response_url"))
        assert fake.command("/threadwise", f"outsiders {word}", user=person).ok
        fake.wait_called("response_url", count + 1)
        with services.database.connection() as connection:
            assert channels.get(connection, TEAM, "C1").outsiders is is_allowed
        assert (SECRET in str(ask(fake, services, {}, {})[-1])) is is_allowed


def test_an_admin_of_elsewhere_is_none_here(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    for person in ({"is_stranger": True}, {"team_id": "T9"}, {"is_restricted": True}):
        fake.people["U5"] = {"is_admin": True, "is_owner": True, **person}
        assert not bot.edge.is_admin("U5")
    fake.people["U5"] = {"is_admin": True}
    assert bot.edge.is_admin("U5")


def test_a_channel_that_came_to_be_shared_is_noticed_before_the_answer_is_posted(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"<@{BOT_USER}> days off?")
    assert fake.event(event).ok
    services.answerer = Guarded()  # type: ignore[assignment]
    now = [0.0]
    audience = Audience(clients.quick("xoxb-1", fake.api_url), TEAM, lambda: now[0])
    deliver = SlackDelivery(
        clients.web("xoxb-1", fake.api_url), services.database, TEAM, audience=audience
    )
    (question_id,) = waiting(services.database)
    slack_parts.answered(services, question_id, audience.reader)
    fake.channels["C1"] = {"is_ext_shared": True}
    now[0] += 3600  # an outage
    slack_parts.delivered(services, question_id, deliver)
    assert SECRET not in blocks(fake) and "shared with people from elsewhere" in blocks(fake)


def test_an_answer_waits_until_slack_says_who_reads_it(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    """Found while Slack did not say: found anew. Known before and not now: not posted before it is."""
    assert fake.event(fake.say(f"<@{BOT_USER}> days off?")).ok
    services.answerer = Guarded()  # type: ignore[assignment]
    now = [0.0]
    audience = Audience(clients.quick("xoxb-1", fake.api_url), TEAM, lambda: now[0])
    deliver = SlackDelivery(
        clients.web("xoxb-1", fake.api_url), services.database, TEAM, audience=audience
    )
    (question_id,) = waiting(services.database)
    fake.fail("users.info", Fault(status=503))
    assert slack_parts.answered(services, question_id, audience.reader) == "not_found"
    now[0] += 3600
    with pytest.raises(Outdated):
        slack_parts.delivered(services, question_id, deliver)
    assert slack_parts.answered(services, question_id, audience.reader) == "answered"
    now[0] += 3600
    fake.fail("users.info", Fault(status=503))
    with pytest.raises(NotYet):
        slack_parts.delivered(services, question_id, deliver)
    assert SECRET not in blocks(fake)
    now[0] += 60
    assert slack_parts.delivered(services, question_id, deliver) == "answered"
    assert SECRET in blocks(fake)


def test_a_document_that_was_closed_meanwhile_is_not_posted(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    with services.database.connection() as connection:
        connection.execute("UPDATE workspaces SET workspace_id = 'local'")
    put(services.database, begin(services.database, "hr"), make("hr/leave.md", SECRET, audience=()))
    with services.database.connection() as connection:
        for table in ("workspaces", "builds", "documents", "scopes"):
            connection.execute(f"UPDATE {table} SET workspace_id = %s", (TEAM,))
    ask(fake, services, {}, {})
    assert SECRET not in blocks(fake) and "may no longer be shown" in blocks(fake)
    with services.database.connection() as connection:
        kept = connection.execute("SELECT a.status, q.status FROM answers a JOIN questions q"
                                  " USING (workspace_id, question_id)").fetchall()  # fmt: skip
    assert kept == [("not_found", "not_found")]


@pytest.mark.parametrize(
    ("route_to", "there", "here", "is_told"),
    [
        ("C0HELP", {}, {}, True),
        ("C0HELP", {}, {"is_private": True}, False),
        ("C0HELP", {}, {"is_mpim": True}, False),
        ("C0HELP", {}, {"is_private": None}, False),
        ("C0HELP", {"is_ext_shared": True}, {}, False),
        ("C0HELP", {"is_private": True}, {"is_private": True}, False),
        ("C1", {}, {"is_private": True}, True),
        ("S0TEAM", {}, {"is_private": True}, True),
        ("U7", {}, {}, True),
        ("U7", {}, {"is_private": True}, False),
        ("U8", {}, {}, False),  # a guest
    ],
)  # fmt: skip
def test_a_routed_message_is_told_only_to_those_who_may_read_it(
    fake: FakeSlack,
    services: FakeServices,
    route_to: str,
    there: dict[str, Any],
    here: dict[str, Any],
    is_told: bool,
) -> None:
    fake.channels |= {route_to: there}
    fake.channels |= {"C1": here}
    fake.people["U8"] = {"is_restricted": True}
    audience = Audience(clients.quick("xoxb-1", fake.api_url), TEAM)
    asked = Ask(TEAM, "C1", "1.1", "U5", "need access", "mention", is_private=False)
    assert audience.may_hear(asked, route_to) is is_told
    assert not audience.may_hear(Ask(TEAM, "D1", "1", "U5", "x", "dm", is_private=True), route_to)


def test_what_is_missing_is_read_as_closed() -> None:
    for broken in ({}, {"user": None}, {"user": []}, {"ok": False}):
        assert standing(broken, TEAM) == "unknown"
        found = place(broken, TEAM)
        assert (found.is_private, found.is_shared, found.is_known) == (True, True, False)


def test_what_slack_said_is_believed_for_a_while(fake: FakeSlack) -> None:
    now = [0.0]
    audience = Audience(clients.quick("xoxb-1", fake.api_url), TEAM, lambda: now[0])
    question = Ask(TEAM, "C1", str(uuid4()), "U5", "?", "mention", is_private=False)
    for _ in range(3):
        assert audience.reader(question, ChannelSettings("C1")).closed is None
    assert len(fake.called("users.info")) == 1
    fake.people["U5"] = {"is_restricted": True}
    now[0] += 300
    assert audience.reader(question, ChannelSettings("C1")).closed == "guest"


def test_what_is_said_aloud_is_for_all_who_read_the_channel_and_a_guest_gets_less(
    fake: FakeSlack,
) -> None:
    fake.people |= {"U5": {}, "U8": {"is_restricted": True}}
    audience = Audience(clients.quick("xoxb-1", fake.api_url), TEAM)

    def reads(person: str, channel: str, *, is_private: bool) -> tuple[set[str], str | None]:
        ask = Ask(TEAM, channel, "1.1", person, "pay?", "mention", is_private=is_private)
        reader = audience.reader(ask, ChannelSettings(channel))
        return set(reader.viewer.principals), reader.closed

    assert reads("U5", "C1", is_private=False) == ({"*", "C1"}, None)  # nothing that names U5 alone
    assert reads("U8", "C1", is_private=False) == ({"C1"}, "guest")
    assert reads("U5", "D1", is_private=True) == ({"*", "D1", "U5"}, None)
    assert reads("U8", "D1", is_private=True) == ({"D1", "U8"}, "guest")
