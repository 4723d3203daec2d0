"""Serves the screen: beside Slack in the bot's process, or alone where there is no Slack.

Knows nothing about its pages.
"""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.error import URLError
from urllib.request import urlopen
from wsgiref.types import WSGIApplication

from bot.processes import web
from bot.screen import app
from bot.screen.parts import Finding, Parts, Unsure
from bot.services import Services
from bot.settings import ROOT, Settings
from bot.slack import clients
from bot.slack.app import Bot
from bot.slack.directory import Directory
from bot.terminal.chat import TERMINAL
from store import sessions

LOOK_SECONDS = 2
DOCTOR_SECONDS = 120

_log = logging.getLogger(__name__)


def of_bot(bot: Bot) -> dict[str, WSGIApplication]:
    """Give the pages of a Slack workspace, by their paths; Slack says who is an admin."""
    edge, settings = bot.edge, bot.edge.settings

    def is_admin(person: str) -> bool:
        try:
            return person == TERMINAL or edge.is_admin(person)
        except clients.FAILURES as error:
            _log.warning("admin_unknown reason=%s", type(error).__name__)
            raise Unsure from error

    quick = clients.quick(settings.slack_bot_token, settings.slack_api_url)
    open_channels = Directory(quick, edge.workspace, edge.audience)
    return _pages(
        Parts(
            settings=settings,
            database=edge.database,
            queue=edge.queue,
            workspace=edge.workspace,
            is_admin=is_admin,
            channels=open_channels,
            findings=doctor,
        )
    )


def of_machine(services: Services) -> dict[str, WSGIApplication]:
    """Give the pages of an installation without Slack: who can run its commands is its admin."""
    return _pages(
        Parts(
            settings=services.settings,
            database=services.database,
            queue=services.queue,
            workspace=services.workspace,
            is_admin=lambda person: person == TERMINAL,
            channels=lambda _: {},
            findings=doctor,
        )
    )


@contextmanager
def served(services: Services) -> Iterator[web.Server | None]:
    """Serve the screen of an installation without Slack as long as the block lasts, where the port is free."""
    settings = services.settings
    try:
        server = web.Server(web.site(of_machine(services)), settings.http_host, settings.http_port)
    except web.PortTaken as error:
        _log.warning("no_screen reason=%s", error)
        yield None
        return
    try:
        yield server
    finally:
        server.close()


def link(services: Services, port: int | None = None) -> str:
    """Make an address that signs in once whoever can run commands here."""
    with services.database.connection() as connection:
        now, workspace = datetime.now(UTC), services.workspace
        token = sessions.new_link(connection, workspace, TERMINAL, now)
    return services.settings.sign_in_link(token, port)


def is_served(settings: Settings) -> bool:
    """Whether the screen answers on this machine."""
    try:
        with urlopen(settings.sign_in_link(""), timeout=LOOK_SECONDS) as reply:
            return b"Threadwise" in reply.read(2000)
    except (URLError, OSError, ValueError):
        return False


def _pages(parts: Parts) -> dict[str, WSGIApplication]:
    made = app.build(parts)
    return {app.PATH: made, f"{app.PATH}/": made}


def doctor() -> list[Finding]:
    """Run `threadwise doctor` in a process of its own: it loads the models, which this one never does."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bot", "doctor"],
            capture_output=True, text=True, timeout=DOCTOR_SECONDS, check=False, cwd=ROOT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [Finding(f"The doctor took more than {DOCTOR_SECONDS} s and was stopped.", False)]
    lines = [line.strip() for line in (done.stdout or done.stderr).splitlines() if line.strip()]
    return [Finding(line.lstrip("✓✗ "), not line.startswith("✗")) for line in lines]
