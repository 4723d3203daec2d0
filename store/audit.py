"""What admins did, and when.

Knows nothing about what an action means.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from store.database import Connection
from store.redaction import redacted
from store.values import storable


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that an admin did: `action` is a few plain words, `detail` what it was done to."""

    person: str
    action: str
    detail: str
    happened_at: datetime


def note(connection: Connection, workspace: str, deed: Deed) -> None:
    """Keep what was done, in the transaction that does it."""
    connection.execute(
        "INSERT INTO audit (workspace_id, audit_id, person, action, detail, happened_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (workspace, uuid4(), deed.person, deed.action, storable(redacted(deed.detail)),
         deed.happened_at),
    )  # fmt: skip


def last(connection: Connection, workspace: str, most: int) -> list[Deed]:
    """Give what was done last, the latest first."""
    rows = connection.execute(
        "SELECT person, action, detail, happened_at FROM audit WHERE workspace_id = %s"
        " ORDER BY happened_at DESC LIMIT %s",
        (workspace, most),
    ).fetchall()
    return [Deed(*row) for row in rows]
