"""What evaluations measured, kept as they were printed, so that two can be compared.

Knows nothing about what the numbers mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from store.database import Connection
from store.values import storable


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run: `kind` is what was measured, `detail` on what, `report` the JSON of the command."""

    evaluation_id: UUID
    kind: str
    detail: str
    made_at: datetime
    report: Mapping[str, object]


def add(
    connection: Connection,
    workspace: str,
    kind: str,
    detail: str,
    report: Mapping[str, object],
    now: datetime,
) -> UUID:
    """Keep what was measured; give its id."""
    made = uuid4()
    connection.execute(
        "INSERT INTO evaluations (workspace_id, evaluation_id, kind, detail, made_at, report)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (workspace, made, kind, storable(detail), now, Jsonb(dict(report))),
    )
    return made


def last(connection: Connection, workspace: str, most: int) -> list[Evaluation]:
    """List the latest runs, the newest first."""
    rows = connection.execute(
        "SELECT evaluation_id, kind, detail, made_at, report FROM evaluations"
        " WHERE workspace_id = %s ORDER BY made_at DESC LIMIT %s",
        (workspace, most),
    ).fetchall()
    return [Evaluation(*row) for row in rows]
