"""How sure the bot is: signals of one search, and the probability that its first passage is right.

Knows nothing about how the weights were fitted; they come as a payload (models/calibration.py).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from store.records import Passage
from store.search import Terms

DEFAULT = Path(__file__).with_name("confidence.json")
"""Weights and thresholds fitted on evals/handbook and evals/questions.jsonl (`make eval` shows how well)."""


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

    def probability(self, signals: Mapping[str, float]) -> float:
        """Give P(the first passage answers the question), 0..1."""
        z = self.intercept + sum(w * signals.get(name, 0.0) for name, w in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))

    def status(self, probability: float) -> str:
        """Name what to do with it: answered, unsure or not_found."""
        if probability >= self.answer_above:
            return "answered"
        return "unsure" if probability >= self.unsure_above else "not_found"


def signals(passages: Sequence[Passage], terms: Terms, best_unit: float = 0.0) -> dict[str, float]:
    """Measure one search: all signals are free of the corpus' size and scale.

    `passages` best first; `best_unit` is the cosine of the question with the best sentence shown.
    """
    if not passages:
        return {}
    first = passages[0]
    vectors = sorted((p.vector for p in passages if p.vector is not None), reverse=True)
    lexical = sorted((p.lexical for p in passages if p.lexical is not None), reverse=True)
    cosine = first.vector or 0.0
    ceiling = terms.ceiling
    return {
        "cosine": cosine,
        "cosine_gap": cosine - (vectors[5] if len(vectors) > 5 else cosine),
        "coverage": (first.lexical or 0.0) / ceiling,
        "unknown": terms.unknown_idf / ceiling,
        "lexical_gap": ((first.lexical or 0.0) - (lexical[5] if len(lexical) > 5 else 0.0))
        / ceiling
        if ceiling
        else 0.0,
        "agreement": float(
            bool(vectors and lexical) and cosine == vectors[0] and first.lexical == lexical[0]
        ),
        "margin": first.score - (passages[1].score if len(passages) > 1 else 0.0),
        "unit": best_unit,
        "length": math.log1p(len(terms.terms) + terms.unknown),
    }
