"""How good an intent classifier is: accuracy inside its scope, rejection outside, calibration.

Knows nothing about the classifier: labels and scores in, numbers out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evals import metrics

OOS = "oos"


@dataclass(frozen=True, slots=True)
class Guess:
    """What a classifier said about one message."""

    nearest: str  # its best intent, whether or not it takes the message for in scope
    confidence: float  # 0-1, that `nearest` is right
    in_scope: float  # higher: more likely in scope
    rejected: bool  # taken for out of scope, at the threshold set in training


def score(truth: Sequence[str], guesses: Sequence[Guess], seconds: float) -> dict[str, object]:
    """Give the scorecard; `truth` is `oos` for what is out of scope.

    accuracy, macro_f1 and ece look at in-scope rows before rejection; a measure without rows to
    look at is None. `seconds` is passed through.
    """
    pairs = list(zip(truth, guesses, strict=True))
    inside = [(label, guess) for label, guess in pairs if label != OOS]
    outside = [guess for label, guess in pairs if label == OOS]
    labels = [label for label, _ in inside]
    nearest = [guess.nearest for _, guess in inside]
    right = [label == guess for label, guess in zip(labels, nearest, strict=True)]
    scores = [guess.in_scope for _, guess in inside]
    return {
        "accuracy": _share(right),
        "accuracy_interval": metrics.wilson(sum(right), len(right)),
        "macro_f1": metrics.macro_f1(labels, nearest) if labels else None,
        "oos_recall": _share([guess.rejected for guess in outside]),
        "oos_auroc": metrics.auroc(scores, [guess.in_scope for guess in outside]),
        "in_scope_rejected": _share([guess.rejected for _, guess in inside]),
        "ece": metrics.ece([guess.confidence for _, guess in inside], right) if right else None,
        "in_scope": len(inside),
        "oos": len(outside),
        "seconds": seconds,
    }


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
