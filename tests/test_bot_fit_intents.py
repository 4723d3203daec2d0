"""The night teaches the intents: better on labels and no worse on examples, or nothing changes."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.intents import Intent, Intents
from bot.learning import fit_intents, training, training_set
from bot.learning.training import TrainingTrigger
from bot.learning.training_set import TrainingSet
from bot.services import Services
from models.intents import heldout
from store.database import Database
from store.feedback import trainings, versions
from tests import screen_parts, training_rows
from tests.training_rows import NOW, TEAM

NIGHT = NOW + timedelta(hours=15)
DAY = timedelta(days=1)
ROWS = [(f"text {n}", "greeting" if n % 2 else "question") for n in range(200)]
INTENTS = Intents.of(
    tuple(
        Intent(name, name, "answer", tuple(text for text, intent in ROWS if intent == name))
        for name in ("question", "greeting")
    )
)
LABELS = tuple((f"said {n}", "greeting") for n in range(60))
GIVEN = TrainingSet(INTENTS, LABELS, until=NOW)
RIGHT = dict(ROWS) | dict(LABELS)


def told(*wrong: str) -> dict[str, str | None]:
    """What a model says that is right but for these texts."""
    return {text: "?" if text in wrong else name for text, name in RIGHT.items()}


def labelled(count: int) -> list[str]:
    return [text for text, _ in LABELS[:count]]


def filed(count: int) -> list[str]:
    return [text for text, _ in ROWS[:count]]


def test_labels_told_better_and_examples_no_worse_are_promoted() -> None:
    verdict = fit_intents.judge(GIVEN, told(*labelled(9)), told())
    assert (verdict.decision, verdict.numbers["better"]) == ("promoted", 9)


def test_six_labels_told_better_are_no_proof() -> None:
    assert fit_intents.judge(GIVEN, told(*labelled(8)), told()).decision == "refused"


def test_what_the_examples_lose_is_refused_however_good_the_labels_are() -> None:
    verdict = fit_intents.judge(GIVEN, told(*labelled(50)), told(*filed(10)))
    assert verdict.decision == "refused" and "frozen" in verdict.reason


def test_small_losses_of_many_nights_do_not_add_up() -> None:
    before, after = told(*labelled(50)), told(*filed(1))
    assert fit_intents.judge(GIVEN, before, after).decision == "promoted"
    verdict = fit_intents.judge(GIVEN, before, after, carried=-0.004)
    assert verdict.decision == "refused" and "0.9 points" in verdict.reason


def test_labels_of_deleted_intents_are_left_out_and_counted() -> None:
    given = training_set.choose(INTENTS, [("old", "gone"), ("said 1", "greeting")], NOW)
    assert (given.labels, given.unknown) == ((("said 1", "greeting"),), 1)
    verdict = fit_intents.judge(replace(GIVEN, unknown=3), told(*labelled(9)), told())
    assert "3 labels of deleted intents" in verdict.reason


def test_of_two_labels_for_the_same_words_the_later_counts_and_the_file_beats_both() -> None:
    rows = [("Said it", "question"), ("said  it", "greeting"), ("Text 1", "question")]
    assert training_set.choose(INTENTS, rows, NOW).labels == (("said  it", "greeting"),)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_rows.trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def team(database: Database, tmp_path: Path) -> Iterator[Services]:
    training_rows.write(tmp_path)
    yield training_rows.team(tmp_path, database)


def serving(services: Services) -> str:
    with services.database.connection() as connection:
        return str(versions.serving(connection, TEAM)["intents"].version_id)


def test_few_labels_wait_and_say_how_many_are_missing(team: Services) -> None:
    training_rows.label(team, training_rows.LABELS[:20])
    verdict = training_rows.hold(team, NIGHT).verdicts[-1]
    assert (verdict.kind, verdict.decision) == ("intents", "waiting")
    assert "30 more labelled messages are needed (20 of 50)" in verdict.reason


def test_labels_wait_until_the_examples_themselves_are_trained_on(team: Services) -> None:
    training_rows.label(team)
    verdict = training_rows.hold(team, NIGHT).verdicts[-1]
    assert verdict.decision == "waiting" and "threadwise intents train" in verdict.reason


def test_good_labels_are_learned_once_serve_at_once_and_can_be_undone(
    team: Services, trained: Path
) -> None:
    first = training_rows.serve(team, trained)
    training_rows.label(team)
    verdict = training_rows.hold(team, NIGHT).verdicts[-1]
    assert verdict.decision == "promoted", verdict.reason
    assert serving(team) != str(first.version_id)
    assert training_rows.hold(team, NIGHT + DAY).verdicts[-1].decision == "unchanged"

    with team.database.connection() as connection:
        versions.roll_back(connection, TEAM, "intents", NIGHT)
    assert serving(team) == str(first.version_id)
    assert training_rows.hold(team, NIGHT + 2 * DAY).verdicts[-1].decision == "unchanged"
    assert not TrainingTrigger(team).offer()


def test_new_examples_are_trained_with_the_labels_that_serve_and_no_others(
    team: Services, trained: Path
) -> None:
    first = training_rows.serve(team, trained)
    training_rows.label(team)
    with team.database.connection() as connection:
        given = training_set.gather(connection, TEAM, team.intents.now(), NIGHT)
        assert training.served(team, team.intents.now()).labels == ()
        version = versions.add(
            connection, TEAM, "intents", NIGHT, payload=given.payload, path=first.path
        )
        versions.promote(connection, TEAM, version, NIGHT)
    training_rows.label(team, ("broken day",), at=NIGHT + DAY)
    file = team.settings.intents
    file.write_text(file.read_text("utf-8").replace('"is wifi"', '"my wifi"'), encoding="utf-8")
    fresh = training_rows.team(team.settings.home, team.database)
    assert TrainingTrigger(fresh).offer()
    assert {text for text, _ in training.served(fresh, fresh.intents.now()).labels} == set(
        training_rows.LABELS
    )


def test_wrong_labels_are_refused_and_leave_nothing_behind(team: Services, trained: Path) -> None:
    first = training_rows.serve(team, trained)
    chance = random.Random(0)
    for text in training_rows.LABELS:
        training_rows.label(team, (text,), chance.choice(list(training_rows.EXAMPLES)))
    verdict = training_rows.hold(team, NIGHT).verdicts[-1]
    assert verdict.decision == "refused", verdict.reason
    assert serving(team) == str(first.version_id)
    assert not list((team.settings.home / "models" / "intents").glob(".training*"))
    assert not training_rows.hold(team, NIGHT + DAY).is_new
    with team.database.connection() as connection:
        first_one, refused = trainings.last(connection, TEAM, "intents", 9)
    assert first_one.is_kept and not refused.is_kept
    for one in (first_one, refused):
        course = one.report["course"]
        assert isinstance(course, list) and course and one.loss and one.accuracy
        assert all(epoch["loss"] > 0 and 0 <= epoch["accuracy"] <= 1 for epoch in course)
    page = screen_parts.browser(
        screen_parts.parts_for(team.database, screen_parts.Slack(), workspace=TEAM)
    ).text("intents")
    assert "does not serve" in page and "Loss by epoch" in page and "while training from" in page
    assert "baseline from" in page


def test_a_training_keeps_what_it_told_about_rows_it_had_not_seen(
    team: Services, trained: Path
) -> None:
    record, rows = heldout.read(trained), team.intents.now().examples()
    assert set(record) == {heldout.key(text) for text, _ in rows}
    assert sum(record[heldout.key(text)] == name for text, name in rows) > len(rows) / 2
    assert "wifi wifi" not in (trained / heldout.FILE).read_text()
