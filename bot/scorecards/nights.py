"""Ten nights in a row that teach the intents from labels, some of them wrong: what do they cost the rest?

Knows nothing about the store: the same training and the same promotion gate as a night's, on rows handed in.
"""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.intents import Intents
from bot.learning import fit_intents, looks, training, training_set
from bot.learning.calibration import Progress
from bot.learning.training_set import Rows
from evals import metrics, paired
from models.intents import heldout
from store.records import Decision

TEST_PART, LABEL_PART = 5, 2
"""Every fifth row is never trained on; of the rest every second arrives as a label."""

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Split:
    """The examples that there are from the start, the labels to come, and the test rows."""

    intents: Intents
    labels: tuple[tuple[str, str], ...]
    test: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NightScores:
    """One night: accuracy on the test rows of its candidate (`trained`) and of what serves after it."""

    labels: int
    decision: Decision
    trained: float
    serves: float
    reason: str


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Accuracy on the `frozen` rows before the first night and after the last, with the change's interval.

    `wrong` is the share of labels that name another intent.
    """

    examples: int
    wrong: float
    frozen: int
    before: float
    after: float
    change: float
    interval: metrics.Interval
    wilson: metrics.Interval  # of `after`
    promotions: int
    nights: tuple[NightScores, ...]


def run(
    intents: Intents, *, count: int, wrong: float, seed: int, threads: int, progress: Progress
) -> Scorecard:
    """Train on the examples, then once a night with the labels so far, and let the promotion gate decide."""
    split, nights = divide(intents, wrong, seed), []
    with tempfile.TemporaryDirectory() as scratch:
        serving, carried = Path(scratch) / "0", 0.0
        training.teach(split.intents.examples(), serving, threads=threads, seed=seed)
        first = now = _right(serving, split.test)
        for number in range(1, count + 1):
            progress("nights", number - 1, count)
            given = training_set.choose(split.intents, arrived(split.labels, number, count), AT)
            out = Path(scratch) / f"{number}"
            training.teach(given.rows, out, threads=threads, seed=seed)
            texts = [text for text, _ in given.rows]
            before, after = (fit_intents.predictions(folder, texts) for folder in (serving, out))
            verdict = fit_intents.judge(given, before, after, carried, level=looks.level(number))
            trained = _right(out, split.test)
            if verdict.decision == "promoted":
                serving, now, carried = out, trained, verdict.numbers["frozen_total"]
            nights.append(
                NightScores(
                    len(given.labels), verdict.decision, _mean(trained), _mean(now), verdict.reason
                )
            )
    change = [b - a for a, b in zip(first, now, strict=True)]
    low, high = paired.interval(change)
    lowest, highest = metrics.wilson(int(sum(now)), len(now))
    return Scorecard(
        examples=len(split.intents.examples()),
        wrong=wrong,
        frozen=len(split.test),
        before=_mean(first),
        after=_mean(now),
        change=round(sum(change) / len(change), 4),
        interval=(round(low, 4), round(high, 4)),
        wilson=(round(lowest, 4), round(highest, 4)),
        promotions=sum(night.decision == "promoted" for night in nights),
        nights=tuple(nights),
    )


def divide(intents: Intents, wrong: float, seed: int) -> Split:
    """Divide the rows by a hash of their text; mislabel the given share of the labels."""
    number = {text: int(heldout.key(text), 16) for text, _ in intents.examples()}
    test = [row for row in intents.examples() if number[row[0]] % TEST_PART == 0]
    rest = [row for row in intents.examples() if number[row[0]] % TEST_PART]
    later = [row for row in rest if number[row[0]] // TEST_PART % LABEL_PART]
    kept = tuple(
        replace(
            i, examples=tuple(t for t, name in rest if name == i.name and (t, name) not in later)
        )
        for i in intents.by_name.values()
    )
    chance = random.Random(seed)
    chance.shuffle(later)
    names = sorted(intents.by_name)
    labels = tuple(
        (t, chance.choice([n for n in names if n != name]) if chance.random() < wrong else name)
        for t, name in later
    )
    return Split(Intents.of(kept), labels, tuple(test))


def arrived(labels: Sequence[tuple[str, str]], night: int, nights: int) -> Rows:
    """The labels that were given by then: enough to begin with, then as many each night."""
    more = len(labels) - fit_intents.MIN_LABELS
    return list(labels[: fit_intents.MIN_LABELS + more * (night - 1) // max(1, nights - 1)])


def _right(folder: Path, rows: Sequence[tuple[str, str]]) -> list[float]:
    from models.embedder import packaged_folder
    from models.intents import classifier

    model = classifier.load(folder, encoder=packaged_folder())
    found = model.predict([text for text, _ in rows])
    return [float(p.nearest == name) for p, (_, name) in zip(found, rows, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)
