"""What the pages work with, handed in by the process that serves them.

Knows nothing about Slack: who is an admin and which channels are open is asked of the caller.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import g

from bot.settings import Settings
from store import audit
from store.audit import Deed
from store.database import Connection, Database
from store.queue import Queue


class Unsure(Exception):
    """It cannot be told now whether somebody is an admin."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at, and whether it is well."""

    line: str
    is_well: bool


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages of one workspace work with.

    `is_admin` tells it of a person's id, and raises Unsure when it cannot. `channels` names those of
    some channels that every member may read, by id; questions from any other are shown to nobody but their askers.
    `findings` looks at the installation, which takes seconds.
    """

    settings: Settings
    database: Database
    queue: Queue
    workspace: str
    is_admin: Callable[[str], bool]
    channels: Callable[[Iterable[str]], Mapping[str, str]]
    findings: Callable[[], Iterable[Finding]]
    now: Callable[[], datetime] = _now

    def connection(self) -> AbstractContextManager[Connection]:
        """Lend a connection for one transaction."""
        return self.database.connection()

    def note(self, connection: Connection, action: str, detail: str = "") -> None:
        """Keep what the admin who asks for this page does."""
        audit.note(connection, self.workspace, Deed(g.person, action, detail, self.now()))
