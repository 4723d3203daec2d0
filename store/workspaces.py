"""Which workspace this installation works for: the connected Slack team, `local` before that.

Knows nothing about Slack: it is told the team's id and name.
"""

from datetime import datetime

from psycopg import sql

from store.database import Connection

LOCAL = "local"

_OWNED = """
SELECT c.table_name FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = current_schema() AND c.column_name = 'workspace_id'
  AND t.table_type = 'BASE TABLE' AND c.table_name <> 'workspaces' ORDER BY 1
"""


def current(connection: Connection) -> str:
    """Name the workspace that documents and questions belong to."""
    row = connection.execute(
        "SELECT workspace_id FROM workspaces ORDER BY connected_at LIMIT 1"
    ).fetchone()
    return row[0] if row else LOCAL


def connect(connection: Connection, team: str, name: str, now: datetime) -> bool:
    """Make `team` the workspace; what was gathered under `local` becomes its own. True if new."""
    added = connection.execute(
        "INSERT INTO workspaces (workspace_id, name, connected_at)"
        " SELECT %s, %s, %s WHERE NOT EXISTS (SELECT 1 FROM workspaces) ON CONFLICT DO NOTHING",
        (team, name, now),
    )
    if not added.rowcount:
        return False
    for (table,) in connection.execute(_OWNED).fetchall():
        statement = sql.SQL("UPDATE {} SET workspace_id = %s WHERE workspace_id = %s")
        connection.execute(statement.format(sql.Identifier(table)), (team, LOCAL))
    return True
