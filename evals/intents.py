"""How good an intent classifier is: accuracy inside its scope, rejection outside, calibration.

Knows nothing about the classifier: labels and scores in, numbers out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evals import metrics


@dataclass(frozen=True, slots=True)
class Guess:
    """What a classifier said about one message."""

    nearest: str  # its best intent, whether or not it takes the message for in scope
    confidence: float  # 0-1, that `nearest` is right
    in_scope: float  # higher: more likely in scope
    rejected: bool  # taken for out of scope, at the threshold set in training


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of 0-1; a measure without rows to look at is None.

    `accuracy`, `macro_f1` and `ece` (calibration error) look at the rows in scope, before rejection.
    """

    accuracy: float | None
    accuracy_interval: metrics.Interval
    macro_f1: float | None
    oos_recall: float | None  # of the rows out of scope: rejected
    oos_auroc: float | None
    in_scope_rejected: float | None
    ece: float | None
    in_scope: int  # rows
    oos: int  # rows
    seconds: float  # of the training


def score(truth: Sequence[str | None], guesses: Sequence[Guess], seconds: float) -> Scores:
    """Score one guess per message; the truth of a message out of scope is None."""
    pairs = list(zip(truth, guesses, strict=True))
    inside = [(label, guess) for label, guess in pairs if label is not None]
    outside = [guess for label, guess in pairs if label is None]
    labels = [label for label, _ in inside]
    nearest = [guess.nearest for _, guess in inside]
    right = [label == guess for label, guess in zip(labels, nearest, strict=True)]
    scores = [guess.in_scope for _, guess in inside]
    return Scores(
        accuracy=_share(right),
        accuracy_interval=metrics.wilson(sum(right), len(right)),
        macro_f1=metrics.macro_f1(labels, nearest) if labels else None,
        oos_recall=_share([guess.rejected for guess in outside]),
        oos_auroc=metrics.auroc(scores, [guess.in_scope for guess in outside]),
        in_scope_rejected=_share([guess.rejected for _, guess in inside]),
        ece=metrics.ece([guess.confidence for _, guess in inside], right) if right else None,
        in_scope=len(inside),
        oos=len(outside),
        seconds=seconds,
    )


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
