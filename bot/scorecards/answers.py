"""Ask questions with known quotes through the pipeline, and score what it answers.

Knows nothing about metrics (evals/) or how tables are printed (the command line does that).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.answering.answerer import Answerer
from bot.answering.parameters import Parameters
from bot.learning import frozen_set
from bot.learning.calibration import Progress
from bot.services import Services
from evals import answers
from evals.answers import Labelled, Outcome
from store.index import search
from store.records import READER, Answer


@dataclass(frozen=True, slots=True)
class Asked:
    """One evaluated question: its truth, the answer, and which passage came first by one leg alone."""

    row: Labelled
    answer: Answer


def ask_all(answerer: Answerer, rows: Sequence[Labelled], progress: Progress) -> list[Asked]:
    """Ask every question through the pipeline, as a reader who may see what everyone may."""
    asked = []
    for number, row in enumerate(rows, start=1):
        asked.append(Asked(row, answerer.answer(row.question, READER)))
        progress("questions", number, len(rows))
    return asked


def outcome(answer: Answer, confidence: float | None = None) -> Outcome:
    """Reduce an answer to what is scored."""
    return Outcome(
        confidence=answer.confidence if confidence is None else confidence,
        refused=answer.status not in ("answered", "unsure"),
        pages=tuple(dict.fromkeys(p.path for p in answer.passages)),
        quotes=tuple(p.body for p in answer.passages),
    )


def one_leg(
    answerer: Answerer, parameters: Parameters, rows: Sequence[Labelled], leg: search.Leg
) -> list[Outcome]:
    """Show what one leg alone would put first (it has no confidence and refuses nothing)."""
    outcomes = []
    for row in rows:
        found = answerer.find(row.question, READER, parameters, leg=leg).passages
        outcomes.append(
            Outcome(
                confidence=found[0].score if found else 0.0,
                refused=not found,
                pages=tuple(dict.fromkeys(p.path for p in found)),
                quotes=tuple(p.body for p in found),
            )
        )
    return outcomes


def score(
    answerer: Answerer, parameters: Parameters, rows: Sequence[Labelled], progress: Progress
) -> dict[str, object]:
    """Ask all questions over what is ingested; score them beside each leg alone."""
    asked = ask_all(answerer, rows, progress)
    outcomes = [outcome(one.answer) for one in asked]
    result = answers.score(rows, outcomes)
    for leg in ("vector", "lexical"):
        alone = one_leg(answerer, parameters, rows, leg)
        result[f"{leg}_only"] = {
            key: answers.score(rows, alone)[key]
            for key in ("quote_first", "page_first", "page_top5")
        }
    result["by_kind"] = answers.by_kind(rows, outcomes)
    times = sorted(one.answer.timings_ms.get("total", 0.0) for one in asked)
    result["ms"] = {"p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)]}
    return result


def handbook(services: Services, progress: Progress) -> dict[str, object]:
    """Ask the frozen set's questions with the parameters that ship, and score the answers."""
    workspace, rows = frozen_set.index(services), answers.labelled(frozen_set.QUESTIONS)
    answerer, shelf = frozen_set.answerer(services, workspace)
    return score(answerer, shelf.now(), rows, progress)
