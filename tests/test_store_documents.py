"""Documents in the store: found at once, replaced whole, removed without a trace."""

import numpy as np
import pytest

from store.database import Database
from store.index import builds, documents, embedders, search
from store.index.embedders import EmbedderMismatch
from store.records import EVERYONE, Viewer
from tests.store_parts import ENCODER, NOW, ask, begin, bodies, count, make, put, terms


def test_a_stored_document_is_found(database: Database) -> None:
    put(database, begin(database), make("leave", "Ask for leave early.", "Pay day is Friday."))
    assert bodies(ask(database, "when is pay day"))[0] == "Pay day is Friday."


def test_a_replaced_document_is_found_by_its_new_words_only(database: Database) -> None:
    build = begin(database)
    put(database, build, make("a", "zebra stripes"), make("b", "yellow lemons"))
    put(database, build, make("a", "purple elephants"))
    with database.connection() as connection:
        plan = search.prepare(connection, "local", "zebra elephants", Viewer((EVERYONE,)))
    assert plan.terms.terms == ("eleph",)
    assert count(database, "chunks") == 2


def test_counts_stay_exact_through_replacing_and_removing(database: Database) -> None:
    build = begin(database)
    put(database, build, make("a", "one two two", "three"), make("b", "two four"))
    put(database, build, make("a", "two five six"), make("c", "seven", audience=("C1",)))
    with database.connection() as connection:
        assert documents.remove(connection, "local", build.build_id, ["b", "missing"]) == 1
    kept, true = terms(database)
    assert kept == true and "four" not in kept
    with database.connection() as connection:
        rows = connection.execute("SELECT audience, chunks, terms FROM scopes").fetchall()
        lengths = connection.execute("SELECT sum(terms) FROM chunks").fetchone()
    assert sorted((row[0], row[1]) for row in rows) == [(["*"], 1), (["C1"], 1)]
    assert lengths == (sum(row[2] for row in rows),)


def test_removing_everything_leaves_nothing(database: Database) -> None:
    build = begin(database)
    put(database, build, make("a", "one two"), make("b", "three"))
    with database.connection() as connection:
        documents.remove(connection, "local", build.build_id, ["a", "b"])
    assert [count(database, t) for t in ("documents", "chunks", "postings")] == [0, 0, 0]
    assert terms(database)[0] == {}


def test_only_its_audience_finds_a_document(database: Database) -> None:
    put(
        database,
        begin(database),
        make("open", "salary is paid monthly"),
        make("closed", "salary bands are secret", audience=("C1", "U7")),
    )
    assert bodies(ask(database, "salary")) == ["salary is paid monthly"]
    assert len(ask(database, "salary", "C1")) == 2
    assert len(ask(database, "salary", "U7")) == 2
    assert len(ask(database, "salary", "C2")) == 1


def test_text_that_postgres_cannot_hold_is_stored_without_it(database: Database) -> None:
    put(database, begin(database), make("a\x00b\ud800", "nul \x00 and half \udfff a pair"))
    assert bodies(ask(database, "half pair")) == ["nul  and half  a pair"]


def test_monstrous_words_and_texts_are_stored(database: Database) -> None:
    monsters = ["x" * 1_500_000, " ".join(f"word{i}" for i in range(200_000)), "é" * 3000, ""]
    build = begin(database)
    put(database, build, make("a", *monsters))
    assert count(database, "chunks") == 4
    put(database, build, make("a", "small"))
    assert terms(database)[0] == terms(database)[1]


def test_the_vector_of_a_known_text_is_given_back(database: Database) -> None:
    build = begin(database)
    item = make("a", "some text")
    put(database, build, item)
    wanted = [item.chunks[0].text_hash, b"unknown"]
    with database.connection() as connection:
        known = documents.known_vectors(connection, "local", build.embedder_id, wanted)
        other = documents.known_vectors(connection, "local", build.embedder_id, wanted, 17)
    assert list(known) == wanted[:1] and other == {}
    assert np.allclose(known[wanted[0]], ENCODER.encode(["some text"])[0], atol=1e-3)


def test_a_rebuild_is_not_seen_before_the_swap_and_replaces_all_after_it(
    database: Database,
) -> None:
    old = begin(database)
    put(database, old, make("a", "old words"), make("gone", "gone words"))
    new = begin(database, full=True)
    put(database, new, make("a", "new words"))
    assert sorted(bodies(ask(database, "words"))) == ["gone words", "old words"]
    with database.connection() as connection:
        assert builds.complete(connection, "local", new, NOW) == ["wiki"]
    assert bodies(ask(database, "words")) == ["new words"]
    with database.connection() as connection:
        assert builds.retired(connection, "local") == [old.build_id]


def test_a_rebuild_that_was_begun_goes_on(database: Database) -> None:
    begin(database)
    assert begin(database, full=True) == begin(database)


def test_another_encoder_is_served_only_when_every_source_is_ready(database: Database) -> None:
    first, second = begin(database, "wiki"), begin(database, "docs")
    assert (first.state, second.state) == ("live", "live")
    with database.connection() as connection:
        other = embedders.ensure_embedder(connection, "local", "other@1", 384)
        wiki = builds.choose(connection, "local", "wiki", other, "v1", NOW)
        docs = builds.choose(connection, "local", "docs", other, "v1", NOW)
        assert builds.complete(connection, "local", wiki, NOW) == []
        assert sorted(builds.complete(connection, "local", docs, NOW)) == ["docs", "wiki"]
        live = {builds.of(connection, "local", s)["live"].build_id for s in ("wiki", "docs")}
    assert live == {wiki.build_id, docs.build_id}


def test_an_encoder_keeps_its_dimensions(database: Database) -> None:
    with database.connection() as connection:
        number = embedders.ensure_embedder(connection, "local", "m", 384)
        assert embedders.ensure_embedder(connection, "local", "m", 384) == number
        with pytest.raises(EmbedderMismatch, match="384"):
            embedders.ensure_embedder(connection, "local", "m", 768)
