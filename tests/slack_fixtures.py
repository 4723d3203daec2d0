"""Fixtures of the Slack tests: a Slack, a bot served to it over HTTP, and a worker's services.

Knows nothing about any one test; a file that needs other ones defines its own of the same name.
"""

from collections.abc import Iterator

import pytest

from bot.slack.app import Bot
from store.database import Database
from tests import slack_parts
from tests.fake_slack import FakeSlack
from tests.slack_parts import FakeServices, settings_for


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack that runs while the test does."""
    with FakeSlack() as running:
        yield running


@pytest.fixture
def services(fake: FakeSlack, database: Database) -> FakeServices:
    """What a worker of that Slack works with."""
    return FakeServices(settings_for(fake, database.url), database)


@pytest.fixture
def bot(fake: FakeSlack, services: FakeServices) -> Iterator[Bot]:
    """A bot that is connected to that Slack."""
    with slack_parts.served(fake, services.settings, services.database) as running:
        yield running
