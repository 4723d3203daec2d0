"""Score the intent classifier: trained on one file, tried on another, over several seeds.

Knows nothing about how measures are worked out (evals/), nor about how tables are printed.
"""

import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.learning import training
from bot.learning.calibration import Progress
from evals import beir, intents

if TYPE_CHECKING:
    from models.intents.classifier import IntentModel
    from models.intents.examples import Example
    from models.intents.report import Report

MEASURES = ("accuracy", "macro_f1", "oos_recall", "oos_auroc", "in_scope_rejected", "ece")


@dataclass(frozen=True, slots=True)
class ModelScores:
    """What one kind of model scored; over several seeds the means, with the standard deviations in `spread`."""

    scores: intents.Scores
    ms: float  # per message, when classified together
    spread: Mapping[str, float] | None = None

    @property
    def measures(self) -> dict[str, float | None]:
        """The numbers that are averaged over seeds, by name."""
        return {name: getattr(self.scores, name) for name in (*MEASURES, "seconds")} | {
            "ms": self.ms
        }

    def as_json(self) -> dict[str, object]:
        """Give the scores at the top, the rest beside them."""
        spread = {} if self.spread is None else {"spread": dict(self.spread)}
        return {**asdict(self.scores), "ms": self.ms, **spread}


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Trainings on one file, tried on another: what would serve, and each kind of model.

    `leaked` training rows also stand in the test file, and were left out of the `train` ones.
    `confusions` are the first seed's (truth, taken for, times).
    """

    served: ModelScores
    bert: ModelScores
    baseline: ModelScores
    train: int
    test: int
    leaked: int
    seeds: tuple[int, ...]
    serves: tuple[str, ...]  # "bert" or "baseline", a seed each
    reason: str
    confusions: tuple[tuple[str, str, int], ...]

    def as_json(self) -> dict[str, object]:
        """Give what would serve at the top, the rest beside it."""
        rest = ("train", "test", "leaked", "seeds", "serves", "reason", "confusions")
        return {
            **self.served.as_json(),
            "bert": self.bert.as_json(),
            "baseline": self.baseline.as_json(),
            **{name: getattr(self, name) for name in rest},
        }


@dataclass(frozen=True, slots=True)
class _Trial:
    """One training, with what each kind of model made of the test rows."""

    report: "Report"
    kinds: Mapping[str, ModelScores]

    @property
    def served(self) -> ModelScores:
        return self.kinds[self.report.serves]


def evaluate(
    train: Path,
    test: Path,
    seeds: Sequence[int],
    threads: int,
    progress: Progress,
    encoder: Path | None = None,
) -> Scorecard:
    """Train once per seed, and score what comes out on the test file; raises DataError.

    `encoder` is the pretrained folder, the packaged one by default.
    """
    rows, tests = read(train), read(test)
    kept = without_leaks(rows, tests)
    trials = [_trial(kept, tests, seed, threads, progress, encoder) for seed in seeds]
    first = trials[0].report
    return Scorecard(
        served=mean([trial.served for trial in trials]),
        bert=mean([trial.kinds["bert"] for trial in trials]),
        baseline=mean([trial.kinds["baseline"] for trial in trials]),
        train=len(kept),
        test=len(tests),
        leaked=len(rows) - len(kept),
        seeds=tuple(seeds),
        serves=tuple(trial.report.serves for trial in trials),
        reason=first.reason,
        confusions=tuple((first.bert if first.serves == "bert" else first.baseline).confusions),
    )


def read(path: Path) -> "list[Example]":
    """Read JSONL {"text", "intent"}; raise DataError naming the row that is not."""
    from models.intents.examples import Example

    found = []
    for number, row in enumerate(beir.lines(path), start=1):
        if not isinstance(row.get("text"), str) or not isinstance(row.get("intent"), str):
            raise beir.DataError(f'{path}, row {number} is not {{"text": ..., "intent": ...}}.')
        found.append(Example(str(row["text"]), str(row["intent"])))
    if not found:
        raise beir.DataError(f'{path} has no rows. Give JSONL with {{"text", "intent"}}.')
    return found


def without_leaks(rows: "Sequence[Example]", tests: "Sequence[Example]") -> "list[Example]":
    """Leave out the training rows that a test row repeats but for case, spaces and punctuation."""
    known = {_plain(row.text) for row in tests}
    return [row for row in rows if _plain(row.text) not in known]


def _trial(
    rows: "Sequence[Example]",
    tests: "Sequence[Example]",
    seed: int,
    threads: int,
    progress: Progress,
    encoder: Path | None,
) -> _Trial:
    from models.embedder import packaged_folder
    from models.intents import classifier

    encoder = encoder or packaged_folder()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        report = training.teach(
            [(row.text, row.intent) for row in rows],
            out,
            threads=threads,
            seed=seed,
            on_progress=lambda done, steps: progress(f"training, seed {seed}", done, steps),
            encoder=encoder,
        )
        return _Trial(
            report,
            {
                kind: _score(
                    classifier.load(out, encoder=encoder, kind=kind), tests, report.seconds
                )
                for kind in classifier.KINDS
            },
        )


def _score(model: "IntentModel", tests: "Sequence[Example]", seconds: float) -> ModelScores:
    from models.intents.examples import OOS

    started = time.perf_counter()
    found = model.predict([row.text for row in tests])
    took = time.perf_counter() - started
    guesses = [
        intents.Guess(p.nearest, p.confidence, p.in_scope, rejected=p.intent is None) for p in found
    ]
    truth = [None if row.intent == OOS else row.intent for row in tests]
    return ModelScores(
        intents.score(truth, guesses, seconds), ms=round(1000 * took / len(tests), 3)
    )


def mean(runs: Sequence[ModelScores]) -> ModelScores:
    """Average what every run could measure; the rest is the first run's."""
    if len(runs) == 1:
        return runs[0]
    means: dict[str, Any] = {}
    spread: dict[str, float] = {}
    for name in runs[0].measures:
        values = [value for run in runs if (value := run.measures[name]) is not None]
        if len(values) == len(runs):
            means[name], spread[name] = statistics.fmean(values), statistics.stdev(values)
    ms = means.pop("ms")
    return ModelScores(replace(runs[0].scores, **means), ms, spread)


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
