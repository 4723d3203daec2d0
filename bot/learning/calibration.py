"""Fit the confidence, P(the message holds the fact), on questions with known facts, and tell what it is worth
on corpora or pages that it did not see.

Knows nothing about how a logistic model is fitted (models/confidence.py does).
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bot.answering.answerer import Answerer
from bot.answering.confidence import Calibrator, fitted
from bot.answering.parameters import Serving
from bot.answering.request import Request
from bot.services import Services
from evals import answers, metrics
from models import confidence
from store.records import READER, Answer

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done and how much there is."""

HIDDEN_IMPORTANCE = 0.15
"""The weight of a search with the right page hidden. There is one for each answerable question, and in real
use most questions are answerable."""

MANY = 200
"""Samples (questions, hidden pages and strangers' questions among them) from which corpora count alike."""

FOLDS = 5

CERTAIN = 0.8
"""Of the answers given without a doubt, the share that has to be right."""

TOLD = {"answer_above": 0.0, "unsure_above": 0.0}
"""Thresholds under which every reply is given: what a refused one would have shown is measured as well."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One search, and whether its message would hold the fact.

    Samples of one page stay together in a fold; `corpora` are those that it has to do with.
    """

    signals: Mapping[str, float]
    is_right: bool
    page: str
    importance: float
    corpora: tuple[str, ...] = ()
    # Made by hiding what answers, or asked where nothing answers: only fitted to.
    is_hidden: bool = False


def outspoken(services: Services, workspace: str) -> Answerer:
    """Give what answers in a workspace without ever refusing."""
    serving = Serving(services.database, workspace, fixed=TOLD)
    return Answerer(
        services.database, workspace, services.embedder, serving, reader=services.reader
    )


def samples(
    answerer: Answerer, rows: Sequence[answers.Labelled], progress: Progress
) -> list[Sample]:
    """Ask every question of an outspoken answerer, and the answerable ones again with their page hidden."""
    found = []
    for number, row in enumerate(rows, start=1):
        answer = answerer.answer(Request(row.question, READER))
        page = row.path or row.question_id
        found.append(Sample(answer.signals, could_hold(row, answer), page, 1.0))
        if row.answerable:
            signals = without_fact(answerer, row)
            found.append(Sample(signals, False, page, HIDDEN_IMPORTANCE, is_hidden=True))
        progress("questions", number, len(rows))
    return found


def could_hold(row: answers.Labelled, answer: Answer) -> bool:
    """Tell whether the message of an answer shows the fact."""
    return any(answers.tells(row, part.path, part.text) for part in answer.shown)


def without_fact(answerer: Answerer, row: answers.Labelled) -> Mapping[str, float]:
    """Give the signals of a search in which every page with the fact is hidden."""
    found = answerer.retriever.find(row.question, READER, answerer.serving.now())
    left = [
        p
        for p in found.passages
        if not any(answers.same_page(p.path, page) for page in row.pages)
        and not answers.tells(row, p.path, p.body)
    ]
    # A search that had not seen these pages would have found as many others: as near as the last, at most.
    others = left[-1:] * (len(found.passages) - len(left))
    return answerer.judge(replace(found, passages=[*left, *others]))[1]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the confidence is worth on pages that it was not fitted on."""

    questions: int
    ece: float  # calibration error, 0-1
    coverage_at_80: float  # the weighed share that is answered without a doubt, 80 % of it right


@dataclass(frozen=True, slots=True)
class FittedCalibrator:
    """A fitted calibrator: the logistic model, the two thresholds, and what it is worth on held-out pages."""

    model: confidence.Logistic
    answer_above: float
    unsure_above: float
    held_out: HeldOut

    @property
    def calibrator(self) -> Calibrator:
        """What answers are given with: the fitted model and thresholds, without the figures on held-out pages."""
        return Calibrator.of(self.payload)

    @property
    def payload(self) -> dict[str, object]:
        """What is kept of it, and read again by `Calibrator.of`."""
        return {
            **asdict(self.model),
            "answer_above": self.answer_above,
            "unsure_above": self.unsure_above,
            "held_out": asdict(self.held_out),
        }


def fit(samples: Sequence[Sample], prior: confidence.Logistic | None = None) -> FittedCalibrator:
    """Fit the model on all samples, and the thresholds on what it says of groups that it did not see.

    A group is a corpus where the samples are of several, and else a page. What serves may be the `prior`.
    """
    rows = [s.signals if prior else fitted(s.signals) for s in samples]
    right = [s.is_right for s in samples]
    importance = [s.importance for s in samples]
    probabilities = _held_out(samples, rows, right, importance, prior)
    real = [i for i, s in enumerate(samples) if not s.is_hidden]
    known, truth = [probabilities[i] for i in real], [right[i] for i in real]
    shares = [importance[i] for i in real]
    answer_above, unsure_above = confidence.thresholds(known, truth, shares, accuracy=CERTAIN)
    return FittedCalibrator(
        confidence.fit(rows, right, importance, prior=prior),
        answer_above,
        unsure_above,
        HeldOut(
            questions=len(real),
            ece=round(metrics.ece(known, truth), 4),
            coverage_at_80=round(_told(known, shares, answer_above), 4),
        ),
    )


def _told(probabilities: Sequence[float], shares: Sequence[float], answer_above: float) -> float:
    """Give the weighed share of the questions that is answered without a doubt."""
    told = sum(w for p, w in zip(probabilities, shares, strict=True) if p >= answer_above)
    return told / (sum(shares) or 1.0)


def _held_out(
    samples: Sequence[Sample],
    rows: Sequence[Mapping[str, float]],
    right: Sequence[bool],
    importance: Sequence[float],
    prior: confidence.Logistic | None,
) -> list[float]:
    corpora = {s.corpora[-1] for s in samples if s.corpora}
    several = len(corpora) > 1 and all(s.corpora for s in samples)
    groups = [s.corpora[-1] if several else s.page for s in samples]
    folds = len(corpora) if several else FOLDS
    return confidence.held_out(rows, right, groups, importance, prior=prior, folds=folds)


def balanced(samples: Sequence[Sample]) -> list[Sample]:
    """Weigh the samples so that every corpus counts alike, but one of fewer than `MANY` less, by its share of them."""
    sizes = Counter(s.corpora[-1] for s in samples)
    worth = {name: min(size, MANY) / size for name, size in sizes.items()}
    middle = len(samples) / (sum(worth[s.corpora[-1]] for s in samples) or 1.0)
    return [replace(s, importance=s.importance * middle * worth[s.corpora[-1]]) for s in samples]


def refit(services: Services, file: Path, out: Path | None, progress: Progress) -> FittedCalibrator:
    """Fit on the questions of a file over what is ingested; write the payload to `out` when given."""
    answerer = outspoken(services, services.workspace)
    found = fit(samples(answerer, answers.labelled(file), progress))
    if out is not None:
        out.write_text(json.dumps(found.payload, indent=2) + "\n", encoding="utf-8")
    return found
