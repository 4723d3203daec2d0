"""The baseline intent classifier: logistic regression on frozen sentence vectors.

Knows nothing about texts: it takes vectors from whichever embedder the caller uses.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.intents.calibration import Classes, Logits

STRENGTHS = (3.0, 10.0, 30.0, 100.0)  # inverse regularisation, tried by cross-validation
FOLDS = 3
CHOICE_ROWS = 3_000  # rows that the choice of strength looks at; more only cost time
MAX_STEPS = 1_000
FILE = "baseline.npz"

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A fitted linear model."""

    weights: NDArray[np.float32]  # (intents, dims)
    bias: NDArray[np.float32]  # (intents,)

    def logits(self, vectors: Vectors) -> Logits:
        """Give (n, intents) logits."""
        return np.asarray(vectors @ self.weights.T + self.bias, dtype=np.float32)


def fit(vectors: Vectors, truth: Classes, intents: int, strength: float) -> Baseline:
    """Fit on rows of classes 0..intents-1; a class without a row is never predicted.

    Rows of class -1, out of scope, are a class of their own while fitting. Its logit is then taken off all
    others: the energy becomes the log odds of in scope against out of scope.
    """
    outside = truth < 0
    if not outside.any():
        return fit_classes(vectors, truth, intents, strength)
    found = fit_classes(vectors, np.where(outside, intents, truth), intents + 1, strength)
    return Baseline(found.weights[:-1] - found.weights[-1], found.bias[:-1] - found.bias[-1])


def fit_classes(vectors: Vectors, truth: Classes, intents: int, strength: float) -> Baseline:
    """Fit on rows of classes 0..intents-1, each as good as another."""
    present = np.unique(truth)
    weights = np.zeros((intents, vectors.shape[1]), dtype=np.float32)
    bias = np.full(intents, -30.0, dtype=np.float32)
    if len(present) == 1:
        bias[present] = 0.0
        return Baseline(weights, bias)
    model = LogisticRegression(C=strength, max_iter=MAX_STEPS).fit(vectors, truth)
    coefficients, intercept = model.coef_, model.intercept_
    if len(present) == 2:  # scikit-learn keeps one row for two classes
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    weights[present], bias[present] = coefficients, intercept
    return Baseline(weights, bias)


def choose_strength(vectors: Vectors, truth: Classes, intents: int, seed: int) -> float:
    """Give the strength with the best cross-validated accuracy."""
    chosen = np.random.default_rng(seed).permutation(len(truth))[:CHOICE_ROWS]
    vectors, truth = vectors[chosen], truth[chosen]
    fold = np.arange(len(truth)) % FOLDS
    return max(STRENGTHS, key=lambda c: _hits(vectors, truth, intents, c, fold))


def _hits(
    vectors: Vectors, truth: Classes, intents: int, strength: float, fold: NDArray[np.int64]
) -> int:
    hits = 0
    for held in range(FOLDS):
        inside, outside = fold != held, fold == held
        if inside.any() and outside.any():
            model = fit(vectors[inside], truth[inside], intents, strength)
            hits += int((model.logits(vectors[outside]).argmax(1) == truth[outside]).sum())
    return hits


def save(model: Baseline, folder: Path) -> None:
    """Write the model as plain arrays (no pickle) into `folder`."""
    np.savez(folder / FILE, weights=model.weights, bias=model.bias)


def load(folder: Path) -> Baseline:
    """Read what `save` wrote."""
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        return Baseline(arrays["weights"], arrays["bias"])
