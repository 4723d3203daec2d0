"""Train the intents on the file's examples and people's labels, and let the result serve only if it is better.

Knows nothing about how a classifier is trained, or about votes.

Every training cross-validates, and keeps what each row was taken for by the fit that did not see it
(models/intents/heldout.py). So the candidate and what serves are compared on rows that neither had seen,
without a further training, and no row has to be set aside for good: of a few hundred examples that would cost
more accuracy than labels bring. Here the file's examples stand in for the frozen set.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.answering.classifier import KIND, root
from bot.learning import looks, promotion, rollback, training, training_set
from bot.learning.promotion import Verdict
from bot.learning.training_set import TrainingSet
from bot.services import Services
from store.feedback import trainings, versions
from store.records import ModelVersion

MIN_LABELS = 50
"""Labelled messages that a night needs. To pass the first look, at least nine of these must newly be told
right, and none newly wrong."""

MOST_LOST = 0.005
"""What all nights together may lose on the examples (accuracy), since these were last trained on alone."""

Predictions = Mapping[str, str | None]
"""The intent that a model took each text for, without having been trained on it; None where it had been."""

TRAIN = "Run: threadwise intents train"


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """What could be trained on tonight, what serves, and whether a version was trained on just these rows.

    `rests` says why nothing may be promoted tonight, where the intents were rolled back lately; `missing`
    how many new labels the next look needs, `level` at which level it tests."""

    given: TrainingSet
    serving: ModelVersion | None
    is_known: bool
    rests: str | None = None
    missing: int = 0
    level: float = looks.level(1)

    @property
    def digest(self) -> str:
        """A hash of all that decides how a training would end: the same digest need not be tried again."""
        serving = str(self.serving.version_id) if self.serving else ""
        rows = [self.given.payload.get(name) for name in ("examples", "labels")]
        return hashlib.sha256(json.dumps([serving, bool(self.rests), *rows]).encode()).hexdigest()


def look(
    services: Services, workspace: str, now: datetime, looked: looks.Looks | None = None
) -> LabelBatch:
    """Read the labels given until `now`, what serves, and what the looks of the year (`looked`) leave."""
    looked, intents = looked or looks.Looks(), services.intents.now()
    last, missing = looked.last(KIND), 0
    with services.database.connection() as connection:
        given = training_set.gather(connection, workspace, intents, now)
        if last is not None:
            old = training_set.gather(connection, workspace, intents, last.at)
            new = len(given.labels) - len(old.labels)
            missing = max(0, looks.needed(len(old.labels)) - new)
        known = versions.all_of(connection, workspace, KIND)
        # It learns from labels, not from votes: a known set of labels is not tried again anyway.
        rests = rollback.resting(connection, workspace, now, need=0).get(KIND)
    serving = next((version for version in known if version.is_serving), None)
    return LabelBatch(
        given,
        serving,
        any(given.is_of(version) for version in known),
        rests,
        missing,
        looks.level(looked.number(KIND)),
    )


def teach(
    services: Services,
    workspace: str,
    batch: LabelBatch,
    dry_run: bool = False,
    *,
    encoder: Path | None = None,
) -> Verdict:
    """Train, compare with what serves, and let the result serve if it passes; `encoder` as in training.teach.

    A night that was killed leaves its checkpoints behind, and the next one goes on from there.
    """
    from models.files import ModelError
    from models.intents.examples import TrainingError
    from models.shelf import ShelfError, verify

    missing = _missing(batch)
    if missing or batch.serving is None:
        return missing or Verdict(KIND, "waiting", TRAIN)
    shelf, given = root(services.settings.home), batch.given
    served, out = shelf / (batch.serving.path or ""), shelf / ".training-night"
    texts = [text for text, _ in given.rows]
    try:
        verify(served)
        before = predictions(served, texts, encoder)
        if not before:
            return judge(given, {}, {}, level=batch.level)
        training.teach(given.rows, out, threads=services.settings.threads, encoder=encoder)
        after = predictions(out, texts, encoder)
        verdict = judge(given, before, after, _carried(batch.serving), level=batch.level)
    except (ModelError, ShelfError, TrainingError) as error:
        return Verdict(KIND, "failed", str(error))
    if verdict.decision != "promoted" or dry_run:
        if not dry_run:
            _note(services, workspace, training.read_report(out))
        shutil.rmtree(out)
    elif not _serves_still(services, workspace, batch.serving):
        return replace(verdict, decision="waiting", reason="Another version serves meanwhile.")
    else:
        training.keep(services, given, out, detail={"night": dict(verdict.numbers)})
    return verdict


def _note(services: Services, workspace: str, report: Mapping[str, Any]) -> None:
    """Keep how a training went whose model does not serve."""
    found = training.of(report, datetime.now(UTC), is_kept=False)
    with services.database.connection() as connection:
        trainings.add(connection, workspace, found)


def judge(
    given: TrainingSet,
    before: Predictions,
    after: Predictions,
    carried: float = 0.0,
    *,
    level: float = looks.level(1),
) -> Verdict:
    """Decide by what each model took labels and examples for that it had not seen.

    Labels must be told better (McNemar's test). The examples must not be told worse: neither tonight, nor
    together with the mean change (`carried`) of the nights before.
    """
    labels = [_right(row, before, after) for row in given.labels]
    changes = [new - old for old, new in filter(None, labels)]
    examples = [_right(row, before, after) for row in given.intents.examples()]
    frozen = [float(new - old) for old, new in filter(None, examples)]
    if not frozen:
        return Verdict(KIND, "waiting", f"What serves was kept without held-out examples. {TRAIN}")
    total = carried + sum(frozen) / len(frozen)
    verdict = promotion.judge(
        KIND,
        given.payload,
        judged=len(changes),
        better=changes.count(1),
        worse=changes.count(-1),
        chance=0.5,
        frozen=frozen,
        level=level,
        what="labels",
    )
    counts = {
        "labels": len(given.labels),
        "unknown": given.unknown,
        "frozen_total": round(total, 5),
    }
    verdict = replace(verdict, numbers={**verdict.numbers, **counts})
    if verdict.decision == "promoted" and total < -MOST_LOST:
        reason = f"with the nights before it the examples would lose {-100 * total:.1f} points"
        verdict = replace(verdict, decision="refused", reason=reason)
    if given.unknown:
        left = f"{verdict.reason}; {given.unknown} labels of deleted intents were left out"
        verdict = replace(verdict, reason=left)
    return verdict


def predictions(folder: Path, texts: Sequence[str], encoder: Path | None = None) -> Predictions:
    """Give what the model in `folder` takes texts for that it was not trained on.

    Rows of its training are looked up in what its cross-validation kept (None where a row was never held
    out), other texts are classified. Empty for a version that kept nothing. Raises ModelError.
    """
    from models.embedder import packaged_folder
    from models.intents import classifier, heldout

    record = heldout.read(folder)
    if not record:
        return {}
    found = {text: record.get(heldout.key(text)) for text in texts}
    new = [text for text in texts if heldout.key(text) not in record]
    if new:
        model = classifier.load(folder, encoder=encoder or packaged_folder())
        found |= {text: p.nearest for text, p in zip(new, model.predict(new), strict=True)}
    return found


def _missing(batch: LabelBatch) -> Verdict | None:
    """Say why nothing is trained tonight; None when it is."""
    count, serving = len(batch.given.labels), batch.serving
    if count < MIN_LABELS:
        return promotion.waits(KIND, count, MIN_LABELS, "labelled messages")
    if serving is None or serving.payload.get("examples") != batch.given.intents.digest:
        return Verdict(KIND, "waiting", f"The examples themselves are not trained on yet. {TRAIN}")
    if batch.is_known:
        return Verdict(KIND, "unchanged", "A version was trained on just these labels.")
    if batch.missing:
        reason = f"{batch.missing} more labels are needed since they were last tested."
        return Verdict(KIND, "waiting", reason)
    if batch.rests:
        return Verdict(KIND, "waiting", batch.rests)
    return None


def _serves_still(services: Services, workspace: str, version: ModelVersion) -> bool:
    with services.database.connection() as connection:
        serving = versions.serving(connection, workspace).get(KIND)
    return serving is not None and serving.version_id == version.version_id


def _carried(serving: ModelVersion) -> float:
    night = serving.payload.get("night")
    return float(night["frozen_total"]) if isinstance(night, dict) else 0.0


def _right(row: tuple[str, str], before: Predictions, after: Predictions) -> tuple[int, int] | None:
    text, intent = row
    old, new = before.get(text), after.get(text)
    return None if old is None or new is None else (int(old == intent), int(new == intent))
