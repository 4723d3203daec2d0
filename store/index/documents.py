"""Documents and their chunks: stored, replaced and removed whole, so that a reader never sees half.

Knows nothing about files, parsing or encoders: chunks arrive with their vectors.
"""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from store.database import Connection
from store.index import chunks, postings
from store.index.builds import Build
from store.index.chunks import new_ids
from store.records import EVERYONE, Chunk, Document, Stored
from store.values import adapt_vectors, readable, storable

if TYPE_CHECKING:  # the Slack edge reads sources too, and stays light without numpy
    import numpy as np
    from numpy.typing import NDArray

MOST_PHRASES = 50
MOST_PHRASE_CHARS = 300
"""Of what was left out of one document; its reader cannot do more with more."""

_COPY_DOCUMENTS = """
COPY documents (workspace_id, document_id, build_id, scope_id, path, version, content_hash, title,
                url, updated_at, ingested_at, chunks, left_out) FROM STDIN
"""


def stored(connection: Connection, workspace: str, build_id: int) -> dict[str, Stored]:
    """Give what is known of a build's documents, by path."""
    rows = connection.execute(
        "SELECT d.document_id, d.path, d.version, d.content_hash, s.audience"
        " FROM documents d JOIN scopes s USING (workspace_id, scope_id)"
        " WHERE d.workspace_id = %s AND d.build_id = %s",
        (workspace, build_id),
    ).fetchall()
    return {row[1]: Stored(row[0], row[1], row[2], bytes(row[3]), tuple(row[4])) for row in rows}


def is_any(connection: Connection, workspace: str) -> bool:
    """Tell whether any document at all is served, to whomever."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM documents d JOIN builds b USING (workspace_id, build_id)"
        " WHERE b.workspace_id = %s AND b.state = 'live')",
        (workspace,),
    ).fetchone()
    return bool(row and row[0])


def known_vectors(
    connection: Connection,
    workspace: str,
    embedder_id: int,
    text_hashes: Sequence[bytes],
    build_id: int | None = None,
) -> dict[bytes, "NDArray[np.float32]"]:
    """Give the vectors that are stored already for these texts (of one build and its drafts only,
    if named)."""
    import numpy as np

    adapt_vectors(connection)
    rows = connection.execute(
        "SELECT DISTINCT ON (text_hash) text_hash, embedding FROM chunks"
        " WHERE workspace_id = %(workspace)s AND embedder_id = %(embedder)s"
        " AND text_hash = ANY (%(hashes)s) AND (%(build)s::bigint IS NULL OR scope_id IN"
        " (SELECT scope_id FROM scopes WHERE workspace_id = %(workspace)s"
        " AND build_id IN (%(build)s::bigint, -%(build)s::bigint)))",
        {
            "workspace": workspace,
            "embedder": embedder_id,
            "hashes": list(text_hashes),
            "build": build_id,
        },
        binary=True,
    ).fetchall()
    return {bytes(row[0]): row[1].to_numpy().astype(np.float32) for row in rows}


def replace(
    connection: Connection,
    workspace: str,
    build: Build,
    documents: Sequence[Document],
    vectors: Sequence["NDArray[np.float32]"],
    now: datetime,
) -> None:
    """Store documents with their chunks in place of what their paths held, in this transaction.

    `vectors` has one row of floats per chunk, in the order of the documents and their chunks.
    """
    paths = [storable(document.path) for document in documents]
    _, removed = _take_out(connection, workspace, build.build_id, paths)
    scopes = _scopes(connection, workspace, build.build_id, documents)
    added = _insert(connection, workspace, build, documents, vectors, scopes, now)
    postings.count(connection, workspace, added, removed)


def remove(connection: Connection, workspace: str, build_id: int, paths: Sequence[str]) -> int:
    """Remove documents with all that hangs on them; give how many there were."""
    count, removed = _take_out(connection, workspace, build_id, [storable(path) for path in paths])
    postings.count(connection, workspace, Counter(), removed)
    return count


def touch(
    connection: Connection,
    workspace: str,
    build_id: int,
    versions: Mapping[str, str],
) -> None:
    """Note new versions, by path, of documents whose content is still the same."""
    connection.execute(
        "UPDATE documents d SET version = t.version"
        " FROM unnest(%s::text[], %s::text[]) AS t(path, version)"
        " WHERE d.workspace_id = %s AND d.build_id = %s AND d.path = t.path",
        (list(versions), list(versions.values()), workspace, build_id),
    )


def partial(
    connection: Connection, workspace: str, source: str
) -> list[tuple[str, tuple[str, ...]]]:
    """Give the documents that are served and were read in part, by path, each with what was left out."""
    rows = connection.execute(
        "SELECT d.path, d.left_out FROM documents d JOIN builds b USING (workspace_id, build_id)"
        " WHERE b.workspace_id = %s AND b.source = %s AND b.state = 'live' AND d.left_out <> '{}'"
        " ORDER BY d.path",
        (workspace, source),
    ).fetchall()
    return [(row[0], tuple(row[1])) for row in rows]


def phrases(left_out: Sequence[str]) -> list[str]:
    """Give what was left out as it is stored: the first phrases, and how many more there are."""
    kept = [storable(phrase)[:MOST_PHRASE_CHARS] for phrase in left_out[:MOST_PHRASES]]
    more = len(left_out) - len(kept)
    return [*kept, f"and {more} more"] if more else kept


def served(
    connection: Connection, workspace: str, build_id: int, paths: Sequence[str]
) -> list[Document]:
    """Give documents of a build as they are stored, without version and content hash: the next run that
    can read them does so."""
    rows = connection.execute(
        "SELECT d.document_id, d.path, d.title, d.url, d.updated_at, s.audience, d.left_out"
        " FROM documents d JOIN scopes s USING (workspace_id, scope_id)"
        " WHERE d.workspace_id = %s AND d.build_id = %s AND d.path = ANY (%s) ORDER BY d.path",
        (workspace, build_id, list(paths)),
    ).fetchall()
    parts: dict[int, list[Chunk]] = {row[0]: [] for row in rows}
    for document_id, *chunk in connection.execute(
        "SELECT document_id, position, heading, body, text_hash, url FROM chunks"
        " WHERE workspace_id = %s AND document_id = ANY (%s) ORDER BY document_id, position",
        (workspace, list(parts)),
    ).fetchall():
        position, heading, body, text_hash, url = chunk
        parts[document_id].append(Chunk(position, heading, body, bytes(text_hash), url))
    return [
        Document(
            path, "", b"", title, url, updated_at, tuple(audience), tuple(parts[document_id]),
            tuple(left_out),
        )
        for document_id, path, title, url, updated_at, audience, left_out in rows
    ]  # fmt: skip


def some_paths(connection: Connection, workspace: str, build_id: int, limit: int) -> list[str]:
    """Give up to `limit` paths of a build: for cleaning it away bit by bit."""
    rows = connection.execute(
        "SELECT path FROM documents WHERE workspace_id = %s AND build_id = %s LIMIT %s",
        (workspace, build_id, limit),
    ).fetchall()
    return [row[0] for row in rows]


def _take_out(
    connection: Connection, workspace: str, build_id: int, paths: Sequence[str]
) -> tuple[int, Counter[str]]:
    """Delete the documents at these paths; give how many, and the terms to take off the counts."""
    found = connection.execute(
        "SELECT document_id, title FROM documents"
        " WHERE workspace_id = %s AND build_id = %s AND path = ANY (%s)",
        (workspace, build_id, list(paths)),
    ).fetchall()
    if not found:
        return 0, Counter()
    removed = chunks.remove(connection, workspace, dict(found))
    # A scope with a document is that document's own.
    for table in ("documents", "scopes"):
        connection.execute(
            f"DELETE FROM {table} WHERE workspace_id = %s AND document_id = ANY (%s)",
            (workspace, [row[0] for row in found]),
        )
    return len(found), removed


def _scopes(
    connection: Connection,
    workspace: str,
    build_id: int,
    documents: Sequence[Document],
) -> dict[tuple[str, ...], int]:
    """Give the scope of each audience among the documents, made when new, and keep them as they are
    until the transaction ends: a change of the settings waits."""
    wanted = {document.audience for document in documents}
    found: dict[tuple[str, ...], int] = {}
    while not wanted <= found.keys():
        for audience in sorted(wanted - found.keys()):
            connection.execute(
                "INSERT INTO scopes (workspace_id, scope_id, build_id, audience)"
                " VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (workspace_id, build_id, audience, document_id) DO NOTHING",
                (workspace, secrets.randbits(31), build_id, list(audience)),
            )
        rows = connection.execute(
            "SELECT audience, scope_id FROM scopes WHERE workspace_id = %s AND build_id = %s"
            " AND document_id = 0 ORDER BY scope_id FOR NO KEY UPDATE",
            (workspace, build_id),
        ).fetchall()
        found = {tuple(row[0]): row[1] for row in rows}
    return found


def _insert(
    connection: Connection,
    workspace: str,
    build: Build,
    documents: Sequence[Document],
    vectors: Sequence["NDArray[np.float32]"],
    scopes: Mapping[tuple[str, ...], int],
    now: datetime,
) -> Counter[str]:
    ids = new_ids(len(documents))
    with connection.cursor().copy(_COPY_DOCUMENTS) as copy:
        for document_id, document in zip(ids, documents, strict=True):
            copy.write_row(
                (workspace, document_id, build.build_id, scopes[document.audience],
                 storable(document.path), storable(document.version), document.content_hash,
                 storable(document.title), document.url and storable(document.url),
                 readable(document.updated_at), now, len(document.chunks),
                 phrases(document.left_out))
            )  # fmt: skip
    rows = [
        (document_id, scopes[document.audience], document.title, chunk)
        for document_id, document in zip(ids, documents, strict=True)
        for chunk in document.chunks
    ]
    return chunks.add(connection, workspace, build.embedder_id, rows, vectors)


@dataclass(frozen=True, slots=True)
class Aged:
    """A page and when it was last changed."""

    title: str
    updated_at: datetime


def older(
    connection: Connection, workspace: str, pages: Sequence[tuple[str, str]], before: datetime
) -> list[Aged]:
    """Of pages that are served and open to everyone, given as (source, path), list those last changed before a
    moment, the oldest first."""
    rows = connection.execute(
        "SELECT d.title, d.updated_at FROM unnest(%s::text[], %s::text[]) AS cited(source, path)"
        " JOIN builds b ON b.workspace_id = %s AND b.source = cited.source AND b.state = 'live'"
        " JOIN documents d ON d.workspace_id = b.workspace_id AND d.build_id = b.build_id"
        "  AND d.path = cited.path"
        " JOIN scopes s ON s.workspace_id = d.workspace_id AND s.scope_id = d.scope_id"
        " WHERE d.updated_at < %s AND %s = ANY (s.audience) ORDER BY d.updated_at",
        ([a for a, _ in pages], [b for _, b in pages], workspace, before, EVERYONE),
    ).fetchall()
    return [Aged(*row) for row in rows]
