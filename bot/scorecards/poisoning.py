"""Nights that must promote nothing: votes that are turned round, shuffled or random, or mostly one person's,
on real searches.

Knows nothing about how a night decides (bot/learning/fit_ranking.py) or how questions get asked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.learning import feedback, fit_ranking, frozen_set, night
from bot.learning.calibration import Progress
from bot.learning.feedback import Feedback
from bot.learning.fit_ranking import FitInput
from bot.scorecards import simulation
from bot.services import Services
from evals import beir
from store import people
from store.feedback.memory import PERSON_VOTES
from store.feedback.shares import fair_share
from store.index.embedders import embedder_id

ASKED = 3000
"""Questions that the nights draw from: no night asks what another did before all were asked once."""

VOTES = 300
LOUD = 200
"""Votes of one person among them."""

NOISE = 0.18


def turned(good: "fit_ranking.Weights", chance: np.random.Generator) -> "fit_ranking.Weights":
    """Everybody says the opposite of what they think, with the usual share of mistakes."""
    return np.where(chance.random(len(good)) < NOISE, good, 1 - good)


def shuffled(good: "fit_ranking.Weights", chance: np.random.Generator) -> "fit_ranking.Weights":
    """The votes were meant for other answers."""
    return chance.permutation(good)


def tossed(good: "fit_ranking.Weights", chance: np.random.Generator) -> "fit_ranking.Weights":
    """The votes carry no signal at all."""
    return (chance.random(len(good)) < 0.5).astype(np.float64)


def loud(good: "fit_ranking.Weights", chance: np.random.Generator) -> "fit_ranking.Weights":
    """One person says the opposite LOUD times, over ten days; the others vote honestly, but for the usual
    mistakes. What is more than a person's share is NaN."""
    honest = np.where(chance.random(len(good)) < NOISE, 1 - good, good)
    most = fair_share([LOUD, *[1] * (len(good) - LOUD)], feedback.LEAST)
    dropped = np.full(LOUD - most, np.nan)
    return np.concatenate([1 - good[:most], dropped, honest[LOUD:]])


def capped(good: "fit_ranking.Weights", chance: np.random.Generator) -> "fit_ranking.Weights":
    """The same on one day, of which only PERSON_VOTES count; the rest is NaN."""
    honest = np.where(chance.random(len(good)) < NOISE, 1 - good, good)
    dropped = np.full(LOUD - PERSON_VOTES, np.nan)
    return np.concatenate([1 - good[:PERSON_VOTES], dropped, honest[LOUD:]])


MODES = {
    "turned": turned,
    "one person": capped,
    "one person, ten days": loud,
    "shuffled": shuffled,
    "no signal": tossed,
}
POISONED = ("turned", "one person", "one person, ten days", "shuffled")


def shared(poisoned: int, quiet: int) -> dict[str, int]:
    """Share so many poisoned nights out among the modes; the `quiet` ones carry no signal."""
    each, rest = divmod(poisoned, len(POISONED))
    nights = {mode: each + (number < rest) for number, mode in enumerate(POISONED)}
    return {**nights, "no signal": quiet}


@dataclass(frozen=True, slots=True)
class Poisoned:
    """What nights of one kind of bad votes did; `decisions` counts each "part decision"."""

    nights: int
    promoted: int
    decisions: Mapping[str, int]


def run(
    services: Services,
    folder: Path,
    nights: Mapping[str, int],
    seed: int,
    progress: Progress,
) -> dict[str, Poisoned]:
    """Count promotions per mode over so many nights of VOTES votes, each judged on its own."""
    judged = _asked(services, folder, seed, progress)
    frozen, parameters = frozen_set.load(services), Parameters(Calibrator.default())
    samples = frozen.samples(services)
    found: dict[str, Poisoned] = {}
    blocks = _blocks(len(judged.rows), np.random.default_rng(seed))
    for mode, count in nights.items():
        decisions: Counter[str] = Counter()
        for number in range(count):
            chance = np.random.default_rng((seed, number, len(mode)))
            drawn = _drawn(judged, next(blocks), mode, chance)
            known = FitInput(drawn, frozen.scores, lambda: samples, parameters, number)
            decisions.update(
                f"{v.kind} {v.decision}" for v in (fit(known) for fit in night.PARTS.values())
            )
            progress(mode, number + 1, count)
        promoted = sum(n for name, n in decisions.items() if name.endswith("promoted"))
        found[mode] = Poisoned(count, promoted, dict(decisions))
    return found


def _asked(services: Services, folder: Path, seed: int, progress: Progress) -> Feedback:
    """Let honest people ask and vote once; each night then changes their votes. Raises DataError."""
    loaded = simulation.prepare(services, folder, 1, ASKED, 0.0, seed, progress)
    simulation.ask(*loaded, datetime(2026, 1, 5, 9, tzinfo=UTC), seed, progress)
    workspace = loaded[0].workspace
    with services.database.connection() as connection:
        judged = feedback.load(connection, workspace, embedder_id(services.embedder.name))
        people.forget_everything(connection, workspace)
    if len(judged.rows) < VOTES:
        raise beir.DataError(
            f"{folder} gives {len(judged.rows)} answers to vote on; {VOTES} are needed."
            " Give a larger data set."
        )
    return judged


def _blocks(count: int, chance: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Give VOTES of `count` rows at a time, others each time until all were given; then anew."""
    while True:
        order = chance.permutation(count)
        for start in range(0, count - VOTES + 1, VOTES):
            yield order[start : start + VOTES]


def _drawn(
    judged: Feedback, picked: NDArray[np.int64], mode: str, chance: np.random.Generator
) -> Feedback:
    good = np.array([float(judged.rows[i].good > judged.rows[i].bad) for i in picked])
    votes = MODES[mode](good, chance)
    picked, votes = picked[~np.isnan(votes)], votes[~np.isnan(votes)]
    rows = tuple(
        replace(judged.rows[i], good=vote, bad=1 - vote)
        for i, vote in zip(picked, votes.tolist(), strict=True)
    )
    replays = tuple(judged.replays[i] for i in picked)
    cosines = judged.cosines[np.ix_(picked, picked)]
    return Feedback(rows, replays, cosines, rows, topics=judged.topics)
