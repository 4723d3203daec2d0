"""Sources: where documents come from, and how each of them is doing.

Knows nothing about how a source is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from store.database import Connection
from store.index import builds, runs
from store.records import SourceStatus, Viewer
from store.redaction import redacted
from store.values import storable

_STATUSES = """
SELECT s.name, s.kind, s.address,
       (SELECT count(*) FROM documents d JOIN builds b USING (workspace_id, build_id)
        WHERE b.workspace_id = s.workspace_id AND b.source = s.name AND b.state = 'live'),
       (SELECT coalesce(sum(c.chunks), 0)::bigint FROM scopes c JOIN builds b
            USING (workspace_id, build_id)
        WHERE b.workspace_id = s.workspace_id AND b.source = s.name AND b.state = 'live'),
       count(f.path) FILTER (WHERE NOT f.is_skip), count(f.path) FILTER (WHERE f.is_skip),
       (SELECT count(*) FROM documents d JOIN builds b USING (workspace_id, build_id)
        WHERE b.workspace_id = s.workspace_id AND b.source = s.name AND b.state = 'live'
        AND d.left_out <> '{}'),
       s.last_success, s.next_run, s.last_error, s.complaint, s.paused_at
FROM sources s LEFT JOIN failures f ON f.workspace_id = s.workspace_id AND f.source = s.name
WHERE s.workspace_id = %s AND s.retired_at IS NULL
GROUP BY s.workspace_id, s.name ORDER BY s.name
"""


@dataclass(frozen=True, slots=True)
class Freshness:
    """A source as a reader sees it, and when it was last read."""

    name: str
    read_at: datetime | None


def fresh(connection: Connection, workspace: str, viewer: Viewer) -> list[Freshness]:
    """List the sources of which a viewer may read anything, the largest first."""
    rows = connection.execute(
        "SELECT b.source, max(s.last_success) FROM builds b"
        " JOIN scopes c ON c.workspace_id = b.workspace_id AND c.build_id = b.build_id"
        " LEFT JOIN sources s ON s.workspace_id = b.workspace_id AND s.name = b.source"
        " WHERE b.workspace_id = %s AND b.state = 'live' AND c.audience && %s::text[] AND c.chunks > 0"
        " GROUP BY b.source ORDER BY sum(c.chunks) DESC, b.source",
        (workspace, list(viewer.principals)),
    ).fetchall()
    return [Freshness(*row) for row in rows]


def register(
    connection: Connection,
    workspace: str,
    name: str,
    kind: str,
    address: str,
    schedule: str | None,
    complaint: str | None = None,
    origin: str = "file",
) -> None:
    """Make a source known, or bring what is known of it up to date.

    `origin` is where it is known from: "file", "hand" or "example".
    """
    connection.execute(
        "INSERT INTO sources (workspace_id, name, kind, address, schedule, complaint, origin)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (workspace_id, name) DO UPDATE"
        " SET kind = excluded.kind, address = excluded.address, schedule = excluded.schedule,"
        " complaint = excluded.complaint, origin = excluded.origin, retired_at = NULL",
        (workspace, name, kind, storable(address), schedule, complaint and storable(redacted(complaint)),
         origin),
    )  # fmt: skip


def added(connection: Connection, workspace: str) -> list[tuple[str, str, str, str | None]]:
    """Give the sources that were added by hand, by name: name, kind, address, schedule."""
    return connection.execute(
        "SELECT name, kind, address, schedule FROM sources WHERE workspace_id = %s"
        " AND retired_at IS NULL AND origin = 'hand' ORDER BY name",
        (workspace,),
    ).fetchall()


def names(connection: Connection, workspace: str) -> dict[str, str]:
    """Give the address of every source that is known, by name, also of those that are served no longer."""
    rows = connection.execute(
        "SELECT name, address FROM sources WHERE workspace_id = %s", (workspace,)
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def is_any_but(connection: Connection, workspace: str, address: str) -> bool:
    """Tell whether there is a source that lies elsewhere than at this address."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM sources WHERE workspace_id = %s AND retired_at IS NULL"
        " AND address <> %s)",
        (workspace, address),
    ).fetchone()
    return bool(row and row[0])


def retire_others(
    connection: Connection,
    workspace: str,
    configured: Sequence[str],
    now: datetime,
) -> list[str]:
    """Serve no longer what is not in the sources' file any more; give the names of these sources.

    What was added by hand stays until it is removed by hand.
    """
    rows = connection.execute(
        "SELECT name FROM sources WHERE workspace_id = %s AND retired_at IS NULL"
        " AND origin <> 'hand' AND NOT name = ANY (%s)",
        (workspace, list(configured)),
    ).fetchall()
    gone = [row[0] for row in rows]
    for name in gone:
        retire(connection, workspace, name, now)
    return gone


def retire_example(connection: Connection, workspace: str, address: str, now: datetime) -> None:
    """Serve the example at this address no longer, unless the sources' file names it."""
    rows = connection.execute(
        "SELECT name FROM sources WHERE workspace_id = %s AND retired_at IS NULL"
        " AND origin = 'example' AND address = %s",
        (workspace, address),
    ).fetchall()
    for (name,) in rows:
        retire(connection, workspace, name, now)


def retire(connection: Connection, workspace: str, name: str, now: datetime) -> None:
    """Serve a source no longer, and run it no more."""
    connection.execute(
        "UPDATE sources SET retired_at = %s, next_run = NULL WHERE workspace_id = %s AND name = %s",
        (now, workspace, name),
    )
    builds.retire(connection, workspace, name, now)


def succeeded(connection: Connection, workspace: str, name: str, now: datetime) -> None:
    """Note that a run of the source came to its end."""
    connection.execute(
        "UPDATE sources SET last_success = %s, last_error = NULL"
        " WHERE workspace_id = %s AND name = %s",
        (now, workspace, name),
    )


def failed(connection: Connection, workspace: str, name: str, error: str) -> None:
    """Note why a run of the source did not come to its end."""
    connection.execute(
        "UPDATE sources SET last_error = %s WHERE workspace_id = %s AND name = %s",
        (storable(redacted(error)), workspace, name),
    )


def pause(connection: Connection, workspace: str, name: str, at: datetime | None) -> bool:
    """Let the clock no longer read a source, or (None) read it again; False when there is no such one."""
    found = connection.execute(
        "UPDATE sources SET paused_at = %s WHERE workspace_id = %s AND name = %s"
        " AND retired_at IS NULL",
        (at, workspace, name),
    )
    return found.rowcount > 0


def paused(connection: Connection, workspace: str) -> frozenset[str]:
    """Name the sources that the clock does not read."""
    rows = connection.execute(
        "SELECT name FROM sources WHERE workspace_id = %s AND paused_at IS NOT NULL", (workspace,)
    ).fetchall()
    return frozenset(row[0] for row in rows)


def plan_next(connection: Connection, workspace: str, name: str, at: datetime | None) -> None:
    """Note when the clock will run the source next; None: by hand only."""
    connection.execute(
        "UPDATE sources SET next_run = %s WHERE workspace_id = %s AND name = %s",
        (at, workspace, name),
    )


def statuses(connection: Connection, workspace: str) -> list[SourceStatus]:
    """Give how each source is doing, by name, with its latest run."""
    rows = connection.execute(_STATUSES, (workspace,)).fetchall()
    found = []
    for row in rows:
        latest = runs.last(connection, workspace, row[0])
        made = SourceStatus(*(*row[:-1], latest[0] if latest else None, row[-1]))
        found.append(replace(made, address=redacted(made.address)))
    return found
