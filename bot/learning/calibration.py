"""Fit the confidence on questions with known quotes, and tell what it is worth on pages that it did not see.

Knows nothing about how a logistic model is fitted (models/confidence.py does).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bot.answering.answerer import Answerer
from bot.answering.retrieval import Found
from bot.services import Services
from evals import answers, metrics
from models import confidence
from store.records import READER

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done and how much there is."""

HIDDEN_IMPORTANCE = 0.15
"""The weight of a search with the right page hidden. There is one for each answerable question, and in real
use most questions are answerable (calibration error .042; .051 without them, .068 at a weight of .35)."""

CERTAIN = 0.8
"""Of the answers given without a doubt, the share that has to be right."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One search, and whether its first passage was right. Samples of one page stay together in a fold."""

    signals: Mapping[str, float]
    is_right: bool
    page: str
    importance: float


def samples(
    answerer: Answerer, rows: Sequence[answers.Labelled], progress: Progress
) -> list[Sample]:
    """Search for every question, and for the answerable ones a second time with their page hidden."""
    found_samples, parameters = [], answerer.serving.now()
    for number, row in enumerate(rows, start=1):
        found = answerer.retriever.find(row.question, READER, parameters)
        page = row.path or row.question_id
        found_samples.append(_sample(answerer, found, row, page, 1.0))
        if row.answerable:
            left = [p for p in found.passages if not answers.same_page(p.path, row.path or "")]
            hidden = replace(found, passages=left)
            nothing = replace(row, answerable=False)
            found_samples.append(_sample(answerer, hidden, nothing, page, HIDDEN_IMPORTANCE))
        progress("questions", number, len(rows))
    return found_samples


def _sample(
    answerer: Answerer, found: Found, row: answers.Labelled, page: str, importance: float
) -> Sample:
    _, signals = answerer.judge(found)
    outcome = answers.Outcome(
        confidence=0.0,
        refused=False,
        pages=tuple(p.path for p in found.passages),
        quotes=tuple(p.body for p in found.passages),
    )
    return Sample(signals, answers.is_right(row, outcome), page, importance)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the confidence is worth on pages that it was not fitted on."""

    questions: int
    ece: float  # calibration error, 0-1
    coverage_at_80: float  # the share that could be answered with 80 % of it right


@dataclass(frozen=True, slots=True)
class FittedCalibrator:
    """A fitted calibrator: the logistic model, the two thresholds, and what it is worth on held-out pages."""

    model: confidence.Logistic
    answer_above: float
    unsure_above: float
    held_out: HeldOut

    @property
    def payload(self) -> dict[str, object]:
        """What is kept of it, and read again by `Calibrator.of`."""
        return {
            **asdict(self.model),
            "answer_above": self.answer_above,
            "unsure_above": self.unsure_above,
            "held_out": asdict(self.held_out),
        }


def fit(samples: Sequence[Sample]) -> FittedCalibrator:
    """Fit the model on all samples, and the thresholds on what it says of pages that it did not see."""
    rows = [s.signals for s in samples]
    right = [s.is_right for s in samples]
    importance = [s.importance for s in samples]
    probabilities = confidence.held_out(rows, right, [s.page for s in samples], importance)
    real = [i for i, s in enumerate(samples) if s.importance == 1.0]
    known, truth = [probabilities[i] for i in real], [right[i] for i in real]
    answer_above, unsure_above = confidence.thresholds(known, truth, accuracy=CERTAIN)
    return FittedCalibrator(
        confidence.fit(rows, right, importance),
        answer_above,
        unsure_above,
        HeldOut(
            questions=len(real),
            ece=round(metrics.ece(known, truth), 4),
            coverage_at_80=answers.coverage(list(zip(known, truth, strict=True)), 0.8),
        ),
    )


def refit(services: Services, file: Path, out: Path | None, progress: Progress) -> FittedCalibrator:
    """Fit on the questions of a file over what is ingested; write the payload to `out` when given."""
    drawn = samples(services.answerer, answers.labelled(file), progress)
    found = fit(drawn)
    if out is not None:
        out.write_text(json.dumps(found.payload, indent=2) + "\n", encoding="utf-8")
    return found
