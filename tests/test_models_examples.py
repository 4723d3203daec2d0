"""Examples before training: cleaning, capping, folds, variations, findings about quality."""

import logging
import random

import numpy as np
import pytest
from numpy.typing import NDArray

from models.intents import augment, examples, quality
from models.intents.examples import Example, TrainingError
from tests.fakes import HashEmbedder


def some(count: int, intent: str) -> list[Example]:
    return [Example(f"{intent} number {i}", intent) for i in range(count)]


def vectors(rows: list[Example]) -> NDArray[np.float32]:
    return HashEmbedder(dims=64).encode([row.text for row in rows])


def test_repeated_and_empty_rows_are_dropped() -> None:
    rows = [*some(3, "pay"), *some(2, "leave"), Example(" pay  number 1 ", "pay"), Example("", "x")]
    assert sorted(row.text for row in examples.prepare(rows, 0)) == [
        "leave number 0",
        "leave number 1",
        "pay number 0",
        "pay number 1",
        "pay number 2",
    ]


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does() -> None:
    rows = some(20, "pay") + some(20, "leave")
    assert examples.prepare(rows, 0) == examples.prepare(rows[::-1], 0)
    assert examples.prepare(rows, 0) != examples.prepare(rows, 1)
    assert examples.digest(rows) == examples.digest(rows[::-1])


def test_too_many_rows_are_cut_from_the_fullest_intents_with_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = some(1000, "pay") + some(500, "leave") + some(7, "rare")
    with caplog.at_level(logging.WARNING):
        kept = examples.prepare(rows, 0, most=107)
    counts = {name: sum(row.intent == name for row in kept) for name in ("pay", "leave", "rare")}
    assert counts == {"pay": 50, "leave": 50, "rare": 7}
    assert "kept=107 of=1507" in caplog.text


def test_one_intent_is_too_few() -> None:
    with pytest.raises(TrainingError, match="at least two intents"):
        examples.prepare(some(50, "pay") + some(50, "oos"), 0)


def test_folds_hold_a_share_of_each_intent_and_never_its_only_example() -> None:
    rows = some(10, "pay") + some(2, "leave") + some(1, "rare")
    fold = examples.folds(rows, 5)
    assert sorted(fold[:10].tolist()) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert fold[10] != fold[11]
    assert fold[12] == examples.NEVER_HELD


def test_rare_intents_weigh_more() -> None:
    weights = examples.class_weights(np.array([0] * 90 + [1] * 10), 2)
    assert weights[1] == pytest.approx(weights[0] * 3)


def test_a_wrong_label_is_found() -> None:
    rows = [
        Example(f"when is {word} pay day {i}", "pay") for i in range(12) for word in ("the", "my")
    ]
    rows += [
        Example(f"book {word} holiday leave {i}", "leave")
        for i in range(12)
        for word in ("a", "my")
    ]
    rows[3] = Example(rows[3].text, "leave")
    found = quality.mislabelled(rows, vectors(rows))
    assert [(suspect.example, suspect.likely) for suspect in found] == [(rows[3], "pay")]


def test_near_duplicates_are_paired_once() -> None:
    rows = [Example("when is pay day", "pay"), Example("book leave", "leave")]
    rows.append(Example("When is pay day", "leave"))
    found = quality.twins(rows, vectors(rows))
    assert [(pair.first, pair.second) for pair in found] == [(rows[0], rows[2])]


def test_variations_are_the_same_for_a_seed_and_never_empty() -> None:
    rows = some(50, "pay") + [Example("a", "leave"), Example("休暇", "leave")] + some(5, "oos")
    varied = augment.augment(rows, 3)
    assert varied == augment.augment(rows, 3)
    assert [row.intent for row in varied] == [row.intent for row in rows]
    assert all(row.text.strip() for row in varied)
    assert sum(row.text != old.text for row, old in zip(varied, rows, strict=True)) > 40


def test_a_slip_changes_one_or_two_letters() -> None:
    for seed in range(50):
        slipped = augment.slip("reset my password", random.Random(seed))
        assert abs(len(slipped) - len("reset my password")) <= 1
        assert slipped.startswith("r")
