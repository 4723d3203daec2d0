"""The intent scorecard and its measures, against values worked out by hand."""

import pytest

from evals import intents, metrics
from evals.intents import Guess


def test_auroc_counts_ordered_pairs_and_half_of_ties() -> None:
    # (3,2) (3,1) (2,1) are in order, (2,2) is a tie: 3.5 of 4 pairs.
    assert metrics.auroc([3.0, 2.0], [2.0, 1.0]) == pytest.approx(3.5 / 4)
    assert metrics.auroc([1.0], []) is None


def test_macro_f1_weighs_rare_labels_like_frequent_ones() -> None:
    # a: 2 right of 3 there and 2 taken, F1 .8; b: 1 right of 1 there and 2 taken, F1 2/3.
    assert metrics.macro_f1(["a", "a", "a", "b"], ["a", "a", "b", "b"]) == pytest.approx(
        (0.8 + 2 / 3) / 2
    )


def test_a_label_that_is_only_guessed_costs_its_victims_alone() -> None:
    assert metrics.macro_f1(["a", "a"], ["a", "c"]) == pytest.approx(2 / 3)


def test_the_scorecard_by_hand() -> None:
    truth = ["pay", "pay", "leave", "leave", None, None]
    guesses = [
        Guess("pay", 0.9, 0.9, False),
        Guess("pay", 0.9, 0.6, False),
        Guess("leave", 0.9, 0.4, True),
        Guess("pay", 0.9, 0.8, False),
        Guess("pay", 0.5, 0.5, False),
        Guess("pay", 0.5, 0.1, True),
    ]
    card = intents.score(truth, guesses, 1.5)
    assert card.accuracy == pytest.approx(0.75)
    assert card.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert card.oos_recall == pytest.approx(0.5)
    assert card.in_scope_rejected == pytest.approx(0.25)
    assert card.oos_auroc == pytest.approx(7 / 8)
    assert card.ece == pytest.approx(0.15)
    assert card.seconds == 1.5


def test_what_cannot_be_measured_is_none() -> None:
    card = intents.score([None], [Guess("pay", 0.9, 0.9, False)], 0.0)
    assert card.accuracy is None
    assert card.oos_auroc is None
    assert card.oos_recall == 0.0


def test_percentiles_of_durations_are_durations() -> None:
    assert metrics.times([7.0]) == metrics.Times(7.0, 7.0)
    assert metrics.times([float(n) for n in range(100, 0, -1)]) == metrics.Times(51.0, 96.0)
