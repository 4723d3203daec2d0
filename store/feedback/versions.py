"""The versions of learned parts: add, promote, roll back, and which one serves.

Knows nothing about what a version means; `payload` and `report` are the learner's own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import get_args
from uuid import UUID, uuid4

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from store.database import Connection
from store.records import Kind, ModelVersion

_COLUMNS = (
    "version_id, kind, path, payload, report, created_at, promoted_at, is_serving, rolled_back_at"
)


def add(
    connection: Connection,
    workspace: str,
    kind: Kind,
    now: datetime,
    *,
    payload: Mapping[str, object] | None = None,
    report: Mapping[str, object] | None = None,
    path: str | None = None,
) -> UUID:
    """Keep a new version, not yet serving; give its id."""
    version_id = uuid4()
    connection.execute(
        "INSERT INTO model_versions (workspace_id, version_id, kind, path, payload, report, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (workspace, version_id, kind, path, Jsonb(payload or {}), Jsonb(report or {}), now),
    )
    return version_id


def promote(
    connection: Connection, workspace: str, version_id: UUID, now: datetime
) -> ModelVersion | None:
    """Let a version serve instead of the one of its kind that does; None if there is no such id."""
    version = get(connection, workspace, str(version_id))
    if version is None:
        return None
    _await_turn(connection, workspace, version.kind)
    _retire(connection, workspace, version.kind)
    connection.execute(
        "UPDATE model_versions SET is_serving = true, promoted_at = %s, rolled_back_at = NULL"
        " WHERE workspace_id = %s AND version_id = %s",
        (now, workspace, version_id),
    )
    return get(connection, workspace, str(version_id))


def roll_back(
    connection: Connection, workspace: str, kind: Kind | None, now: datetime
) -> tuple[ModelVersion, ModelVersion | None] | None:
    """Undo the last promotion (of `kind`, or of any): what stopped serving, and what serves again.

    The second is None when the built-in default serves again; None altogether when nothing serves.
    """
    if kind is None:
        await_turns(connection, workspace)
        found = serving(connection, workspace).values()
        kinds = sorted((v.promoted_at, v.kind) for v in found if v.promoted_at)
        if not kinds:
            return None
        kind = kinds[-1][1]
    _await_turn(connection, workspace, kind)
    last = serving(connection, workspace).get(kind)
    if last is None:
        return None
    before = connection.execute(
        f"SELECT {_COLUMNS} FROM model_versions WHERE workspace_id = %s AND kind = %s"
        " AND promoted_at < %s ORDER BY promoted_at DESC LIMIT 1",
        (workspace, last.kind, last.promoted_at),
    ).fetchone()
    _retire(connection, workspace, last.kind)
    # It never served, as far as a later roll-back is concerned.
    connection.execute(
        "UPDATE model_versions SET promoted_at = NULL, rolled_back_at = %s"
        " WHERE workspace_id = %s AND version_id = %s",
        (now, workspace, last.version_id),
    )
    if before is None:
        return last, None
    connection.execute(
        "UPDATE model_versions SET is_serving = true WHERE workspace_id = %s AND version_id = %s",
        (workspace, before[0]),
    )
    return last, get(connection, workspace, str(before[0]))


def rolled_back(connection: Connection, workspace: str) -> dict[Kind, datetime]:
    """When a version of each kind was last rolled back, by the night or by hand; absent where none was."""
    rows = connection.execute(
        "SELECT kind, max(rolled_back_at) FROM model_versions WHERE workspace_id = %s"
        " AND rolled_back_at IS NOT NULL GROUP BY kind",
        (workspace,),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def serving(connection: Connection, workspace: str) -> dict[Kind, ModelVersion]:
    """What serves now, by kind; a kind that is absent is served by its built-in default."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM model_versions WHERE workspace_id = %s AND is_serving",
        (workspace,),
    ).fetchall()
    return {row[1]: _version(row) for row in rows}


def get(connection: Connection, workspace: str, prefix: str) -> ModelVersion | None:
    """Find a version by its id or the beginning of it; None when none or several match."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM model_versions"
        " WHERE workspace_id = %s AND starts_with(version_id::text, %s) LIMIT 2",
        (workspace, prefix.lower()),
    ).fetchall()
    return _version(rows[0]) if len(rows) == 1 else None


def all_of(connection: Connection, workspace: str, kind: Kind | None = None) -> list[ModelVersion]:
    """List the versions, newest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM model_versions WHERE workspace_id = %s"
        " AND (%s::text IS NULL OR kind = %s) ORDER BY created_at DESC",
        (workspace, kind, kind),
    ).fetchall()
    return [_version(row) for row in rows]


def await_turns(connection: Connection, workspace: str) -> None:
    """Let no version of any kind be promoted or rolled back elsewhere until this transaction ends; costs a round
    trip for each kind."""
    for kind in sorted(
        get_args(Kind)
    ):  # in one order, so that two who want all do not block each other
        _await_turn(connection, workspace, kind)


def _await_turn(connection: Connection, workspace: str, kind: Kind) -> None:
    """Let what promotes or rolls back versions of a kind wait for one another, until this transaction ends."""
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{workspace}/{kind}",)
    )


def _retire(connection: Connection, workspace: str, kind: Kind) -> None:
    connection.execute(
        "UPDATE model_versions SET is_serving = false"
        " WHERE workspace_id = %s AND kind = %s AND is_serving",
        (workspace, kind),
    )


def _version(row: TupleRow) -> ModelVersion:
    return ModelVersion(*row)
