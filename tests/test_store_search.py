"""Retrieval against a real Postgres: BM25 by hand, filters that never leak nor come back short."""

import math

import pytest

from store.database import Database
from store.index import search
from store.records import Passage, Viewer
from tests.corpus import numbered, page, store
from tests.fakes import HashEmbedder

EVERYBODY = Viewer(("*",))


def _find(
    database: Database,
    question: str,
    viewer: Viewer = EVERYBODY,
    *,
    leg: search.Leg = "hybrid",
    limit: int = 10,
    sources: list[str] | None = None,
    budget: int = search.POSTINGS_BUDGET,
    exact: int = search.EXACT_CHUNKS,
) -> list[Passage]:
    vector = HashEmbedder().encode([question])[0].tolist()
    with database.reading() as connection:
        plan = search.prepare(connection, "local", question, viewer, sources, budget=budget)
        return search.passages(
            connection, "local", plan, vector, weight=0.5, limit=limit, leg=leg, exact=exact
        )


def test_an_empty_store_gives_no_passages(database: Database) -> None:
    assert _find(database, "anything at all") == []


def test_the_lexical_score_is_bm25(database: Database) -> None:
    store(database, [page("a.md", "parking permit"), page("b.md", "parking parking lot fee")])
    found = _find(database, "permit", leg="lexical")
    # 'a' (the heading) counts too: "a parking permit" has the lexemes parking, permit.
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    with database.reading() as connection:
        plan = search.prepare(connection, "local", "permit", EVERYBODY)
        lengths = dict(connection.execute("SELECT chunk_id, terms FROM chunks").fetchall())
    length = lengths[found[0].chunk_id]
    weight = 1 / (1 + 1.2 * (1 - 0.75 + 0.75 * length / plan.terms.mean_length))
    assert [p.path for p in found] == ["a.md"]
    assert found[0].lexical == pytest.approx(idf * weight, rel=1e-6)


def test_a_rare_word_beats_common_ones(database: Database) -> None:
    store(database, numbered(30, {17: "quokka"}))
    assert _find(database, "filler page quokka", leg="lexical")[0].path == "17.md"


def test_common_words_still_score_the_candidates(database: Database) -> None:
    store(database, [*numbered(30, {17: "quokka"}), page("both.md", "quokka visa visa")])
    whole = _find(database, "quokka filler", leg="lexical")
    capped = _find(database, "quokka filler", leg="lexical", budget=5)
    scores = {p.path: p.lexical for p in whole}
    assert {p.path for p in capped} == {"17.md", "both.md"}
    assert all(p.lexical == pytest.approx(scores[p.path]) for p in capped)


def test_of_a_word_that_stands_everywhere_the_page_that_says_it_most_is_found(
    database: Database,
) -> None:
    store(database, [page("old.md", "parking parking parking"), page("other.md", "fees")])
    newer = search.MOST_POSTINGS + 1000
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO postings SELECT workspace_id, term, chunk_id + n, scope_id, 1, 100"
            " FROM postings, generate_series(1, %s) AS n WHERE term = 'park'",
            (newer,),
        )
        connection.execute("UPDATE term_stats SET chunks = chunks + %s", (newer,))
        connection.execute(
            "UPDATE scopes SET chunks = chunks + %s, terms = terms + %s", (newer, newer)
        )
    assert [p.path for p in _find(database, "parking", leg="lexical")] == ["old.md"]


def test_a_restricted_page_is_found_by_its_audience_only(database: Database) -> None:
    store(
        database,
        [page("open.md", "salary dates"), page("board.md", "salary bands", audience=["U1", "C9"])],
    )
    for leg in ("hybrid", "vector", "lexical"):
        public = _find(database, "salary bands", Viewer(("*", "C1")), leg=leg)
        assert [p.path for p in public] == ["open.md"]
    for principal in ("U1", "C9"):
        private = _find(database, "salary bands", Viewer(("*", principal)))
        assert {p.path for p in private} == {"open.md", "board.md"}


def test_a_filtered_search_never_comes_back_short(database: Database) -> None:
    store(database, numbered(400, {}))
    store(
        database,
        [page(f"few{i}.md", f"nothing alike {i}", audience=["U1"]) for i in range(12)],
        source="private",
    )
    found = _find(database, "filler page number", Viewer(("U1",)), leg="vector")
    assert len(found) == 10
    assert all(p.source == "private" for p in found)


def test_a_filtered_search_through_the_index_is_not_short_either(database: Database) -> None:
    store(database, numbered(400, {}))
    store(database, [page(f"few{i}.md", f"alike {i}") for i in range(12)], source="small")
    found = _find(database, "filler page", leg="vector", sources=["small"], exact=0)
    assert len(found) == 10


def test_a_walk_that_ends_early_is_made_up_for(database: Database) -> None:
    store(database, numbered(400, {}))
    store(database, [page(f"few{i}.md", f"nothing alike {i}") for i in range(12)], source="small")
    vector = HashEmbedder().encode(["filler page number"])[0].tolist()
    with database.reading() as connection:
        connection.execute("SET LOCAL hnsw.max_scan_tuples = 1")
        connection.execute("SET LOCAL hnsw.ef_search = 1")
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = search.prepare(connection, "local", "filler page", EVERYBODY, ["small"])
        found = search.passages(
            connection, "local", plan, vector, weight=0.5, leg="vector", exact=0
        )
    assert [p.source for p in found] == ["small"] * 10


def test_a_search_can_be_narrowed_to_sources(database: Database) -> None:
    store(database, [page("a.md", "vpn setup")], source="it")
    store(database, [page("a.md", "vpn setup")], source="hr")
    assert {p.source for p in _find(database, "vpn", sources=["hr"])} == {"hr"}


def test_another_workspace_sees_nothing(database: Database) -> None:
    store(database, [page("a.md", "vpn setup")], workspace="T2")
    assert _find(database, "vpn setup") == []


def test_unknown_words_are_counted(database: Database) -> None:
    store(database, [page("a.md", "vpn setup")])
    with database.reading() as connection:
        terms = search.prepare(connection, "local", "vpn zorblax frumious", EVERYBODY).terms
    assert (terms.terms, terms.unknown) == (("vpn",), 2)
    assert terms.unknown_idf > 0


def test_passages_are_measured_against_any_one_of_them(database: Database) -> None:
    store(
        database,
        [page("a.md", "parking permit"), page("b.md", "parking permit"), page("c.md", "tea")],
    )
    chunks = {p.path: p.chunk_id for p in _find(database, "parking tea")}
    with database.reading() as connection:
        found = search.likeness(
            connection, "local", chunks["a.md"], [chunks["b.md"], chunks["c.md"]]
        )
        assert search.likeness(connection, "other", chunks["a.md"], list(chunks.values())) == {}
    assert found[chunks["c.md"]] < found[chunks["b.md"]]
