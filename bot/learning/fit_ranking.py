"""Fit the parts that order passages: memory's weight and floor, the weights of fusion and titles, and what
each source is worth.

Knows nothing about the store: judged questions and the frozen set come as tables.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.answering import evidence
from bot.answering.parameters import TITLE_WEIGHT, VECTOR_WEIGHT, Parameters
from bot.answering.recall import Recall
from bot.learning import looks, promotion
from bot.learning.calibration import Sample
from bot.learning.feedback import FEATURES, Feedback
from bot.learning.promotion import Verdict
from evals import paired
from models import ranking
from models.ranking import Votes
from store.records import Kind

FLOORS = (0.3, 0.4, 0.5, 0.6)
"""Cosines that are tried as memory's floor: from it on, two questions count as similar."""

TITLE_SPREAD = 0.5
VECTOR_SPREAD = 0.25
RECALL_SPREAD = 0.3
SOURCE_SPREAD = 0.05
"""How far each weight may plausibly lie from the one that ships: the standard deviation of the prior."""

LEAST_RECALL, MOST_RECALL = 0.4, 0.8
"""The least and the most that memory may weigh: votes that lie must not switch it off, and if it weighs more,
questions that nobody asked before lose more than the others gain."""

STEPS = (1.0, 0.75, 0.5, 0.25)
"""Shares of the way from what serves to what was fitted, tried in this order until the frozen set allows one."""

HALF = 0.5
"""The step at which votes are tested by their likelihood: half the way to a fitted weight is less uncertain."""

Weights = NDArray[np.float64]
Places = NDArray[np.int64]

Scores = Callable[[Weights, float], NDArray[np.float64]]
"""Gives the frozen set's score per question, by the four weights and memory's floor. The frozen set has one
source only, so it cannot tell what sources are worth."""


@dataclass(frozen=True, slots=True)
class FitInput:
    """What a part is fitted to and compared with: what people judged, the frozen set (`frozen` gives its
    scores, `samples` its searches for the confidence; both are slow and read late), and what serves. `level`
    is that of the part's test tonight."""

    feedback: Feedback
    frozen: Scores
    samples: Callable[[], Sequence[Sample]]
    parameters: Parameters
    seed: int = 0
    level: float = looks.level(1)

    @property
    def topics(self) -> int:
        """Count the different questions that people judged."""
        return len(set(self.feedback.numbered(self.feedback.rows).tolist()))

    def folds(self) -> Places:
        """Give each judged question its fold; a topic is never split."""
        topic = self.feedback.numbered(self.feedback.rows)
        return ranking.folds(int(topic.max()) + 1, seed=self.seed)[topic]


def weights(parameters: Parameters, sources: Sequence[str] = ()) -> Weights:
    """Give what serves as one array: vector, lexical, title, memory and unit weight, then one per source."""
    vector, title = parameters.vector_weight, parameters.title_weight
    worth = [parameters.sources.get(name, 0.0) for name in sources]
    recall = parameters.recall.weight
    return np.array([vector, 1 - vector, title, recall, evidence.WEIGHT, *worth])


def fit_title(given: FitInput) -> Verdict:
    """Fit what it adds when the question's words stand in the title."""
    spread = (0.0, 0.0, TITLE_SPREAD, 0.0)
    return _fit_order(
        "title", given, spread, lambda found: {"title_weight": found[2]}, is_by_likelihood=True
    )


def fit_fusion(given: FitInput) -> Verdict:
    """Fit the vectors' share in the fused score, 0..1."""
    spread = (VECTOR_SPREAD, VECTOR_SPREAD, 0.0, 0.0)
    return _fit_order("fusion", given, spread, lambda found: {"vector_weight": found[0]})


def fit_sources(given: FitInput) -> Verdict:
    """Fit what is added to the score of each source's passages; 0 by default, below 0 for a poor source."""
    names = given.feedback.sources
    if len(names) == 1:
        return Verdict("sources", "waiting", "There is only one source: nothing to tell apart.")
    spread = (*[0.0] * FEATURES, *[SOURCE_SPREAD] * len(names))
    return _fit_order(
        "sources",
        given,
        spread,
        lambda found: dict(zip(names, found[FEATURES:].tolist(), strict=True)),
    )


def _fit_order(
    kind: Kind,
    given: FitInput,
    spread: Sequence[float],
    payload: Callable[[Weights], Mapping[str, float]],
    *,
    is_by_likelihood: bool = False,
) -> Verdict:
    """Fit the weights that have a `spread`; they are tried on judged questions that each fit did not see.

    The step taken is the largest of STEPS that the frozen set allows; it is asked only where held-out votes
    call the candidate better, because it is slow. Memory is switched off meanwhile: on judged questions it
    repairs whatever the order gets wrong, and would hide it. `is_by_likelihood` tests how likely the votes
    are (`_gains`) instead of counting which first passages changed.
    """
    if given.topics < promotion.MIN_JUDGED:
        return promotion.waits(kind, given.topics)
    votes = given.feedback.votes(None)
    before = weights(given.parameters, given.feedback.sources)
    before[3] = 0.0
    spread = np.pad(np.array(spread), (0, len(before) - len(spread))).tolist()
    every = range(len(votes.shown))
    fitted, old = _fitted(votes, before, spread), given.feedback.first(votes, before, every)
    fold = given.folds()
    folds = [
        (fold == k, _fitted(votes.take(fold != k), before, spread)) for k in set(fold.tolist())
    ]
    gains = _gains(votes, before, folds) if is_by_likelihood else None
    verdict, floor = promotion.waits(kind, 0), given.parameters.recall.floor
    for step in STEPS:
        new, best = old.copy(), _toward(before, fitted, step)
        for rows, part in folds:
            tried = _toward(before, part, step)
            new[rows] = given.feedback.first(votes, tried, np.flatnonzero(rows).tolist())
        rounded = {name: round(float(value), 4) for name, value in payload(best).items()}
        verdict = _verdict(kind, given, rounded, votes, old, new, np.zeros(0), gains)
        if verdict.decision == "promoted":
            change = given.frozen(best[:4], floor) - given.frozen(before[:4], floor)
            verdict = _verdict(kind, given, rounded, votes, old, new, change, gains)
        if verdict.decision == "promoted" or not verdict.numbers["frozen"]:
            break
    return verdict


def _gains(
    votes: Votes, before: Weights, folds: Sequence[tuple[NDArray[np.bool_], Weights]]
) -> list[float]:
    """Give how much likelier each held-out vote is (log-likelihood) half the way to what the others fitted.

    This sees more than counting changed first passages: with 300 votes p < .005 on 11 of 12 sets of
    FeedbackQA's questions (counting: on half of them), and p < .05 on none of 100 sets of random votes. It
    only suits weights whose fit leaves the scale of the scores alone: flatter scores make shuffled votes
    likelier, too.
    """
    gains = -ranking.log_likelihood(votes, before)
    for rows, part in folds:
        gains[rows] += ranking.log_likelihood(votes.take(rows), _toward(before, part, HALF))
    return [float(gain) for gain in gains]


def _fitted(votes: Votes, before: Weights, spread: Sequence[float]) -> Weights:
    """Fit around the weights that ship; vector and lexical weight are made to sum to one again."""
    start = before.copy()
    if spread[2]:
        start[2] = TITLE_WEIGHT
    if spread[0]:
        start[:2] = VECTOR_WEIGHT, 1 - VECTOR_WEIGHT
    is_signed = any(spread[FEATURES:])
    if is_signed:
        start[FEATURES:] = 0.0
    found = ranking.fit(votes, start.tolist(), spread, None if is_signed else 0.0)
    total = float(found[0] + found[1])
    found[:2] = found[:2] / total if total > 0 else before[:2]
    return found


def fit_memory(given: FitInput) -> Verdict:
    """Fit memory's weight and floor; for each question only the votes on the others count as memory."""
    count = given.topics
    if count < promotion.MIN_JUDGED:
        return promotion.waits("memory", count)
    before = weights(given.parameters, given.feedback.sources)
    floor, fold = given.parameters.recall.floor, given.folds()
    # One table at a time: a table has all candidates of all questions.
    tried = {f: _tried(given.feedback, before, f, fold) for f in sorted({*FLOORS, floor})}
    votes = given.feedback.votes(floor)
    old = given.feedback.first(votes, before, range(len(votes.shown)))
    new, best = old.copy(), max(found[ALL] for found in tried.values())
    for k in range(int(fold.max()) + 1):
        part = max(found[k] for found in tried.values())
        new[fold == k] = part.places
    payload = {"weight": round(best.recall.weight, 4), "floor": best.recall.floor}
    verdict = _verdict("memory", given, payload, votes, old, new, np.zeros(0))
    if verdict.decision == "promoted":
        after = _with_memory(before, best.recall.weight)
        change = given.frozen(after[:4], best.recall.floor) - given.frozen(before[:4], floor)
        verdict = _verdict("memory", given, payload, votes, old, new, change)
    return verdict


ALL = -1
"""Stands for all folds together."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What was fitted without one fold, how likely that made the other votes, and what it puts first in it."""

    likelihood: float
    recall: Recall
    places: Places

    def __lt__(self, other: "_Tried") -> bool:
        return (self.likelihood, self.recall.floor) < (other.likelihood, other.recall.floor)


def _tried(feedback: Feedback, before: Weights, floor: float, fold: Places) -> dict[int, _Tried]:
    """Fit memory's weight at one floor, without each fold and to all votes."""
    found, votes = {}, feedback.votes(floor)
    for k in (ALL, *range(int(fold.max()) + 1)):
        kept = votes.take(fold != k)
        fitted = ranking.fit(kept, before.tolist(), _only_memory(before))
        likelihood = float(ranking.log_likelihood(kept, fitted).sum())
        weight = min(max(float(fitted[3]), LEAST_RECALL), MOST_RECALL)
        held = np.flatnonzero(fold == k).tolist()
        places = feedback.first(votes, _with_memory(before, weight), held)
        found[k] = _Tried(likelihood, Recall(weight, floor), places)
    return found


def _only_memory(before: Weights) -> list[float]:
    return [0.0, 0.0, 0.0, RECALL_SPREAD, *[0.0] * (len(before) - 4)]


def _with_memory(before: Weights, weight: float) -> Weights:
    found = before.copy()
    found[3] = weight
    return found


def _toward(before: Weights, fitted: Weights, step: float) -> Weights:
    return before + step * (fitted - before)


def _verdict(
    kind: Kind,
    given: FitInput,
    payload: dict[str, float],
    votes: Votes,
    old: Places,
    new: Places,
    frozen: Weights,
    gains: Sequence[float] | None = None,
) -> Verdict:
    """Count the votes on passages that exactly one of the two orders puts first; the others say nothing.

    Of a topic the latest such question counts. If the order changed at random, a passage that leaves the
    first place would be a disliked one as often as any is, one that comes there a liked one.
    """
    left, joined = (
        (old == votes.shown) & (new != votes.shown),
        (old != votes.shown) & (new == votes.shown),
    )
    disliked, liked = votes.bad > votes.good, votes.good > votes.bad
    topic = given.feedback.numbered(given.feedback.rows)
    judged = _latest(topic, disliked | liked)
    moved = _latest(topic, (left | joined) & (disliked | liked))
    share = float(disliked[judged].mean()) if len(judged) else 0.5
    better = int(np.where(left, disliked, liked)[moved].sum())
    return promotion.judge(
        kind,
        payload,
        judged=len(judged),
        better=better,
        worse=len(moved) - better,
        chance=by_chance(left[moved], share),
        frozen=frozen.tolist(),
        level=given.level,
        gains=None if gains is None else paired.by_cluster(gains, topic.tolist()),
    )


def by_chance(left: NDArray[np.bool_], disliked: float) -> float:
    """Give the mean chance that a change is for the better without any signal, from half upwards: for a shown
    passage that leaves the first place (`left`) the share of `disliked` votes, else that of liked ones."""
    if not len(left):
        return 0.5
    return float(np.where(left, max(0.5, disliked), max(0.5, 1 - disliked)).mean())


def _latest(topic: Places, among: NDArray[np.bool_]) -> Places:
    """Give the last row of each topic among the rows that are marked; rows are oldest first."""
    rows = np.flatnonzero(among)
    last = {int(topic[row]): int(row) for row in rows}
    return np.array(sorted(last.values()), dtype=np.int64)
