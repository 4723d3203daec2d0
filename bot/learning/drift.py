"""Drift: is what people ask, and what they get, still as it was? Looked at each night, and told when it begins.

Knows nothing about Slack, nor how it is told (telling.py). The last seven days are compared with the eight weeks before, by
whole days (two_samples.py).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bot.learning import two_samples
from bot.learning.two_samples import Distance, Floats
from store.feedback.drifts import BINS, DAYS, Drift, Measure, Placed, Tally

WEEK = 7

YEAR_ALARMS = 0.5
"""False alarms that all measures and nights of a year may give together, at most: one in two years."""

LEVEL = YEAR_ALARMS / (len(get_args(Measure)) * 365)
"""Of one test of one night. The levels add up (Bonferroni), however much the tests have in common; nights share six of seven
days, so that the true rate is lower."""

GONE = 0.05
"""A drift lasts until its p is above this: what passes one night and just fails the next is one drift and not two."""

LEAST: Mapping[Measure, float] = {
    "topics": 0.002, "confidence": 0.1, "refusals": 0.1, "intents": 0.15,
}  # fmt: skip
"""The effect from which on a drift matters. The topics' is that of about every fourth question being about five new things
(LOG.md); the others are shares of the questions."""

MIN_WEEK, MIN_BEFORE = 50, 200
"""Questions that are needed of the last week, and of the weeks before."""

DAY_VECTORS = 40
"""Questions of a day whose vectors are compared: at most 280 of the week, 2,520 in all."""

SHOWN = 20
"""Questions that are kept to show what is new."""

ALIKE = 0.6
"""Distance up to which a question shows nothing that another one does not: a cosine of .82."""

INTENTS_TOLD = 6
"""Intents whose shares changed most."""

NO_INTENT = "none"

Mask = NDArray[np.bool_]


def tested(
    tallies: Sequence[Tally],
    placed: Sequence[Placed],
    before: Mapping[Measure, Drift],
    now: datetime,
    *,
    seed: int = 0,
) -> list[Drift]:
    """Test each measure that there are questions enough for, and say since when it drifts.

    `before` is what was found last: a drift that was known goes on until its p is above GONE.
    """
    found = [
        _topics(placed, now, seed),
        _confidence(tallies, now, seed),
        _refusals(tallies, now, seed),
        _intents(tallies, now, seed),
    ]
    return [_dated(drift, before.get(drift.measure)) for drift in found if drift]


def began(found: Iterable[Drift]) -> list[Drift]:
    """Give the drifts that were seen first tonight."""
    return [drift for drift in found if drift.since == drift.tested_at]


def _dated(drift: Drift, before: Drift | None) -> Drift:
    known = before.since if before else None
    if known is not None:
        return replace(drift, since=known if drift.p <= GONE else None)
    is_new = drift.p < LEVEL and drift.effect >= LEAST[drift.measure]
    return replace(drift, since=drift.tested_at if is_new else None)


def _topics(placed: Sequence[Placed], now: datetime, seed: int) -> Drift | None:
    if not placed:
        return None
    days = np.array([each.day for each in placed])
    vectors = np.array([each.vector for each in placed], dtype=np.float32)
    apart = _distances(vectors)
    day_of = np.eye(DAYS, dtype=np.float32)[days]
    sums = (day_of.T @ apart @ day_of).astype(np.float64)
    found = _compared(
        "topics",
        day_of.sum(axis=0).astype(np.float64),
        lambda kept, counts: two_samples.energy(sums[np.ix_(kept, kept)], counts),
        now,
        seed,
    )
    if found is None:
        return None
    return replace(found, question_ids=_newest(placed, apart, days < WEEK))


def _confidence(tallies: Sequence[Tally], now: datetime, seed: int) -> Drift | None:
    table = _table(BINS, ((t.day, t.bin, t.count) for t in tallies if t.bin is not None))
    middles = (np.arange(BINS) + 0.5) / BINS
    before, week = (float(shares @ middles) for shares in _shares(table))
    return _of_table("confidence", table, two_samples.steps, now, seed, {"sure": (before, week)})


def _refusals(tallies: Sequence[Tally], now: datetime, seed: int) -> Drift | None:
    searched = (t for t in tallies if t.bin is not None)
    table = _table(2, ((t.day, int(t.status == "not_found"), t.count) for t in searched))
    before, week = (float(shares[1]) for shares in _shares(table))
    return _of_table("refusals", table, two_samples.kinds, now, seed, {"not found": (before, week)})


def _intents(tallies: Sequence[Tally], now: datetime, seed: int) -> Drift | None:
    names = sorted({t.intent or NO_INTENT for t in tallies})
    place = {name: number for number, name in enumerate(names)}
    table = _table(len(names), ((t.day, place[t.intent or NO_INTENT], t.count) for t in tallies))
    before, week = _shares(table)
    changed = np.argsort(-np.abs(week - before), kind="stable")[:INTENTS_TOLD]
    detail = {names[n]: (float(before[n]), float(week[n])) for n in changed}
    return _of_table("intents", table, two_samples.kinds, now, seed, detail)


def _of_table(
    measure: Measure,
    table: Floats,
    distance: Callable[[Floats], Distance],
    now: datetime,
    seed: int,
    detail: Mapping[str, tuple[float, float]],
) -> Drift | None:
    found = _compared(measure, table.sum(axis=1), lambda kept, _: distance(table[kept]), now, seed)
    return replace(found, detail=detail) if found else None


def _compared(
    measure: Measure,
    counts: Floats,
    distance: Callable[[Mask, Floats], Distance],
    now: datetime,
    seed: int,
) -> Drift | None:
    """Compare the week's days with the others; None where there are too few questions or days for that."""
    kept = counts > 0
    is_week = (np.arange(DAYS) < WEEK)[kept]
    week, before = int(counts[:WEEK].sum()), int(counts[WEEK:].sum())
    is_enough = two_samples.is_enough(len(is_week), int(is_week.sum()), LEVEL)
    if week < MIN_WEEK or before < MIN_BEFORE or not is_enough:
        return None
    apart = two_samples.compared(counts[kept], is_week, distance(kept, counts[kept]), seed=seed)
    return Drift(measure, now, week, before, apart.effect, apart.p)


def _table(columns: int, rows: Iterable[tuple[int, int, int]]) -> Floats:
    """Add up (day, column, count) as a table of DAYS and so many columns."""
    table = np.zeros((DAYS, columns))
    for day, column, count in rows:
        table[day, column] += count
    return table


def _shares(table: Floats) -> tuple[Floats, Floats]:
    """Give the columns' shares in the weeks before and in the last week."""
    before, week = table[WEEK:].sum(axis=0), table[:WEEK].sum(axis=0)
    return before / max(1.0, before.sum()), week / max(1.0, week.sum())


def _distances(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the Euclidean distances between rows, each scaled to length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(lengths, 1e-6)
    return np.asarray(np.sqrt(np.maximum(0.0, 2 - 2 * unit @ unit.T)), dtype=np.float32)


def _newest(
    placed: Sequence[Placed],
    apart: NDArray[np.float32],
    is_week: Mask,
) -> tuple[UUID, ...]:
    """Name questions of the week that are most unlike those before it, each unlike those named already.

    They are in the order of the witness function of the two samples (Gretton et al. 2012): how much nearer a question is to
    the week than to the weeks before.
    """
    rows = np.flatnonzero(is_week)
    nearer = apart[rows][:, ~is_week].mean(axis=1) - apart[rows][:, is_week].mean(axis=1)
    chosen: list[int] = []
    for row in rows[np.argsort(-nearer, kind="stable")]:
        if len(chosen) == SHOWN:
            break
        if all(apart[row, other] > ALIKE for other in chosen):
            chosen.append(int(row))
    return tuple(placed[row].question_id for row in chosen)
