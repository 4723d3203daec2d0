"""The Slack edge as a process: once and never lost, over a socket and HTTP, with clear refusals."""

import http.client
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.slack import app
from bot.slack.app import Bot
from bot.slack.clients import SlackRefused
from store import workspaces
from store.database import Database
from tests import slack_parts
from tests.fake_slack import BOT_USER, FakeSlack, Fault
from tests.slack_parts import FakeServices, work_off

ME = f"<@{BOT_USER}>"


def test_an_event_delivered_five_times_is_answered_once(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    event = fake.say(f"{ME} days off?")
    for retry in range(4):
        assert fake.event(event, event_id="Ev9", retry=retry).ok
    work_off(services, fake)
    assert fake.event(event, event_id="Ev9", retry=4).ok
    assert work_off(services, fake) == []
    assert len(fake.messages) == 1


def test_while_the_database_is_away_events_are_not_acknowledged_and_come_again(
    fake: FakeSlack, services: FakeServices, bot: Bot
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
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    with services.database.connection() as connection:
        connection.execute("ALTER TABLE procrastinate_jobs RENAME TO elsewhere")
    assert not fake.event(fake.say(f"{ME} days off?")).ok
    assert slack_parts.waiting(services.database) == []


def test_a_person_is_told_when_a_command_breaks(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    with services.database.connection() as connection:
        connection.execute("ALTER TABLE questions RENAME TO elsewhere")
    ack = fake.command("/ask", "days off?")
    assert ack.ok and "try again" in ack.body


def test_a_wrong_signature_is_refused(fake: FakeSlack, services: FakeServices, bot: Bot) -> None:
    fake.secret = "guessed"
    assert fake.event(fake.say(f"{ME} days off?")).status == 401
    assert work_off(services, fake) == []


def test_health_and_metrics_are_served(fake: FakeSlack, services: FakeServices, bot: Bot) -> None:
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
        app.connect(services.settings, services.database)


def test_a_database_of_another_workspace_is_refused(
    fake: FakeSlack, services: FakeServices
) -> None:
    with services.database.connection() as connection:
        workspaces.connect(connection, "T9", "Other", datetime.now(UTC))
    with pytest.raises(app.OtherWorkspace, match="belongs to Slack workspace T9"):
        app.connect(services.settings, services.database)


def test_the_bot_process_stays_light() -> None:
    heavy = ("numpy", "torch", "sklearn", "transformers", "lxml")
    code = f"import sys, bot.slack; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
