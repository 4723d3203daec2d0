"""What a training found, as it is kept beside the weights and shown to people.

Knows nothing about how the models were trained.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from models.intents.calibration import (
    REJECTED_SHARE,
    Calibration,
    Classes,
    Floats,
    Logits,
    Trained,
    calibrate,
    ece,
    energy,
)
from models.intents.course import Epoch

FILE = "report.json"
# Of AUROC: a third of the standard error of .90 on 250 rows in and 250 out of scope (Hanley & McNeil 1982).
SAME_AUROC = 0.005
CONFUSIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class IntentScore:
    """How one intent did on held-out rows."""

    examples: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Scores:
    """One model on rows it was not trained on."""

    accuracy: float
    macro_f1: float
    oos_auroc: float | None  # None where nothing out of scope could be tried
    oos_recall: float | None  # of out-of-scope rows, where 5 % of in-scope rows are rejected
    ece_before: float
    ece_after: float
    temperature: float
    threshold: float
    intents: dict[str, IntentScore]
    confusions: list[tuple[str, str, int]]  # (truth, taken for, times), most frequent first
    loss: float | None = None  # cross-entropy of the calibrated probabilities


@dataclass(frozen=True, slots=True)
class Report:
    """What a training found: how well each model tells each intent, and which of the two may serve."""

    data_sha256: str
    rows: int
    oos_rows: int
    intents: list[str]
    held_out: int
    seed: int
    encoder_sha256: str
    epochs: int
    augmented: bool  # varied copies of the rows were trained on too
    serves: Trained
    reason: str
    seconds: float
    bert: Scores
    baseline: Scores
    warnings: list[str] = field(default_factory=list)
    course: list[Epoch] = field(default_factory=list)  # of the fine-tuning, mean of the folds

    def write(self, folder: Path) -> None:
        """Write report.json into `folder`."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")


def score(
    names: Sequence[str],
    logits: Logits,
    truth: Classes,
    rejection: tuple[Logits, Logits],
    lift: float = 0.0,
) -> tuple[Scores, Calibration]:
    """Score held-out `logits` of in-scope rows, and fit their calibration.

    `rejection` holds the logits of in-scope and of out-of-scope rows of one and the same model;
    `lift` is how far the served model's energies lie above those of the held-out rows.
    """
    found = calibrate(logits, truth, lift=lift)
    guess = logits.argmax(1)
    right = guess == truth
    per_intent = _per_intent(names, guess, truth)
    inside, outside = (energy(part) for part in rejection)
    tried = bool(len(inside) and len(outside))
    return Scores(
        accuracy=float(right.mean()) if len(truth) else 0.0,
        macro_f1=float(np.mean([s.f1 for s in per_intent.values() if s.examples] or [0.0])),
        oos_auroc=_auroc(inside, outside) if tried else None,
        oos_recall=_caught(inside, outside) if tried else None,
        ece_before=ece(Calibration().confidences(logits).max(1), right),
        ece_after=ece(found.confidences(logits).max(1), right),
        temperature=found.temperature,
        threshold=found.threshold,
        intents=per_intent,
        confusions=_confusions(names, guess, truth),
        loss=_loss(found.confidences(logits), truth),
    ), found


def better(bert: Scores, baseline: Scores) -> tuple[bool, str]:
    """Decide whether the fine-tuned model serves: it must win on accuracy and on rejection, where
    a difference within SAME_AUROC is a draw."""
    gain = bert.accuracy - baseline.accuracy
    reason = f"held-out accuracy {bert.accuracy:.3f} against {baseline.accuracy:.3f}"
    if bert.oos_auroc is None or baseline.oos_auroc is None:
        wins = gain > 0
    else:
        rejects = bert.oos_auroc - baseline.oos_auroc
        wins = (gain > 0 and rejects >= -SAME_AUROC) or (gain == 0 and rejects > SAME_AUROC)
        reason += f", out-of-scope AUROC {bert.oos_auroc:.3f} against {baseline.oos_auroc:.3f}"
    return wins, f"The fine-tuned model {'wins' if wins else 'does not win'}: {reason}."


def _loss(chances: Floats, truth: Classes) -> float | None:
    there = chances[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(there, 1e-12)).mean()) if len(truth) else None


def _caught(inside: Floats, outside: Floats) -> float:
    return float((outside < np.quantile(inside, REJECTED_SHARE)).mean())


def _per_intent(names: Sequence[str], guess: Classes, truth: Classes) -> dict[str, IntentScore]:
    found = {}
    for i, name in enumerate(names):
        hits = int(((guess == i) & (truth == i)).sum())
        taken, there = int((guess == i).sum()), int((truth == i).sum())
        f1 = 2 * hits / (taken + there) if taken + there else 0.0
        found[name] = IntentScore(there, hits / max(1, taken), hits / max(1, there), f1)
    return found


def _confusions(names: Sequence[str], guess: Classes, truth: Classes) -> list[tuple[str, str, int]]:
    wrong = Counter(
        (names[t], names[g]) for t, g in zip(truth, guess, strict=True) if t != g
    ).most_common(CONFUSIONS_SHOWN)
    return [(true, taken, times) for (true, taken), times in wrong]


def _auroc(inside: Floats, outside: Floats) -> float:
    is_inside = np.repeat([1, 0], [len(inside), len(outside)])
    return float(roc_auc_score(is_inside, np.concatenate([inside, outside])))
