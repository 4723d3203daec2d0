"""How sure the bot is: signals of one search, and the probability that its message holds the fact.

Knows nothing about how the weights were fitted; they come as a payload (bot/learning/calibration.py).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.answering import ranking
from bot.answering.highlight import Highlight
from store.index import search
from store.index.search import Terms
from store.records import Passage, Status

FITTED = ("lead", "over", "unit_over", "length", "missed", "untold", "memory")
"""The signals that a fit without a prior is made of, beside a reader's: six that do not move with the size of the
corpus. With all signals that are measured, every corpus left out became worse (mean AUROC .77 -> .72); the others
are kept for calibrators that nights have fitted to them."""

SHOWN = 3
"""Passages that a message shows, at most."""

FOUND = 10
"""Passages that a search gives of any but a tiny corpus. What is missing of them is filled up with unrelated ones, or
else nothing could stand out in a folder with one page."""

UNRELATED = (0.1, 0.05)
"""What vectors and words say of an unrelated passage, from the first of ten to the last; those between lie on a line.

Chosen, with the units', by the likelihood of 765 questions to 134 small folders (random pages or sections of three
handbooks, fewer than ten passages found; LOG.md). Left out of the choice: AUROC .898 -> .909 (own handbook), .803 ->
.825 (clef's), .843 -> .903 (sourcegraph's); refused when unanswerable .76, .71, .68 -> .82, .80, .81."""

UNRELATED_UNITS = (1.0, 0.4)
"""The same of their best units: each of them has one that is somewhat near."""

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

    @property
    def doubt(self) -> float:
        """A probability that is shown with a doubt: between the two thresholds."""
        return (self.answer_above + self.unsure_above) / 2

    def status(self, probability: float) -> Status:
        """Name what to do with it: answered, unsure or not_found."""
        if probability >= self.answer_above:
            return "answered"
        return "unsure" if probability >= self.unsure_above else "not_found"


def fitted(signals: Mapping[str, float]) -> dict[str, float]:
    """Keep the signals that a confidence is fitted to."""
    return {k: v for k, v in signals.items() if k in FITTED or k.startswith("reader")}


def signals(
    passages: Sequence[Passage],
    terms: Terms,
    said: Highlight,
    best_units: Mapping[int, float] | None = None,
) -> dict[str, float]:
    """Measure one search, without anything that scales with the corpus' size.

    `passages` best first; `said` is what of the first says it; `best_units` are the cosines of the question with
    the best unit of each passage, by chunk id.
    """
    if not passages:
        return {}
    fused = [_fused(p, terms) for p in passages]
    near = [search.share((best_units or {}).get(p.chunk_id, 0.0)) for p in passages]
    fused, near = _filled_up(fused, UNRELATED), _filled_up(near, UNRELATED_UNITS)
    most = sorted(fused, reverse=True)[:SHOWN]
    first, nearest = passages[0], passages[:NEXT]
    cosines = [p.vector for p in passages if p.vector is not None]
    units = said.cosines
    best = max(units, default=0.0)
    return {
        # How far the best three stand out, how far the first one does, and how far its best unit.
        "lead": sum(most) / len(most) - min(fused),
        "over": fused[0] - sum(fused) / len(fused),
        "unit_over": near[0] - sum(near) / len(near),
        "missed": _missed(first, terms),
        "untold": said.untold,
        "unit": best,
        "unit_gap": best - sum(units) / len(units) if units else 0.0,
        "cosine_gap": (first.vector or 0.0) - min(cosines) if cosines else 0.0,
        "level": nearest[-1].score / first.score if first.score else 1.0,
        "coverage": (first.lexical or 0.0) / terms.ceiling,
        "rare": first.rare,
        "unknown": terms.unknown_idf / terms.ceiling,
        "length": math.log1p(len(terms.terms) + terms.unknown),
    }


def _filled_up(found: Sequence[float], unrelated: tuple[float, float]) -> list[float]:
    """Put what unrelated passages would score in the places that are empty."""
    first, last = unrelated
    step = (last - first) / (FOUND - 1)
    return [*found, *(first + step * place for place in range(len(found), FOUND))]


def _fused(passage: Passage, terms: Terms) -> float:
    """Give what vectors and words say of a passage, counting alike, whatever nights have learned."""
    return (search.share(passage.vector or 0.0) + (passage.lexical or 0.0) / terms.ceiling) / 2


def _missed(passage: Passage, terms: Terms) -> float:
    """Give the weight of the rarest word of the question that a passage lacks, as a share of the rarest one's."""
    unknown = terms.unknown_idf / terms.unknown if terms.unknown else 0.0
    lacking = ranking.lacking(passage.whole, terms)
    return max([unknown, *lacking]) / (max([unknown, *terms.idf], default=0.0) or 1.0)
