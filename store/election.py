"""Who leads: one process at a time, by an advisory lock that ends with its connection.

Knows nothing about what the leader does.
"""

import logging

import psycopg
from psycopg.conninfo import make_conninfo

from store.database import Connection

log = logging.getLogger(__name__)

CONNECTION: dict[str, str | int] = {
    "application_name": "threadwise-election",
    "connect_timeout": 3,  # seconds
    # A leader whose host is gone is noticed, and replaced, within about half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}


class Candidate:
    """One process's claim to the lead called `name`; needs a direct connection to Postgres."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._connection: Connection | None = None

    def leads(self) -> bool:
        """Take or keep the lead; False when another has it or Postgres is away. Call every second."""
        try:
            if self._connection is not None:
                self._connection.execute("SELECT 1")
                return True
            return self._take()
        except psycopg.OperationalError as error:
            log.warning(
                "election_lost name=%s reason=%s", self._name, str(error).partition("\n")[0]
            )
            self.resign()
            return False

    def resign(self) -> None:
        """Give up the lead, if held; another may take it at once."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(self) -> bool:
        connection = psycopg.connect(make_conninfo(self._url, **CONNECTION), autocommit=True)
        row = connection.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (self._name,)
        ).fetchone()
        if row == (True,):
            self._connection = connection
            return True
        connection.close()
        return False


def alone(connection: Connection, name: str) -> bool:
    """Whether no other transaction holds `name`; if so, ours holds it until it ends."""
    row = connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (name,)
    ).fetchone()
    return row == (True,)
