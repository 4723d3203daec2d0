"""Drafts: large documents, written bit by bit where nobody sees them, then published whole.

Knows nothing about files, parsing or encoders. The drafts of a build stand under its negative id,
which no search reads; each has a scope of its own, so that publishing it changes two rows.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from store.database import Connection
from store.index import chunks, documents, postings
from store.index.builds import Build
from store.records import Document
from store.values import readable, storable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BEGIN = """
INSERT INTO documents (workspace_id, document_id, build_id, scope_id, path, version, content_hash,
                       title, url, updated_at, ingested_at, chunks)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0)
"""

_PUBLISH = """
UPDATE documents SET build_id = %s, version = %s, url = %s, updated_at = %s, ingested_at = %s,
                     left_out = %s
WHERE workspace_id = %s AND document_id = %s
"""


def of(build_id: int) -> int:
    """Give the id that a build's drafts stand under."""
    return -build_id


def extend(
    connection: Connection,
    workspace: str,
    build: Build,
    document: Document,
    vectors: Sequence["NDArray[np.float32]"],
    now: datetime,
) -> None:
    """Add some of a document's chunks, with their vectors, to its draft.

    Those that it has already are left out, so that a run that was killed can begin at the front. A
    draft of other content gives way to a new one.
    """
    found = _find(connection, workspace, build, document)
    if found is None and document.chunks[0].position == 0:
        documents.remove(connection, workspace, of(build.build_id), [document.path])
        found = (*_begin(connection, workspace, build, document, now), 0)
    if found is None:  # published already: the answer to that was lost
        return
    document_id, scope_id, have = found
    rows = [
        ((document_id, scope_id, document.title, chunk), vector)
        for chunk, vector in zip(document.chunks, vectors, strict=True)
        if chunk.position >= have
    ]
    if not rows:
        return
    added = chunks.add(
        connection, workspace, build.embedder_id, [row for row, _ in rows], [v for _, v in rows]
    )
    connection.execute(
        "UPDATE documents SET chunks = chunks + %s WHERE workspace_id = %s AND document_id = %s",
        (len(rows), workspace, document_id),
    )
    postings.count(connection, workspace, added, Counter())


def publish(
    connection: Connection,
    workspace: str,
    build: Build,
    document: Document,
    now: datetime,
) -> None:
    """Let a draft that is complete take the place of what its path held, in this transaction."""
    found = _find(connection, workspace, build, document)
    if found is None:  # published already: the answer to that was lost
        return
    document_id, scope_id, _ = found
    documents.remove(connection, workspace, build.build_id, [document.path])
    connection.execute(
        _PUBLISH,
        (build.build_id, storable(document.version), document.url and storable(document.url),
         readable(document.updated_at), now, documents.phrases(document.left_out), workspace,
         document_id),
    )  # fmt: skip
    connection.execute(
        "UPDATE scopes SET build_id = %s, audience = %s WHERE workspace_id = %s AND scope_id = %s",
        (build.build_id, list(document.audience), workspace, scope_id),
    )


def _find(
    connection: Connection, workspace: str, build: Build, document: Document
) -> tuple[int, int, int] | None:
    """Give a draft's document and scope, and how many chunks it has; None when there is none."""
    return connection.execute(
        "SELECT document_id, scope_id, chunks FROM documents WHERE workspace_id = %s"
        " AND build_id = %s AND path = %s AND content_hash = %s AND title = %s",
        (workspace, of(build.build_id), storable(document.path), document.content_hash,
         storable(document.title)),
    ).fetchone()  # fmt: skip


def _begin(
    connection: Connection,
    workspace: str,
    build: Build,
    document: Document,
    now: datetime,
) -> tuple[int, int]:
    (document_id,), scope_id = chunks.new_ids(1), secrets.randbits(31)
    connection.execute(
        "INSERT INTO scopes (workspace_id, scope_id, build_id, audience, document_id)"
        " VALUES (%s, %s, %s, %s, %s)",
        (workspace, scope_id, of(build.build_id), list(document.audience), document_id),
    )
    connection.execute(
        _BEGIN,
        (workspace, document_id, of(build.build_id), scope_id, storable(document.path),
         storable(document.version), document.content_hash, storable(document.title),
         document.url and storable(document.url), readable(document.updated_at), now),
    )  # fmt: skip
    return document_id, scope_id
