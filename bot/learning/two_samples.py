"""Do some days differ from the others more than any days do? Permutation tests over whole days.

Knows nothing about questions. Days are moved as a whole, because what is asked on one day hangs together: a printer that
is out of order is asked about twenty times. Tests that take each question for itself (scipy's) call every such day a change;
LOG.md has the rates of both.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ARRANGEMENTS = 10_000
"""Draws of days: a p of 1/10,001 can be told, a third of the level of a test (drift.LEVEL)."""

Floats = NDArray[np.float64]
FIRST_ARRANGEMENTS, CLEAR = 1_000, 0.02
"""So few draws are enough where p is above this."""

Distance = Callable[[Floats], Floats]
"""From (n, days) weights, 1 for a day that is chosen, to the n distances of the chosen from the other days."""


@dataclass(frozen=True, slots=True)
class Apart:
    """`effect` is the distance beyond what days drawn at random have on average, `p` how often these have as much."""

    effect: float
    p: float


def compared(
    counts: Floats, is_chosen: NDArray[np.bool_], distance: Distance, *, seed: int = 0
) -> Apart:
    """Hold the chosen days against as many drawn at random; `counts` has the observations of each day, none of them 0.

    A distance is small where many observations are on both sides. So that neither busy nor quiet days pass for others, p is
    the larger one of the test on the distance itself and on the distance as it is scaled in a two-sample test (by nm/(n+m)).
    """
    for draws in (FIRST_ARRANGEMENTS, ARRANGEMENTS):
        drawn = _drawn(len(counts), int(is_chosen.sum()), draws, seed)
        weights = np.concatenate([is_chosen[None, :].astype(np.float64), drawn])
        found = distance(weights)
        n = weights @ counts
        scaled = found * n * (counts.sum() - n) / counts.sum()
        p = max(_share_above(found), _share_above(scaled))
        if p > CLEAR:
            break
    return Apart(max(0.0, float(found[0] - found[1:].mean())), p)


def is_enough(days: int, chosen: int, level: float) -> bool:
    """Whether so few days can be told apart at all: a draw of just these days must be rare enough."""
    return math.comb(days, chosen) * level >= 2


def energy(sums: Floats, counts: Floats) -> Distance:
    """Give the energy distance of vectors, as a share of the mean distance between both sides (0: alike, 1: apart).

    `sums` (days, days) has the sums of the Euclidean distances between the vectors of two days. See Székely and Rizzo,
    Energy statistics, J. Statistical Planning and Inference 143 (2013): it is 0 only where the distributions are the same,
    and needs no bandwidth, unlike the kernel MMD (Gretton et al., JMLR 13, 2012), of which it is a case. Pairs of a vector
    with itself are left out, so that few vectors do not look further apart than many.
    """
    total = sums.sum()

    def distance(weights: Floats) -> Floats:
        rows = weights @ sums
        inside = (rows * weights).sum(axis=1)
        across = rows.sum(axis=1) - inside
        n = weights @ counts
        m = counts.sum() - n
        between = np.maximum(2 * across / (n * m), 1e-12)
        outside = (total - inside - 2 * across) / np.maximum(1.0, m * (m - 1))
        return np.asarray(1 - (inside / np.maximum(1.0, n * (n - 1)) + outside) / between)

    return distance


def steps(table: Floats) -> Distance:
    """Give the Kolmogorov-Smirnov distance: the largest difference of the cumulated shares; `table` is (days, bins)."""
    rising, counts = table.cumsum(axis=1), table.sum(axis=1)

    def distance(weights: Floats) -> Floats:
        n, both = weights @ counts, rising.sum(axis=0)
        chosen = weights @ rising
        others = (both - chosen) / (counts.sum() - n)[:, None]
        return np.asarray(np.abs(chosen / n[:, None] - others).max(axis=1))

    return distance


def kinds(table: Floats) -> Distance:
    """Give the total variation of the shares of kinds: so many of 100 are of another kind; `table` is (days, kinds)."""
    counts, both = table.sum(axis=1), table.sum(axis=0)

    def distance(weights: Floats) -> Floats:
        n, chosen = weights @ counts, weights @ table
        others = (both - chosen) / (counts.sum() - n)[:, None]
        return np.asarray(np.abs(chosen / n[:, None] - others).sum(axis=1) / 2)

    return distance


def _drawn(days: int, chosen: int, draws: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    order = rng.random((draws, days)).argpartition(chosen - 1, axis=1)[:, :chosen]
    weights = np.zeros((draws, days))
    np.put_along_axis(weights, order, 1.0, axis=1)
    return weights


def _share_above(found: Floats) -> float:
    """Give the share of draws with at least the first one's value, that one among them."""
    return float((found >= found[0] - 1e-12).mean())
