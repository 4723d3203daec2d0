"""Fit the weights that order passages to people's votes on the passage that was shown first.

Knows nothing about where candidates and votes come from.
A thumb says whether the shown passage is right, never which other one is. So the passages get a
softmax over their weighted features, and each vote the likelihood that the shown one is right, with
a share of votes turned round by mistake (about 18 % of single ratings, computed from FeedbackQA).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

NOISE = 0.18
"""Share of votes that say the opposite of what is so."""

SCALE = 15.0
"""Sharpness of the softmax per point of score. 10 to 13 make the known answers of three handbooks likeliest with
units, 20 to 29 those of four sets without. Where it is too small, a weight that only sharpens the scores passes on
bad votes: on tossed votes without units in 2 of 20 nights at 9, 3 of 40 at 12, 1 of 40 at 15, none at 20; but there
half of the good ones are refused as well (LOG.md)."""

FOUND = 0.97
"""P(the right passage is among the candidates at all)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Votes:
    """Judged questions: `table` is (n, candidates, features), padded where `mask` is False.

    `shown` is the judged candidate's place; `good` and `bad` the weight of votes for and against.
    """

    table: Floats
    mask: NDArray[np.bool_]
    shown: NDArray[np.int64]
    good: Floats
    bad: Floats

    def take(self, rows: NDArray[np.bool_]) -> "Votes":
        """Give some of the questions."""
        return Votes(
            self.table[rows], self.mask[rows], self.shown[rows], self.good[rows], self.bad[rows]
        )


def choices(votes: Votes, weights: Floats) -> NDArray[np.int64]:
    """Give the place of the candidate that the weights put first."""
    scores = np.where(votes.mask, votes.table @ weights, -np.inf)
    return np.asarray(scores.argmax(axis=1))


def log_likelihood(votes: Votes, weights: Floats) -> Floats:
    """Give each question's log-likelihood; `weights` are on the scale of the fused score."""
    return _likelihood(votes, weights * SCALE)[0]


def fit(
    votes: Votes, start: Sequence[float], spread: Sequence[float], least: float | None = 0.0
) -> Floats:
    """Find the most probable weights: `start` is what is believed before, give or take `spread`.

    Both are on the scale of the fused score; a spread of 0 keeps a weight. None falls below `least`.
    """
    before, wide = np.array(start) * SCALE, np.array(spread) * SCALE
    free = wide > 0

    def loss(inner: Floats) -> tuple[float, Floats]:
        weights = before.copy()
        weights[free] = inner
        values, slopes = _likelihood(votes, weights)
        off = (inner - before[free]) / wide[free]
        gradient = off / wide[free] - slopes[:, free].sum(axis=0)
        return float(0.5 * off @ off - values.sum()), gradient

    bounds = [(least, None)] * int(free.sum())
    found = minimize(loss, before[free], jac=True, method="L-BFGS-B", bounds=bounds)
    weights = before.copy()
    weights[free] = found.x
    return weights / SCALE


def folds(count: int, folds: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """Give each question its fold."""
    return np.random.default_rng(seed).permutation(count) % folds


def _likelihood(votes: Votes, weights: Floats) -> tuple[Floats, Floats]:
    scores = np.where(votes.mask, votes.table @ weights, -np.inf)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    rows = np.arange(len(votes.shown))
    right = FOUND * shares[rows, votes.shown]
    liked = NOISE + (1 - 2 * NOISE) * right
    values = votes.good * np.log(liked) + votes.bad * np.log(1 - liked)
    mean = (shares[:, :, None] * votes.table).sum(axis=1)
    slope = right[:, None] * (votes.table[rows, votes.shown] - mean) * (1 - 2 * NOISE)
    pull = votes.good / liked - votes.bad / (1 - liked)
    return values, pull[:, None] * slope
