"""Notices: what is said besides answers, noted so that it is said once.

Knows nothing about what is said. The same notes as of answers (store/answers.py).
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from store.database import Connection

Saying = Literal["new", "open", "busy", "said"]
"""What is known of earlier tries: none, one that did not say how it ended, one under way, one that was heard."""


def begin(
    connection: Connection, workspace: str, notice_id: UUID, lease_seconds: float
) -> tuple[Saying, datetime]:
    """Note that a notice is about to be said; give what is known of earlier tries, and when the first was.

    One that began less than `lease_seconds` ago is `busy`; it may still be under way.
    """
    connection.execute(
        "INSERT INTO notices (workspace_id, notice_id, created_at) VALUES (%s, %s, now())"
        " ON CONFLICT DO NOTHING",
        (workspace, notice_id),
    )
    row = connection.execute(
        "SELECT posted_ts IS NOT NULL, posting_at IS NOT NULL,"
        " coalesce(posting_at >= now() - make_interval(secs => %s), false), created_at FROM notices"
        " WHERE workspace_id = %s AND notice_id = %s FOR UPDATE",
        (lease_seconds, workspace, notice_id),
    ).fetchone()
    assert row is not None
    is_said, is_open, is_busy, since = row
    if is_said or is_busy:
        return "said" if is_said else "busy", since
    connection.execute(
        "UPDATE notices SET posting_at = now() WHERE workspace_id = %s AND notice_id = %s",
        (workspace, notice_id),
    )
    return "open" if is_open else "new", since


def end(connection: Connection, workspace: str, notice_id: UUID, *, is_open: bool) -> None:
    """Note that a try failed; `is_open` says that it may have been heard all the same."""
    connection.execute(
        "UPDATE notices SET posting_at = CASE WHEN %s THEN '-infinity'::timestamptz END"
        " WHERE workspace_id = %s AND notice_id = %s",
        (is_open, workspace, notice_id),
    )


def said(connection: Connection, workspace: str, notice_id: UUID, channel: str, ts: str) -> None:
    """Note where a notice stands."""
    connection.execute(
        "UPDATE notices SET channel = %s, posted_ts = %s WHERE workspace_id = %s AND notice_id = %s",
        (channel, ts, workspace, notice_id),
    )
