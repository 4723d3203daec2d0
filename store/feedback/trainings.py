"""Trainings: what each said about rows that it had not seen, kept whether its model came to serve or not.

Knows nothing about how anything is trained.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from psycopg.types.json import Jsonb

from store.database import Connection
from store.records import Kind


@dataclass(frozen=True, slots=True)
class Training:
    """One training: `accuracy` and `loss` are of the model that is better on held-out rows; None where it has none.

    `is_kept` says that its model came to serve. `report` has the "bert" and the "baseline" model's accuracy and loss, and of the
    fine-tuning the "course": trained_loss, loss and accuracy for each epoch.
    """

    kind: Kind
    made_at: datetime
    is_kept: bool
    rows: int
    accuracy: float | None
    loss: float | None
    report: Mapping[str, object]


_COLUMNS = "kind, made_at, is_kept, rows, accuracy, loss, report"


def add(connection: Connection, workspace: str, training: Training) -> None:
    """Keep a training."""
    connection.execute(
        f"INSERT INTO trainings (workspace_id, training_id, {_COLUMNS})"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (workspace, uuid4(), training.kind, training.made_at, training.is_kept, training.rows,
         training.accuracy, training.loss, Jsonb(dict(training.report))),
    )  # fmt: skip


def last(connection: Connection, workspace: str, kind: Kind, most: int) -> list[Training]:
    """List the latest trainings of a part, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM trainings WHERE workspace_id = %s AND kind = %s"
        " ORDER BY made_at DESC LIMIT %s",
        (workspace, kind, most),
    ).fetchall()
    return [Training(*row) for row in reversed(rows)]


def latest(connection: Connection, workspace: str) -> dict[Kind, Training]:
    """Give the last training of each part; absent where there was none."""
    rows = connection.execute(
        f"SELECT DISTINCT ON (kind) {_COLUMNS} FROM trainings WHERE workspace_id = %s"
        " ORDER BY kind, made_at DESC",
        (workspace,),
    ).fetchall()
    return {row[0]: Training(*row) for row in rows}
