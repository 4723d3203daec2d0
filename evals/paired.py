"""Paired comparisons of a candidate with what serves: is it better, is it no worse?

Knows nothing about what was measured: one number or one change per question.
"""

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

ROUNDS = 2000


def sign_test(better: int, worse: int, chance: float = 0.5) -> float:
    """Give P(at least `better` of the changes are for the better | no effect): exact, one-sided.

    With `chance` .5 this is McNemar's exact test (McNemar 1947). `chance` is the share of better
    changes that changing at random would give; where it differs from change to change, its mean, which
    makes the test no easier to pass (Hoeffding 1956).
    """
    count = better + worse
    tail = (
        comb(count, k) * chance**k * (1 - chance) ** (count - k) for k in range(better, count + 1)
    )
    return min(1.0, sum(tail)) if count else 1.0


def no_gain(differences: Sequence[float]) -> float:
    """Give the p-value of "the mean difference is not above zero" (Student 1908, one-sided), 1 with fewer
    than two differences. Unlike a bootstrap's, it can be as small as a night's level has to be."""
    from scipy.stats import t

    count = len(differences)
    if count < 2:
        return 1.0
    values = np.asarray(differences, dtype=np.float64)
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    # A spread of rounding errors alone is none.
    if spread <= 1e-9 * abs(mean):
        return 0.0 if mean > 0 else 1.0
    return float(t.sf(mean / spread * count**0.5, count - 1))


def by_cluster(values: Sequence[float], clusters: Sequence[int]) -> list[float]:
    """Give one mean per cluster: what was measured on much the same question is one observation."""
    if not len(values):
        return []
    _, place = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(place, weights=np.asarray(values, dtype=np.float64))
    return [float(mean) for mean in sums / np.bincount(place)]


def winsorised(values: Sequence[float], share: float = 0.05) -> list[float]:
    """Give the values with the `share` that lies farthest from zero brought in to where the rest ends
    (Dixon 1960): a few far-out ones then no longer decide a mean."""
    if not values:
        return []
    limit = float(np.quantile(np.abs(values), 1 - share))
    return [min(max(value, -limit), limit) for value in values]


def lower_bound(
    differences: Sequence[float], *, level: float = 0.05, rounds: int = ROUNDS, seed: int = 0
) -> float:
    """Give the one-sided lower bound of the mean difference, by the percentile bootstrap."""
    return interval(differences, level=2 * level, rounds=rounds, seed=seed)[0]


def interval(
    differences: Sequence[float], *, level: float = 0.05, rounds: int = ROUNDS, seed: int = 0
) -> tuple[float, float]:
    """Give the two-sided interval of the mean difference (Efron 1979); (0, 0) without differences."""
    if not differences:
        return 0.0, 0.0
    low, high = np.quantile(_means(differences, rounds, seed), (level / 2, 1 - level / 2))
    return float(low), float(high)


def _means(differences: Sequence[float], rounds: int, seed: int) -> NDArray[np.float64]:
    """Draw as many differences as there are, with replacement, and take the mean of each draw."""
    values, chance = np.asarray(differences, dtype=np.float64), np.random.default_rng(seed)
    drawn = [values[chance.integers(0, len(values), len(values))].mean() for _ in range(rounds)]
    return np.array(drawn)
