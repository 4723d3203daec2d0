"""The baseline intent classifier over vectors that the caller has already: nothing is encoded twice.

Knows nothing about texts or encoders; intent.py serves every kind of model from texts.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.embedder import ModelError
from models.intents import baseline
from models.intents.baseline import Baseline
from models.intents.calibration import Calibration
from models.intents.classifier import FILE, IN_SCOPE_FLOOR, Prediction


@dataclass(frozen=True, slots=True)
class FrozenModel:
    """A linear model with its calibration; threads may call `predict` at the same time."""

    linear: Baseline
    labels: list[str]
    calibration: Calibration
    encoder_sha256: str

    def predict(self, vectors: NDArray[np.float32]) -> list[Prediction]:
        """Classify (n, dims) vectors of the encoder that the model was trained on."""
        logits = self.linear.logits(vectors)
        confidences = self.calibration.confidences(logits)
        scores = self.calibration.in_scope(logits)
        return [self._prediction(*pair) for pair in zip(confidences, scores, strict=True)]

    def _prediction(self, confidences: NDArray[np.float64], score: float) -> Prediction:
        second, first = np.argsort(confidences)[-2:]
        return Prediction(
            intent=self.labels[first] if score >= IN_SCOPE_FLOOR else None,
            confidence=float(confidences[first]),
            nearest=self.labels[first],
            runner_up=self.labels[second],
            margin=float(confidences[first] - confidences[second]),
            in_scope=float(score),
        )


def load(folder: Path) -> FrozenModel | None:
    """Load the baseline out of what training wrote; None where the fine-tuned model serves.

    Raises ModelError when the folder cannot be read.
    """
    try:
        saved = json.loads((folder / FILE).read_text())
        if saved["serves"] != "baseline":
            return None
        calibration = Calibration(**saved["baseline"])
        linear = baseline.load(folder)
        return FrozenModel(linear, saved["labels"], calibration, saved["encoder_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The intent model in {folder} cannot be read ({error}). Train a new one."
        ) from error
