"""Which examples are probably wrong: mislabelled, or repeated.

Knows nothing about files or screens; it takes rows with their vectors and gives findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.intents import baseline, examples
from models.intents.calibration import fit_temperature
from models.intents.examples import OOS, Example

Vectors = NDArray[np.float32]

FOLDS = 5
STRENGTH = 10.0  # of the baseline that judges the labels
SUSPECT_BELOW = 0.1  # confidence in the given label, 0-1
SURE_ABOVE = 0.6  # confidence in another one
NEAR = 0.95  # cosine from which two texts say the same: typing, casing, an article
BLOCK = 1_000  # rows compared at a time


@dataclass(frozen=True, slots=True)
class Suspect:
    """An example whose label a model that never saw it finds unlikely."""

    example: Example
    likely: str
    confidence: float  # in `likely`, 0-1


@dataclass(frozen=True, slots=True)
class Twins:
    """Two examples that say nearly the same."""

    first: Example
    second: Example
    cosine: float


def mislabelled(rows: Sequence[Example], vectors: Vectors) -> list[Suspect]:
    """List the probably mislabelled, surest first, by cross-validated confidence (confident
    learning, Northcutt 2021). Rows with intent `oos` and intents with one example are not judged.
    """
    names = examples.labels(rows)
    truth = np.array([names.index(row.intent) if row.intent != OOS else -1 for row in rows])
    fold = np.where(truth >= 0, examples.folds(rows, FOLDS), examples.NEVER_HELD)
    logits = np.zeros((len(rows), len(names)), dtype=np.float32)
    for held in range(FOLDS):
        inside, judged = (fold != held) & (truth >= 0), fold == held
        if judged.any():
            model = baseline.fit(vectors[inside], truth[inside], len(names), STRENGTH)
            logits[judged] = model.logits(vectors[judged])
    judged = fold >= 0
    if not judged.any():
        return []
    confidence = _confidence(logits, truth, judged)
    found = []
    for i in map(int, np.flatnonzero(judged)):
        best = int(confidence[i].argmax())
        if confidence[i, truth[i]] < SUSPECT_BELOW and confidence[i, best] > SURE_ABOVE:
            found.append(Suspect(rows[i], names[best], float(confidence[i, best])))
    return sorted(found, key=lambda suspect: -suspect.confidence)


def twins(rows: Sequence[Example], vectors: Vectors, *, near: float = NEAR) -> list[Twins]:
    """List pairs within `rows` of cosine >= `near`, closest first; (n, dims) unit vectors."""
    pairs = [
        Twins(rows[i], rows[j], cosine) for i, j, cosine in _near(vectors, vectors, near) if i < j
    ]
    return sorted(pairs, key=lambda pair: -pair.cosine)


def _confidence(
    logits: NDArray[np.float32], truth: NDArray[np.int64], judged: NDArray[np.bool_]
) -> NDArray[np.float64]:
    temperature = fit_temperature(logits[judged], truth[judged])
    scaled = np.exp((logits - logits.max(1, keepdims=True)) / temperature).astype(np.float64)
    return np.asarray(scaled / scaled.sum(1, keepdims=True))


def _near(left: Vectors, right: Vectors, near: float) -> list[tuple[int, int, float]]:
    found = []
    for start in range(0, len(left), BLOCK):
        cosines = left[start : start + BLOCK] @ right.T
        for i, j in zip(*np.nonzero(cosines >= near), strict=True):
            found.append((start + int(i), int(j), float(cosines[i, j])))
    return found
