"""Fit the confidence and its two thresholds to votes and to the frozen set together: people judge only what
they were shown, and the frozen set also has questions that nothing answers.

Knows nothing about how a logistic model is fitted (models/confidence.py does).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bot.answering.confidence import Calibrator
from bot.learning import calibration, promotion
from bot.learning.calibration import CERTAIN, Sample
from bot.learning.fit_ranking import FitInput
from bot.learning.promotion import Verdict
from evals import metrics, paired
from models import confidence
from store.records import Kind

SHRINK = 200
"""With so many votes a threshold goes half the way from what serves to what was fitted; with fewer, less."""

FOLDS = 5

AGREEMENT_ALPHA = 0.001
"""Before anything is fitted, people must have liked the answers that the bot was sure of more than the others
(rank test, this level or tonight's, whichever is lower). Turned, misplaced or random votes fail this test. Without it they moved the thresholds
in 71 of 75 nights: if half of all answers are liked, saying less always looks better. Of 25 nights of 300
honest votes, 18 % of them wrong, 22 pass."""

Floats = NDArray[np.float64]


def fit_confidence(given: FitInput) -> Verdict:
    """Fit the probability that an answer is right, starting from what serves; the thresholds stay.

    Promoted if it predicts held-out votes better and the frozen set no worse, by the Brier score (Brier
    1950): the mean squared error of the probability.
    """
    votes = _votes(given)
    if len(votes) < promotion.MIN_JUDGED:
        return promotion.waits("confidence", len(votes), what="votes on answers with signals")
    if len({s.is_right for s in votes}) < 2:
        return Verdict(
            "confidence", "waiting", "all votes say the same, so there is nothing to tell apart."
        )
    serving = given.parameters.calibrator
    if disagreement := _disagreement("confidence", votes, serving, given.level):
        return disagreement
    mixed = [*votes, *given.samples()]
    rows, right = [s.signals for s in mixed], [s.is_right for s in mixed]
    prior = confidence.Logistic(serving.intercept, serving.weights)
    importance = [s.importance for s in mixed]
    pages = [s.page for s in mixed]
    predicted = confidence.held_out(rows, right, pages, importance, prior=prior, seed=given.seed)
    truth = np.array(right, dtype=np.float64)
    before = np.array([serving.probability(row) for row in rows])
    gain = (before - truth) ** 2 - (np.array(predicted) - truth) ** 2
    fitted = replace(
        calibration.fit(mixed, prior),
        answer_above=serving.answer_above,
        unsure_above=serving.unsure_above,
    )
    verdict = _verdict(
        "confidence",
        "Brier score",
        fitted.payload,
        gain[: len(votes)],
        gain[len(votes) :],
        given,
    )
    loss = float(((np.array(predicted) - truth) ** 2)[: len(votes)].mean())
    return replace(verdict, numbers={**verdict.numbers, "loss": round(loss, 5)})


def fit_thresholds(given: FitInput) -> Verdict:
    """Fit the probabilities from which an answer is given, and given without a doubt.

    They are tried on votes that they were not fitted on. People judge only what was shown, so votes can say
    that a threshold should rise, but not that it should fall: an answer that is withheld gets no vote.
    """
    votes, serving = _votes(given), given.parameters.calibrator
    if len(votes) < promotion.MIN_JUDGED:
        return promotion.waits("thresholds", len(votes), what="votes on answers with signals")
    if disagreement := _disagreement("thresholds", votes, serving, given.level):
        return disagreement
    frozen = list(given.samples())
    asked = [s for s in frozen if s.importance == 1.0]
    fold = np.random.default_rng(given.seed).permutation(len(votes)) % FOLDS
    gain = np.zeros(len(votes))
    for k in range(FOLDS):
        part = [s for s, f in zip(votes, fold, strict=True) if f != k]
        fitted = _fitted(part, asked, serving)
        held = [s for s, f in zip(votes, fold, strict=True) if f == k]
        gain[fold == k] = _worth(held, fitted) - _worth(held, serving)
    fitted = _fitted(votes, asked, serving)
    change = _worth(frozen, fitted) - _worth(frozen, serving)
    payload = {"answer_above": fitted.answer_above, "unsure_above": fitted.unsure_above}
    return _verdict("thresholds", "what is said", payload, gain, change, given)


def _votes(given: FitInput) -> list[Sample]:
    """Give the judged answers as samples, the latest of each topic; votes for "not found" count against them
    like any dislike."""
    rated, weights = given.feedback.rated, given.parameters.calibrator.weights
    told = [
        (topic, r)
        for topic, r in zip(given.feedback.numbered(rated).tolist(), rated, strict=True)
        # An answer from before a signal was measured cannot tell how sure to be by it.
        if weights.keys() <= r.signals.keys() and r.good != r.bad + r.unfounded
    ]
    return [
        Sample(r.signals, r.good > r.bad + r.unfounded, str(r.answer_id), 1.0)
        for r in dict(told).values()
    ]


def _disagreement(
    kind: Kind, votes: list[Sample], serving: Calibrator, level: float
) -> Verdict | None:
    """Refuse to fit where the votes have nothing to do with how sure the bot was; None where they do."""
    liked = [serving.probability(s.signals) for s in votes if s.is_right]
    disliked = [serving.probability(s.signals) for s in votes if not s.is_right]
    p = metrics.not_above(liked, disliked)
    alpha = min(level, AGREEMENT_ALPHA)
    if p < alpha:
        return None
    reason = (
        f"answers that it was sure of were not liked more than others (p {p:.3f}):"
        " such votes cannot say how sure to be"
    )
    numbers = {"judged": len(votes), "p": round(p, 6), "alpha": round(alpha, 6)}
    return Verdict(kind, "refused", reason, numbers)


def _fitted(votes: list[Sample], frozen: list[Sample], serving: Calibrator) -> Calibrator:
    """Choose thresholds on votes and frozen set together, and go towards them as far as SHRINK allows."""
    mixed = [*votes, *frozen]
    chances = [serving.probability(s.signals) for s in mixed]
    sure, unsure = confidence.thresholds(chances, [s.is_right for s in mixed], accuracy=CERTAIN)
    share = len(votes) / (len(votes) + SHRINK)
    answer = serving.answer_above + share * (sure - serving.answer_above)
    doubted = serving.unsure_above + share * (unsure - serving.unsure_above)
    return serving.within({"answer_above": round(answer, 4), "unsure_above": round(doubted, 4)})


def _worth(samples: list[Sample], by: Calibrator) -> Floats:
    """Score each sample by what would be said: right 1, wrong -1, nothing 0 (CRAG, Yang et al. 2024).

    An answer given without a doubt scores more where it is right and less where it is wrong, so that it pays
    only if CERTAIN of such answers are right.
    """
    found = []
    for sample in samples:
        status = by.status(by.probability(sample.signals))
        said = 0.0 if status == "not_found" else 1.0 if sample.is_right else -1.0
        sure = (1 - CERTAIN) / CERTAIN if sample.is_right else -1.0
        found.append(sample.importance * (said + (sure if status == "answered" else 0.0)))
    return np.array(found)


def _verdict(
    kind: Kind,
    what: str,
    payload: Mapping[str, object],
    on_votes: Floats,
    on_frozen: Floats,
    given: FitInput,
) -> Verdict:
    p = paired.no_gain(on_votes.tolist())
    low, high = paired.interval(on_votes.tolist(), seed=given.seed)
    bound = paired.lower_bound(on_frozen.tolist(), seed=given.seed)
    numbers = {
        "judged": len(on_votes), "gain": round(float(on_votes.mean()), 4),
        "low": round(low, 4), "high": round(high, 4),
        "p": round(p, 6), "alpha": round(given.level, 6),
        "frozen": len(on_frozen), "frozen_change": round(float(on_frozen.mean()), 4),
        "frozen_low": round(bound, 4),
    }  # fmt: skip
    gain = f"{what} better by {numbers['gain']:.3f} on votes (95 %: {low:.3f} to {high:.3f})"
    if p >= given.level:
        reason = f"not surely better: {gain}, p {p:.4f} (needed: {given.level:.4f})"
        return Verdict(kind, "refused", reason, numbers, payload)
    if not promotion.holds(on_frozen.tolist()):
        return Verdict(kind, "refused", "the frozen set may lose", numbers, payload)
    return Verdict(kind, "promoted", gain, numbers, payload)
