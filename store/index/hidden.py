"""Documents that an admin took out of search: nobody is among those who may see them.

Knows nothing about who may see the others. A document that is read anew stays hidden.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from store.database import Connection
from store.index import chunks

NOBODY: tuple[str, ...] = ()
"""The audience of what is hidden."""

_PLACES = """
SELECT d.document_id, d.title, d.build_id, s.scope_id, s.document_id <> 0
FROM documents d JOIN builds b ON b.workspace_id = d.workspace_id AND b.build_id = d.build_id
JOIN scopes s ON s.workspace_id = d.workspace_id AND s.scope_id = d.scope_id
WHERE d.workspace_id = %s AND b.source = %s AND d.path = %s AND b.state IN ('live', 'building')
  AND s.audience <> '{}' FOR UPDATE OF s
"""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A document that is hidden, since when, and who did it."""

    source: str
    path: str
    hidden_by: str
    hidden_at: datetime


def hide(
    connection: Connection, workspace: str, source: str, path: str, person: str, now: datetime
) -> None:
    """Take a document out of search, from the moment that the transaction commits."""
    connection.execute(
        "INSERT INTO hidden_documents (workspace_id, source, path, hidden_by, hidden_at)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (workspace, source, path, person, now),
    )
    places = connection.execute(_PLACES, (workspace, source, path)).fetchall()
    for document_id, title, build_id, scope_id, is_own in places:
        if is_own:
            connection.execute(
                "UPDATE scopes SET audience = '{}' WHERE workspace_id = %s AND scope_id = %s",
                (workspace, scope_id),
            )
            continue
        home = _nobodys(connection, workspace, build_id)
        connection.execute(
            "UPDATE documents SET scope_id = %s WHERE workspace_id = %s AND document_id = %s",
            (home, workspace, document_id),
        )
        chunks.move(connection, workspace, {document_id: title}, home)


def show(connection: Connection, workspace: str, source: str, path: str) -> bool:
    """Hide a document no longer: the next run of its source lets those see it who may. False: it was not."""
    gone = connection.execute(
        "DELETE FROM hidden_documents WHERE workspace_id = %s AND source = %s AND path = %s",
        (workspace, source, path),
    )
    return gone.rowcount > 0


def paths(connection: Connection, workspace: str, source: str) -> frozenset[str]:
    """Give the paths of a source's hidden documents."""
    rows = connection.execute(
        "SELECT path FROM hidden_documents WHERE workspace_id = %s AND source = %s",
        (workspace, source),
    ).fetchall()
    return frozenset(row[0] for row in rows)


def all_of(connection: Connection, workspace: str) -> list[Hidden]:
    """List what is hidden, the latest first."""
    rows = connection.execute(
        "SELECT source, path, hidden_by, hidden_at FROM hidden_documents WHERE workspace_id = %s"
        " ORDER BY hidden_at DESC, path",
        (workspace,),
    ).fetchall()
    return [Hidden(*row) for row in rows]


def _nobodys(connection: Connection, workspace: str, build_id: int) -> int:
    """Give the scope of a build that nobody sees."""
    row = connection.execute(
        "INSERT INTO scopes (workspace_id, scope_id, build_id, audience) VALUES (%s, %s, %s, '{}')"
        " ON CONFLICT (workspace_id, build_id, audience, document_id) DO UPDATE"
        " SET audience = excluded.audience RETURNING scope_id",
        (workspace, secrets.randbits(31), build_id),
    ).fetchone()
    assert row is not None
    return int(row[0])
