"""Figures by day: counted as they stand, again when a thumb comes late, with nothing private in them."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from store import answers, figures, people, questions
from store.database import Database
from store.feedback import votes
from store.figures import Figures
from store.records import Answer, Ask, Citation, Vote

TEAM = "T1"
MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def asked(
    database: Database,
    status: str,
    at: datetime = NOON,
    *,
    seconds: float = 1.0,
    channel: str = "C1",
    source: str | None = None,
    is_private: bool = False,
    team: str = TEAM,
) -> UUID:
    """A question that ended so; give the id of its answer."""
    cited = Citation("Leave", "leave.md", None, "28 days", "", 0.9, None, source or "", 1)
    answer = Answer(uuid4(), "?", status, 0.8, "28 days", (cited,) if source else ())  # type: ignore[arg-type]
    with database.connection() as connection:
        ask = Ask(team, channel, str(uuid4()), "U1", "days off?", "mention", is_private)
        question_id = questions.claim(connection, ask, at)
        assert question_id
        if status not in ("failed", "ignored"):
            answers.record(connection, team, question_id, answer, None, None, at)
        ended = at + timedelta(seconds=seconds)
        questions.end(connection, team, question_id, status, now=ended)  # type: ignore[arg-type]
    return answer.answer_id


def counted(database: Database, now: datetime = NOON, *, days: int = 1) -> Figures:
    with database.connection() as connection:
        figures.refresh(connection, TEAM, now)
        return figures.between(connection, TEAM, MONDAY, MONDAY + timedelta(days=days))


def test_questions_are_counted_by_how_they_ended(database: Database) -> None:
    for status in ("answered", "answered", "unsure", "not_found", "routed", "failed"):
        asked(database, status)
    for status in ("ignored", "smalltalk"):
        asked(database, status)
    asked(database, "answered", team="T2")
    found = counted(database)
    assert (found.asked, found.answered, found.unsure) == (6, 2, 1)
    assert (found.not_found, found.routed, found.failed) == (1, 1, 1)


def test_a_thumb_that_comes_weeks_later_is_counted_on_the_day_of_the_question(
    database: Database,
) -> None:
    answer_id, month_later = asked(database, "answered"), NOON + timedelta(days=30)
    counted(database)
    with database.connection() as connection:
        votes.cast(connection, TEAM, Vote(answer_id, "U2", -1, "button"), month_later)
    assert counted(database, month_later + timedelta(minutes=5)).disliked == 1
    with database.connection() as connection:
        vote = Vote(answer_id, "U2", -1, "button")
        votes.withdraw(connection, TEAM, vote, month_later + timedelta(minutes=10))
    assert counted(database, month_later + timedelta(minutes=15)).judged == 0


def test_many_thumbs_on_an_answer_are_one_opinion(database: Database) -> None:
    answer_id = asked(database, "answered")
    with database.connection() as connection:
        for person, value in (("U2", 1), ("U3", 1), ("U4", -1)):
            votes.cast(connection, TEAM, Vote(answer_id, person, value, "button"), NOON)
    assert (counted(database).liked, counted(database).disliked) == (1, 0)


def test_percentiles_are_right_within_a_tenth(database: Database) -> None:
    for seconds in (0.3, 0.4, 0.5, 2.0, 60.0):
        asked(database, "answered", seconds=seconds)
    asked(database, "failed", seconds=3600)
    found = counted(database)
    assert found.p50 == pytest.approx(0.5, rel=0.1)
    assert found.p95 == pytest.approx(60, rel=0.1)


def test_figures_are_told_by_channel_and_source_and_private_channels_stay_unnamed(
    database: Database,
) -> None:
    asked(database, "answered", source="wiki")
    asked(database, "unsure", source="handbook")
    asked(database, "answered", channel="D0PRIVATE", source="wiki", is_private=True)
    counted(database)
    with database.connection() as connection:
        week = MONDAY, MONDAY + timedelta(days=7)
        channels = figures.by(connection, TEAM, "channel", *week)
        sources = figures.by(connection, TEAM, "source", *week)
        documents = figures.cited(connection, TEAM, *week)
        rows = connection.execute("SELECT * FROM daily_figures WHERE name LIKE 'D0%%'").fetchall()
    assert [(name, found.asked) for name, found in channels] == [("C1", 2), (figures.PRIVATE, 1)]
    assert [(name, found.asked) for name, found in sources] == [("wiki", 2), ("handbook", 1)]
    assert [(source, path, found.asked) for source, path, found in documents] == [
        ("wiki", "leave.md", 2), ("handbook", "leave.md", 1),
    ]  # fmt: skip
    assert rows == []


def test_days_without_questions_are_told_too(database: Database) -> None:
    asked(database, "answered")
    asked(database, "answered", NOON + timedelta(days=2))
    counted(database, NOON + timedelta(days=3))
    with database.connection() as connection:
        found = figures.daily(connection, TEAM, MONDAY, MONDAY + timedelta(days=4))
    assert [each.asked for _, each in found] == [1, 0, 1, 0]
    assert found[0][1].p50 and found[1][1].p50 is None


def test_counts_stay_when_questions_are_erased(database: Database) -> None:
    asked(database, "answered")
    year_later = NOON + timedelta(days=400)
    counted(database)
    with database.connection() as connection:
        assert people.retain(connection, TEAM, NOON + timedelta(days=35)).questions == 1
    assert counted(database, year_later).asked == 1


def test_figures_are_counted_once_at_a_time_and_not_again_at_once(database: Database) -> None:
    asked(database, "answered")
    assert counted(database).asked == 1
    asked(database, "answered")
    assert counted(database, NOON + timedelta(seconds=5)).asked == 1
    assert counted(database, NOON + timedelta(minutes=1)).asked == 2
