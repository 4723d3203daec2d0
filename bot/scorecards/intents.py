"""Score the intent classifier: trained on one file, tried on another, over several seeds.

Knows nothing about metrics (evals/), nor about how tables are printed.
"""

import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.learning import training
from bot.learning.calibration import Progress
from evals import beir, intents

if TYPE_CHECKING:
    from models.intents.examples import Example

MEASURES = ("accuracy", "macro_f1", "oos_recall", "oos_auroc", "in_scope_rejected", "ece")


def evaluate(
    train: Path, test: Path, seeds: Sequence[int], threads: int, progress: Progress
) -> dict[str, object]:
    """Train once per seed; give the scores of what would serve, and of each kind of model.

    Training rows that also stand in the test file are left out, and counted as `leaked`. With
    several seeds every number is the mean, and `spread` holds the standard deviations.
    """
    rows, tests = read(train), read(test)
    kept = without_leaks(rows, tests)
    runs = [_run(kept, tests, seed, threads, progress) for seed in seeds]
    first = runs[0]
    shared = {
        "train": len(kept),
        "test": len(tests),
        "leaked": len(rows) - len(kept),
        "seeds": list(seeds),
        "serves": [run["serves"] for run in runs],
        "reason": first["reason"],
        "confusions": first["confusions"],
    }
    kinds = {name: _mean([_scores(run, name) for run in runs]) for name in ("bert", "baseline")}
    served = _mean([_scores(run, str(run["serves"])) for run in runs])
    return {**served, **kinds, **shared}


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


def _run(
    rows: "Sequence[Example]",
    tests: "Sequence[Example]",
    seed: int,
    threads: int,
    progress: Progress,
) -> dict[str, object]:
    from models.embedder import packaged_folder
    from models.intents import classifier

    def on_progress(done: int, steps: int) -> None:
        progress(f"training, seed {seed}", done, steps)

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        report = training.teach(
            [(row.text, row.intent) for row in rows],
            out,
            threads=threads,
            seed=seed,
            on_progress=on_progress,
        )
        scores: dict[str, object] = {"serves": report.serves, "reason": report.reason}
        for kind in classifier.KINDS:
            model = classifier.load(out, encoder=packaged_folder(), kind=kind)
            scores[kind] = score(model, tests, report.seconds)
    confusions = getattr(report, report.serves).confusions
    return {**scores, "confusions": confusions}


def score(model: object, tests: "Sequence[Example]", seconds: float) -> dict[str, object]:
    """Score a loaded classifier; `ms` is the time per message when classified together."""
    from models.intents.classifier import IntentModel

    assert isinstance(model, IntentModel)
    started = time.perf_counter()
    found = model.predict([row.text for row in tests])
    took = time.perf_counter() - started
    guesses = [
        intents.Guess(p.nearest, p.confidence, p.in_scope, rejected=p.intent is None) for p in found
    ]
    scored = intents.score([row.intent for row in tests], guesses, seconds)
    return {**scored, "ms": round(1000 * took / len(tests), 3)}


def _scores(run: Mapping[str, object], kind: str) -> Mapping[str, object]:
    scores = run[kind]
    assert isinstance(scores, Mapping)
    return scores


def _mean(runs: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Average the numbers; what is no number is the first run's."""
    if len(runs) == 1:
        return dict(runs[0])
    found, spread = dict(runs[0]), {}
    for name in (*MEASURES, "seconds", "ms"):
        values = [value for run in runs if isinstance(value := run[name], int | float)]
        if len(values) == len(runs):
            found[name] = statistics.fmean(values)
            spread[name] = statistics.stdev(values)
    return {**found, "spread": spread}


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
