"""The App Home and the agent's pane: each person sees what that person may see, and a stop button stops."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from bot.slack.app import Bot
from store import answers, questions
from store.database import Database
from store.feedback import votes
from store.index import builds, documents, embedders
from store.records import Ask, Vote
from tests import slack_parts
from tests.fake_slack import TEAM, FakeSlack, Fault
from tests.fakes import HashEmbedder
from tests.slack_parts import FakeServices, answer_of, work_off
from tests.store_parts import make

NOW = datetime.now(UTC)


def put(database: Database, source: str, path: str, *audience: str) -> None:
    """Serve a document that these may read."""
    encoder = HashEmbedder()
    document = make(path, f"text of {path}", audience=audience)
    with database.connection() as connection:
        number = embedders.ensure_embedder(connection, TEAM, encoder.name, encoder.dims)
        build = builds.choose(connection, TEAM, source, number, "v1", NOW)
        vectors = [encoder.encode([c.body])[0] for c in document.chunks]
        documents.replace(connection, TEAM, build, [document], vectors, NOW)
        builds.complete(connection, TEAM, build, NOW)


def home(fake: FakeSlack, bot: Bot, person: str) -> str:
    """Open the Home; give what it says."""
    before = len(fake.called("views.publish"))
    opened = {"type": "app_home_opened", "user": person, "channel": "D1", "tab": "home"}
    assert fake.event(opened).ok
    call = fake.wait_called("views.publish", before + 1)[-1]
    assert call.params["user_id"] == person
    return str(call.params["view"])


def liked(
    database: Database, text: str, channel: str = "C1", person: str = "U5", **more: Any
) -> UUID:
    """A question whose answer somebody liked."""
    ts = f"17.{abs(hash((text, channel))) % 10**6:06}"
    ask = Ask(TEAM, channel, ts, person, text, "mention", bool(more.pop("private", False)))
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, NOW)
        assert question_id
        answer = answer_of("answered", question=text, **more)
        answers.record(connection, TEAM, question_id, answer, None, None, NOW)
        questions.end(connection, TEAM, question_id, "answered", now=NOW)
        votes.cast(connection, TEAM, Vote(answer.answer_id, "U9", 1, "button"), NOW)
    return question_id


def test_a_home_shows_the_sources_that_this_person_may_read_and_their_own_questions(
    fake: FakeSlack, bot: Bot, database: Database
) -> None:
    put(database, "handbook", "a.md", "*")
    put(database, "board", "b.md", "U2")
    liked(database, "What did I earn <!here>?", channel="D1", person="U1", private=True)
    mine, others = home(fake, bot, "U1"), home(fake, bot, "U2")
    assert "handbook" in mine and "board" not in mine and "What did I earn" in mine
    assert "<!here>" not in mine
    assert "handbook" in others and "board" in others and "What did I earn" not in others
    assert "For admins" not in mine + others


@pytest.mark.parametrize("flag", ["is_restricted", "is_ultra_restricted", "is_stranger"])
def test_a_guests_home_names_no_source_that_is_for_members(
    fake: FakeSlack, bot: Bot, database: Database, flag: str
) -> None:
    put(database, "handbook", "a.md", "*")
    fake.people["U1"] = {flag: True}
    seen = home(fake, bot, "U1")
    assert "handbook" not in seen and "no documents that you may read" in seen


def test_admins_see_what_waits_and_get_a_link_to_the_screen(
    fake: FakeSlack, bot: Bot, database: Database
) -> None:
    liked(database, "Where do I park?")
    seen = home(fake, bot, "UBOSS")
    assert "*Today*: 1 asked, 1 answered" in seen and "0 gaps" in seen
    fake.action({"type": "button", "action_id": "home:screen", "value": "screen"}, user="U1")
    fake.action({"type": "button", "action_id": "home:screen", "value": "screen"}, user="UBOSS")
    shown = fake.wait_called("views.publish", 2)[1].params
    assert shown["user_id"] == "UBOSS" and "Open the screen>: good once" in str(shown["view"])


def test_forget_me_asks_first_and_then_erases(
    fake: FakeSlack, bot: Bot, database: Database
) -> None:
    liked(database, "Where do I park?", person="U1")
    seen = home(fake, bot, "U1")
    assert "'confirm'" in seen and "Where do I park" in seen
    fake.action({"type": "button", "action_id": "home:forget", "value": "forget"}, user="U1")
    shown = str(fake.wait_called("views.publish", 2)[1].params["view"])
    assert "Erased: 1 questions" in shown and "Where do I park" not in shown


def test_the_pane_offers_liked_questions_that_this_person_may_see(
    fake: FakeSlack, bot: Bot, database: Database
) -> None:
    put(database, "hr", "hr/leave.md", "*")
    fake.private.add("CPRIV")
    fake.channels["CEXT"] = {"is_ext_shared": True}
    liked(database, "How many days off?")
    liked(database, "What is in the merger?", channel="CPRIV")
    liked(database, "What do partners pay?", channel="CEXT")
    liked(database, "What did I earn?", channel="D1", private=True)
    hidden = answer_of("answered").citations[0]
    gone = type(hidden)(**{n: getattr(hidden, n) for n in hidden.__slots__} | {"path": "gone.md"})
    liked(database, "What stood on a page that is gone?", citations=(gone,))
    opened = {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "messages"}
    assert fake.event(opened).ok
    (call,) = fake.wait_called("assistant.threads.setSuggestedPrompts")
    assert [each["message"] for each in prompts(call.params)] == ["How many days off?"]
    fake.people["U2"] = {"is_restricted": True}
    assert fake.event(opened | {"user": "U2"}).ok
    slack_parts.errands_done(bot)
    assert len(fake.called("assistant.threads.setSuggestedPrompts")) == 1


def prompts(params: dict[str, Any]) -> Sequence[dict[str, str]]:
    found: Sequence[dict[str, str]] = params["prompts"]
    return found


def test_a_session_shows_its_work_and_rests_once_answered(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say("How many days off?", channel="D1")
    assert fake.event(event).ok
    (begun,) = fake.wait_called("agents.sessions.setStatus")
    assert begun.params["status"] == "processing" and begun.params["title"] == "How many days off?"
    slack_parts.errands_done(bot)
    assert work_off(services, fake) == ["answered"]
    ended = fake.called("agents.sessions.setStatus")[-1].params
    assert (ended["status"], ended["thread_ts"]) == ("active", event["ts"])
    assert fake.called("assistant.threads.setStatus") == []


def test_an_older_workspace_gets_the_older_status_and_is_not_asked_each_time(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.unknown_methods = {"agents.sessions.setStatus"}
    for _ in range(2):
        assert fake.event(fake.say("How many days off?", channel="D1")).ok
        slack_parts.errands_done(bot)
    assert len(fake.called("agents.sessions.setStatus")) == 1
    assert len(fake.called("assistant.threads.setStatus")) == 2


def test_a_stop_button_stops_and_nothing_is_posted(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say("How many days off?", channel="D1")
    assert fake.event(event).ok
    slack_parts.errands_done(bot)
    (question_id,) = slack_parts.waiting(services.database)
    slack_parts.answered(services, question_id)  # found, and not delivered yet
    stop = {
        "type": "agent_session_stopped", "channel": "D1", "thread_ts": event["ts"], "user": "U1",
        "streaming_message_ts": [], "event_ts": fake.now(),
    }  # fmt: skip
    for _ in range(2):
        assert fake.event(stop).ok
    slack_parts.errands_done(bot)
    assert work_off(services, fake) == [] and fake.messages == []
    with services.database.connection() as connection:
        row = connection.execute("SELECT status, error FROM questions").fetchone()
    assert row == ("ignored", "stopped by a click")
    assert fake.called("agents.sessions.setStatus")[-1].params["status"] == "active"


def test_a_stop_after_the_answer_changes_nothing(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say("How many days off?", channel="D1")
    fake.event(event)
    assert work_off(services, fake) == ["answered"]
    fake.event({"type": "agent_session_stopped", "channel": "D1", "thread_ts": event["ts"]})
    slack_parts.errands_done(bot)
    with services.database.connection() as connection:
        assert connection.execute("SELECT status FROM questions").fetchone() == ("answered",)


def test_a_session_that_cannot_rest_now_is_put_to_rest_later(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.event(fake.say("How many days off?", channel="D1"))
    slack_parts.errands_done(bot)
    (question_id,) = slack_parts.waiting(services.database)
    fake.fail("agents.sessions.setStatus", Fault(503))
    with pytest.raises(Exception, match="503"):
        work_off(services, fake)
    delivery = slack_parts.delivery(fake, services.database)
    assert slack_parts.delivered(services, question_id, delivery) == "answered"
    assert fake.called("agents.sessions.setStatus")[-1].params["status"] == "active"
    assert len(fake.messages) == 1


def test_home_pane_and_stop_button_work_over_a_socket_too(
    fake: FakeSlack, services: FakeServices, database: Database
) -> None:
    settings = services.settings.model_copy(update={"slack_mode": "socket"})
    with slack_parts.served(fake, settings, database):
        opened = {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"}
        assert fake.event(opened).ok
        assert "What you can ask" in str(fake.wait_called("views.publish")[0].params["view"])
        event = fake.say("How many days off?", channel="D1")
        assert fake.event(event).ok
        fake.wait_called("agents.sessions.setStatus")
        stop = {"type": "agent_session_stopped", "channel": "D1", "thread_ts": event["ts"]}
        assert fake.event(stop).ok
    assert work_off(services, fake) == [] and fake.messages == []
