"""Refit the confidence: people's votes mixed with the frozen set, so that neither is forgotten.

Knows nothing about how a logistic model is fitted (models/confidence.py does).
"""

import numpy as np
from numpy.typing import NDArray

from bot.night import promotion
from bot.night.fitting import Evidence
from bot.night.promotion import Verdict
from bot.scorecards import calibrating
from bot.scorecards.calibrating import Sample
from evals import paired
from models import confidence

WAITING_BELOW = 200
"""Votes on answers below which the calibrator stays as it is."""

SIGNAL = "unit"
"""A signal that every answer has whose confidence was weighed."""


def fit_confidence(known: Evidence) -> Verdict:
    """Fit on the mix; promoted if held-out votes are told more truly and the frozen set no worse.

    Both are measured by the Brier score (Brier 1950): the mean squared error of the probability.
    """
    rated = [r for r in known.feedback.rows if SIGNAL in r.signals and r.good != r.bad]
    if len(rated) < promotion.MIN_JUDGED:
        return promotion.waits("confidence", len(rated), what="votes on answers with signals")
    frozen, serving, seed = known.samples(), known.learned.calibrator, known.seed
    votes = [Sample(r.signals, r.good > r.bad, str(r.answer_id), 1.0) for r in rated]
    mixed = [*votes, *frozen]
    if len({s.is_right for s in votes}) < 2:
        return Verdict("confidence", "waiting", "all votes say the same: nothing to tell apart.")
    rows, right = [s.signals for s in mixed], [s.is_right for s in mixed]
    told = confidence.held_out(
        rows, right, [s.page for s in mixed], [s.importance for s in mixed], seed=seed
    )
    truth = np.array(right, dtype=np.float64)
    before = np.array([serving.probability(row) for row in rows])
    gain = (before - truth) ** 2 - (np.array(told) - truth) ** 2
    on_votes, on_frozen = gain[: len(votes)], gain[len(votes) :]
    payload = calibrating.fit(mixed)
    return _verdict(payload, on_votes, on_frozen, seed)


def _verdict(
    payload: dict[str, object],
    on_votes: NDArray[np.float64],
    on_frozen: NDArray[np.float64],
    seed: int,
) -> Verdict:
    low, high = paired.interval(on_votes.tolist(), level=2 * promotion.ALPHA, seed=seed)
    bound = paired.lower_bound(on_frozen.tolist(), seed=seed)
    numbers = {
        "judged": len(on_votes), "brier_gain": round(float(on_votes.mean()), 4),
        "low": round(low, 4), "high": round(high, 4), "alpha": promotion.ALPHA,
        "frozen": len(on_frozen), "frozen_change": round(float(on_frozen.mean()), 4),
        "frozen_low": round(bound, 4),
    }  # fmt: skip
    gain = f"Brier score better by {numbers['brier_gain']:.3f} on votes (at least {low:.3f})"
    if low <= 0:
        return Verdict("confidence", "refused", f"not surely better: {gain}", numbers, payload)
    if not promotion.holds(on_frozen.tolist()):
        return Verdict("confidence", "refused", "the frozen set may lose", numbers, payload)
    return Verdict("confidence", "promoted", gain, numbers, payload)
