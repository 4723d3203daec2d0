"""Vectors of a second encoder beside those that are searched: one for each text, whatever chunk it stands in.

Knows nothing about encoders. They are compared with each other only, never with another encoder's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.database import Connection
from store.values import halfvec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOOK = """
SELECT c.chunk_id, c.text_hash, d.title, c.heading, c.body, b.state = 'live' AND v.text_hash IS NULL
FROM (SELECT * FROM chunks WHERE workspace_id = %(workspace)s AND chunk_id > %(after)s
      ORDER BY chunk_id LIMIT %(limit)s) AS c
LEFT JOIN documents d ON d.workspace_id = %(workspace)s AND d.document_id = c.document_id
LEFT JOIN builds b ON b.workspace_id = %(workspace)s AND b.build_id = d.build_id
LEFT JOIN second_vectors v ON v.workspace_id = %(workspace)s AND v.embedder_id = %(embedder)s
                          AND v.text_hash = c.text_hash
ORDER BY c.chunk_id
"""

_COSINES = """
SELECT encode(text_hash, 'hex'), 1 - (embedding <=> %(vector)s::halfvec) FROM second_vectors
WHERE workspace_id = %(workspace)s AND embedder_id = %(embedder)s AND text_hash = ANY (%(hashes)s)
"""


@dataclass(frozen=True, slots=True)
class Text:
    """A served chunk's text by its parts, and the hash that it is known by."""

    text_hash: bytes
    title: str
    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class Look:
    """The texts without a vector among some chunks; `last` is the id of the last chunk, None at the end."""

    lacking: tuple[Text, ...]
    last: int | None


def lacking(
    connection: Connection, workspace: str, embedder_id: int, after: int, limit: int
) -> Look:
    """Look for served texts without a vector among the next `limit` chunks after an id."""
    rows = connection.execute(
        _LOOK, {"workspace": workspace, "embedder": embedder_id, "after": after, "limit": limit}
    ).fetchall()
    texts = {bytes(row[1]): Text(bytes(row[1]), *row[2:5]) for row in rows if row[5]}
    return Look(tuple(texts.values()), rows[-1][0] if rows else None)


def add(
    connection: Connection,
    workspace: str,
    embedder_id: int,
    vectors: "Mapping[bytes, NDArray[np.float32]]",
) -> None:
    """Store vectors by their texts' hashes; one that is there stays."""
    rows = [
        (workspace, embedder_id, text_hash, halfvec(connection, vector))
        for text_hash, vector in vectors.items()
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO second_vectors (workspace_id, embedder_id, text_hash, embedding)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            rows,
        )


def cosines(
    connection: Connection,
    workspace: str,
    embedder_id: int,
    vector: Sequence[float],
    text_hashes: Sequence[str],
) -> dict[str, float]:
    """Give the cosines with texts, by their hashes in hexadecimal digits; those without a vector are left out."""
    rows = connection.execute(
        _COSINES,
        {
            "workspace": workspace,
            "embedder": embedder_id,
            "vector": halfvec(connection, vector),
            "hashes": [bytes.fromhex(each) for each in text_hashes],
        },
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def prune(connection: Connection, workspace: str, embedder_id: int) -> int:
    """Delete the vectors of texts that no chunk has any more, and those of other encoders; give how many."""
    return connection.execute(
        "DELETE FROM second_vectors v WHERE v.workspace_id = %s AND (v.embedder_id <> %s OR NOT EXISTS"
        " (SELECT FROM chunks c WHERE c.workspace_id = v.workspace_id AND c.text_hash = v.text_hash))",
        (workspace, embedder_id),
    ).rowcount
