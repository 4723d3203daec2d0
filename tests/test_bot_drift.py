"""A drift that matters is seen, kept and told once; weeks that only differ as days do are not told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from bot.learning import drift, night, telling
from bot.runtime.metrics import Metrics
from bot.slack.app import Bot
from store import answers, people, questions
from store.database import Connection, Database
from store.feedback import drifts, nights
from store.feedback.drifts import DAYS, Drift, Measure, Placed, Tally
from store.index import embedders
from store.records import Answer, Ask
from tests import screen_parts
from tests.bench.drift import weeks
from tests.fake_slack import TEAM, FakeSlack
from tests.fakes import HashEmbedder
from tests.slack_parts import jobs
from tests.slack_work import Worker

NIGHT = datetime(2026, 3, 3, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ENCODER = HashEmbedder()

USUAL = ("when is the canteen open", "how do I book a room", "who fixes the printer")
NEW = (
    "where do I park my car",
    "is there a car park for visitors",
    "what does a parking permit cost",
)


def asked(
    connection: Connection,
    body: str,
    days: float,
    status: Any = "answered",
    *,
    person: str | None = None,
    is_private: bool = False,
    channel: str = "C1",
) -> None:
    """A question of so many days before NIGHT, and how it ended."""
    at = NIGHT - days * DAY
    ask = Ask(TEAM, channel, uuid4().hex, person or uuid4().hex, body, "mention", is_private)
    question_id = questions.claim(connection, ask, at)
    assert question_id
    answer = Answer(uuid4(), body, status, 0.3 if status == "not_found" else 0.8, None)
    number, vector = embedders.embedder_id(ENCODER.name), ENCODER.encode([body])[0].tolist()
    answers.record(connection, TEAM, question_id, answer, vector, number, at)
    questions.end(connection, TEAM, question_id, status, intent="question", now=at)


def usual(connection: Connection, days: Sequence[int] = range(DAYS), each: int = 4) -> None:
    """So many questions a day, one of four of them in vain."""
    for day in days:
        for number in range(each):
            status = "not_found" if number == day % 4 else "answered"
            asked(connection, USUAL[(number + day) % 3], day + (number + 1) / 20, status)


def tables(of: Callable[[int], dict[str, int]]) -> list[Tally]:
    """Tallies of the days, with so many answers of each status."""
    return [
        Tally(day, status, "question", 40, count)
        for day in range(DAYS)
        for status, count in of(day).items()
        if count
    ]


def found(tallies: Sequence[Tally], measure: Measure, before: Drift | None = None) -> Drift:
    known = {measure: before} if before else {}
    return next(d for d in drift.tested(tallies, [], known, NIGHT) if d.measure == measure)


@pytest.fixture
def worker(fake: FakeSlack, database: Database, bot: Bot) -> Worker:
    with database.connection() as connection:
        embedders.ensure_embedder(connection, TEAM, ENCODER.name, ENCODER.dims)
    return Worker(fake, database, admin_channel="CADMIN")


def test_a_new_topic_is_told_once_in_the_admins_channel_with_public_questions_alone(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    with database.connection() as connection:
        usual(connection)
        for day in range(7):
            for number in range(6):
                asked(connection, NEW[number % 3], day + number / 20, "not_found")
            asked(connection, "where can the boss park in secret", day + 0.4, is_private=True)
    report = night.run(worker.services, workspace=TEAM, now=NIGHT)
    began = {each.measure for each in drift.began(report.drifts)}
    assert {"topics", "refusals"} <= began
    assert worker.speak("drift") == ["said"] * len(began)
    told = {message["text"].splitlines()[0]: message for message in fake.messages}
    topics = next(m for first, m in told.items() if "about other things" in first)
    assert topics["channel"] == "CADMIN" and "Add documents" in topics["text"]
    assert "park my car" in topics["text"] and "secret" not in topics["text"]
    refusals = next(m for first, m in told.items() if "find nothing" in first)
    assert "(25% before) find nothing" in refusals["text"] and "Gaps" in refusals["text"]

    night.run(worker.services, workspace=TEAM, now=NIGHT + DAY / 2)
    assert len(jobs(database, "say")) == len(began)  # it lasts, and is not told again

    text = Metrics(database).text().decode()
    assert 'threadwise_drift{measure="topics"} 1.0' in text
    assert 'threadwise_drift{measure="intents"} 0.0' in text
    with database.connection() as connection:
        kept = nights.last(connection, TEAM)[-1].report["drift"]
        people.retain(connection, TEAM, NIGHT + DAY)
        assert drifts.latest(connection, TEAM) == {}
    assert isinstance(kept, list) and kept[0]["since"]
    assert "since 2026-03-03" in telling.line(report.drifts[0]).lower()


def test_questions_of_a_channel_that_became_private_are_not_named(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    fake.channels["CLATER"] = {"is_private": True}
    with database.connection() as connection:
        usual(connection)
        for day in range(7):
            for number in range(6):
                asked(connection, NEW[number % 3], day + number / 20, channel="CLATER")
    night.run(worker.services, workspace=TEAM, now=NIGHT)
    worker.speak("drift")
    assert any("about other things" in m["text"] for m in fake.messages)
    assert not any("park" in m["text"] for m in fake.messages)


def test_a_dry_run_keeps_and_tells_nothing(database: Database, worker: Worker) -> None:
    with database.connection() as connection:
        usual(connection, range(7, DAYS))
        for day in range(7):
            for number in range(8):
                asked(connection, NEW[number % 3], day + number / 20, "not_found")
    assert drift.began(night.run(worker.services, workspace=TEAM, now=NIGHT, dry_run=True).drifts)
    with database.connection() as connection:
        assert drifts.latest(connection, TEAM) == {}
    assert jobs(database, "say") == []


def test_nobody_makes_a_drift_alone(database: Database, worker: Worker) -> None:
    with database.connection() as connection:
        usual(connection, range(7), each=10)
        for day in range(7):
            for number in range(40):
                asked(connection, NEW[0], day + number / 50, "not_found", person="U7")
        tallies = drifts.tallies(connection, TEAM, NIGHT)
    assert sum(tally.count for tally in tallies if tally.day == 0) == 10 + drifts.PERSON_QUESTIONS


def test_weeks_that_differ_only_as_days_do_are_no_drift() -> None:
    rng = np.random.default_rng(3)
    rounds = [
        drift.tested(weeks(rng, 30, busy=busy), [], {}, NIGHT) for busy in (0.4, 1, 1, 1, 1, 3)
    ]
    made = [each for found in rounds for each in found]
    assert len(made) == 18 and all(each.since is None for each in made)
    assert sum(each.p < 0.05 for each in made) <= 2


def test_one_bad_day_is_no_drift_though_a_test_of_single_questions_says_so() -> None:
    tallies = tables(
        lambda day: {"answered": 10, "not_found": 60 if day in (3, 20, 41) else 2 + day % 3}
    )
    week = {"answered": 0, "not_found": 0}
    weeks_before = dict(week)
    for tally in tallies:
        (week if tally.day < 7 else weeks_before)[tally.status] += tally.count
    alone = chi2_contingency([list(week.values()), list(weeks_before.values())]).pvalue
    assert alone < drift.LEVEL
    refusals = found(tallies, "refusals")
    assert refusals.since is None and refusals.p > 0.05


def test_more_refusals_each_day_are_a_drift_until_they_are_usual() -> None:
    tallies = tables(lambda day: {"answered": 12, "not_found": 9 if day < 7 else 1 + day % 3})
    first = found(tallies, "refusals")
    assert first.since == NIGHT and first.detail["not found"][1] == pytest.approx(9 / 21)
    assert first.p < drift.LEVEL and first.effect > drift.LEAST["refusals"]
    earlier = replace(first, since=NIGHT - DAY)
    assert found(tallies, "refusals", earlier).since == NIGHT - DAY
    usual_by_now = tables(lambda day: {"answered": 12, "not_found": 8 + day % 3})
    gone = found(usual_by_now, "refusals", earlier)
    assert gone.since is None
    assert found(tallies, "refusals", gone).since == NIGHT  # come back: told again


def test_a_difference_that_is_sure_but_small_does_not_matter() -> None:
    tallies = tables(lambda day: {"answered": 400, "not_found": 60 if day < 7 else 40 + day % 2})
    refusals = found(tallies, "refusals")
    assert refusals.p < drift.LEVEL and refusals.since is None


@pytest.mark.parametrize("days", [5, 8, 12])
def test_too_few_days_or_questions_are_not_tested(days: int) -> None:
    tallies = tables(lambda day: {"answered": 40} if day < days else {})
    assert drift.tested(tallies, [], {}, NIGHT) == []
    few = tables(lambda day: {"answered": 1} if day % 7 < 5 else {})
    assert drift.tested(few, [], {}, NIGHT) == []
    assert drift.tested([], [], {}, NIGHT) == []


def test_alike_questions_are_shown_once() -> None:
    vectors = ENCODER.encode([*USUAL, NEW[0], NEW[0] + "?", NEW[2]]).tolist()
    placed = [
        Placed(day, uuid4(), tuple(vectors[n if day >= 7 else 3 + n]))
        for day in range(DAYS)
        for n in (0, 1, 2)
        for _ in range(3)
    ]
    (topics,) = drift.tested([], placed, {}, NIGHT)
    assert topics.since == NIGHT
    by_id = {each.question_id: each for each in placed}
    assert len(topics.question_ids) == 2
    assert all(by_id[each].day < 7 for each in topics.question_ids)


@pytest.mark.parametrize(
    ("measure", "detail", "said", "cure"),
    [
        ("confidence", {"sure": (0.7, 0.5)}, "less sure of its answers: 50% (70% before)", "Gaps"),
        ("confidence", {"sure": (0.5, 0.7)}, "surer of its answers", "are they right"),
        ("refusals", {"not found": (0.3, 0.1)}, "10% (30% before) find nothing", "are they right"),
        ("intents", {"leave": (0.1, 0.4)}, "leave 40% (10% before)", "Look at Intents"),
    ],
)
def test_what_is_said_names_numbers_and_what_to_do(
    measure: Measure, detail: dict[str, tuple[float, float]], said: str, cure: str
) -> None:
    told = telling.line(Drift(measure, NIGHT, 60, 400, 0.3, 1e-5, NIGHT, detail))
    assert said in told and cure in told


def test_the_screen_shows_how_each_measure_stands_and_names_public_questions_alone(
    database: Database,
) -> None:
    with database.connection() as connection:
        embedders.ensure_embedder(connection, TEAM, ENCODER.name, ENCODER.dims)
        asked(connection, NEW[0], 1)
        asked(connection, "a secret question", 1, is_private=True)
        rows = connection.execute("SELECT question_id FROM questions").fetchall()
        ids = tuple(row[0] for row in rows)
        for day in (2, 1):
            at = screen_parts.NOW - day * DAY
            drifts.add(
                connection, TEAM,
                [Drift("topics", at, 60, 400, 0.03 / day, 1e-5, at, {}, ids),
                 Drift("refusals", at, 60, 400, 0.01, 0.4, None, {"not found": (0.1, 0.11)})],
            )  # fmt: skip
    page = screen_parts.browser(screen_parts.parts_for(database, screen_parts.Slack())).text(
        "quality"
    )
    assert "People ask about other things" in page and NEW[0] in page and "secret" not in page
    assert "how many find nothing: as before" in page
    assert "topics from 0.015 (2026-02-28) to 0.03 (2026-03-01)" in page
