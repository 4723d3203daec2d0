"""What the tests of documents in the store share: documents of one line each, put and asked for.

Knows nothing about any one test.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TypeVar

import psycopg

from store.database import Database
from store.index import builds, documents, embedders, search
from store.index.builds import Build
from store.records import EVERYONE, Chunk, Document, Passage, Viewer
from tests.fakes import HashEmbedder

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ENCODER = HashEmbedder()

T = TypeVar("T")


def make(path: str, *bodies: str, audience: tuple[str, ...] = (EVERYONE,)) -> Document:
    """Make a document with one chunk per body."""
    chunks = tuple(
        Chunk(i, "Heading", body, hashlib.sha256(body.encode("utf-8", "replace")).digest())
        for i, body in enumerate(bodies)
    )
    digest = hashlib.sha256(repr(bodies).encode()).digest()
    return Document(path, "v1", digest, path.title(), None, None, audience, chunks)


def begin(database: Database, source: str = "wiki", *, full: bool = False) -> Build:
    """Give the build of a source that documents go into."""
    with database.connection() as connection:
        number = embedders.ensure_embedder(connection, "local", ENCODER.name, ENCODER.dims)
        return builds.choose(connection, "local", source, number, "v1", NOW, full=full)


def put(database: Database, build: Build, *items: Document) -> None:
    """Replace documents, encoded."""
    vectors = [ENCODER.encode([c.body])[0] for item in items for c in item.chunks]
    with database.connection() as connection:
        documents.replace(connection, "local", build, items, vectors, NOW)


def ask(database: Database, question: str, *principals: str) -> list[Passage]:
    """Search as everyone, and as these principals."""
    with database.connection() as connection:
        plan = search.prepare(connection, "local", question, Viewer((EVERYONE, *principals)))
        vector = ENCODER.encode([question])[0].tolist()
        return search.passages(connection, "local", plan, vector, weight=0.5)


def count(database: Database, table: str) -> int:
    """Count a table's rows."""
    with database.connection() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert row
        return int(row[0])


def terms(database: Database) -> tuple[dict[str, int], dict[str, int]]:
    """Both the kept counts and what they should be."""
    with database.connection() as connection:
        kept = connection.execute("SELECT term, chunks FROM term_stats WHERE chunks <> 0")
        true = connection.execute("SELECT term, count(*) FROM postings GROUP BY term")
        return dict(kept.fetchall()), dict(true.fetchall())


def bodies(passages: Sequence[Passage]) -> list[str]:
    """The texts of what was found."""
    return [passage.body for passage in passages]


def waited_for(database: Database, pid: int, later: Future[T]) -> None:
    """Return once another session waits for the one with this process id, or did not wait at all."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        while not later.done():
            if connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", (pid,)
            ).fetchone():
                return
