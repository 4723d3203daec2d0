"""What recurs: up to when it was deferred, by the clock of the server, whichever process keeps time.

Knows nothing about schedules.
"""

from datetime import date, datetime

from store.database import Connection


def begin(connection: Connection, name: str) -> tuple[datetime, datetime]:
    """Give until when a task was deferred, and the server's time now.

    One that was never deferred counts from now on: nothing was missed.
    """
    connection.execute(
        "INSERT INTO recurring (name, done_till) VALUES (%s, now()) ON CONFLICT DO NOTHING", (name,)
    )
    row = connection.execute(
        "SELECT done_till, now() FROM recurring WHERE name = %s", (name,)
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def advance(connection: Connection, name: str, since: datetime) -> bool:
    """Note that a task is deferred now; False when another clock did it after `since`."""
    moved = connection.execute(
        "UPDATE recurring SET done_till = now() WHERE name = %s AND done_till = %s", (name, since)
    )
    return moved.rowcount > 0


def today(connection: Connection) -> date:
    """Give the day that it is by the server's clock, in UTC."""
    row = connection.execute("SELECT (now() AT TIME ZONE 'UTC')::date").fetchone()
    assert row is not None
    found: date = row[0]
    return found
