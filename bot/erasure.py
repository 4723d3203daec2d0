"""Erase what is kept of a person, or what is older than the retention setting.

Knows nothing about commands or Slack.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.services import Services
from store import people
from store.people import Forgotten


@dataclass(frozen=True, slots=True)
class Erased:
    """Whose rows were erased, and how many of each sort."""

    person: str
    gone: Forgotten


def forget(services: Services, person: str) -> Erased:
    """Erase a person's questions, votes, labels and kept replies; memory made of them goes at once."""
    with services.database.connection() as connection:
        return Erased(person, people.forget(connection, services.workspace, person))


def retain(services: Services, now: datetime) -> Forgotten:
    """Erase questions older than the retention setting, with what hangs on them."""
    before = now - timedelta(days=services.settings.retention_days)
    with services.database.connection() as connection:
        return people.retain(connection, services.workspace, before)
