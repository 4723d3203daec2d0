"""Codes, acronyms and misspelt words find the passages that write them, however both write them."""

import pytest

from store.database import Database
from store.index import codes, search
from store.records import Passage, Viewer
from tests.corpus import numbered, page, store
from tests.fakes import HashEmbedder

EVERYBODY = Viewer(("*",))


def prepared(database: Database, question: str) -> search.Plan:
    with database.reading() as connection:
        return search.prepare(connection, "local", question, EVERYBODY)


def found(database: Database, question: str) -> list[Passage]:
    vector = HashEmbedder().encode([question])[0].tolist()
    plan = prepared(database, question)
    with database.reading() as connection:
        return search.passages(connection, "local", plan, vector, weight=0.5, leg="lexical")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ERR-4042", "err 4042"),
        ("ERR_4042", "Err4042"),
        ("MTR-01203", "mtr 1203"),
        ("KG-2042/B", "kg 2042 B"),
        ("HX\u20114471", "hx4471"),
        ("KESTREL_TLS_MIN", "KestrelTlsMin"),
        ("v1.8", "V1.8"),
        ("port 9100", "Port #9100"),
        ("5,000", "5000"),
        ("desk@firm.example", "Desk@Firm.example"),
    ],
)
def test_a_code_has_one_form(one: str, other: str) -> None:
    assert codes.forms(one) & codes.forms(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ERR-4042", "ERR-4402"), ("v1.8", "v18"), ("v1.8", "v1.8.1"), ("KG-2042", "KF-2042")],
)
def test_two_codes_stay_two(one: str, other: str) -> None:
    assert codes.named(one).isdisjoint(codes.named(other))


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Fault ERR-4042: the queue is full.", "err 4042"),
        ("Fault ERR-4042: the queue is full.", "what is 4042"),
        ("Set queue_lease_seconds to ninety.", "QueueLeaseSeconds"),
        ("Set QueueLeaseSeconds to ninety.", "the lease"),
        ("The console listens on 8443/tcp.", "8443"),
        ("Ask desk@firm.example for it.", "desk@firm.example"),
        ("## Paid time off\nBooked ahead.", "PTO"),
        ("| Service level agreement | twenty minutes |", "our sla"),
        ("Ask HR for the PTO form.", "form for paid time off"),
        ("The zephyrometer is in the hall.", "where is the zephyromter"),
        ("The zephyrometer is in the hall.", "where is the zehpyrometer"),
        ("The zephyrometer is in the hall.", "where is the zephirometar"),
        ("Den Schlüssel hat Frau Groß.", "wer hat den schluessel"),
        ("Den Schlüssel hat Frau Groß.", "wer hat den Schlüsel"),
        ("Den Schluessel hat Frau Gross.", "wer hat den Schlüssel"),
        ("Le déjeuner coûte six euros.", "prix du dejeuner"),
        ("The SØRENSEN bench is oiled.", "sorensen bench"),
        ("VLAN 212 is for printers.", "vlan212"),
        ("Tickets of priority one are answered at once.", "our answer to a P1"),
        ("Severity 2 is told to the lead.", "s2?"),
    ],
)
def test_what_is_written_in_one_way_is_found_in_another(
    database: Database, written: str, asked: str
) -> None:
    store(database, [*numbered(20, {}), page("right.md", written)])
    assert found(database, asked)[0].path == "right.md"
    assert found(database, asked)[0].rare > 0.5


def test_a_code_that_is_asked_for_is_told_known_or_not(database: Database) -> None:
    store(database, [page("a.md", "ERR-4042 is a full queue. Port 9100 is for metrics.")])
    asked = ("ERR-4042", "err 4044", "ERR-4044", "port 9100", "after 300 days", "Q3", "PTO")
    told = {question: prepared(database, question).terms.codes for question in asked}
    assert told == {
        "ERR-4042": ("=err4042",), "err 4044": ("=err4044",), "ERR-4044": ("=err4044",),
        "port 9100": ("=port9100",), "after 300 days": (), "Q3": (), "PTO": (),
    }  # fmt: skip
    (passage,) = found(database, "metrics")
    held = codes.lexemes(passage.body)
    assert codes.agreement(("=err4042",), held) == 1
    assert codes.agreement(("=err4044",), held) == -1
    assert codes.agreement((), held) == 0


def test_a_word_of_the_documents_is_never_corrected(database: Database) -> None:
    store(database, [page("a.md", "cable"), page("b.md", "table"), page("c.md", "table")])
    assert [p.path for p in found(database, "cable")] == ["a.md"]


def test_what_is_indexed_is_taken_out_again(database: Database) -> None:
    store(database, [page("a.md", "ERR-4042 QueueLease PTO", title="one")])
    store(database, [page("a.md", "bread", title="one")])
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT term FROM term_stats WHERE chunks > 0 AND left(term, 1) IN ('=', '@', '~')"
            " UNION SELECT term FROM postings WHERE left(term, 1) IN ('=', '@', '~')"
        ).fetchall()
    assert rows == []


def test_a_text_about_other_codes_of_a_family_is_told_from_one_that_names_none() -> None:
    held = codes.lexemes("ERR-4043\n\nThe queue is locked. Restart pump 7.")
    assert codes.is_about_others(("=err4044",), held)
    assert not codes.is_about_others(("=err4043", "=err4044"), held)
    assert not codes.is_about_others(("=kg1203",), held)
    assert not codes.is_about_others(("~pto",), held)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("VLAN 212 is for printers.", "what is vlan 240 for"),
        ("The console listens on port 8443.", "port 9443"),
        ("Error E217: the septum leaks.", "what does E219 mean"),
        ("Rotor R-40 runs at most a minute.", "R60?"),
        ("SEV2 is answered within a day.", "SEV4"),
        ("Budget 2025: nine thousand.", "budget 2023"),
    ],
)
def test_a_neighbour_of_a_code_is_told_from_it(
    database: Database, written: str, asked: str
) -> None:
    store(database, [page("a.md", written)])
    wanted = prepared(database, asked).terms.codes
    assert codes.is_about_others(wanted, codes.lexemes(written))


@pytest.mark.parametrize(
    "asked", ["if I work 30 hours", "after 45 minutes", "for 40 people", "Q3", "top 5", "over 100"]
)
def test_a_number_that_counts_something_names_nothing(database: Database, asked: str) -> None:
    store(
        database, [page("a.md", "We work 38 hours, rest 30 minutes, feed 20 people, top 3 in Q2.")]
    )
    assert prepared(database, asked).terms.codes == ()


def test_an_acronym_is_written_out_as_the_text_has_it() -> None:
    text = "# Paid time off\n\nIt is booked two weeks ahead."
    assert codes.expanded("how do I book PTO?", ("~pto",), text) == "how do I book paid time off?"
    assert codes.expanded("how do I book PTO?", (), text) == "how do I book PTO?"
    assert codes.expanded("what is our SLA?", ("~sla",), text) == "what is our SLA?"


def test_a_letter_with_a_number_is_written_out_as_the_text_has_it() -> None:
    text = "Tickets of priority one are answered at once, of priority two in an hour."
    assert codes.expanded("answer to a P1", (), text) == "answer to a priority one"
    assert codes.expanded("answer to a P3", (), text) == "answer to a P3"
    both = f"{text} Page one is blank."
    assert codes.expanded("answer to a P1", (), both) == "answer to a P1"
    assert codes.expanded("answer to a P1", (), "Wait 1 pound, P1.") == "answer to a P1"


def test_a_greeting_is_no_acronym() -> None:
    assert codes.acronyms("hi, is the 2nd PC or the db in the SLA?") == {"pc", "sla"}
