"""Score the replies to several corpora's questions by what a reader sees; whatever is fitted is fitted without
the corpus that it is reported on.

Knows nothing about how corpora are indexed and asked (asking.py) or how tables are printed.
"""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.answering.confidence import Calibrator
from bot.learning import calibration
from bot.learning.calibration import FittedCalibrator, Progress, Sample
from bot.scorecards.asking import Asked, Evidence, gather
from bot.services import Services
from evals import beir, messages
from evals.corpora import Corpus
from evals.messages import Card, Reply

OF_CONFIDENCE = (
    "refused_unanswerable",
    "refused_answerable",
    "crag",
    "coverage_at_80",
    "auroc",
    "ece",
)
"""The measures that are kept with a calibrator."""


def judged(asked: Sequence[Asked], by: Calibrator) -> list[Reply]:
    """Give the replies with the confidence of a calibrator, refused where it refuses."""
    replies = []
    for one in asked:
        confidence = by.probability(one.signals) if one.signals else 0.0
        is_refused = not one.signals or by.status(confidence) == "not_found"
        replies.append(replace(one.reply, confidence=confidence, is_refused=is_refused))
    return replies


NOT_ANSWERED = 0.25
"""Share of a corpus' questions that nothing answers, at most, when a calibrator is fitted: about as many as in sets that
colleagues wrote. Corpora that were made to have more of them would make the bot timid."""


def samples(evidence: Evidence) -> list[Sample]:
    """Give what a calibrator is fitted to: every corpus of whole documents counts alike.

    Fitted to lone passages as well (Wikipedia's, without the page around them), it was worse on all
    handbooks: AUROC .75 -> .66, .74 -> .66.
    """
    drawn = [
        *(_sample(one, worth) for part in evidence.scored.values() for one, worth in _worth(part)),
        *(
            replace(_sample(one, calibration.HIDDEN_IMPORTANCE), is_hidden=True)
            for one in evidence.further
        ),
    ]
    fitted = [s for s in drawn if s.signals and evidence.only_reported.isdisjoint(s.corpora)]
    return calibration.balanced(fitted) if fitted else []


def _worth(part: Sequence[Asked]) -> list[tuple[Asked, float]]:
    """Weigh a corpus' questions so that those that nothing answers are not more than their share."""
    answered = sum(one.row.answerable for one in part)
    others = len(part) - answered
    most = answered * NOT_ANSWERED / (1 - NOT_ANSWERED)
    worth = min(1.0, most / others) if others and answered else 1.0
    return [(one, 1.0 if one.row.answerable else worth) for one in part]


def _sample(one: Asked, importance: float) -> Sample:
    page = one.row.path or one.row.question_id
    return Sample(one.signals, one.reply.could_hold, page, importance, one.corpora)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The measures of every corpus: with the calibrator that ships, and left out: by a fit without the corpus.

    `fitted` is fitted on all of them; no figure is told of it.
    """

    serving: Mapping[str, Card]
    left_out: Mapping[str, Card]
    fitted: FittedCalibrator | None
    fitted_on: Collection[str] = ()

    def as_json(self) -> dict[str, object]:
        """Give both, each with its mean, as {corpus: {measure: [value, low, high]}}."""
        return {"serving": _as_json(self.serving), "left_out": _as_json(self.left_out)}


def score(
    services: Services, given: Sequence[Corpus], progress: Progress, *, together: bool = True
) -> Scorecard:
    """Ask all questions of all corpora, and score the replies."""
    evidence = gather(services, given, progress, together=together)
    return scored(evidence, Calibrator.default())


def scored(evidence: Evidence, serving: Calibrator) -> Scorecard:
    """Score what was asked by what serves, and by fits that saw nothing of the corpus that they score."""
    now = {name: messages.score(judged(part, serving)) for name, part in evidence.scored.items()}
    names = {one.home for part in evidence.scored.values() for one in part}
    if (
        len(names - evidence.only_reported) < 3
    ):  # thresholds are tried on a corpus that the weights did not see
        return Scorecard(now, {}, None)
    drawn = samples(evidence)
    without = {
        name: calibration.fit([s for s in drawn if name not in s.corpora]).calibrator
        for name in sorted(names)
    }
    left_out = {
        name: messages.score([judged([one], without[one.home])[0] for one in part])
        for name, part in evidence.scored.items()
    }
    return Scorecard(now, left_out, calibration.fit(drawn), names - evidence.only_reported)


def keep(result: Scorecard, out: Path) -> None:
    """Write the calibrator that is fitted on all corpora, with the figures of the fits that left one out.

    Raises beir.DataError when there were too few corpora to leave one out.
    """
    if result.fitted is None:
        raise beir.DataError("A calibrator needs three corpora or more: one of them is left out.")
    names = sorted(result.fitted_on)
    payload = {
        **result.fitted.payload,
        "fitted_on": names,
        "fitted_at": datetime.now(UTC).date().isoformat(),
        "command": "threadwise eval corpora CORPUS... --out FILE",
        "left_out": {
            name: {
                measure: round(card.values[measure], 3)
                for measure in OF_CONFIDENCE
                if not math.isnan(card.values[measure])
            }
            for name, card in result.left_out.items()
        },
    }
    out.write_text(json.dumps(payload, indent=2) + "\n", encoding="utf-8")


def _as_json(cards: Mapping[str, Card]) -> dict[str, object]:
    if not cards:
        return {}
    rows = {name: card.measured() for name, card in cards.items()}
    rows["mean"] = messages.mean(list(cards.values()))
    return {
        name: {
            measure: [round(x, 4) if not math.isnan(x) else None for x in found]
            for measure, found in measured.items()
        }
        for name, measured in rows.items()
    }
