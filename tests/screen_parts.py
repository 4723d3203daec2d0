"""What the tests of the screen share: the pages of a workspace, and a browser's side of signing in.

Knows nothing about any one page.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.screen import app
from bot.screen.parts import Finding, Parts
from bot.settings import Settings
from store import sessions
from store.database import Database
from store.queue import Queue

TEAM = "T1"
BOSS = "UBOSS"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Slack:
    """What Slack says to the screen: who is an admin, and which channels all members may read."""

    admins: set[str] = field(default_factory=lambda: {BOSS})
    open: dict[str, str] = field(default_factory=lambda: {"C1": "general"})

    def is_admin(self, person: str) -> bool:
        return person in self.admins

    def channels(self, channels: Iterable[str]) -> Mapping[str, str]:
        return {channel: self.open[channel] for channel in channels if channel in self.open}


@dataclass
class Browser:
    """One person's browser on the screen of a workspace."""

    parts: Parts
    client: FlaskClient

    def sign_in(self, person: str = BOSS) -> TestResponse:
        """Open a link and click its button."""
        with self.parts.connection() as connection:
            now, workspace = self.parts.now(), self.parts.workspace
            token = sessions.new_link(connection, workspace, person, now)
        return self.client.post("/screen/sign-in", data={"token": token})

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.client.get(f"/screen/{path}", buffered=True)

    def text(self, path: str) -> str:
        """Give a page that opens."""
        reply = self.get(path)
        assert reply.status_code == 200, reply.text
        return reply.text

    def post(self, path: str, /, **fields: object) -> TestResponse:
        """Send a form of a page, with the token that its forms carry."""
        return self.client.post(f"/screen/{path}", data={"csrf": self.csrf(), **fields})

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.text(""))
        assert found
        return found[1]


def parts_for(
    database: Database,
    slack: Slack,
    now: Callable[[], datetime] = lambda: NOW,
    workspace: str = TEAM,
    **settings: object,
) -> Parts:
    """What the pages of a workspace work with."""
    given = {"home": Path("/nonexistent"), "database_url": database.url, **settings}
    return Parts(
        settings=Settings(_env_file=None, **given),  # type: ignore[arg-type,call-arg]
        database=database,
        queue=Queue(database.url),
        workspace=workspace,
        is_admin=slack.is_admin,
        channels=slack.channels,
        findings=lambda: [Finding("The disk has room", True), Finding("No worker runs", False)],
        now=now,
    )


def browser(parts: Parts, *, is_signed_in: bool = True) -> Browser:
    """A browser, signed in as the boss or not at all."""
    made = app.build(parts)
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    found = Browser(parts, made.test_client())
    if is_signed_in:
        assert found.sign_in().status_code == 303
    return found
