"""How often does a drift that is none get told, and how soon one that is? Made-up weeks, with days that differ.

    python -m tests.bench.drift ROUNDS [FILE]     FILE: JSONL {"text", "intent"}, whose texts are encoded for the topics

Each day has a mix of its own (a printer breaks, the pay is late), drawn around the team's by a logistic normal, of standard
deviation SPREAD in the log odds. Weeks without a change tell the false alarms, of the tests used and of scipy's, which take
each question for itself.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

from bot.learning import drift
from store.feedback.drifts import BINS, DAYS, Drift, Placed, Tally

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SPREAD = 0.5
WEEKDAYS = (1, 1, 1, 1, 1, 0.15, 0.1)
BASE = (0.35, 0.2, 0.15, 0.1, 0.08, 0.06, 0.04, 0.02)
"""Shares of eight intents in the team's messages."""

REFUSED, SURE = 0.2, 0.6
INTENTS = 40
"""Of FILE that are asked about; the others are new where a change is made."""

Floats = NDArray[np.float64]


def weeks(
    rng: np.random.Generator, daily: float, change: float = 0.0, busy: float = 1.0
) -> list[Tally]:
    """Make the tallies of nine weeks; in the last one so large a share finds nothing, is about another intent, and is .3
    less sure, and so many times as much is asked."""
    found = Counter[tuple[int, str, str, int]]()
    for day in range(DAYS):
        is_new = change if day < drift.WEEK else 0.0
        count = rng.poisson(daily * WEEKDAYS[day % 7] * (busy if day < drift.WEEK else 1.0))
        odds = np.log(BASE) + rng.normal(0, SPREAD, len(BASE))
        shares = np.exp(odds) / np.exp(odds).sum()
        refused = 1 / (1 + np.exp(-(np.log(REFUSED / (1 - REFUSED)) + rng.normal(0, SPREAD))))
        sure = SURE + rng.normal(0, SPREAD / 10)
        changed = rng.random(count) < is_new
        intents = np.where(changed, len(BASE), rng.choice(len(BASE), count, p=shares))
        is_refused = changed | (rng.random(count) < refused)
        at = np.clip(rng.normal(sure - 0.3 * changed, 0.2), 0, 0.999)
        for intent, vain, place in zip(intents, is_refused, (at * BINS).astype(int), strict=True):
            status = "not_found" if vain else "answered"
            found[day, status, f"intent {intent}", int(place)] += 1
    return [Tally(*key, count) for key, count in found.items()]


def topics(
    rng: np.random.Generator, by_intent: dict[str, Floats], daily: float, change: float = 0.0
) -> list[Placed]:
    """Make the questions of nine weeks about INTENTS topics; so large a share of the last week is about new ones."""
    names = sorted(by_intent)
    known, new = names[:INTENTS], names[INTENTS : INTENTS + 5]
    base, placed = rng.normal(0, 1, len(known)), []
    for day in range(DAYS):
        odds = np.exp(base + rng.normal(0, SPREAD, len(known)))
        for _ in range(min(drift.DAY_VECTORS, rng.poisson(daily * WEEKDAYS[day % 7]))):
            is_new = day < drift.WEEK and rng.random() < change
            name = rng.choice(new) if is_new else rng.choice(known, p=odds / odds.sum())
            vector = by_intent[name][rng.integers(len(by_intent[name]))]
            placed.append(Placed(day, UUID(int=len(placed)), vector))  # type: ignore[arg-type]
    return placed


def scipys(tallies: list[Tally]) -> dict[str, float]:
    """Give the p of the same comparisons when each question is taken for itself."""
    parts: list[list[Tally]] = [[], []]
    for tally in tallies:
        parts[tally.day >= drift.WEEK].append(tally)

    def table(of: Callable[[Tally], object]) -> list[list[int]]:
        counts = [Counter[object](), Counter[object]()]
        for count, part in zip(counts, parts, strict=True):
            for tally in part:
                count[of(tally)] += tally.count
        return [[count[key] for key in counts[0] | counts[1]] for count in counts]

    sure = [np.repeat([t.bin or 0 for t in part], [t.count for t in part]) for part in parts]
    return {
        "confidence": float(ks_2samp(*sure).pvalue),
        "refusals": float(chi2_contingency(table(lambda t: t.status == "not_found")).pvalue),
        "intents": float(chi2_contingency(table(lambda t: t.intent)).pvalue),
    }


def main(file: Path | None, rounds: int) -> None:
    """Print the rates of `rounds` made-up nine weeks of each kind."""
    rng = np.random.default_rng(0)
    _say(f"{rounds} rounds each; alarms at p < {drift.LEVEL:.1e} and an effect that matters")
    kinds = [("no change", 0.0, 1.0), ("no change, twice as busy", 0.0, 2.0)]
    kinds += [("no change, a third as busy", 0.0, 0.3)]
    kinds += [(f"changed by {change:.0%}", change, 1.0) for change in (0.2, 0.3, 0.5)]
    for daily in (15, 60):
        for name, change, busy in kinds:
            made = [weeks(rng, daily, change, busy) for _ in range(rounds)]
            alone = defaultdict(list)
            for tallies in made if not change else ():
                for measure, p in scipys(tallies).items():
                    alone[measure].append(p < 0.01)
            _tell(f"{daily} a day, {name}", [drift.tested(t, [], {}, NOW) for t in made], alone)
    if file:
        by_intent = _encoded(file)
        for daily in (15, 60):
            for change in (0.0, 0.1, 0.2, 0.3, 0.5):
                made = [topics(rng, by_intent, daily, change) for _ in range(rounds)]
                found = [drift.tested([], placed, {}, NOW) for placed in made]
                _tell(f"{daily} a day, topics changed by {change:.0%}", found, {})


def _tell(name: str, rounds: list[list[Drift]], alone: dict[str, list[bool]]) -> None:
    by_measure = defaultdict(list)
    for found in rounds:
        for each in found:
            by_measure[each.measure].append(each)
    for measure, found in by_measure.items():
        p = np.array([each.p for each in found])
        told = np.mean([each.since is not None for each in found])
        effects = np.quantile([each.effect for each in found], [0.05, 0.5, 0.95]).round(3)
        others = f", scipy's p < .01: {np.mean(alone[measure]):.3f}" if measure in alone else ""
        _say(
            f"{name}: {measure} told {told:.3f}, p < .05: {np.mean(p < 0.05):.3f}, p < .01:"
            f" {np.mean(p < 0.01):.3f}, effect {effects}{others}"
        )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _encoded(file: Path) -> dict[str, Floats]:
    from models import embedder

    texts = defaultdict(list)
    for line in file.read_text().splitlines():
        row = json.loads(line)
        texts[row["intent"]].append(row["text"])
    names = sorted(name for name in texts if name != "oos")[: INTENTS + 5]
    model = embedder.load(threads=1)
    return {name: np.array(model.encode(texts[name][:60]), dtype=np.float64) for name in names}


if __name__ == "__main__":
    main(Path(sys.argv[2]) if len(sys.argv) > 2 else None, int(sys.argv[1]))
