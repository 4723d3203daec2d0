"""Score replies by what their readers see: does the message hold the fact, and is it given only then?

Knows nothing about how replies are made. CRAG score: +1 when the message holds the fact, 0 refused, -1
otherwise, averaged (Yang et al. 2024, CRAG, section 3). All intervals are of 95 %, by the bootstrap
over questions (Efron 1979).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals import answers, metrics

ROUNDS = 400

MEASURES = (
    "passage@1",  # of the answerable: the fact is in the first passage found
    "passage@3",
    "passage@5",
    "could_hold",  # of the answerable: the message would hold the fact if none were refused
    "holds",  # of the answerable: the message holds it
    "marked",  # of the messages that would hold it: a marked part of the passage says it
    "refused_unanswerable",
    "refused_answerable",
    "crag",  # of -1 to 1
    "coverage_at_80",  # the share that could be answered with 80 % of it right
    "auroc",
    "ece",
    "ece_by_chance",  # the mean of what exactly right confidences would show on as many questions
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What one question got: `rank` (from 1) is of the first passage with the fact, None without.

    `could_hold` tells whether the message would hold the fact, `is_marked` whether a marked part says it:
    None where the message holds none, or where only whole pages are judged.
    """

    is_answerable: bool
    confidence: float
    is_refused: bool
    rank: int | None
    could_hold: bool
    is_marked: bool | None = None


class Measured(NamedTuple):
    """A measure with its interval; all three are NaN where nothing was there to measure."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Card:
    """The measures of one corpus: values by name, and (ROUNDS, measures) drawn again for the intervals."""

    questions: int
    answerable: int
    values: Mapping[str, float]
    drawn: NDArray[np.float64]

    def measured(self) -> dict[str, Measured]:
        return _measured(self.values, self.drawn)


def score(replies: Sequence[Reply], *, seed: int = 0) -> Card:
    """Score the replies to one corpus' questions."""
    again, count = np.random.default_rng(seed), len(replies)
    drawn = [
        list(_values([replies[i] for i in again.integers(0, count, count)]).values())
        for _ in range(ROUNDS if count else 0)
    ]
    table = np.array(drawn, dtype=np.float64).reshape(-1, len(MEASURES))
    chance = metrics.ece_by_chance([r.confidence for r in replies])
    return Card(count, sum(r.is_answerable for r in replies), _values(replies, chance), table)


def mean(cards: Sequence[Card]) -> dict[str, Measured]:
    """Give the mean over corpora, each counting alike; one that lacks a measure is left out of its mean."""
    values = np.array([list(card.values.values()) for card in cards])
    drawn = np.stack([card.drawn for card in cards])
    with np.errstate(all="ignore"):
        middle, again = _nanmean(values), _nanmean(drawn)
    return _measured(dict(zip(MEASURES, middle.tolist(), strict=True)), again)


def _nanmean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)


def _measured(values: Mapping[str, float], drawn: NDArray[np.float64]) -> dict[str, Measured]:
    found = {}
    for column, name in enumerate(MEASURES):
        again = drawn[:, column]
        again = again[~np.isnan(again)]
        bounds = np.quantile(again, (0.025, 0.975)) if len(again) else (np.nan, np.nan)
        found[name] = Measured(values[name], float(bounds[0]), float(bounds[1]))
    return found


def _values(replies: Sequence[Reply], chance: float = math.nan) -> dict[str, float]:
    """Give the measures; `chance` is the error of calibration by chance, which is not drawn again."""
    answerable = [r for r in replies if r.is_answerable]
    told = [(r.confidence, r.could_hold) for r in replies]
    right = [c for c, is_right in told if is_right]
    wrong = [c for c, is_right in told if not is_right]
    auroc = metrics.auroc(right, wrong)
    found = [_share([(r.rank or 99) <= depth for r in answerable]) for depth in (1, 3, 5)]
    values = (
        *found,
        _share([r.could_hold for r in answerable]),
        _share([r.could_hold and not r.is_refused for r in answerable]),
        _share([r.is_marked for r in answerable if r.is_marked is not None]),
        _share([r.is_refused for r in replies if not r.is_answerable]),
        _share([r.is_refused for r in answerable]),
        _share([0 if r.is_refused else (1 if r.could_hold else -1) for r in replies]),
        answers.coverage(told, 0.8),
        np.nan if auroc is None else auroc,
        metrics.ece([c for c, _ in told], [is_right for _, is_right in told]),
        chance,
    )
    return dict(zip(MEASURES, values, strict=True))


def _share(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
