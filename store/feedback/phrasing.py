"""Phrasing by an LLM: whether it is switched on, and how people like phrased answers beside quoted ones.

Knows nothing about LLMs.
"""

from dataclasses import dataclass
from datetime import datetime

from store.database import Connection
from store.values import storable


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether answers are phrased; `changed_by` is a person, "night", or None where nobody has decided it."""

    is_on: bool = True
    reason: str = ""
    changed_by: str | None = None
    changed_at: datetime | None = None


def switch(connection: Connection, workspace: str) -> Switch:
    """Give the switch of a workspace: on until somebody or a night turns it off."""
    row = connection.execute(
        "SELECT is_on, reason, changed_by, changed_at FROM phrasing_switches WHERE workspace_id = %s",
        (workspace,),
    ).fetchone()
    return Switch(*row) if row else Switch()


def turn(
    connection: Connection, workspace: str, is_on: bool, reason: str, who: str, now: datetime
) -> bool:
    """Turn phrasing on or off; True where it was the other way before."""
    was = switch(connection, workspace).is_on
    connection.execute(
        "INSERT INTO phrasing_switches (workspace_id, is_on, reason, changed_by, changed_at)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (workspace_id) DO UPDATE SET is_on = excluded.is_on,"
        " reason = excluded.reason, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        (workspace, is_on, storable(reason), who, now),
    )
    return was != is_on
