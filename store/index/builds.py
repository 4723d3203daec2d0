"""Builds: complete sets of a source's documents. One is served; a full rebuild grows beside it.

Knows nothing about how documents are read, split or encoded.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.database import Connection
from store.records import BuildState


@dataclass(frozen=True, slots=True)
class Build:
    """Where a run writes: documents of one source, by one encoder and one way of splitting."""

    build_id: int
    source: str
    embedder_id: int
    chunker: str
    state: BuildState


_FIELDS = "build_id, source, embedder_id, chunker, state"


def of(connection: Connection, workspace: str, source: str) -> dict[BuildState, Build]:
    """Give the source's builds that count, by state: 'live', 'building'."""
    rows = connection.execute(
        f"SELECT {_FIELDS} FROM builds WHERE workspace_id = %s AND source = %s"
        " AND state IN ('live', 'building')",
        (workspace, source),
    ).fetchall()
    return {row[4]: Build(*row) for row in rows}


def choose(
    connection: Connection,
    workspace: str,
    source: str,
    embedder_id: int,
    chunker: str,
    now: datetime,
    *,
    full: bool = False,
) -> Build:
    """Give the build that a run should write to.

    1. A rebuild that was begun with the same encoder and chunker goes on.
    2. What is live is updated, when encoder and chunker are the same and `full` is not asked.
    3. Otherwise a new build begins: served at once when nothing is served that it would replace
       or be mixed with, else beside what is served until `swap`.
    """
    current = of(connection, workspace, source)
    wanted = (embedder_id, chunker)
    begun, live = current.get("building"), current.get("live")
    if begun and (begun.embedder_id, begun.chunker) == wanted:
        return begun
    if begun:
        _set_state(connection, workspace, [begun.build_id], "retired", now)
    if live and (live.embedder_id, live.chunker) == wanted and not full:
        return live
    others = _other_encoders(connection, workspace, source, embedder_id)
    state: BuildState = "building" if live or others else "live"
    build = Build(secrets.randbits(62), source, embedder_id, chunker, state)
    connection.execute(
        "INSERT INTO builds (workspace_id, build_id, source, embedder_id, chunker, state,"
        " started_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (workspace, build.build_id, source, embedder_id, chunker, state, now),
    )
    return build


def complete(connection: Connection, workspace: str, build: Build, now: datetime) -> list[str]:
    """Note that a build holds all it should; give the names of the sources that are swapped.

    Vectors of two encoders are never searched together, so after a change of encoder the sources
    are swapped all at once, when the last of them is complete.
    """
    connection.execute(
        "UPDATE builds SET finished_at = %s WHERE workspace_id = %s AND build_id = %s",
        (now, workspace, build.build_id),
    )
    if build.state == "live":
        return []
    _lock(connection, workspace)
    others = _other_encoders(connection, workspace, build.source, build.embedder_id)
    ready = connection.execute(
        "SELECT build_id, source FROM builds WHERE workspace_id = %s AND state = 'building'"
        " AND embedder_id = %s AND finished_at IS NOT NULL",
        (workspace, build.embedder_id),
    ).fetchall()
    if not others <= {source for _, source in ready}:
        return []
    chosen = ready if others else [(build.build_id, build.source)]
    swap(connection, workspace, [build_id for build_id, _ in chosen], now)
    return [source for _, source in chosen]


def swap(
    connection: Connection,
    workspace: str,
    build_ids: Sequence[int],
    now: datetime,
) -> None:
    """Serve these builds from now on, and retire what their sources served before."""
    old = connection.execute(
        "SELECT build_id FROM builds WHERE workspace_id = %(workspace)s AND state = 'live'"
        " AND source IN (SELECT source FROM builds WHERE workspace_id = %(workspace)s"
        " AND build_id = ANY (%(ids)s)) AND NOT build_id = ANY (%(ids)s)",
        {"workspace": workspace, "ids": list(build_ids)},
    ).fetchall()
    _set_state(connection, workspace, [row[0] for row in old], "retired", now)
    _set_state(connection, workspace, build_ids, "live", now)


def retire(connection: Connection, workspace: str, source: str, now: datetime) -> None:
    """Serve nothing of a source any more; `retired` then lists what may be cleaned."""
    ids = [build.build_id for build in of(connection, workspace, source).values()]
    _set_state(connection, workspace, ids, "retired", now)


def retired(connection: Connection, workspace: str) -> list[int]:
    """Give the builds that nobody reads any more and that still have rows."""
    rows = connection.execute(
        "SELECT build_id FROM builds WHERE workspace_id = %s AND state = 'retired'", (workspace,)
    ).fetchall()
    return [row[0] for row in rows]


def forget(connection: Connection, workspace: str, build_id: int) -> None:
    """Delete the row of a retired build whose documents are gone, and its scopes."""
    for table in ("scopes", "builds"):
        connection.execute(
            f"DELETE FROM {table} WHERE workspace_id = %s AND build_id = %s",
            (workspace, build_id),
        )


def _other_encoders(
    connection: Connection, workspace: str, source: str, embedder_id: int
) -> set[str]:
    rows = connection.execute(
        "SELECT source FROM builds WHERE workspace_id = %s AND state = 'live'"
        " AND source <> %s AND embedder_id <> %s",
        (workspace, source, embedder_id),
    ).fetchall()
    return {row[0] for row in rows}


def _lock(connection: Connection, workspace: str) -> None:
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"builds:{workspace}",)
    )


def _set_state(
    connection: Connection,
    workspace: str,
    build_ids: Sequence[int],
    state: BuildState,
    now: datetime,
) -> None:
    connection.execute(
        "UPDATE builds SET state = %s, finished_at = %s"
        " WHERE workspace_id = %s AND build_id = ANY (%s)",
        (state, now, workspace, list(build_ids)),
    )
