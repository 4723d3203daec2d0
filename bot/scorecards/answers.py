"""Ask questions with known quotes through the pipeline, and score what it answers.

Knows nothing about how measures are worked out (evals/) or how tables are printed (the command line does that).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from bot.answering import confidence
from bot.answering.answerer import Answerer
from bot.answering.request import Request
from bot.learning import frozen_set
from bot.learning.calibration import Progress
from bot.learning.replay import answerer_in
from bot.services import Services
from evals import answers, metrics
from evals.answers import Labelled, Outcome
from store.index import search
from store.records import READER, Answer

LEGS: tuple[search.Leg, ...] = ("vector", "lexical")


@dataclass(frozen=True, slots=True)
class OneLeg:
    """What one leg of the search alone would put first."""

    quote_first: float
    page_first: float
    page_top5: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """How well the questions of a file were answered; `by_kind` counts (right or rightly refused, asked).

    `held_out` is given where the shipped confidence was fitted on these very questions: what it is worth on
    them when it is fitted on the other corpora alone.
    """

    scores: answers.Scores
    vector_only: OneLeg
    lexical_only: OneLeg
    by_kind: Mapping[str, tuple[int, int]]
    ms: metrics.Times  # per answer
    held_out: Mapping[str, float] | None = None

    def as_json(self) -> dict[str, object]:
        """Give the scores themselves at the top, the rest beside them."""
        return {
            **asdict(self.scores),
            **(self.held_out or {}),
            "chosen_on_these": self.held_out is not None,
            "vector_only": asdict(self.vector_only),
            "lexical_only": asdict(self.lexical_only),
            "by_kind": dict(self.by_kind),
            "ms": asdict(self.ms),
        }


def score(answerer: Answerer, rows: Sequence[Labelled], progress: Progress) -> Scorecard:
    """Ask all questions over what is ingested, as a reader who may see what everyone may.

    Each leg of the search is scored alone beside it.
    """
    given = []
    for number, row in enumerate(rows, start=1):
        given.append(answerer.answer(Request(row.question, READER)))
        progress("questions", number, len(rows))
    outcomes = [_outcome(answer) for answer in given]
    vector, lexical = (_one_leg(answerer, rows, leg) for leg in LEGS)
    return Scorecard(
        scores=answers.score(rows, outcomes),
        vector_only=vector,
        lexical_only=lexical,
        by_kind=answers.by_kind(rows, outcomes),
        ms=metrics.times([answer.timings_ms.get("total", 0.0) for answer in given]),
    )


def handbook(services: Services, progress: Progress) -> Scorecard:
    """Score the frozen set's questions with the parameters that ship, whatever has been learned.

    Ranking, thresholds and confidence were chosen on these questions; what the confidence is worth is told
    by the figures that it had here when it was fitted on the other corpora alone.
    """
    workspace, rows = frozen_set.index(services), answers.labelled(frozen_set.QUESTIONS)
    found = score(answerer_in(services, workspace), rows, progress)
    told = json.loads(confidence.DEFAULT.read_text(encoding="utf-8"))["left_out"]["handbook"]
    return replace(found, held_out={name: told[name] for name in ("ece", "coverage_at_80")})


def _outcome(answer: Answer) -> Outcome:
    return Outcome(
        confidence=answer.confidence,
        refused=answer.status not in ("answered", "unsure"),
        pages=tuple(dict.fromkeys(p.path for p in answer.passages)),
        quotes=tuple(p.body for p in answer.passages),
    )


def _one_leg(answerer: Answerer, rows: Sequence[Labelled], leg: search.Leg) -> OneLeg:
    """A leg alone has no confidence of its own and refuses nothing that it finds anything for."""
    outcomes, parameters = [], answerer.serving.now()
    for row in rows:
        found = answerer.retriever.find(row.question, READER, parameters, leg=leg).passages
        outcomes.append(
            Outcome(
                confidence=found[0].score if found else 0.0,
                refused=not found,
                pages=tuple(dict.fromkeys(p.path for p in found)),
                quotes=tuple(p.body for p in found),
            )
        )
    scores = answers.score(rows, outcomes)
    return OneLeg(scores.quote_first, scores.page_first, scores.page_top5)
