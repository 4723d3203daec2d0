"""Which passage leads: the asked version, the newer page on the same thing, and what people liked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.answering import ranking, versions
from store.records import Passage

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PASSAGE = Passage(1, "wiki", "a.md", "Travel", "Meals", None, "x", "00", NOW, 0, 1.0)


def passage(path: str, body: str, score: float, days: int | None = 0, **changes: object) -> Passage:
    when = None if days is None else NOW + timedelta(days=days)
    made = replace(PASSAGE, path=path, body=body, score=score, updated_at=when, text_hash=path)
    return replace(made, chunk_id=hash(path), **changes)  # type: ignore[arg-type]


def everything(first: Passage, others: Sequence[Passage]) -> Mapping[int, float]:
    """Finds all passages to be about the same."""
    return {p.chunk_id: 0.9 for p in others}


def nothing(first: Passage, others: Sequence[Passage]) -> Mapping[int, float]:
    return {p.chunk_id: 0.1 for p in others}


OLD = passage("old.md", "Meals are paid up to 20 euros a day.", 1.0)
NEW = passage("new.md", "Lunch and dinner: 35 euros for each day away.", 0.9, days=90)


def first(found: Sequence[Passage], question: str = "", **options: object) -> str:
    return ranking.arrange(found, question=question, alike=everything, **options)[0].path  # type: ignore[arg-type]


def test_a_newer_page_on_the_same_thing_leads() -> None:
    assert first([OLD, NEW]) == "new.md"


def test_likeness_is_measured_against_what_is_first_now() -> None:
    asked: list[str] = []

    def alike(one: Passage, others: Sequence[Passage]) -> Mapping[int, float]:
        asked.append(one.path)
        return nothing(one, others)

    assert ranking.arrange([OLD, replace(NEW, likeness=1.0)], alike=alike)[0] == OLD
    assert asked == ["old.md"]


def test_without_a_measure_only_a_likeness_with_the_first_counts() -> None:
    far = [replace(OLD, likeness=0.4), replace(NEW, likeness=1.0)]
    assert ranking.arrange(far)[0].path == "old.md"
    near = [replace(OLD, likeness=1.0), replace(NEW, likeness=0.8)]
    assert ranking.arrange(near)[0].path == "new.md"


@pytest.mark.parametrize(
    "newer",
    [
        replace(NEW, updated_at=NOW + timedelta(hours=20)),
        replace(NEW, updated_at=None),
        replace(NEW, score=0.5),
        replace(NEW, path="old.md", heading="Other"),
    ],
)
def test_hours_no_date_a_low_score_or_the_same_page_make_nothing_newer(newer: Passage) -> None:
    assert ranking.arrange([OLD, newer], alike=everything)[0] == OLD


def test_a_page_without_a_date_is_not_taken_for_old() -> None:
    assert first([replace(OLD, updated_at=None), NEW]) == "old.md"


def test_what_people_found_right_stays_first() -> None:
    assert first([OLD, NEW], liked={"old.md": 0.5}) == "old.md"


def test_a_page_on_another_thing_than_the_asked_one_does_not_lead() -> None:
    heron = passage("heron.md", "Press start on Heron.", 1.0, title="Installing Heron")
    stork = passage("stork.md", "Press start on Stork.", 0.9, days=90, title="Installing Stork")
    assert first([heron, stork], "how do i install heron?") == "heron.md"
    assert first([heron, stork], "how do i install it?") == "stork.md"


def test_a_passage_with_nothing_to_quote_does_not_lead() -> None:
    asked = passage("faq.md", "**What are the meals?**", 1.0)
    header = passage("table.md", "| Meal | Price |\n|---|---|", 0.95)
    assert [p.path for p in ranking.arrange([asked, header, OLD])] == [
        "old.md",
        "faq.md",
        "table.md",
    ]
    assert first([asked, header]) == "faq.md"


def heron(version: str, score: float, days: int) -> Passage:
    body = f"To install Heron {version} run the file as root, wait a moment and open the console."
    path = f"{version}/setup.md"
    return passage(path, body, score, days, title=f"Installing Heron {version}", heading="")


RELEASES = [heron("3.0", 1.0, 300), heron("2.4", 0.95, 200), heron("1.8", 0.9, 100)]


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("how do I install Heron 1.8?", "1.8/setup.md"),
        ("install heron v1.8", "1.8/setup.md"),
        ("heron 1.8.2 setup", "1.8/setup.md"),
        ("heron version 2 setup", "2.4/setup.md"),
        ("how do I install heron", "3.0/setup.md"),
        ("install heron in 1.8 hours", "3.0/setup.md"),
    ],
)
def test_the_version_that_is_asked_for_leads(question: str, path: str) -> None:
    assert first(RELEASES, question) == path
    assert first(list(reversed(RELEASES)), question) == path


def test_a_version_is_told_by_the_text_where_the_names_do_not() -> None:
    old = passage("a.md", "Heron 1.8 listens on port 7100.", 0.8, title="Ports")
    new = passage("b.md", "Heron 3.0 listens on port 7300.", 1.0, days=90, title="Ports")
    assert first([new, old], "port of heron 1.8?") == "a.md"


def test_a_year_is_a_version_in_names_alone() -> None:
    old = passage("budget-2024.md", "Each team has 500.", 0.9, title="Budget 2024")
    new = passage("budget.md", "Each team has 900, since 2024.", 1.0, days=500, title="Budget")
    assert first([new, old], "team budget in 2024?") == "budget-2024.md"
    assert first([old, new], "team budget") == "budget.md"


def test_copies_of_two_versions_are_not_one() -> None:
    assert len(ranking.arrange(RELEASES)) == 3
    copy = replace(RELEASES[0], path="3.0/copy.md", chunk_id=9)
    assert len(ranking.arrange([RELEASES[0], copy])) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Heron 1.8", {"1.8"}), ("v3 or V2.1", {"3", "2.1"}), ("docs/v1.8/install.md", {"1.8"}),
        ("heron-1.8.md", {"1.8"}), ("release 4", {"4"}), ("in 2024?", {"2024"}), ("Is it 1.8?", {"1.8"}),
        ("Heron 1.8.", {"1.8"}), ("1.5 days", set()), ("2.5 %", set()), ("$2.50", set()),
        ("2000 euros", set()), ("03.04.2026", set()), ("2.5k", set()), ("ext. 2024-5", {"2024"}),
        ("1.2.3.4.5", set()),
    ],
)  # fmt: skip
def test_versions_are_told_from_other_numbers(text: str, found: set[str]) -> None:
    assert versions.named(text) == found
