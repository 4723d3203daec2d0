"""From logits to honest numbers: temperature, in-scope score, rejection threshold.

Knows nothing about which model made the logits.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, logsumexp, softmax

REJECTED_SHARE = 0.05  # of in-scope messages, by which the threshold is set
ECE_BINS = 15
MIN_ROWS = 10  # fewer held-out rows than this say nothing about temperature or threshold
TEMPERATURES = (0.05, 5.0)
NOTHING_REJECTED = -1e9  # an energy below every one; infinity is no JSON

Floats = NDArray[np.float64]
Trained = Literal["bert", "baseline"]
"""The two models of every training: the fine-tuned encoder, and logistic regression over a frozen one."""

Logits = NDArray[np.float32]
Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How one model's logits become a confidence and an in-scope score."""

    temperature: float = 1.0
    threshold: float = NOTHING_REJECTED  # of the energy, below which a message is out of scope
    scale: float = 1.0  # spread of in-scope energies, so that scores of two models compare

    def confidences(self, logits: Logits) -> Floats:
        """Give (n, intents) calibrated probabilities."""
        return np.asarray(softmax(logits / self.temperature, axis=1), dtype=np.float64)

    def in_scope(self, logits: Logits) -> Floats:
        """Give (n,) scores of 0-1; below .5 is out of scope."""
        return np.asarray(expit((energy(logits) - self.threshold) / self.scale), dtype=np.float64)


def calibrate(logits: Logits, truth: Classes, rejected: float = REJECTED_SHARE) -> Calibration:
    """Fit on logits of in-scope rows that the model was not trained on.

    The threshold rejects the share `rejected` of them; no out-of-scope row is needed.
    """
    if len(truth) < MIN_ROWS:
        return Calibration()
    energies = energy(logits)
    return Calibration(
        temperature=fit_temperature(logits, truth),
        threshold=float(np.quantile(energies, rejected)),
        scale=float(energies.std()) or 1.0,
    )


def energy(logits: Logits) -> Floats:
    """Give the log-sum-exp of each row: how much any intent fits (Liu 2020, negated energy)."""
    return np.asarray(logsumexp(logits.astype(np.float64), axis=1))


def fit_temperature(logits: Logits, truth: Classes) -> float:
    """Find the temperature with the lowest negative log-likelihood (Guo 2017)."""

    def loss(temperature: float) -> float:
        log_p = log_softmax(logits / temperature, axis=1)
        return float(-log_p[np.arange(len(truth)), truth].mean())

    return float(minimize_scalar(loss, bounds=TEMPERATURES, method="bounded").x)


def ece(confidence: Floats, right: NDArray[np.bool_], bins: int = ECE_BINS) -> float:
    """Give the expected calibration error over bins of equal width, 0-1."""
    if not len(confidence):
        return 0.0
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))
