"""Chunks with their vectors and postings: put into the index, and taken out of it again.

Knows nothing about files, builds or who may see what: a chunk belongs to a document and a scope.
"""

import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from store.database import Connection
from store.index import postings
from store.records import Chunk
from store.values import halfvec, searchable, storable

if TYPE_CHECKING:  # the Slack edge reads sources too, and stays light without numpy
    import numpy as np
    from numpy.typing import NDArray

Row = tuple[int, int, str, Chunk]
"""A chunk to be added: its document's id, its scope's id, its document's title, and itself."""

EPOCH_MS = 1_735_689_600_000
"""Ids count milliseconds from 2025-01-01, so that they fit a signed bigint until 2094."""

REMOVED_AT_A_TIME = 1000
"""Chunks whose text is in memory while a document is removed, however large it is."""

_COPY = """
COPY chunks (workspace_id, chunk_id, document_id, scope_id, embedder_id, position, heading, url,
             body, text_hash, terms, embedding) FROM STDIN
"""


def add(
    connection: Connection,
    workspace: str,
    embedder_id: int,
    rows: Sequence[Row],
    vectors: Sequence["NDArray[np.float32]"],
) -> Counter[str]:
    """Store chunks, each with its row of floats; give their terms for `postings.count`."""
    if len(rows) != len(vectors):
        raise ValueError(f"{len(rows)} chunks came with {len(vectors)} vectors.")
    ids = new_ids(len(rows))
    texts = [indexed(title, chunk.heading, chunk.body) for _, _, title, chunk in rows]
    scopes = [scope_id for _, scope_id, _, _ in rows]
    lengths, added = postings.add(connection, workspace, list(zip(ids, scopes, texts, strict=True)))
    halves = [halfvec(connection, vector) for vector in vectors]  # no query may run in a COPY
    with connection.cursor().copy(_COPY) as copy:
        for chunk_id, row, vector in zip(ids, rows, halves, strict=True):
            document_id, scope_id, _, chunk = row
            copy.write_row(
                (workspace, chunk_id, document_id, scope_id, embedder_id, chunk.position,
                 storable(chunk.heading), chunk.url and storable(chunk.url), storable(chunk.body),
                 chunk.text_hash, lengths[chunk_id], vector)
            )  # fmt: skip
    changes = [(scope_id, 1, lengths[i]) for i, scope_id in zip(ids, scopes, strict=True)]
    _count_scopes(connection, workspace, changes)
    return added


def remove(connection: Connection, workspace: str, titles: Mapping[int, str]) -> Counter[str]:
    """Take out all chunks of documents, given as id -> title; give the terms to take off."""
    removed: Counter[str] = Counter()
    with connection.cursor(name="removed_chunks") as found:
        found.execute(
            "SELECT chunk_id, scope_id, document_id, heading, body, terms FROM chunks"
            " WHERE workspace_id = %s AND document_id = ANY (%s)",
            (workspace, list(titles)),
        )
        while rows := found.fetchmany(REMOVED_AT_A_TIME):
            texts = [(r[0], r[1], _ever_indexed(titles[r[2]], r[3], r[4])) for r in rows]
            removed += postings.remove(connection, workspace, texts)
            _count_scopes(connection, workspace, [(r[1], -1, -r[5]) for r in rows])
    connection.execute(
        "DELETE FROM chunks WHERE workspace_id = %s AND document_id = ANY (%s)",
        (workspace, list(titles)),
    )
    return removed


def move(connection: Connection, workspace: str, titles: Mapping[int, str], scope_id: int) -> None:
    """Put all chunks of documents, given as id -> title, into a scope, with their postings."""
    with connection.cursor(name="moved_chunks") as found:
        found.execute(
            "SELECT chunk_id, scope_id, document_id, heading, body, terms FROM chunks"
            " WHERE workspace_id = %s AND document_id = ANY (%s)",
            (workspace, list(titles)),
        )
        while rows := found.fetchmany(REMOVED_AT_A_TIME):
            texts = [(r[0], scope_id, _ever_indexed(titles[r[2]], r[3], r[4])) for r in rows]
            postings.move(connection, workspace, texts)
            _count_scopes(connection, workspace, [(r[1], -1, -r[5]) for r in rows])
            _count_scopes(connection, workspace, [(scope_id, 1, r[5]) for r in rows])
    connection.execute(
        "UPDATE chunks SET scope_id = %s WHERE workspace_id = %s AND document_id = ANY (%s)",
        (scope_id, workspace, list(titles)),
    )


def indexed(title: str, heading: str, body: str) -> str:
    """Give the text whose lexemes are indexed; stored text comes back the same way."""
    return searchable(storable(f"{title}\n{heading}\n{body}"))


def _ever_indexed(title: str, heading: str, body: str) -> str:
    """Give all that may be indexed of a chunk: older ones were indexed as they are written."""
    written, now = storable(f"{title}\n{heading}\n{body}"), indexed(title, heading, body)
    return written if written == now else f"{now}\n{written}"


def new_ids(count: int) -> range:
    """Make ids that grow with time: milliseconds, a random start, then consecutive."""
    milliseconds = time.time_ns() // 1_000_000 - EPOCH_MS
    start = (milliseconds << 22) + secrets.randbits(21)
    return range(start, start + count)


def _count_scopes(
    connection: Connection,
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
