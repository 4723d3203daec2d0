"""Fit the confidence: a small logistic model over signals, judged by cross-validation.

Knows nothing about what the signals mean. A trained calibrator over several signals answers more at
the same accuracy than one score alone (Kamath et al. 2020, arXiv 2006.09462).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRENGTH = 20.0
"""How strongly standardised weights are drawn to the prior (left one corpus out: Brier score .201; .207 with 5)."""

SLACK = 0.005
"""How much of the best CRAG score is given up for fewer refusals of what would have been right: with two thousand
questions its curve is known better than with four hundred, when .02 was given up."""

LEAST = 0.3
"""No answer is shown that is less probable: a wrong one would come more than twice as often as a right one, however
the questions fell that the thresholds are chosen on."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model over named signals, on the signals' own scale."""

    intercept: float
    weights: Mapping[str, float]

    def probability(self, row: Mapping[str, float]) -> float:
        """Give the probability of "right", 0..1; a signal that is missing counts as 0."""
        z = self.intercept + sum(w * row.get(name, 0.0) for name, w in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def fit(
    rows: Sequence[Mapping[str, float]],
    right: Sequence[bool],
    importance: Sequence[float] | None = None,
    *,
    prior: Logistic | None = None,
    strength: float = STRENGTH,
) -> Logistic:
    """Fit a logistic model on signals as they are, drawn towards `prior` (all weights 0 without).

    Signals are standardised for the fit, so that the penalty treats them alike, and the weights are
    given back on the signals' own scale. `importance` weighs the rows (1 each by default). The penalty is
    `strength` / 2 times the squared distance from the prior; the intercept is free. Raise ValueError when
    only one outcome was seen.
    """
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import expit

    names = sorted({name for row in rows for name in row} | set(prior.weights if prior else ()))
    table = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    target = np.array(right, dtype=bool)
    if target.all() or not target.any():
        raise ValueError("a calibrator needs right and wrong answers to learn from")
    share = np.ones(len(rows)) if importance is None else np.asarray(importance, dtype=np.float64)
    mean, spread = table.mean(axis=0), table.std(axis=0)
    usable = spread > 1e-9
    scaled = (table - mean) * np.where(usable, 1 / np.where(usable, spread, 1.0), 0.0)
    known = np.array([prior.weights.get(name, 0.0) if prior else 0.0 for name in names])
    offset = (prior.intercept if prior else 0.0) + table @ known
    sign = np.where(target, 1.0, -1.0)

    def loss(moved: "NDArray[np.float64]") -> "tuple[float, NDArray[np.float64]]":
        margin = sign * (offset + moved[0] + scaled @ moved[1:])
        pull = -share * sign * expit(-margin)
        gradient = np.concatenate([[pull.sum()], scaled.T @ pull + strength * moved[1:]])
        penalty = strength / 2 * float(moved[1:] @ moved[1:])
        return float(share @ np.logaddexp(0.0, -margin)) + penalty, gradient

    moved = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x
    change = np.where(usable, moved[1:] / np.where(usable, spread, 1.0), 0.0)
    intercept = (prior.intercept if prior else 0.0) + moved[0] - change @ mean
    return Logistic(
        round(float(intercept), 5),
        {name: round(float(w), 5) for name, w in zip(names, known + change, strict=True)},
    )


def held_out(
    rows: Sequence[Mapping[str, float]],
    right: Sequence[bool],
    groups: Sequence[str],
    importance: Sequence[float] | None = None,
    *,
    prior: Logistic | None = None,
    folds: int = 5,
    seed: int = 0,
) -> list[float]:
    """Give each row's probability by a fit that saw no row of its group (a page, say)."""
    from sklearn.model_selection import GroupKFold

    out = [0.0] * len(rows)
    splitter = GroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(list(rows), right, groups):
        share = None if importance is None else [importance[i] for i in train]
        model = fit([rows[i] for i in train], [right[i] for i in train], share, prior=prior)
        for i in test:
            out[i] = model.probability(rows[i])
    return out


def thresholds(
    probabilities: Sequence[float],
    right: Sequence[bool],
    importance: Sequence[float] | None = None,
    *,
    accuracy: float = 0.8,
) -> tuple[float, float]:
    """Choose (answer_above, unsure_above) on held-out probabilities.

    Above the first, answers are right with the given accuracy. The second is the lowest one whose
    CRAG score (right +1, wrong -1, refused 0) is within SLACK of the highest: the score is flat there,
    and what is said with a doubt helps more people than silence does, and not below LEAST. `importance` weighs the rows.
    """
    shares = [1.0] * len(probabilities) if importance is None else importance
    ordered = sorted(
        zip(probabilities, right, shares, strict=True), key=lambda row: (-row[0], row[1])
    )
    scores, sure, told, hits = [0.0], 1.0, 0.0, 0.0
    below = [p for p, _, _ in ordered[1:]] + [-1.0]
    for (p, is_right, share), following in zip(ordered, below, strict=True):
        told, hits = told + share, hits + share * is_right
        scores.append(scores[-1] + (share if is_right else -share))
        if hits >= accuracy * told and p > following:  # what is equally sure is told together
            sure = p
    enough = max(scores) - SLACK * sum(shares)
    last = max(count for count, score in enumerate(scores) if score >= enough)
    unsure = ordered[last - 1][0] if last else 1.0
    lower, upper = sorted((sure, unsure))
    return round(max(upper, LEAST), 4), round(max(lower, LEAST), 4)
