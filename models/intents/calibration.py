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
LAST_TENTH = (1 / 0.9 - 1) / (1 / 0.8 - 1 / 0.9)
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


def calibrate(
    logits: Logits, truth: Classes, rejected: float = REJECTED_SHARE, lift: float = 0.0
) -> Calibration:
    """Fit on logits of in-scope rows that the model was not trained on.

    The threshold rejects the share `rejected` of new messages; no out-of-scope row is needed. `lift` says
    by how many standard deviations the energies of the served model lie above these.
    """
    if len(truth) < MIN_ROWS:
        return Calibration()
    energies = energy(logits)
    scale = float(energies.std()) or 1.0
    return Calibration(
        temperature=fit_temperature(logits, truth),
        threshold=low_end(energies, rejected) + lift * scale,
        scale=scale,
    )


def low_end(energies: Floats, share: float = REJECTED_SHARE) -> float:
    """Give the value that a new energy like these is below with at most the chance `share`.

    The conformal quantile: the k-th smallest of n, k = floor(share (n + 1)) (Vovk 2005; Angelopoulos and
    Bates 2021). Fewer rows than 1 / share - 1 reject nothing.
    """
    rank = int(np.floor(share * (len(energies) + 1)))
    return float(np.sort(energies)[rank - 1]) if rank else NOTHING_REJECTED


def lift(fewer: Floats, more: Floats) -> float:
    """Give by how many standard deviations the low end lies higher for a model of all rows.

    `fewer` and `more` are energies of the same rows, by models that learned from 8 and 9 tenths of all. What
    is won goes with 1 / rows, so from there to all rows it is LAST_TENTH more. Never below 0.
    """
    spread = float(fewer.std()) if len(fewer) >= MIN_ROWS else 0.0
    risen = _lowest(more) - _lowest(fewer) if spread else 0.0
    return max(0.0, risen) * (1 + LAST_TENTH) / spread if spread else 0.0


def _lowest(energies: Floats) -> float:
    """Give the mean of the lowest tenth, whose middle is the share that is rejected: one value is noise."""
    count = max(1, round(2 * REJECTED_SHARE * len(energies)))
    return float(np.sort(energies)[:count].mean())


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
