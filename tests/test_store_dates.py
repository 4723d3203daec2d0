"""A date finds the passages that write it, however both write it; another day is another date."""

from itertools import permutations

import pytest

from store.database import Database
from store.index import dates, search
from store.records import Passage, Viewer
from tests.corpus import numbered, page, store
from tests.fakes import HashEmbedder

EVERYBODY = Viewer(("*",))

SAME_DAY = (
    "4 March 2026", "March 4th, 2026", "the 4th of march 2026", "Mar 4, 2026", "2026-03-04", "2026/03/04", "04.03.2026",
    "4.3.2026", "3/4/2026", "4/3/26", "4. März 2026", "4 mars 2026", "2026-03-04T10:00:00Z", "04-Mar-2026",
)  # fmt: skip


def found(database: Database, question: str) -> list[Passage]:
    vector = HashEmbedder().encode([question])[0].tolist()
    with database.reading() as connection:
        plan = search.prepare(connection, "local", question, EVERYBODY)
        return search.passages(connection, "local", plan, vector, weight=0.5, leg="lexical")


def agree(written: str, asked: str) -> bool:
    return bool(dates.held(written).intersection(*map(set, dates.asked(asked))))


@pytest.mark.parametrize(("written", "asked"), list(permutations(SAME_DAY, 2)))
def test_a_day_is_the_same_day_in_every_way_of_writing_it(written: str, asked: str) -> None:
    assert agree(f"It closes on {written}.", f"what happens on {asked}?")


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Sellers come on 4 March.", "who comes on 4 March 2026?"),
        ("Sellers come on 2026-03-04.", "who comes on March 4th"),
        ("Sellers come on 4 March.", "who comes 3/4?"),
        ("Sellers come by 4.3.", "who comes on 4 March"),
        ("The fair is on 2026-03-04.", "fairs of March 2026"),
        ("Planned for the second quarter of 2026.", "what comes in Q2 2026?"),
        ("Geplant im 2. Quartal 2026.", "plans for 2026 Q2"),
        ("L'atelier ferme le 1er août 2025.", "2025-08-01"),
    ],
)
def test_a_part_of_a_date_agrees_where_the_rest_is_left_out(written: str, asked: str) -> None:
    assert agree(written, asked)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("It closes on 4 March 2025.", "what happens on 4 March 2026?"),
        ("It closes on 4 March 2026.", "what happens on 14 March 2026?"),
        ("It closes on 4.3.2026.", "what happens on 3.4.2026?"),
        ("Planned for Q3 2026.", "what comes in Q2 2026?"),
    ],
)
def test_another_day_is_another_date(written: str, asked: str) -> None:
    assert not agree(written, asked)


@pytest.mark.parametrize(
    "text",
    [
        "release 4.8.10", "10.42.0.0/16", "3/4 of a cup", "you may 4 times", "31.02.2026", "at 10.30 we eat", "chapter 4.3.2",
        "call 555-0187", "we march 4 abreast",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_date_is_none(text: str) -> None:
    assert dates.found(text) == []


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("| 4.9.0 | 2026-03-04 | drops TLS 1.1 |", "what came out on 4 March 2026"),
        ("The drill was on March 12th, 2026.", "drill of 12.03.2026"),
        ("Am 18. Mai 2026 wird gewartet.", "2026-05-18?"),
        ("| 4.9.0 | 2026-03-04 | drops TLS 1.1 |", "what came out in March 2026"),
    ],
)
def test_a_question_finds_a_date_that_is_written_otherwise(
    database: Database, written: str, asked: str
) -> None:
    others = {n: f"On {n} February 2026 and on 2025-03-{n + 1:02}." for n in range(1, 20)}
    store(database, [*numbered(20, others), page("right.md", written)])
    assert found(database, asked)[0].path == "right.md"


def test_a_day_that_no_document_has_is_told_as_unknown(database: Database) -> None:
    store(database, [page("a.md", "The fair is on 4 March 2026.")])
    with database.reading() as connection:
        known, absent = (
            search.prepare(connection, "local", question, EVERYBODY).terms
            for question in ("fair on 2026-03-04", "fair on 2026-05-06")
        )
    assert (known.unknown, absent.unknown) == (0, 1)
    assert known.codes == ("=2026-03-04",) and absent.codes == ()
