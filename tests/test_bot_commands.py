"""/reindex and /threadwise: who may, what is queued, what is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bot.slack import clients, commands, notifier
from bot.slack.app import Bot
from store import channels
from store.database import Database
from store.index import runs, sources
from store.records import Run
from tests import slack_parts
from tests.fake_slack import TEAM, FakeSlack, Fault
from tests.slack_parts import jobs

ADMIN = "UBOSS"
NOW = datetime.now(UTC)
RUN = Run(
    uuid4(), "hr", "running", NOW, NOW, None, 200, 94, 3, 91, 0, 0, 0, 40, 12, None, False, ADMIN
)


@pytest.fixture
def bot(fake: FakeSlack, database: Database) -> Iterator[Bot]:
    with database.connection() as connection:
        sources.register(connection, TEAM, "hr", "folder", "/docs/hr", None)
        sources.register(connection, TEAM, "it", "folder", "/docs/it", None)
    settings = slack_parts.settings_for(fake, database.url)
    with slack_parts.served(fake, settings, database) as running:
        yield running


def told(fake: FakeSlack, command: str, text: str, user: str = ADMIN) -> str:
    """What the bot says to a command."""
    count = len(fake.called("response_url"))
    assert fake.command(command, text, user=user).ok
    said = fake.wait_called("response_url", count + 1)[-1]
    assert said.params["response_type"] == "ephemeral"
    return str(said.params["text"])


def test_an_admin_queues_all_sources_once(fake: FakeSlack, database: Database, bot: Bot) -> None:
    assert told(fake, "/reindex", "").count("will be read again now") == 2
    assert [(job["source"], job["asked_by"]) for job in jobs(database, "ingest")] == [
        ("hr", ADMIN),
        ("it", ADMIN),
    ]
    assert told(fake, "/reindex", "hr") == "hr waits to be read already."
    assert len(jobs(database, "ingest")) == 2


def test_a_slack_admin_may_and_others_are_refused_politely(
    fake: FakeSlack, database: Database, bot: Bot
) -> None:
    fake.people["U7"] = {"is_admin": True}
    assert told(fake, "/reindex", "hr", user="U1") == commands.REFUSAL
    assert jobs(database, "ingest") == []
    assert "will be read" in told(fake, "/reindex", "hr", user="U7")


def test_an_unknown_source_lists_those_there_are(fake: FakeSlack, bot: Bot) -> None:
    assert told(fake, "/reindex", "<!here>").endswith("There are: hr, it.")
    assert "<!" not in told(fake, "/reindex", "<!here>")


def test_a_running_source_says_how_far_it_is(fake: FakeSlack, database: Database, bot: Bot) -> None:
    with database.connection() as connection:
        runs.save(connection, TEAM, replace(RUN, seen_at=datetime.now(UTC)))
    assert told(fake, "/reindex", "hr") == "hr is being read already: 47 % (94 of 200 documents)."
    assert jobs(database, "ingest") == []
    assert "being read now: 47 %" in told(fake, "/reindex", "status")


def test_help_is_for_everyone(fake: FakeSlack, bot: Bot) -> None:
    assert told(fake, "/reindex", "help", user="U1") == commands.REINDEX_USAGE
    assert told(fake, "/threadwise", "help", user="U1") == commands.SETTINGS_USAGE
    assert told(fake, "/threadwise", "dance", user="U1") == commands.SETTINGS_USAGE


def test_admins_say_when_and_from_what_a_channel_is_answered(
    fake: FakeSlack, database: Database, bot: Bot
) -> None:
    assert told(fake, "/threadwise", "mode questions", user="U1") == commands.REFUSAL
    assert "mode questions" in told(fake, "/threadwise", "mode questions")
    assert "answers from hr" in told(fake, "/threadwise", "sources hr")
    with database.connection() as connection:
        kept = channels.get(connection, TEAM, "C1")
    assert kept == channels.ChannelSettings("C1", "questions", None, ("hr",))
    assert "There is no mode loud" in told(fake, "/threadwise", "mode loud")
    assert "hr, it" in told(fake, "/threadwise", "sources hr, nowhere")
    assert "all sources" in told(fake, "/threadwise", "sources all")
    assert "mode questions" in told(fake, "/threadwise", "status", user="U1")


def test_the_admin_is_told_how_a_run_ended(fake: FakeSlack) -> None:
    client = clients.web("xoxb-1", fake.api_url)
    notifier.notify_run(client, replace(RUN, state="done", seen=200, changed=3, unchanged=197))
    notifier.notify_run(client, replace(RUN, state="failed", error="the folder <gone>"))
    notifier.notify_run(client, replace(RUN, state="done", asked_by="terminal"))
    said = [(m["channel"], m["text"]) for m in fake.messages]
    assert said == [
        (ADMIN, "hr is up to date: 200 documents, 3 changed, 197 unchanged, 0 removed."),
        (ADMIN, "hr could not be brought up to date (failed): the folder &lt;gone&gt;"),
    ]


def test_a_token_without_the_scope_is_named_in_the_log(
    fake: FakeSlack, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    fake.fail("users.info", Fault(error="missing_scope"))
    assert fake.command("/reindex", "hr", user="U1").ok
    slack_parts.errands_done(bot)
    assert "missing_scope: chat:write" in caplog.text and "reinstall" in caplog.text
