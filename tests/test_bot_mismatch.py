"""A text about the neighbour of what is asked for is no answer, however alike the two are."""

import pytest

from bot.answering.answerer import Answerer
from bot.answering.mismatch import is_about_another
from bot.answering.parameters import Serving
from bot.answering.request import Request
from store.database import Database
from store.index import search
from store.records import EVERYONE, Viewer
from tests.corpus import page, store
from tests.fakes import HashEmbedder

EVERYBODY = Viewer((EVERYONE,))
OUTSPOKEN = {"answer_above": 0.0, "unsure_above": 0.0}


def status(database: Database, written: str, asked: str, title: str = "notes") -> str:
    """Ask a bot that refuses nothing for want of confidence."""
    store(database, [page("a.md", written, title=title)])
    serving = Serving(database, "local", fixed=OUTSPOKEN)
    answerer = Answerer(database, "local", HashEmbedder(), serving)
    return answerer.answer(Request(asked, EVERYBODY)).status


NEIGHBOURS = [
    ("VLAN 212 is for printers.", "what is vlan 240 for"),
    ("Error E217: the septum leaks.", "what does E219 mean"),
    ("The cloud budget is 18,400 EUR in 2026.", "what was the cloud budget in 2024"),
    ("A puncture repair costs 9 EUR (price list 2025).", "what did a puncture repair cost in 2023"),
    ("Osprey 3.0 is installed with `osprey up`.", "how do I install Osprey 1.8?"),
    ("There is no delivery on 18 May 2026.", "is there a delivery on 25.5.2026?"),
    ("| 4.9.0 | 2026-03-04 | drops TLS 1.1 |", "what was released on 4 April 2026"),
    ("The board: Odalys Brandt (chair), Piet Vermaelen (treasurer).", "who is Piet Jansen"),
    ("The officer is Dr. Imke Sörensen, room 3.", "where does Dr. Petra Sörensen sit?"),
    ("The rota is kept by Farrukh Aziz.", "what does Leila Aziz keep"),
    ("Prices hold from 1 February 2025 until 31 January 2026.", "what happens on 4 May 2026?"),
    ("The fee holds from 1 May 2026 on.", "which fee holds on 2026-03-04?"),
    ("## 2.2 Interlock\n\nTest it weekly.", "what does section 7.3 say about the test?"),
]


@pytest.mark.parametrize(("written", "asked"), NEIGHBOURS)
def test_what_is_about_a_neighbour_is_not_given(
    database: Database, written: str, asked: str
) -> None:
    assert status(database, written, asked) == "not_found"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("VLAN 212 is for printers.", "what is VLAN212 for"),
        ("The cloud budget is 18,400 EUR in 2026.", "what is the cloud budget in 2026"),
        ("The cloud budget is 18,400 EUR.", "what was the cloud budget in 2024"),
        ("Osprey 1.8.2 is installed with `osprey up`.", "how do I install Osprey 1.8?"),
        # A border speaks of the days behind it too.
        ("The yard is closed from 22 December 2025 to 6 January 2026.", "is it open on 3.1.2026?"),
        ("Prices hold until 31 January 2026.", "do prices hold on 20 January 2026?"),
        ("The fee holds from 1 May 2026 on.", "which fee holds on 4 July 2026?"),
        ("The rule has been in force since 2019.", "was the rule in force in 2024?"),
        ("There is no delivery on 18 May.", "is there a delivery on 18.5.2026?"),
        ("## 2.2 Interlock\n\nTest it weekly.", "what does section 2.2 say about the test?"),
        ("## Interlock\n\nTest it weekly.", "what does section 2.2 say about the test?"),
        ("The board: Piet Vermaelen (treasurer).", "who is Piet Vermaelen"),
        ("Ask Jansen for the key.", "has Piet Jansen the key?"),
        ("Ask Piet for the key.", "has Piet Jansen the key?"),
        ("Our Spring Market has sellers.", "Who sells at the Spring Market"),
        ("We work 38 hours a week.", "may I work 30 hours a week?"),
        # Numbers of sections and versions are no years.
        ("## 4.2 Dose limits\n\nStaff may have 6 mSv.", "dose limits for staff in 2019"),
    ],
)
def test_what_may_answer_is_given(database: Database, written: str, asked: str) -> None:
    assert status(database, written, asked) == "answered"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("was kostet die Möwe am Tag?", "answered"),
        ("was kostet der Parkplatz?", "unsure"),
        ("wie beantrage ich Urlaub?", "not_found"),
        ("combien de jours de congé ?", "not_found"),
    ],
)
def test_a_text_in_the_questions_language_must_say_its_words(
    database: Database, asked: str, expected: str
) -> None:
    store(database, [page("a.md", "Das Lastenrad Möwe kostet 12 Euro am Tag.")])
    thresholds = {"answer_above": 1e-9, "unsure_above": 0.0}
    serving = Serving(database, "local", fixed=thresholds)
    answerer = Answerer(database, "local", HashEmbedder(), serving)
    assert answerer.answer(Request(asked, EVERYBODY)).status == expected


def test_a_title_of_another_year_tells_it_too(database: Database) -> None:
    assert status(
        database, "Punctures cost 9 EUR.", "price of punctures in 2023", "Prices 2025"
    ) == ("not_found")


def test_a_text_that_is_shown_beside_it_may_name_what_is_asked_for(database: Database) -> None:
    store(
        database,
        [page("a.md", "The budget is 9 in 2025."), page("b.md", "The budget is 8 in 2024.")],
    )
    question = "the budget in 2024"
    vector = HashEmbedder().encode([question])[0].tolist()
    with database.reading() as connection:
        plan = search.prepare(connection, "local", question, EVERYBODY)
        both = search.passages(connection, "local", plan, vector, weight=0.5)
    newer = [p for p in both if p.path == "a.md"]
    assert is_about_another(question, newer, newer[0].body, plan.terms)
    assert not is_about_another(question, newer + both, newer[0].body, plan.terms)
