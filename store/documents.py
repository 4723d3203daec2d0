"""Documents and their chunks: stored, replaced and removed whole, so that a reader never sees half.

Knows nothing about files, parsing or encoders: chunks arrive with their vectors.
"""

import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import TupleRow

from store import postings
from store.builds import Build
from store.records import Chunk, Document, Stored
from store.search import as_halfvec

if TYPE_CHECKING:  # the Slack edge reads sources too, and stays light without numpy
    import numpy as np
    from numpy.typing import NDArray

EPOCH_MS = 1_735_689_600_000
"""Ids count milliseconds from 2025-01-01, so that they fit a signed bigint until 2094."""

_UNHELD = re.compile("[\x00\ud800-\udfff]")

_COPY_CHUNKS = """
COPY chunks (workspace_id, chunk_id, document_id, scope_id, embedder_id, position, heading, url,
             body, text_hash, terms, embedding) FROM STDIN
"""

_COPY_DOCUMENTS = """
COPY documents (workspace_id, document_id, build_id, scope_id, path, version, content_hash, title,
                url, updated_at, ingested_at, chunks) FROM STDIN
"""


def stored(
    connection: psycopg.Connection[TupleRow], workspace: str, build_id: int
) -> dict[str, Stored]:
    """Give what is known of a build's documents, by path."""
    rows = connection.execute(
        "SELECT d.document_id, d.path, d.version, d.content_hash, s.audience"
        " FROM documents d JOIN scopes s USING (workspace_id, scope_id)"
        " WHERE d.workspace_id = %s AND d.build_id = %s",
        (workspace, build_id),
    ).fetchall()
    return {row[1]: Stored(row[0], row[1], row[2], bytes(row[3]), tuple(row[4])) for row in rows}


def known_vectors(
    connection: psycopg.Connection[TupleRow],
    workspace: str,
    embedder_id: int,
    text_hashes: Sequence[bytes],
    build_id: int | None = None,
) -> dict[bytes, "NDArray[np.float32]"]:
    """Give the vectors that are stored already for these texts (of one build only, if named)."""
    import numpy as np

    rows = connection.execute(
        "SELECT DISTINCT ON (text_hash) text_hash, embedding::text FROM chunks"
        " WHERE workspace_id = %(workspace)s AND embedder_id = %(embedder)s"
        " AND text_hash = ANY (%(hashes)s) AND (%(build)s::bigint IS NULL OR scope_id IN"
        " (SELECT scope_id FROM scopes WHERE workspace_id = %(workspace)s"
        " AND build_id = %(build)s::bigint))",
        {
            "workspace": workspace,
            "embedder": embedder_id,
            "hashes": list(text_hashes),
            "build": build_id,
        },
    ).fetchall()
    return {bytes(row[0]): np.array(json.loads(row[1]), dtype=np.float32) for row in rows}


def replace(
    connection: psycopg.Connection[TupleRow],
    workspace: str,
    build: Build,
    documents: Sequence[Document],
    vectors: Sequence["NDArray[np.float32]"],
    now: datetime,
) -> None:
    """Store documents with their chunks in place of what their paths held, in this transaction.

    `vectors` has one row of floats per chunk, in the order of the documents and their chunks.
    """
    paths = [clean(document.path) for document in documents]
    ids, removed = _take_out(connection, workspace, build.build_id, paths)
    _delete_rows(connection, workspace, ids)
    scopes = _scopes(connection, workspace, build.build_id, documents)
    added = _insert(connection, workspace, build, list(documents), vectors, scopes, now)
    postings.count(connection, workspace, added, removed)


def remove(
    connection: psycopg.Connection[TupleRow], workspace: str, build_id: int, paths: Sequence[str]
) -> int:
    """Remove documents with all that hangs on them; give how many there were."""
    ids, removed = _take_out(connection, workspace, build_id, [clean(path) for path in paths])
    _delete_rows(connection, workspace, ids)
    postings.count(connection, workspace, Counter(), removed)
    return len(ids)


def touch(
    connection: psycopg.Connection[TupleRow],
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


def some_paths(
    connection: psycopg.Connection[TupleRow], workspace: str, build_id: int, limit: int
) -> list[str]:
    """Give up to `limit` paths of a build: for cleaning it away bit by bit."""
    rows = connection.execute(
        "SELECT path FROM documents WHERE workspace_id = %s AND build_id = %s LIMIT %s",
        (workspace, build_id, limit),
    ).fetchall()
    return [row[0] for row in rows]


def clean(text: str) -> str:
    """Drop what Postgres cannot hold: NUL, and halves of surrogate pairs."""
    return _UNHELD.sub("", text)


def searchable(title: str, heading: str, body: str) -> str:
    """Give the text whose lexemes are indexed; stored text comes back the same way."""
    return f"{title}\n{heading}\n{body}"


def new_ids(count: int) -> range:
    """Make ids that grow with time: milliseconds, a random start, then consecutive."""
    milliseconds = time.time_ns() // 1_000_000 - EPOCH_MS
    start = (milliseconds << 22) + secrets.randbits(21)
    return range(start, start + count)


def _take_out(
    connection: psycopg.Connection[TupleRow], workspace: str, build_id: int, paths: Sequence[str]
) -> tuple[list[int], Counter[str]]:
    """Take the documents at these paths out of the lexical index and of the scopes' counts."""
    found = connection.execute(
        "SELECT document_id, title FROM documents"
        " WHERE workspace_id = %s AND build_id = %s AND path = ANY (%s)",
        (workspace, build_id, list(paths)),
    ).fetchall()
    titles: dict[int, str] = dict(found)
    if not titles:
        return [], Counter()
    rows = connection.execute(
        "SELECT chunk_id, scope_id, document_id, heading, body, terms FROM chunks"
        " WHERE workspace_id = %s AND document_id = ANY (%s)",
        (workspace, list(titles)),
    ).fetchall()
    removed = postings.remove(
        connection,
        workspace,
        [(row[0], row[1], searchable(titles[row[2]], row[3], row[4])) for row in rows],
    )
    _count_scopes(connection, workspace, [(row[1], -1, -row[5]) for row in rows])
    return list(titles), removed


def _delete_rows(
    connection: psycopg.Connection[TupleRow], workspace: str, document_ids: Sequence[int]
) -> None:
    for table in ("chunks", "documents"):
        connection.execute(
            f"DELETE FROM {table} WHERE workspace_id = %s AND document_id = ANY (%s)",
            (workspace, list(document_ids)),
        )


def _scopes(
    connection: psycopg.Connection[TupleRow],
    workspace: str,
    build_id: int,
    documents: Sequence[Document],
) -> dict[tuple[str, ...], int]:
    """Give the scope of each audience among the documents, made when new."""
    for audience in sorted({document.audience for document in documents}):
        connection.execute(
            "INSERT INTO scopes (workspace_id, scope_id, build_id, audience)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (workspace_id, build_id, audience) DO NOTHING",
            (workspace, secrets.randbits(31), build_id, list(audience)),
        )
    rows = connection.execute(
        "SELECT audience, scope_id FROM scopes WHERE workspace_id = %s AND build_id = %s",
        (workspace, build_id),
    ).fetchall()
    return {tuple(row[0]): row[1] for row in rows}


def _insert(
    connection: psycopg.Connection[TupleRow],
    workspace: str,
    build: Build,
    documents: list[Document],
    vectors: Sequence["NDArray[np.float32]"],
    scopes: dict[tuple[str, ...], int],
    now: datetime,
) -> Counter[str]:
    document_ids = new_ids(len(documents))
    rows = list(_chunks(documents, document_ids, scopes))
    if len(rows) != len(vectors):
        raise ValueError(f"{len(rows)} chunks came with {len(vectors)} vectors.")
    chunk_ids = new_ids(len(rows))
    lengths, added = postings.add(
        connection, workspace, [(i, row[1], row[3]) for i, row in zip(chunk_ids, rows, strict=True)]
    )
    with connection.cursor().copy(_COPY_DOCUMENTS) as copy:
        for document_id, document in zip(document_ids, documents, strict=True):
            copy.write_row(
                (workspace, document_id, build.build_id, scopes[document.audience],
                 clean(document.path), clean(document.version), document.content_hash,
                 clean(document.title), document.url and clean(document.url),
                 document.updated_at, now, len(document.chunks))
            )  # fmt: skip
    with connection.cursor().copy(_COPY_CHUNKS) as copy:
        for chunk_id, (document_id, scope_id, chunk, _), vector in zip(
            chunk_ids, rows, vectors, strict=True
        ):
            copy.write_row(
                (workspace, chunk_id, document_id, scope_id, build.embedder_id, chunk.position,
                 clean(chunk.heading), chunk.url and clean(chunk.url), clean(chunk.body),
                 chunk.text_hash, lengths[chunk_id], as_halfvec(vector.tolist()))
            )  # fmt: skip
    scope_of = {chunk_id: row[1] for chunk_id, row in zip(chunk_ids, rows, strict=True)}
    _count_scopes(connection, workspace, [(scope_of[i], 1, n) for i, n in lengths.items()])
    return added


def _chunks(
    documents: Sequence[Document], document_ids: range, scopes: Mapping[tuple[str, ...], int]
) -> Iterator[tuple[int, int, Chunk, str]]:
    for document_id, document in zip(document_ids, documents, strict=True):
        title = clean(document.title)
        for chunk in document.chunks:
            text = searchable(title, clean(chunk.heading), clean(chunk.body))
            yield document_id, scopes[document.audience], chunk, text


def _count_scopes(
    connection: psycopg.Connection[TupleRow],
    workspace: str,
    changes: Sequence[tuple[int, int, int]],
) -> None:
    """Add (scope_id, chunks, terms) to the scopes' kept counts."""
    chunks: Counter[int] = Counter()
    terms: Counter[int] = Counter()
    for scope_id, chunk, length in changes:
        chunks[scope_id] += chunk
        terms[scope_id] += length
    connection.execute(
        "UPDATE scopes s SET chunks = s.chunks + t.chunks, terms = s.terms + t.terms"
        " FROM unnest(%s::integer[], %s::bigint[], %s::bigint[]) AS t(scope_id, chunks, terms)"
        " WHERE s.workspace_id = %s AND s.scope_id = t.scope_id",
        (list(chunks), list(chunks.values()), [terms[i] for i in chunks], workspace),
    )
