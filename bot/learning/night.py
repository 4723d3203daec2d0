"""The night: forget what changed, fit each part to people's votes, let only what is better serve, report.

Knows nothing about when it runs, in which process, or who reads the report.
"""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from bot import jobs
from bot.answering.parameters import Parameters
from bot.learning import (
    drift,
    feedback,
    fit_confidence,
    fit_intents,
    fit_ranking,
    frozen_set,
    looks,
    phrasing,
    rollback,
    telling,
)
from bot.learning.feedback import Feedback
from bot.learning.fit_intents import LabelBatch
from bot.learning.fit_ranking import FitInput
from bot.learning.frozen_set import FrozenSet
from bot.learning.looks import Looks
from bot.learning.promotion import Verdict
from bot.services import Services
from evals.metrics import wilson
from store.feedback import drifts as kept_drifts
from store.feedback import faqs, likes, memory, nights, trainings, versions
from store.feedback import phrasing as switches
from store.feedback.drifts import Drift
from store.feedback.likes import Traffic
from store.feedback.nights import Night
from store.feedback.trainings import Training
from store.index.embedders import embedder_id
from store.records import Kind

Fit = Callable[[FitInput], Verdict]
Teach = Callable[[Services, str, LabelBatch, bool], Verdict]

PARTS: Mapping[Kind, Fit] = {
    "memory": fit_ranking.fit_memory,
    "title": fit_ranking.fit_title,
    "fusion": fit_ranking.fit_fusion,
    "sources": fit_ranking.fit_sources,
    "confidence": fit_confidence.fit_confidence,
    "thresholds": fit_confidence.fit_thresholds,
}
"""In this order: each is compared with what serves after the one before."""

WEEK = timedelta(days=7)
"""The like rate is told of the last week, what was asked of the last week beside the four before it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a night did, and on what.

    `judged` questions of `voters` people were learned from; `set_aside` votes were beyond one person's
    share, `older` judged answers beyond the latest that a night learns from, `pruned` judgements were forgotten, `flagged` kept replies need a look. `is_new` is False when
    the last night had the same votes and labels, so that nothing was fitted. `likes` are the (liked, judged)
    answers of the last week; `traffic` is of the four weeks before and of the last, `drifts` what was compared.
    """

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
    traffic: tuple[Traffic, Traffic] | None = None
    drifts: tuple[Drift, ...] = ()
    flagged: int = 0
    set_aside: int = 0
    older: int = 0

    def as_json(self) -> dict[str, object]:
        """Give it as it is kept in the database and printed."""
        return {
            "started_at": self.started_at.isoformat(),
            "seconds": round(self.seconds, 1),
            "judged": self.judged,
            "liked": self.liked,
            "disliked": self.disliked,
            "voters": self.voters,
            "set_aside": self.set_aside,
            "older": self.older,
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
            "traffic": [asdict(t) for t in self.traffic or ()],
            "drift": [telling.as_json(each) for each in self.drifts],
            "faqs_flagged": self.flagged,
        }


def run(
    services: Services,
    *,
    workspace: str | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
    seed: int = 0,
    parts: Mapping[Kind, Fit] = PARTS,
    frozen: FrozenSet | None = None,
    teach: Teach = fit_intents.teach,
) -> Report:
    """Run one night and keep its report; raises nights.Busy when one is under way.

    1. Roll back the last promotion if people like the answers less since; its kind then rests. 2. Forget judgements of texts
    that changed. 3. Search for every judged question again. 4. Where there are votes that the last night
    did not have, fit each part that is due for a look (looks.py). 5. Likewise, where there are labels, `teach` the intents. Each part
    is promoted in a transaction of its own, so that a night that is killed leaves a whole version serving.
    With `dry_run` nothing is changed or kept.
    """
    tonight = _Tonight(
        services, workspace or services.workspace, now or datetime.now(UTC), seed, dry_run
    )
    started = time.monotonic()
    with nights.only_one(services.database, tonight.workspace):
        chores = _Chores() if dry_run else tonight.do_chores()
        looked = tonight.looks()
        judged, batch = tonight.feedback(), tonight.labels(looked)
        known, verdicts = tonight.known_digests(), list[Verdict]()
        if judged.digest not in known:
            verdicts += tonight.fit(judged, parts, frozen, looked)
        tried = [judged.digest, batch.digest]
        if batch.digest not in known:
            taught = teach(services, tonight.workspace, batch, dry_run)
            verdicts.append(_numbered(taught, looked))
            if verdicts[-1].decision == "failed":
                tried.pop()  # so that the next night tries again
        is_new = bool(verdicts)
        verdicts += tonight.phrasing(looked)
        week, weeks = tonight.now - WEEK, tonight.now - 5 * WEEK
        report = Report(
            started_at=tonight.now,
            seconds=time.monotonic() - started,
            judged=len(judged.rows),
            liked=sum(row.good > row.bad for row in judged.rows),
            disliked=sum(row.bad > row.good for row in judged.rows),
            voters=len({person for row in judged.rated for person in row.people}),
            pruned=chores.pruned,
            is_new=is_new,
            is_dry=dry_run,
            verdicts=tuple(verdicts),
            rolled_back=chores.rolled_back,
            data_hash=" ".join(tried),
            likes=tonight.likes(week, tonight.now),
            traffic=(tonight.traffic(weeks, week), tonight.traffic(week, tonight.now)),
            drifts=tonight.drifts(),
            flagged=chores.flagged,
            set_aside=judged.set_aside,
            older=judged.older,
        )
        if not dry_run:
            tonight.keep(report)
    return report


def _numbered(verdict: Verdict, looked: Looks) -> Verdict:
    """Say which look it was where a test was made: it spent some of the year's level."""
    if verdict.decision not in ("promoted", "refused") or "alpha" not in verdict.numbers:
        return verdict
    return replace(verdict, numbers={**verdict.numbers, "look": looked.number(verdict.kind)})


@dataclass(frozen=True, slots=True)
class _Chores:
    """What was tidied before anything was fitted."""

    rolled_back: tuple[str, ...] = ()
    pruned: int = 0
    flagged: int = 0


@dataclass(frozen=True, slots=True)
class _Tonight:
    """Where and when a night is held, and its steps."""

    services: Services
    workspace: str
    now: datetime
    seed: int
    is_dry: bool

    def do_chores(self) -> _Chores:
        with self.services.database.connection() as connection:
            # A transaction of its own: nobody can promote by hand before it ends.
            undone = rollback.roll_back(connection, self.workspace, self.now)
        with self.services.database.connection() as connection:
            return _Chores(
                undone,
                memory.prune(connection, self.workspace),
                len(faqs.flag_changed(connection, self.workspace, self.now))
                + len(faqs.flag_all_disliked(connection, self.workspace, self.now)),
            )

    def known_digests(self) -> list[str]:
        """What the last night learned from: no part is fitted twice to the same."""
        with self.services.database.connection() as connection:
            before = nights.last(connection, self.workspace, 1)
        return before[-1].data_hash.split() if before else []

    def feedback(self) -> Feedback:
        with self.services.database.connection() as connection:
            number = embedder_id(self.services.embedder.name)
            return feedback.load(connection, self.workspace, number)

    def labels(self, looked: Looks) -> LabelBatch:
        return fit_intents.look(self.services, self.workspace, self.now, looked)

    def looks(self) -> Looks:
        with self.services.database.connection() as connection:
            return Looks(nights.looks(connection, self.workspace, self.now - looks.YEAR))

    def fit(
        self,
        judged: Feedback,
        parts: Mapping[Kind, Fit],
        frozen: FrozenSet | None,
        looked: Looks,
    ) -> list[Verdict]:
        """Fit part after part, each held against what serves after the one before."""
        with self.services.database.connection() as connection:
            parameters = Parameters.of(versions.serving(connection, self.workspace))
        # Where votes are too few, no part asks for the frozen set: it is read only when one does.
        held = functools.cache(lambda: frozen or frozen_set.load(self.services))
        samples = functools.cache(lambda: held().samples(self.services))

        def scores(weights: fit_ranking.Weights, floor: float) -> fit_ranking.Weights:
            return held().scores(weights, floor)

        verdicts, resting = [], self.resting()
        voted_at = [row.voted_at for row in judged.rated]
        for kind, fit in parts.items():
            level = looks.level(looked.number(kind))
            if kind in resting:
                verdict = Verdict(kind, "waiting", resting[kind])
            elif missing := looked.missing(kind, voted_at):
                reason = f"{missing} more judged questions are needed since it was last tested."
                verdict = Verdict(kind, "waiting", reason)
            else:
                verdict = fit(FitInput(judged, scores, samples, parameters, self.seed, level))
            verdicts.append(_numbered(verdict, looked))
            if verdict.decision == "promoted":
                parameters = parameters.with_part(verdict.kind, verdict.payload)
                if not self.is_dry:
                    self.promote(verdict)
        return verdicts

    def phrasing(self, looked: Looks) -> list[Verdict]:
        """Compare phrased answers with quoted ones, and switch phrasing off where they are liked clearly less."""
        with self.services.database.connection() as connection:
            verdict = phrasing.compare(connection, self.workspace, looked, self.now)
            if verdict is None:
                return []
            if verdict.decision == "promoted" and not self.is_dry:
                switches.turn(connection, self.workspace, False, verdict.reason, "night", self.now)
        return [_numbered(verdict, looked)]

    def resting(self) -> Mapping[Kind, str]:
        with self.services.database.connection() as connection:
            return rollback.resting(connection, self.workspace, self.now)

    def promote(self, verdict: Verdict) -> None:
        told = {"reason": verdict.reason, **verdict.numbers}
        with self.services.database.connection() as connection:
            version_id = versions.add(
                connection, self.workspace, verdict.kind, self.now,
                payload=verdict.payload, report=told,
            )  # fmt: skip
            versions.promote(connection, self.workspace, version_id, self.now)

    def likes(self, start: datetime, end: datetime) -> tuple[int, int]:
        with self.services.database.connection() as connection:
            return likes.between(connection, self.workspace, start, end, least=feedback.LEAST)

    def traffic(self, start: datetime, end: datetime) -> Traffic:
        with self.services.database.connection() as connection:
            return likes.traffic(connection, self.workspace, start, end)

    def drifts(self) -> tuple[Drift, ...]:
        """Compare the week with those before it, and have the admins told of what began tonight."""
        with self.services.database.connection() as connection:
            where, number = (connection, self.workspace), embedder_id(self.services.embedder.name)
            found = drift.tested(
                kept_drifts.tallies(*where, self.now),
                kept_drifts.vectors(*where, self.now, number, drift.DAY_VECTORS),
                kept_drifts.latest(*where),
                self.now,
                seed=self.seed,
            )
            if not self.is_dry:
                kept_drifts.add(*where, found)
                for each in drift.began(found):
                    key = f"drift:{each.measure}:{self.now:%Y%m%dT%H%M%S}"
                    jobs.defer_notice(
                        connection, self.services.queue, self.workspace, "drift", key,
                        {"measure": each.measure},
                    )  # fmt: skip
        return tuple(found)

    def keep(self, report: Report) -> None:
        """Keep the report, and apart from it the loss of each part that was fitted and tells one."""
        fitted = [
            Training(
                v.kind, self.now, v.decision == "promoted", int(v.numbers["judged"]), None,
                v.numbers["loss"], {},
            )
            for v in report.verdicts
            if "loss" in v.numbers
        ]  # fmt: skip
        kept = Night(uuid4(), report.started_at, report.seconds, report.data_hash, report.as_json())
        with self.services.database.connection() as connection:
            nights.add(connection, self.workspace, kept)
            for training in fitted:
                trainings.add(connection, self.workspace, training)
