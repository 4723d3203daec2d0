"""The night: forget what changed, fit each part to the votes, let only what is better serve, report.

Knows nothing about when it runs or who reads the report.
"""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.answering.parameters import Parameters
from bot.learning import (
    feedback,
    fit_confidence,
    fit_intents,
    fit_ranking,
    frozen_set,
    rollback,
)
from bot.learning.calibration import Sample
from bot.learning.feedback import Feedback
from bot.learning.fit_intents import LabelBatch
from bot.learning.fit_ranking import Evidence
from bot.learning.frozen_set import FrozenSet
from bot.learning.promotion import Verdict
from evals.metrics import wilson
from store.feedback import faqs, likes, memory, nights, versions
from store.feedback.likes import Drift
from store.feedback.nights import Night
from store.index.embedders import embedder_id

if TYPE_CHECKING:
    from bot.services import Services

Fit = Callable[[Evidence], Verdict]
Teach = Callable[["Services", str, LabelBatch, bool], Verdict]

PARTS: tuple[Fit, ...] = (
    fit_ranking.fit_memory,
    fit_ranking.fit_title,
    fit_ranking.fit_fusion,
    fit_ranking.fit_sources,
    fit_confidence.fit_confidence,
    fit_confidence.fit_thresholds,
)
"""In this order: each is held against what serves after the one before."""

WEEK = timedelta(days=7)
"""Drift and like rate are shown for the last one, drift beside the four before it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a night did. `voters` and `judged` count whom it learned from, `set_aside` the votes beyond one
    person's share; `is_new` is False when the same votes were learned from before, so nothing was fitted.
    `likes` are (liked, judged) answers of the last week; `drift` is of the four weeks before and of the last."""

    started_at: datetime
    seconds: float
    judged: int
    liked: int
    disliked: int
    voters: int
    pruned: int
    is_new: bool
    is_dry: bool
    verdicts: tuple[Verdict, ...]
    rolled_back: tuple[str, ...] = ()
    data_hash: str = ""
    likes: tuple[int, int] = (0, 0)
    drift: tuple[Drift, Drift] | None = None
    flagged: int = 0
    set_aside: int = 0

    def as_json(self) -> dict[str, object]:
        """Give it as it is kept and printed."""
        return {
            "started_at": self.started_at.isoformat(),
            "seconds": round(self.seconds, 1),
            "judged": self.judged,
            "liked": self.liked,
            "disliked": self.disliked,
            "voters": self.voters,
            "set_aside": self.set_aside,
            "forgotten": self.pruned,
            "nothing_new": not self.is_new,
            "dry_run": self.is_dry,
            "parts": [verdict.as_json() for verdict in self.verdicts],
            "rolled_back": list(self.rolled_back),
            "like_rate": {
                "liked": self.likes[0],
                "judged": self.likes[1],
                "interval": [round(x, 4) for x in wilson(*self.likes)],
            },
            "drift": [asdict(d) for d in self.drift or ()],
            "faqs_flagged": self.flagged,
        }


def run(
    services: "Services",
    *,
    workspace: str | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
    seed: int = 0,
    parts: Sequence[Fit] = PARTS,
    frozen: FrozenSet | None = None,
    teach: Teach = fit_intents.teach,
) -> Report:
    """Run one night and keep its report; raises nights.Busy when one is under way.

    1. Roll back what people like clearly less than what served before. 2. Forget pairs whose text
    changed. 3. Ask every judged question again. 4. Where there are votes that the last night did not
    have, fit part after part. 5. Likewise, where there are labels, `teach` the intents. Each part is
    promoted in a transaction of its own, so that a kill leaves what serves whole. With `dry_run`
    nothing is changed or kept.
    """
    where = workspace or services.workspace
    began, started = now or datetime.now(UTC), time.monotonic()
    with nights.only_one(services.database, where):
        chores = _Chores() if dry_run else _do_chores(services, where, began)
        with services.database.connection() as connection:
            judged = feedback.load(connection, where, embedder_id(services.embedder.name))
            before = nights.last(connection, where, 1)
        known = before[-1].data_hash.split() if before else []
        batch = fit_intents.look(services, where, began)
        verdicts: list[Verdict] = []
        if judged.digest not in known:
            verdicts += _fit_all(services, where, judged, parts, dry_run, began, seed, frozen)
        tried = [judged.digest, batch.digest]
        if batch.digest not in known:
            verdicts.append(teach(services, where, batch, dry_run))
            if verdicts[-1].decision == "failed":
                tried.pop()
        report = replace(
            _report(services, where, began, judged, chores),
            seconds=time.monotonic() - started,
            is_new=bool(verdicts),
            is_dry=dry_run,
            verdicts=tuple(verdicts),
            data_hash=" ".join(tried),
        )
        if not dry_run:
            _keep(services, where, report)
    return report


@dataclass(frozen=True, slots=True)
class _Chores:
    """What was tidied before anything was fitted."""

    rolled_back: tuple[str, ...] = ()
    pruned: int = 0
    flagged: int = 0


def _do_chores(services: "Services", workspace: str, now: datetime) -> _Chores:
    with services.database.connection() as connection:
        return _Chores(
            rollback.roll_back(connection, workspace, now),
            memory.prune(connection, workspace),
            len(faqs.flag_changed(connection, workspace, now)),
        )


def _report(
    services: "Services", workspace: str, now: datetime, judged: Feedback, chores: _Chores
) -> Report:
    week, weeks = now - WEEK, now - 5 * WEEK
    with services.database.connection() as connection:
        liked = likes.between(connection, workspace, week, now)
        earlier = likes.drift(connection, workspace, weeks, week)
        lately = likes.drift(connection, workspace, week, now)
    return Report(
        started_at=now,
        seconds=0.0,
        judged=len(judged.rows),
        liked=sum(row.good > row.bad for row in judged.rows),
        disliked=sum(row.bad > row.good for row in judged.rows),
        voters=len({person for row in judged.rated for person in row.people}),
        pruned=chores.pruned,
        is_new=True,
        is_dry=False,
        verdicts=(),
        rolled_back=chores.rolled_back,
        likes=liked,
        drift=(earlier, lately),
        flagged=chores.flagged,
        set_aside=judged.set_aside,
    )


def _fit_all(
    services: "Services",
    workspace: str,
    judged: Feedback,
    parts: Sequence[Fit],
    dry_run: bool,
    now: datetime,
    seed: int,
    frozen: FrozenSet | None,
) -> list[Verdict]:
    with services.database.connection() as connection:
        parameters = Parameters.of(versions.serving(connection, workspace))
    # Too few votes wait without the frozen set being read.
    held = functools.cache(lambda: frozen or frozen_set.load(services))

    def scores(weights: fit_ranking.Weights, floor: float) -> fit_ranking.Weights:
        return held().scores(weights, floor)

    @functools.cache
    def samples() -> list[Sample]:
        return held().samples(services)

    verdicts = []
    for fit in parts:
        verdict = fit(Evidence(judged, scores, samples, parameters, seed))
        verdicts.append(verdict)
        if verdict.decision == "promoted":
            parameters = parameters.with_part(verdict.kind, verdict.payload)
            if not dry_run:
                _promote(services, workspace, verdict, now)
    return verdicts


def _promote(services: "Services", workspace: str, verdict: Verdict, now: datetime) -> None:
    with services.database.connection() as connection:
        version_id = versions.add(
            connection, workspace, verdict.kind, now,
            payload=verdict.payload, report={"reason": verdict.reason, **verdict.numbers},
        )  # fmt: skip
        versions.promote(connection, workspace, version_id, now)


def _keep(services: "Services", workspace: str, report: Report) -> None:
    kept = Night(uuid4(), report.started_at, report.seconds, report.data_hash, report.as_json())
    with services.database.connection() as connection:
        nights.add(connection, workspace, kept)
