"""Measures shared by the scorecards: intervals, calibration, classification.

Knows nothing about what is measured: numbers in, numbers out.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Interval = tuple[float, float]
"""The lower and the upper bound, 95 % unless said otherwise."""

Z95 = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Times:
    """The median and the 95th percentile of some durations, in milliseconds."""

    p50: float
    p95: float


def times(milliseconds: Sequence[float]) -> Times:
    """Give the two percentiles of at least one duration (nearest rank, no interpolation)."""
    ordered = sorted(milliseconds)
    return Times(ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)])


def wilson(hits: int, count: int, z: float = Z95) -> Interval:
    """Give the Wilson score interval of a share (Wilson 1927); (0, 1) when nothing was counted."""
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, z * z
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = z * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    half /= 1 + square / count
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_mean(values: Sequence[float], *, rounds: int = 2000, seed: int = 0) -> Interval:
    """Give the 95 % percentile bootstrap interval of a mean (Efron 1979)."""
    if not values:
        return 0.0, 0.0
    chance = random.Random(seed)
    count = len(values)
    means = sorted(sum(chance.choices(values, k=count)) / count for _ in range(rounds))
    return means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]


def ece(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Give the expected calibration error over equal-width bins (Guo et al. 2017, section 3)."""
    totals = [(0, 0.0, 0)] * bins
    for confidence, is_right in zip(confidences, right, strict=True):
        at = min(bins - 1, int(confidence * bins))
        count, total, hits = totals[at]
        totals[at] = (count + 1, total + confidence, hits + is_right)
    gaps = (abs(total - hits) for _, total, hits in totals)
    return sum(gaps) / len(confidences) if confidences else 0.0


def ece_by_chance(confidences: Sequence[float], *, rounds: int = 20, seed: int = 0) -> float:
    """Give the calibration error that confidences would show in the mean if they were exactly right.

    With few questions it is far from 0: an `ece` that is no larger tells of no fault. Outcomes are drawn from the
    confidences themselves, as in a consistency band (Bröcker and Smith 2007).
    """
    import numpy as np

    chance = np.random.default_rng(seed)
    told = np.asarray(confidences, dtype=np.float64)
    drawn = chance.random((rounds, len(told))) < told
    return float(np.mean([ece(confidences, row) for row in drawn.tolist()])) if len(told) else 0.0


def auroc(inside: Sequence[float], outside: Sequence[float]) -> float | None:
    """Give the probability that an inside score is above an outside one, ties counted half: the U of
    Mann and Whitney over all pairs. None when either side is empty."""
    from scipy.stats import mannwhitneyu

    if not inside or not outside:
        return None
    return float(mannwhitneyu(inside, outside).statistic) / (len(inside) * len(outside))


def not_above(inside: Sequence[float], outside: Sequence[float]) -> float:
    """Give the p-value of "inside scores are not above outside ones" (one-sided rank test, Mann and
    Whitney 1947); 1 when either side is empty."""
    from scipy.stats import mannwhitneyu

    if not inside or not outside:
        return 1.0
    return float(mannwhitneyu(inside, outside, alternative="greater").pvalue)


def macro_f1(truth: Sequence[str], guesses: Sequence[str]) -> float:
    """Give the mean F1 over the labels that occur in `truth`; 0 when there are none."""
    right = Counter(t for t, g in zip(truth, guesses, strict=True) if t == g)
    there, taken = Counter(truth), Counter(guesses)
    scores = [2 * right[label] / (there[label] + taken[label]) for label in there]
    return sum(scores) / len(scores) if scores else 0.0
