"""Large documents in the store: seen whole or not at all, however they were written."""

from dataclasses import replace

import pytest

from store.database import Database
from store.index import documents, drafts, search
from store.index.builds import Build
from store.records import EVERYONE, Document, Viewer
from tests.store_parts import ENCODER, NOW, ask, begin, bodies, count, make, put, terms

LARGE = make("large", *(f"zebra number {n}" for n in range(6)))


def extend(database: Database, build: Build, document: Document, start: int, end: int) -> None:
    part = replace(document, chunks=document.chunks[start:end])
    vectors = [ENCODER.encode([chunk.body])[0] for chunk in part.chunks]
    with database.connection() as connection:
        drafts.extend(connection, "local", build, part, vectors, NOW)


def publish(database: Database, build: Build, document: Document) -> None:
    with database.connection() as connection:
        drafts.publish(connection, "local", build, document, NOW)


def test_a_draft_is_not_seen_and_takes_no_ones_place_before_it_is_published(
    database: Database,
) -> None:
    build = begin(database)
    put(database, build, make("large", "zebra of old"), make("other", "a zebra elsewhere"))
    extend(database, build, LARGE, 0, 4)
    extend(database, build, LARGE, 4, 6)
    assert sorted(bodies(ask(database, "zebra"))) == ["a zebra elsewhere", "zebra of old"]
    with database.connection() as connection:
        plan = search.prepare(connection, "local", "zebra", Viewer((EVERYONE,)))
        assert list(documents.stored(connection, "local", build.build_id)) == ["large", "other"]
    assert plan.scope and (plan.scope.chunks, plan.scope.hidden) == (2, 6)
    publish(database, build, LARGE)
    assert len(ask(database, "zebra")) == 7 and "zebra of old" not in bodies(ask(database, "zebra"))
    assert terms(database)[0] == terms(database)[1]


def test_a_draft_goes_on_where_it_was(database: Database) -> None:
    build = begin(database)
    extend(database, build, LARGE, 0, 3)
    extend(database, build, LARGE, 0, 2)
    extend(database, build, LARGE, 2, 6)
    publish(database, build, LARGE)
    assert sorted(bodies(ask(database, "zebra"))) == sorted(c.body for c in LARGE.chunks)
    with database.connection() as connection:
        found = connection.execute("SELECT chunks FROM documents").fetchall()
    assert found == [(6,)]


def test_what_was_published_may_be_published_again(database: Database) -> None:
    build = begin(database)
    extend(database, build, LARGE, 0, 6)
    for _ in range(2):
        extend(database, build, LARGE, 3, 6)
        publish(database, build, LARGE)
    assert len(ask(database, "zebra")) == count(database, "chunks") == 6


def test_a_draft_of_other_content_gives_way(database: Database) -> None:
    build = begin(database)
    extend(database, build, LARGE, 0, 3)
    other = make("large", "one lion", "two lions")
    extend(database, build, other, 0, 2)
    publish(database, build, other)
    assert bodies(ask(database, "zebra lion")) == ["one lion", "two lions"]
    assert [count(database, t) for t in ("documents", "chunks")] == [1, 2]
    assert terms(database)[0] == terms(database)[1]


@pytest.mark.parametrize("removed", [True, False])
def test_a_large_document_leaves_nothing_behind(database: Database, removed: bool) -> None:
    build = begin(database)
    closed = replace(LARGE, audience=("C1",))
    extend(database, build, closed, 0, 6)
    publish(database, build, closed)
    assert len(ask(database, "zebra", "C1")) == 6 and ask(database, "zebra") == []
    if removed:
        with database.connection() as connection:
            assert documents.remove(connection, "local", build.build_id, ["large"]) == 1
    else:
        put(database, build, make("large", "small now"))
    assert count(database, "chunks") == count(database, "scopes") == (0 if removed else 1)
    assert terms(database)[0] == terms(database)[1]


def test_a_known_vector_of_a_draft_is_given_back(database: Database) -> None:
    build = begin(database, full=True)
    extend(database, build, LARGE, 0, 3)
    wanted = [chunk.text_hash for chunk in LARGE.chunks]
    with database.connection() as connection:
        known = documents.known_vectors(
            connection, "local", build.embedder_id, wanted, build.build_id
        )
    assert sorted(known) == sorted(wanted[:3])
