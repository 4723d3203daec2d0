"""How sure the bot is: signals of one search, and the probability that its message holds the fact.

Knows nothing about how the weights were fitted; they come as a payload (bot/learning/calibration.py).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from store.index.search import Terms
from store.records import Passage, Status

NEXT = 5
"""Passages that are compared with the first, itself among them."""

DEFAULT = Path(__file__).with_name("confidence.json")
"""Weights and thresholds with the corpora that they are fitted on, and what they are worth on one left out."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A logistic model over named signals, with the two thresholds that its probability is held against."""

    intercept: float
    weights: Mapping[str, float]
    answer_above: float
    unsure_above: float

    @classmethod
    def of(cls, payload: Mapping[str, object]) -> "Calibrator":
        """Read what was stored; raise KeyError, TypeError or ValueError when it is not a calibrator."""
        weights = payload["weights"]
        if not isinstance(weights, Mapping):
            raise TypeError("a calibrator's weights are a mapping of signal to number")
        return cls(
            float(str(payload["intercept"])),
            {str(name): float(weight) for name, weight in weights.items()},
            float(str(payload["answer_above"])),
            float(str(payload["unsure_above"])),
        )

    @classmethod
    def default(cls) -> "Calibrator":
        """The one that ships with the project."""
        return cls.of(json.loads(DEFAULT.read_text(encoding="utf-8")))

    def within(self, thresholds: Mapping[str, float]) -> "Calibrator":
        """Give the same with the thresholds (answer_above, unsure_above) that are given."""
        return replace(
            self,
            answer_above=thresholds.get("answer_above", self.answer_above),
            unsure_above=thresholds.get("unsure_above", self.unsure_above),
        )

    def probability(self, signals: Mapping[str, float]) -> float:
        """Give P(what is shown answers the question), 0..1."""
        z = self.intercept + sum(w * signals.get(name, 0.0) for name, w in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))

    def status(self, probability: float) -> Status:
        """Name what to do with it: answered, unsure or not_found."""
        if probability >= self.answer_above:
            return "answered"
        return "unsure" if probability >= self.unsure_above else "not_found"


def signals(
    passages: Sequence[Passage], terms: Terms, units: Sequence[float] = ()
) -> dict[str, float]:
    """Measure one search, without anything that scales with the corpus' size.

    `passages` best first; `units` are the cosines of the question with the first passage's sentences.
    """
    if not passages:
        return {}
    first, nearest = passages[0], passages[:NEXT]
    cosines = [p.vector for p in passages if p.vector is not None]
    best = max(units, default=0.0)
    return {
        "unit": best,
        "unit_gap": best - sum(units) / len(units) if units else 0.0,
        # How far it stands out: the strongest single signal on four of five corpora.
        "cosine_gap": (first.vector or 0.0) - min(cosines) if cosines else 0.0,
        "level": nearest[-1].score / first.score if first.score else 1.0,
        "coverage": (first.lexical or 0.0) / terms.ceiling,
        "rare": first.rare,
        "unknown": terms.unknown_idf / terms.ceiling,
        "length": math.log1p(len(terms.terms) + terms.unknown),
    }
