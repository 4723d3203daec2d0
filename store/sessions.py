"""Who has opened the screen: links that sign in once, and sessions. Of both only hashes are kept.

Knows nothing about who may sign in, nor about cookies.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from store.database import Connection

LINK_LASTS = timedelta(minutes=5)
SESSION_LASTS = timedelta(hours=12)

TOKEN_BYTES = 32
"""Of chance: nobody guesses one."""


def new_link(connection: Connection, workspace: str, person: str, now: datetime) -> str:
    """Make a token that signs a person in once, until LINK_LASTS is over."""
    for table in ("screen_links", "screen_sessions"):
        connection.execute(
            f"DELETE FROM {table} WHERE workspace_id = %s AND expires_at <= %s", (workspace, now)
        )
    return _add(connection, "screen_links", workspace, person, now + LINK_LASTS)


def use_link(connection: Connection, workspace: str, token: str, now: datetime) -> str | None:
    """Give whom a token signs in, and never again; None for one that is unknown, used or too old."""
    row = connection.execute(
        "DELETE FROM screen_links WHERE workspace_id = %s AND token_hash = %s"
        " RETURNING person, expires_at",
        (workspace, _hash(token)),
    ).fetchone()
    return row[0] if row and row[1] > now else None


def begin(connection: Connection, workspace: str, person: str, now: datetime) -> str:
    """Make the token of a session, which ends after SESSION_LASTS."""
    return _add(connection, "screen_sessions", workspace, person, now + SESSION_LASTS)


def person(connection: Connection, workspace: str, token: str, now: datetime) -> str | None:
    """Give whose session it is; None for one that is unknown or has ended."""
    row = connection.execute(
        "SELECT person FROM screen_sessions"
        " WHERE workspace_id = %s AND token_hash = %s AND expires_at > %s",
        (workspace, _hash(token), now),
    ).fetchone()
    return row[0] if row else None


def end(connection: Connection, workspace: str, token: str) -> None:
    """End a session."""
    connection.execute(
        "DELETE FROM screen_sessions WHERE workspace_id = %s AND token_hash = %s",
        (workspace, _hash(token)),
    )


def _add(
    connection: Connection, table: str, workspace: str, person: str, expires_at: datetime
) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(
        f"INSERT INTO {table} (workspace_id, token_hash, person, expires_at) VALUES (%s, %s, %s, %s)",
        (workspace, _hash(token), person, expires_at),
    )
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
