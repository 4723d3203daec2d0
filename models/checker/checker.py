"""The checker as it serves: a linear model over features, read from a small JSON file.

Knows nothing about where sentences come from.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.checker.features import Encode, features

WEIGHTS = Path(__file__).with_name("weights.json")


@dataclass(frozen=True, slots=True)
class Checker:
    """Weights by the features' names; what reaches the `threshold` counts as said by the quotes."""

    weights: Mapping[str, float]
    intercept: float
    threshold: float

    def probability(self, sentence: str, quotes: Sequence[str], encode: Encode) -> float:
        """Give how probable it is (0..1) that the quotes say the sentence."""
        found = features(sentence, quotes, encode)
        z = self.intercept + sum(self.weights[name] * found[name] for name in self.weights)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))

    def supports(self, sentence: str, quotes: Sequence[str], encode: Encode) -> bool:
        """Whether the quotes say the sentence, at a threshold with at most 1 % of false ones let through."""
        return self.probability(sentence, quotes, encode) >= self.threshold


def load(file: Path = WEIGHTS) -> Checker:
    """Read what `training.fit` wrote; the one that ships by default."""
    found = json.loads(file.read_text(encoding="utf-8"))
    return Checker(found["weights"], found["intercept"], found["threshold"])
