"""The encoders whose vectors are stored, each with a vector index of its own.

Knows nothing about models: an encoder is a name and a number of dimensions.
"""

import hashlib

from psycopg import sql

from store.database import Connection

INDEXED = ("chunks", "memory")
"""Tables with vectors."""

MOST_DIMS = 4000
"""pgvector indexes halfvec columns up to this many dimensions."""

_INDEX = sql.SQL(
    "CREATE INDEX IF NOT EXISTS {} ON {} USING hnsw"
    " ((embedding::halfvec({})) halfvec_cosine_ops)"
    " WITH (m = 16, ef_construction = 128) WHERE embedder_id = {}"
)


class EmbedderMismatch(Exception):
    """The same name was stored with other dimensions."""


def embedder_id(name: str) -> int:
    """Give the id of an encoder: made of its name alone, so the same on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> 1


def ensure_embedder(connection: Connection, workspace: str, name: str, dims: int) -> int:
    """Give the id of the encoder, with its row and its vector index made when absent.

    Safe when several do it at once. Run it in a transaction of its own: making the index locks
    `chunks` against writing. Raises EmbedderMismatch when `name` was stored with other dimensions.
    """
    if not 0 < dims <= MOST_DIMS:
        raise EmbedderMismatch(f"The encoder {name} has {dims} dimensions; 1 to {MOST_DIMS} work.")
    number = embedder_id(name)
    connection.execute(
        "INSERT INTO embedders (workspace_id, embedder_id, name, dims) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (workspace, number, name, dims),
    )
    stored = connection.execute(
        "SELECT dims FROM embedders WHERE workspace_id = %s AND embedder_id = %s AND name = %s",
        (workspace, number, name),
    ).fetchone()
    if stored is None or stored[0] != dims:
        raise EmbedderMismatch(
            f"Vectors of {name} are stored with {stored[0] if stored else 'other'} dimensions, not"
            f" {dims}. Give the new model another name, or point to an empty database."
        )
    for table in INDEXED:
        _ensure_index(connection, table, number, dims)
    return number


def serving(connection: Connection, workspace: str) -> str | None:
    """Give the name of the encoder whose vectors are served; None when nothing is.

    All live builds share one: a new encoder's are swapped in together.
    """
    row = connection.execute(
        "SELECT e.name FROM builds b JOIN embedders e USING (workspace_id, embedder_id)"
        " WHERE b.workspace_id = %s AND b.state = 'live' LIMIT 1",
        (workspace,),
    ).fetchone()
    return row[0] if row else None


def _ensure_index(connection: Connection, table: str, number: int, dims: int) -> None:
    name = f"{table}_hnsw_{number}"
    found = connection.execute("SELECT to_regclass(%s)", (name,)).fetchone()
    if found and found[0]:
        return
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
    connection.execute(
        _INDEX.format(
            sql.Identifier(name), sql.Identifier(table), sql.Literal(dims), sql.Literal(number)
        )
    )
