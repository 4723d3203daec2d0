"""Fit the parts that order passages: memory's two numbers and the weights of fusion and titles.

Knows nothing about the store: judged questions and the frozen set come as tables.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot import promotion
from bot.judged import Feedback
from bot.learned import TITLE_WEIGHT, VECTOR_WEIGHT, Learned
from bot.memory import Recall
from bot.promotion import Verdict
from bot.scorecard_confidence import Sample
from models import fusion
from models.fusion import Votes

FLOORS = (0.3, 0.4, 0.5, 0.6)
"""Cosines from which questions may count as similar."""

SPREAD = (0.25, 0.25, 0.5, 0.0)
"""How far vector, lexical and title weight may plausibly lie from what serves."""

RECALL_SPREAD = 0.3
"""The same for memory's weight."""

STEPS = (1.0, 0.5, 0.25)
"""Shares of the way from what serves to what was fitted; the largest that the frozen set bears."""

Weights = NDArray[np.float64]
Places = NDArray[np.int64]

Scores = Callable[[Weights], NDArray[np.float64]]
"""The frozen set's score per question, by (vector, lexical, title) weight."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a candidate is held against: judged questions, the frozen set (its scores by weights, and
    its samples for the confidence) and what serves."""

    feedback: Feedback
    frozen: Scores
    samples: Callable[[], Sequence[Sample]]
    learned: Learned
    seed: int = 0


def weights(learned: Learned) -> Weights:
    """Give what serves as (vector, lexical, title, memory) weights."""
    vector, title = learned.vector_weight, learned.title_weight
    return np.array([vector, 1 - vector, title, learned.recall.weight])


def fit_fusion(known: Evidence) -> Verdict:
    """Fit vector, lexical and title weight, tried on judged questions that each fit did not see.

    The step is the largest of STEPS that the frozen set bears.
    """
    votes = known.feedback.votes(known.learned.recall.floor)
    if len(votes.shown) < promotion.MIN_JUDGED:
        return promotion.waits("fusion", len(votes.shown))
    before = weights(known.learned)
    fitted, base = fit_orders(votes, before), known.frozen(before[:3])
    tried = [(s, known.frozen(_toward(before, fitted, s)[:3]) - base) for s in STEPS]
    step, change = next((t for t in tried if promotion.holds(t[1].tolist())), tried[-1])
    old, fold = fusion.choices(votes, before), fusion.folds(len(votes.shown), seed=known.seed)
    new = old.copy()
    for k in range(int(fold.max()) + 1):
        part = _toward(before, fit_orders(votes.take(fold != k), before), step)
        new[fold == k] = fusion.choices(votes.take(fold == k), part)
    best = _toward(before, fitted, step)
    payload = {"vector_weight": round(float(best[0]), 4), "title_weight": round(float(best[2]), 4)}
    return _verdict("fusion", payload, votes, old, new, change)


def fit_orders(votes: Votes, before: Weights) -> Weights:
    """Fit the three weights around the built-in ones; memory's stays. The first two sum to one."""
    start = (VECTOR_WEIGHT, 1 - VECTOR_WEIGHT, TITLE_WEIGHT, before[3])
    found = fusion.fit(votes, start, SPREAD)
    total = float(found[0] + found[1])
    return np.array([*(found[:3] / total), before[3]]) if total > 0 else before


def fit_memory(known: Evidence) -> Verdict:
    """Fit memory's weight and floor; each question is remembered only through the others."""
    count = len(known.feedback.rows)
    if count < promotion.MIN_JUDGED:
        return promotion.waits("memory", count)
    before, floor = weights(known.learned), known.learned.recall.floor
    laid = {f: known.feedback.votes(f) for f in sorted({*FLOORS, floor})}
    old, fold = fusion.choices(laid[floor], before), fusion.folds(count, seed=known.seed)
    new = old.copy()
    for k in range(int(fold.max()) + 1):
        part = _best_recall({f: v.take(fold != k) for f, v in laid.items()}, before)
        tried = np.array([*before[:3], part.weight])
        new[fold == k] = fusion.choices(laid[part.floor].take(fold == k), tried)
    best = _best_recall(laid, before)
    payload = {"weight": round(best.weight, 4), "floor": best.floor}
    return _verdict("memory", payload, laid[floor], old, new, np.zeros(0))


def _best_recall(laid: dict[float, Votes], before: Weights) -> Recall:
    found = []
    for floor, votes in laid.items():
        fitted = fusion.fit(votes, before.tolist(), (0.0, 0.0, 0.0, RECALL_SPREAD))
        found.append((float(fusion.log_likelihood(votes, fitted).sum()), floor, float(fitted[3])))
    _, floor, weight = max(found)
    return Recall(weight, floor)


def _toward(before: Weights, fitted: Weights, step: float) -> Weights:
    return before + step * (fitted - before)


def _verdict(
    kind: str,
    payload: dict[str, float],
    votes: Votes,
    old: Places,
    new: Places,
    frozen: Weights,
) -> Verdict:
    """Count changes where the vote was about what serving puts first; the other votes say nothing."""
    changed = (old == votes.shown) & (new != old)
    disliked, liked = votes.bad > votes.good, votes.good > votes.bad
    judged = int((disliked | liked).sum())
    return promotion.judge(
        kind,
        payload,
        judged=judged,
        better=int((changed & disliked).sum()),
        worse=int((changed & liked).sum()),
        chance=float(disliked.sum()) / max(1, judged),
        frozen=frozen.tolist(),
    )
