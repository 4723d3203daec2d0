"""Years of nights on made-up votes: how often is a part promoted that should not be, and how soon one that should?

Knows nothing about the store. What is real: how each part is fitted and tested (night.PARTS), when it is due
and at what level (looks.py). What is made up: questions, each with CANDIDATES passages of random shares, a
fifth of them asked before; signals of confidence; votes. What is left out: the frozen set, which can only
refuse more, copies and newer pages, and what one promotion changes for the other parts. The intents' test is
fed changes of labels without a training. As fitting takes seconds a year, many more years are held in which
only the tests are fed, with candidates that know nothing of the votes (`gates`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from statistics import median
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.answering.recall import Recall
from bot.learning import feedback, fit_confidence, fit_intents, fit_ranking, looks, night, promotion
from bot.learning.calibration import Progress, Sample
from bot.learning.feedback import Feedback
from bot.learning.fit_ranking import FitInput
from bot.learning.looks import Looks
from bot.learning.replay import Replay
from evals import metrics
from models import ranking
from models.ranking import Votes
from store.feedback.memory import Judged
from store.feedback.nights import Look
from store.records import Ask, Kind, Passage

DAYS, PER_DAY = 365, 2
"""Judged questions a day: about 730 a year, so that a part has four looks."""

SHARES = (0.5, 0.7, 0.9)
"""Liked shares of votes without signal."""

CANDIDATES, SUBJECTS, TEXTS, DIMS = 10, 60, 15, 32
"""Passages of a question, and how many subjects they are about, with so many texts each."""

SPREAD = 0.15
"""How far a question's vector lies from its subject's, per dimension: two on one subject have a cosine of .6."""

AGAIN = 0.2
"""The share of questions that were asked before in the same words."""

TRUTH = np.array([0.4, 0.6, 0.6])
"""What vector, lexical and title shares are worth where votes do have a signal; what ships adds no title."""

NOISE = 0.18
CHANGED = 0.2
"""The share of first passages, or of labels, that a candidate without knowledge changes."""

SHIFT = 0.1
"""By how much it shifts what is expected of a vote (standard deviation)."""

LABELS_A_DAY, GATE_A_DAY = 1, 10
"""Labels a day, and judged questions a day where the tests alone are held: 8 looks a year."""

GATES = 50
"""For each year whose parts are fitted, so many in which the tests alone are held."""

SERVING = Calibrator(-2.0, {"unit": 4.0}, 0.8, 0.4)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)

Floats = NDArray[np.float64]


class _Plain(Feedback):
    """Judged questions without copies or newer pages: the best score is shown first."""

    @cached_property
    def _serving(self) -> Votes:
        return super().votes(Recall().floor)

    def votes(self, floor: float | None) -> Votes:
        # Without memory and without units, what memory says in the table counts for nothing.
        return self._serving if floor in (None, Recall().floor) else super().votes(floor)

    def first(self, votes: Votes, weights: Floats, rows: Sequence[int]) -> NDArray[np.int64]:
        among = np.zeros(len(votes.shown), dtype=bool)
        among[list(rows)] = True
        return ranking.choices(votes.take(among), weights)


@dataclass(frozen=True, slots=True)
class Year:
    """A year's judged questions, oldest first, with what serves while they are asked."""

    rows: tuple[Judged, ...]
    replays: tuple[Replay, ...]
    vectors: NDArray[np.float32]

    def until(self, count: int) -> Feedback:
        """Give the first so many questions as a night reads them."""
        vectors = self.vectors[:count]
        rows, names = self.rows[:count], feedback.topics(vectors).tolist()
        topics = {row.answer_id: name for row, name in zip(rows, names, strict=True)}
        cosines = vectors @ vectors.T
        return _Plain(rows, self.replays[:count], cosines, rows, topics=topics)


@dataclass(frozen=True, slots=True)
class Found:
    """Over so many years: in how many each part was promoted, with the 95 % interval of that share, and after
    how many judged questions (the median)."""

    years: int
    promoted: Mapping[str, int]
    after: Mapping[str, float]

    def as_json(self) -> dict[str, object]:
        """Give each part's years, share, interval and median."""
        return {
            "years": self.years,
            "parts": {
                kind: {
                    "promoted": count,
                    "share": round(count / self.years, 4),
                    "interval": [round(x, 4) for x in metrics.wilson(count, self.years)],
                    "after": self.after.get(kind),
                }
                for kind, count in self.promoted.items()
            },
        }


def run(years: int, seed: int, progress: Progress) -> dict[str, Found]:
    """Hold so many years of votes without signal for each liked share, and a fifth as many with signal."""
    found = {}
    for liked in (*SHARES, None):
        name = "signal" if liked is None else f"{liked:.0%} liked, no signal"
        count = years if liked is not None else max(1, years // 5)
        promotions: list[Mapping[Kind, int]] = []
        for number in range(count):
            chance = np.random.default_rng((seed, number, int(100 * (liked or 0))))
            promotions.append(hold(drawn(chance, liked), chance))
            progress(name, number + 1, count)
        found[name] = counted(promotions)
    for liked in SHARES:
        name, passed = f"{liked:.0%} liked, the tests alone", list[Mapping[Kind, int]]()
        for number in range(GATES * years):
            passed.append(gates(np.random.default_rng((seed, number, int(100 * liked))), liked))
            progress(name, number + 1, GATES * years)
        found[name] = counted(passed, ("title", "fusion", "confidence", "intents"))
    return found


def hold(year: Year, chance: np.random.Generator, days: int = DAYS) -> dict[Kind, int]:
    """Hold a year's nights; give after how many judged questions each part was first promoted."""
    held: list[Look] = []
    after: dict[Kind, int] = {}
    samples, judged = _frozen(chance), _Once(year)
    for day in range(1, days + 1):
        now, count = FIRST + timedelta(days=day), day * PER_DAY
        voted_at = [row.voted_at for row in year.rows[:count]]
        looked = Looks(held)
        for kind, fit in night.PARTS.items():
            if count < promotion.MIN_JUDGED or kind in after or looked.missing(kind, voted_at):
                continue
            level = looks.level(looked.number(kind))
            given = FitInput(
                judged.until(count), _no_change, lambda: samples, Parameters(SERVING), day, level
            )
            verdict = fit(given)
            if "alpha" not in verdict.numbers:
                continue
            held.append(Look(kind, now, int(verdict.numbers["judged"])))
            if verdict.decision == "promoted":
                after[kind] = count
    labels = labelled(chance)
    return after | ({"intents": labels} if labels else {})


@dataclass(slots=True)
class _Once:
    """Makes the table of a day once for all parts."""

    year: Year
    _count: int = 0
    _made: Feedback | None = field(default=None)

    def until(self, count: int) -> Feedback:
        if self._made is None or self._count != count:
            self._count, self._made = count, self.year.until(count)
        return self._made


def drawn(chance: np.random.Generator, liked: float | None, days: int = DAYS) -> Year:
    """Draw a year's questions and votes; with `liked` None people like what is right, but for NOISE."""
    before = fit_ranking.weights(Parameters(SERVING))[:3]
    centres, vectors = _unit(chance.normal(size=(SUBJECTS, DIMS))), np.zeros((days * PER_DAY, DIMS))
    rows: list[Judged] = []
    replays: list[Replay] = []
    about: list[int] = []
    for number in range(days * PER_DAY):
        old = int(chance.integers(number)) if number and chance.random() < AGAIN else None
        subject = int(chance.integers(SUBJECTS)) if old is None else about[old]
        about.append(subject)
        near = centres[subject] + SPREAD * chance.normal(size=DIMS)
        vectors[number] = vectors[old] if old is not None else _unit(near[None])[0]
        passages = tuple(
            _passage(subject * TEXTS + int(text))
            for text in chance.choice(TEXTS, CANDIDATES, replace=False)
        )
        table = chance.random((CANDIDATES, 3))
        if old is not None:
            passages, table = replays[old].passages, replays[old].table
        shown = int((table @ before).argmax())
        right = int((table @ TRUTH * ranking.SCALE + chance.gumbel(size=CANDIDATES)).argmax())
        is_liked = (
            bool(chance.random() < liked)
            if liked is not None
            else (right == shown) ^ bool(chance.random() < NOISE)
        )
        at = FIRST + timedelta(days=number / PER_DAY)
        ask = Ask("T1", "C1", str(number), f"U{number}", "?", "mention", False)
        rows.append(
            Judged(
                UUID(int=number), ask, (), passages[shown].text_hash, float(is_liked),
                float(not is_liked), ("U",), {"unit": float(chance.random())}, 0.0, at,
            )
        )  # fmt: skip
        replays.append(Replay(passages, table))
    return Year(tuple(rows), tuple(replays), vectors.astype(np.float32))


def gates(chance: np.random.Generator, liked: float) -> dict[Kind, int]:
    """Feed a year's votes without signal to the tests alone; give after how many each was first passed.

    Each look has a candidate of its own that changes CHANGED of the first passages (half of the changes bring
    a shown passage back), shifts what is expected of each vote by SHIFT, or knows how sure the bot was. No
    candidate knows a vote, and all looks share the votes that there were before.
    """
    votes = chance.random(DAYS * GATE_A_DAY) < liked
    sure = chance.random(len(votes))
    after: dict[Kind, int] = {}
    for number, count in enumerate(_looks(promotion.MIN_JUDGED, len(votes)), start=1):
        seen, level = votes[:count], looks.level(number)
        passed: dict[Kind, bool] = {
            "fusion": _passes(*_changes(seen, chance), level),
            "title": _passes(*_changes(seen, chance), level, _gains(seen, liked, chance)),
            "confidence": metrics.not_above(
                sure[:count][seen].tolist(), sure[:count][~seen].tolist()
            )
            < min(level, fit_confidence.AGREEMENT_ALPHA),
        }
        after |= {kind: count for kind, is_past in passed.items() if is_past and kind not in after}
    labels = labelled(chance)
    return after | ({"intents": labels} if labels else {})


def labelled(chance: np.random.Generator) -> int | None:
    """Give after how many labels the intents would be promoted in a year of labels without signal: of the
    labels that a candidate tells otherwise, as many are newly right as newly wrong."""
    for number, count in enumerate(_looks(fit_intents.MIN_LABELS, DAYS * LABELS_A_DAY), start=1):
        changes = int(chance.binomial(count, CHANGED))
        better = int(chance.binomial(changes, 0.5))
        if _passes(better, changes - better, 0.5, looks.level(number)):
            return count
    return None


def _looks(first: int, last: int) -> Iterator[int]:
    """Give how many votes there are at each look of a year."""
    count = first
    while count <= last:
        yield count
        count += looks.needed(count)


def _passes(
    better: int, worse: int, mean: float, level: float, gains: Sequence[float] | None = None
) -> bool:
    verdict = promotion.judge(
        "title", {}, judged=0, better=better, worse=worse, chance=mean, frozen=(), level=level,
        gains=gains,
    )  # fmt: skip
    return verdict.decision == "promoted"


def _changes(votes: NDArray[np.bool_], chance: np.random.Generator) -> tuple[int, int, float]:
    """Change first passages at random: (for the better, for the worse, chance of the better)."""
    moved = votes[chance.random(len(votes)) < CHANGED]
    leaves = chance.random(len(moved)) < 0.5
    better = int(np.where(leaves, ~moved, moved).sum())
    return better, len(moved) - better, fit_ranking.by_chance(leaves, 1 - float(votes.mean()))


def _gains(votes: NDArray[np.bool_], liked: float, chance: np.random.Generator) -> list[float]:
    """How much likelier each vote is when what is expected of it is shifted at random."""
    expected = np.clip(liked + SHIFT * chance.normal(size=len(votes)), 0.05, 0.95)
    old = np.where(votes, liked, 1 - liked)
    new = np.where(votes, expected, 1 - expected)
    return [float(gain) for gain in np.log(new / old)]


def _frozen(chance: np.random.Generator) -> list[Sample]:
    units = chance.random(200)
    return [
        Sample({"unit": u}, bool(chance.random() < SERVING.probability({"unit": u})), f"{n}", 1.0)
        for n, u in enumerate(units.tolist())
    ]


def _no_change(weights: Floats, floor: float) -> Floats:
    return np.zeros(160)


def _passage(text: int) -> Passage:
    name = f"{text:04x}"
    return Passage(text, f"s{text % 2}", name, "", "", None, name, name, None, 0, 0.0)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def counted(
    promotions: Sequence[Mapping[Kind, int]],
    kinds: Sequence[Kind] = (*night.PARTS, "intents"),
) -> Found:
    """Count the years in which each kind was promoted."""
    promoted = Counter(kind for one in promotions for kind in one)
    after: dict[str, float] = {
        kind: float(median(one[kind] for one in promotions if kind in one))
        for kind in kinds
        if promoted[kind]
    }
    return Found(len(promotions), {kind: promoted[kind] for kind in kinds}, after)
