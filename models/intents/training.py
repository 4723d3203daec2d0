"""Trains the intent classifier: examples in, a folder with weights, thresholds and report out.

Knows nothing about Slack, the database or which version serves; the loop is in finetune.py.
"""

import hashlib
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import bert
from models.files import sha256
from models.intents import augment, classifier, examples, heldout, report
from models.intents.calibration import Calibration, Trained
from models.intents.course import Epoch, averaged
from models.intents.examples import Example
from models.intents.finetune import Recipe
from models.intents.folds import (
    MIN_OOS,
    Both,
    Data,
    Fitter,
    Mask,
    Pair,
    Progress,
    leave_out,
    pooled,
    without_twins,
)
from models.intents.report import Report, Scores

CROSSED_ROWS = 1_000  # up to here each row is held out once, in 5 folds
TRIALS = 3  # trainings without a fifth of the intents, on so few rows; above, one
REFIT_ROWS = 2_500  # up to here two fifths are held out and the served model is trained once
# more, on all rows; above, a tenth is held out


def train(
    rows: Iterable[Example],
    *,
    encoder: Path,
    out: Path,
    seed: int = 0,
    recipe: Recipe | None = None,
    on_progress: Progress | None = None,
) -> Report:
    """Train both classifiers and decide which of them serves.

    1. Clean, cap and split the rows by hash. 2. Fit both without the held-out rows; their logits
    there give scores, temperature and threshold. 3. Try rejection: on held-out `oos` rows, else
    on a fifth of the intents left out of one small training. 4. On little data fit again on all
    rows. 5. Write weights, calibration, report.json and what held-out rows were taken for into `out`.

    A run over the same rows that was killed is continued from `out`/checkpoint. `encoder` is the
    pretrained folder; `on_progress` gets (steps done, steps in all). Raises TrainingError when
    rows are missing.
    """
    started = time.monotonic()
    kept, recipe = examples.prepare(rows, seed), recipe or Recipe()
    encoder_sha256 = sha256(encoder / bert.WEIGHTS)
    same = f"{examples.digest(kept)} {encoder_sha256} {recipe} {seed}"
    work = out / "checkpoint" / hashlib.sha256(same.encode()).hexdigest()[:12]
    work.mkdir(parents=True, exist_ok=True)
    fitter = Fitter(encoder, work, recipe, seed, on_progress)
    names = examples.labels(kept)
    data = fitter.read(kept, names)
    fitter.tune(data)
    outcome = _fit(fitter, data, kept)
    scored = {kind: outcome.score(names, kind) for kind in classifier.KINDS}
    wins, reason = report.better(scored["bert"][0], scored["baseline"][0])
    found = Report(
        data_sha256=examples.digest(kept),
        rows=int(data.inside.sum()),
        oos_rows=int((~data.inside).sum()),
        intents=names,
        held_out=int(outcome.held.inside.sum()),
        seed=seed,
        encoder_sha256=encoder_sha256,
        epochs=outcome.pair.course.best,
        augmented=outcome.augmented,
        serves="bert" if wins else "baseline",
        reason=reason,
        seconds=round(time.monotonic() - started, 1),
        bert=scored["bert"][0],
        baseline=scored["baseline"][0],
        warnings=examples.warnings(kept),
        course=outcome.course,
    )
    calibrations = {kind: scores[1] for kind, scores in scored.items()}
    kept_settings = classifier.Settings(names, found.serves, encoder_sha256, **calibrations)
    classifier.write(out, encoder, outcome.pair.bert, outcome.pair.baseline, kept_settings)
    found.write(out)
    heldout.write(out, (row.text for row in kept), outcome.told(kept, names, found.serves))
    shutil.rmtree(out / "checkpoint")
    return found


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The pair to keep, and both models' logits on rows they were not trained on."""

    pair: Pair
    order: NDArray[np.int64]  # which row each held-out one is
    held: Data
    logits: Both
    trial: tuple[Both, Both]  # in scope, out of scope
    augmented: bool
    lift: float  # of the energies, from the fits that held rows out to the pair
    course: list[Epoch]

    def score(self, names: list[str], kind: Trained) -> tuple[Scores, Calibration]:
        inside = self.held.inside
        known, unknown = (getattr(part, kind) for part in self.trial)
        logits = getattr(self.logits, kind)[inside]
        return report.score(
            names, logits, self.held.rows.truth[inside], (known, unknown), self.lift
        )

    def told(self, rows: list[Example], names: list[str], kind: Trained) -> dict[str, str]:
        """Give the intent that each held-out in-scope text was taken for."""
        guesses = getattr(self.logits, kind).argmax(1)
        found = zip(self.order, guesses, self.held.inside, strict=True)
        return {rows[i].text: names[guess] for i, guess, is_inside in found if is_inside}


def _fit(fitter: Fitter, data: Data, rows: list[Example]) -> _Outcome:
    crossed, refit = len(rows) <= CROSSED_ROWS, len(rows) <= REFIT_ROWS
    fold = examples.folds(rows, 5 if refit else 10, even=crossed)
    turns = [without_twins(data, fold == k) for k in range(5 if crossed else 2 if refit else 1)]
    order = np.concatenate([np.flatnonzero(turn) for turn in turns])
    held = Data(data.rows.take(order), data.vectors[order], data.intents)
    splits = []
    if int((~held.inside).sum()) < MIN_OOS:
        trials = range(TRIALS if crossed else 1)
        splits = [split for trial in trials if (split := leave_out(data, trial))]
    parts = [data.take(~turn) for turn in turns] + [data] * refit
    copies = _helpful_copies(fitter, data, rows, turns) if crossed else None
    if copies:
        parts = [data.take(~turn).joined(copies.take(~turn)) for turn in turns]
        parts += [data.joined(copies)] * refit
    fitter.expect([len(part.vectors) for part in [*(split.train for split in splits), *parts]])
    tried = fitter.trial(splits) if splits else None
    courses, found = [], []
    for number, turn in enumerate(turns):
        pair = fitter.fit(f"fold{number}", parts[number], data.take(turn))
        courses.append((int(turn.sum()), pair.course))
        found.append(pair.logits(data.take(turn)))
    if refit:
        pair = fitter.fit(
            "all", parts[-1], None, epochs=int(np.median([c.best for _, c in courses]))
        )
    logits = pooled(found)
    outside = logits.take(held.inside), logits.take(~held.inside)
    lift = fitter.lift(data, turns) if refit and len(order) else 0.0
    return _Outcome(
        pair, order, held, logits, tried or outside, bool(copies), lift, averaged(courses)
    )


def _helpful_copies(
    fitter: Fitter, data: Data, rows: list[Example], turns: list[Mask]
) -> Data | None:
    names = examples.labels(rows)
    copies = fitter.read(augment.augment(rows, fitter.seed), names)
    return copies if fitter.gain(data, copies, turns) > 0 else None
