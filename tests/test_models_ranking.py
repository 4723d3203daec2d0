"""Weights are found again in votes that were made with them, through noise, and not in noise alone."""

import numpy as np
import pytest

from models import ranking
from models.ranking import Votes

START, SPREAD = (0.4, 0.6, 0.0), (0.0, 0.0, 0.5)


def made(truth: tuple[float, ...], count: int = 600, seed: int = 0, flip: float = 0.18) -> Votes:
    """Questions with ten candidates; the right one is drawn by the true weights, the start is shown."""
    chance = np.random.default_rng(seed)
    table = chance.random((count, 10, 3))
    scores = table @ np.array(truth) * ranking.SCALE
    gumbel = chance.gumbel(size=scores.shape)
    right = (scores + gumbel).argmax(axis=1)
    mask = np.ones((count, 10), dtype=bool)
    blank = np.zeros(count, dtype=np.int64)
    shown = ranking.choices(Votes(table, mask, blank, blank, blank), np.array(START))
    liked = (right == shown) ^ (chance.random(count) < flip)
    return Votes(table, mask, shown, liked.astype(float), (~liked).astype(float))


def test_a_weight_is_found_in_noisy_votes_on_what_was_shown() -> None:
    found = ranking.fit(made((0.4, 0.6, 0.5)), START, SPREAD)
    assert found[2] == pytest.approx(0.5, abs=0.2)
    assert found[:2] == pytest.approx(START[:2])


def test_a_useless_feature_gets_almost_no_weight() -> None:
    assert ranking.fit(made((0.4, 0.6, 0.0)), START, SPREAD)[2] < 0.15


def test_flipped_votes_do_not_make_a_weight_negative() -> None:
    votes = made((0.4, 0.6, 0.5))
    turned = Votes(votes.table, votes.mask, votes.shown, votes.bad, votes.good)
    assert ranking.fit(turned, START, SPREAD)[2] == pytest.approx(0.0, abs=0.01)


def test_padding_is_never_chosen_and_changes_nothing() -> None:
    votes = made((0.4, 0.6, 0.5), count=50)
    wide = np.concatenate([votes.table, np.full((50, 3, 3), 9.0)], axis=1)
    mask = np.concatenate([votes.mask, np.zeros((50, 3), dtype=bool)], axis=1)
    padded = Votes(wide, mask, votes.shown, votes.good, votes.bad)
    weights = np.array([0.4, 0.6, 0.3])
    assert (ranking.choices(padded, weights) == ranking.choices(votes, weights)).all()
    assert ranking.log_likelihood(padded, weights) == pytest.approx(
        ranking.log_likelihood(votes, weights)
    )
