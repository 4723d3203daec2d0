"""A changed audience reaches stored documents at once, and nothing slips in between two statements."""

from collections.abc import Mapping

from store.database import Database
from store.index import documents, scopes, search
from store.records import EVERYONE, Viewer
from tests.store_parts import ENCODER, ask, begin, bodies, make, put, terms

QUESTION = "salary bands"


def restrict(database: Database, audiences: Mapping[str, tuple[str, ...]]) -> int:
    """Apply settings: by path, everyone where it is not named."""
    with database.connection() as connection:
        return scopes.restrict(
            connection, "local", "wiki", lambda path: audiences.get(path, (EVERYONE,))
        )


def sums_are_right(database: Database) -> bool:
    """Whether the scopes' counts, and those of the terms, are what the rows say."""
    with database.connection() as connection:
        kept = connection.execute("SELECT scope_id, chunks, terms FROM scopes WHERE chunks <> 0")
        true = connection.execute("SELECT scope_id, count(*), sum(terms) FROM chunks GROUP BY 1")
        strays = connection.execute(
            "SELECT count(*) FROM postings p JOIN chunks c USING (workspace_id, chunk_id)"
            " JOIN documents d USING (workspace_id, document_id)"
            " WHERE p.scope_id <> c.scope_id OR c.scope_id <> d.scope_id"
        ).fetchone()
        kept_terms, true_terms = terms(database)
        return (
            sorted(kept.fetchall()) == sorted(true.fetchall())
            and strays == (0,)
            and kept_terms == true_terms
        )


def test_one_document_is_closed_and_the_others_stay_open(database: Database) -> None:
    build = begin(database)
    put(database, build, make("pay", "salary bands"), make("a", "salary dates"), make("b", "bikes"))
    assert restrict(database, {"pay": ("C1",)}) == 1
    assert bodies(ask(database, QUESTION))[0] == "salary dates"
    assert bodies(ask(database, QUESTION, "C1"))[0] == "salary bands"
    assert sums_are_right(database)
    assert restrict(database, {"pay": ("C1",)}) == 0


def test_a_whole_source_is_closed_opened_and_given_to_nobody(database: Database) -> None:
    build = begin(database)
    put(database, build, make("pay", "salary bands"), make("a", "salary dates"))
    for audience, public, inside in (
        (("C1",), 0, 2), ((), 0, 0), ((EVERYONE,), 2, 2), (("C1", "U7"), 0, 2)
    ):  # fmt: skip
        assert restrict(database, {"pay": audience, "a": audience}) == 2
        found = len(ask(database, QUESTION)), len(ask(database, QUESTION, "C1"))
        assert found == (public, inside), audience
        assert sums_are_right(database)


def test_two_audiences_change_places_and_fall_together(database: Database) -> None:
    build = begin(database)
    put(
        database, build,
        make("pay", "salary bands", audience=("C1",)), make("a", "salary dates", audience=("C2",)),
    )  # fmt: skip
    assert restrict(database, {"pay": ("C2",), "a": ("C1",)}) == 2
    assert bodies(ask(database, QUESTION, "C1")) == ["salary dates"]
    assert bodies(ask(database, QUESTION, "C2")) == ["salary bands"]
    assert restrict(database, {"pay": ("C3",), "a": ("C3",)}) == 2
    assert len(ask(database, QUESTION, "C3")) == 2 and ask(database, QUESTION, "C1", "C2") == []
    assert sums_are_right(database)
    put(database, build, make("new", "salary days", audience=("C3",)))
    assert len(ask(database, QUESTION, "C3")) == 3


def test_a_rebuild_that_grows_beside_is_closed_too(database: Database) -> None:
    put(database, begin(database), make("pay", "salary bands"))
    growing = begin(database, full=True)
    put(database, growing, make("pay", "salary bands"))
    assert restrict(database, {"pay": ("C1",)}) == 2
    with database.connection() as connection:
        known = documents.stored(connection, "local", growing.build_id)
    assert known["pay"].audience == ("C1",)


def test_another_source_is_left_alone(database: Database) -> None:
    put(database, begin(database), make("pay", "salary bands"))
    put(database, begin(database, "other"), make("pay", "salary dates"))
    restrict(database, {"pay": ("C1",)})
    assert bodies(ask(database, QUESTION)) == ["salary dates"]


def test_what_comes_in_between_the_two_statements_of_a_search_is_not_found(
    database: Database,
) -> None:
    put(database, begin(database), make("open", "salary dates"))
    vector = ENCODER.encode([QUESTION])[0].tolist()
    with database.reading() as connection:  # each statement for itself: the filter alone
        plan = search.prepare(connection, "local", QUESTION, Viewer((EVERYONE,)))
        assert plan.scope and not plan.scope.hidden
        put(database, begin(database, "hr"), make("pay", "salary bands", audience=("C0HR",)))
        found = search.passages(connection, "local", plan, vector, weight=0.5)
    assert bodies(found) == ["salary dates"]


def test_a_snapshot_reads_one_moment_and_writes_nothing(database: Database) -> None:
    build = begin(database)
    put(database, build, make("open", "salary dates"))
    vector = ENCODER.encode([QUESTION])[0].tolist()
    with database.snapshot() as connection:
        plan = search.prepare(connection, "local", QUESTION, Viewer((EVERYONE,)))
        put(database, build, make("more", "salary bands"))
        found = search.passages(connection, "local", plan, vector, weight=0.5)
        facts = connection.execute(
            "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
        ).fetchone()
    assert bodies(found) == ["salary dates"] and facts == ("repeatable read", "on")
    assert len(ask(database, QUESTION)) == 2
    with database.connection() as connection:  # the same connection, as it was
        connection.execute("CREATE TABLE is_writable ()")
