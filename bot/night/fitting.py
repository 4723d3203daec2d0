"""Fit the parts that order passages: memory's two numbers and the weights of fusion and titles.

Knows nothing about the store: judged questions and the frozen set come as tables.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.learned import TITLE_WEIGHT, VECTOR_WEIGHT, Learned
from bot.memory import Recall
from bot.night import promotion
from bot.night.judged import Feedback
from bot.night.promotion import Verdict
from bot.scorecards.calibrating import Sample
from models import fusion
from models.fusion import Votes

FLOORS = (0.3, 0.4, 0.5, 0.6)
"""Cosines from which questions may count as similar."""

TITLE_SPREAD = 0.5
VECTOR_SPREAD = 0.25
RECALL_SPREAD = 0.3
"""How far each weight may plausibly lie from what serves."""

LEAST_RECALL, MOST_RECALL = 0.4, 0.8
"""Memory's weight at least and at most: turned votes must not switch it off, and above it questions
that nobody asked before lose more than others gain."""

STEPS = (1.0, 0.75, 0.5, 0.25)
"""Shares of the way from what serves to what was fitted; the largest that the frozen set bears."""

Weights = NDArray[np.float64]
Places = NDArray[np.int64]

Scores = Callable[[Weights, float], NDArray[np.float64]]
"""The frozen set's score per question, by the four weights and memory's floor."""


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


def fit_title(known: Evidence) -> Verdict:
    """Fit what a question that stands in the title adds; the one weight that few votes suffice for."""
    return _fit_order("title", known, (0.0, 0.0, TITLE_SPREAD, 0.0))


def fit_fusion(known: Evidence) -> Verdict:
    """Fit the vectors' share in the fused score."""
    return _fit_order("fusion", known, (VECTOR_SPREAD, VECTOR_SPREAD, 0.0, 0.0))


def _fit_order(kind: str, known: Evidence, spread: Sequence[float]) -> Verdict:
    """Fit some of the weights, tried on judged questions that each fit did not see.

    The step is the largest of STEPS that the frozen set bears; it is only asked about what held-out
    votes call better, as it is slow. Memory is left out: it repairs just
    what the order gets wrong on judged questions, and so would hide it.
    """
    votes = known.feedback.votes(known.learned.recall.floor)
    if len(votes.shown) < promotion.MIN_JUDGED:
        return promotion.waits(kind, len(votes.shown))
    before = weights(known.learned) * np.array([1.0, 1.0, 1.0, 0.0])
    fitted, old = _fitted(votes, before, spread), fusion.choices(votes, before)
    fold = fusion.folds(len(votes.shown), seed=known.seed)
    folds = [
        (fold == k, _fitted(votes.take(fold != k), before, spread)) for k in set(fold.tolist())
    ]
    verdict, floor = promotion.waits(kind, 0), known.learned.recall.floor
    for step in STEPS:
        new, best = old.copy(), _toward(before, fitted, step)
        for rows, part in folds:
            new[rows] = fusion.choices(votes.take(rows), _toward(before, part, step))
        name, value = ("title_weight", best[2]) if kind == "title" else ("vector_weight", best[0])
        payload = {name: round(float(value), 4)}
        verdict = _verdict(kind, payload, votes, old, new, np.zeros(0))
        if verdict.decision == "promoted":
            change = known.frozen(best, floor) - known.frozen(before, floor)
            verdict = _verdict(kind, payload, votes, old, new, change)
        if verdict.decision == "promoted" or not verdict.numbers["frozen"]:
            break
    return verdict


def _fitted(votes: Votes, before: Weights, spread: Sequence[float]) -> Weights:
    """Fit around the built-in weights; vector and lexical weight sum to one, the rest keeps scale."""
    start = (VECTOR_WEIGHT, 1 - VECTOR_WEIGHT, TITLE_WEIGHT if spread[2] else before[2], before[3])
    if not spread[0]:
        start = (before[0], before[1], start[2], start[3])
    found = fusion.fit(votes, start, spread)
    total = float(found[0] + found[1])
    found[:2] = found[:2] / total if total > 0 else before[:2]
    return found


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
    verdict = _verdict("memory", payload, laid[floor], old, new, np.zeros(0))
    if verdict.decision == "promoted":
        after = np.array([*before[:3], best.weight])
        change = known.frozen(after, best.floor) - known.frozen(before, floor)
        verdict = _verdict("memory", payload, laid[floor], old, new, change)
    return verdict


def _best_recall(laid: dict[float, Votes], before: Weights) -> Recall:
    found = []
    for floor, votes in laid.items():
        fitted = fusion.fit(votes, before.tolist(), (0.0, 0.0, 0.0, RECALL_SPREAD))
        found.append((float(fusion.log_likelihood(votes, fitted).sum()), floor, float(fitted[3])))
    _, floor, weight = max(found)
    return Recall(min(max(weight, LEAST_RECALL), MOST_RECALL), floor)


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
    """Count where exactly one of the two puts first what was judged; the other votes say nothing."""
    left, joined = (
        (old == votes.shown) & (new != votes.shown),
        (old != votes.shown) & (new == votes.shown),
    )
    disliked, liked = votes.bad > votes.good, votes.good > votes.bad
    judged = int((disliked | liked).sum())
    return promotion.judge(
        kind,
        payload,
        judged=judged,
        better=int(((left & disliked) | (joined & liked)).sum()),
        worse=int(((left & liked) | (joined & disliked)).sum()),
        chance=float(disliked.sum()) / max(1, judged),
        frozen=frozen.tolist(),
    )
