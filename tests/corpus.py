"""Put small corpora into a test's database the way ingestion does, without reading any file.

Knows nothing about what is asked of them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from store.database import Database
from store.index import builds, documents, embedders
from store.records import EVERYONE, Chunk, Document
from tests.fakes import HashEmbedder

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def page(
    path: str,
    *bodies: str,
    audience: Sequence[str] = (EVERYONE,),
    updated: datetime = NOW,
    title: str | None = None,
) -> Document:
    """Make a document with one chunk per body."""
    name = title or path.removesuffix(".md")
    chunks = tuple(
        Chunk(i, name, body, hashlib.sha256(f"{name}{body}".encode()).digest())
        for i, body in enumerate(bodies)
    )
    digest = hashlib.sha256("".join(bodies).encode()).digest()
    return Document(path, "1", digest, name, None, updated, tuple(audience), chunks)


def store(
    database: Database,
    pages: Sequence[Document],
    *,
    workspace: str = "local",
    source: str = "handbook",
    embedder: HashEmbedder | None = None,
) -> None:
    """Index the pages as one live source."""
    encoder = embedder or HashEmbedder()
    with database.connection() as connection:
        number = embedders.ensure_embedder(connection, workspace, encoder.name, encoder.dims)
    texts = [f"{c.heading}\n\n{c.body}" for p in pages for c in p.chunks]
    vectors = list(encoder.encode(texts))
    with database.connection() as connection:
        build = builds.choose(connection, workspace, source, number, "test", NOW)
        documents.replace(connection, workspace, build, pages, vectors, NOW)


def numbered(count: int, words: Mapping[int, str]) -> list[Document]:
    """Make many filler pages; `words` adds a text to some of them by number."""
    return [page(f"{i}.md", f"filler page number {i} {words.get(i, '')}") for i in range(count)]
