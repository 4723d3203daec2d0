"""Nights on made-up questions: what votes say is learned, what they do not say is not promoted."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pytest

from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.learning import fit_ranking, promotion
from bot.learning.feedback import Feedback
from bot.learning.fit_ranking import FitInput
from bot.learning.replay import Replay
from models import ranking
from store.feedback.memory import Judged
from store.records import Ask, Passage

TRUTH = np.array([0.4, 0.6, 0.6])
NIGHTS = 4
NOW = datetime(2026, 3, 2, tzinfo=UTC)
Turn = Callable[[np.random.Generator, bool], bool]


def passage(number: int) -> Passage:
    return Passage(number, "s", f"{number}", "", "", None, "", f"{number:02x}", NOW, 0, 0.0)


PASSAGES = tuple(passage(n) for n in range(10))


def night(seed: int, turn: Turn, count: int = 220) -> FitInput:
    """Questions whose right passage follows TRUTH; the serving order is shown and voted on."""
    chance = np.random.default_rng(seed)
    parameters = Parameters(Calibrator.default())
    before = fit_ranking.weights(parameters)[:3]
    rows, replays, asked = [], [], []
    for number in range(count):
        table = chance.random((10, 3))
        right = int((table @ TRUTH * ranking.SCALE + chance.gumbel(size=10)).argmax())
        shown = int((table @ before).argmax())
        liked = turn(chance, right == shown)
        ask = Ask("T1", "C1", str(number), f"U{number}", "?", "mention", False)
        hash_ = PASSAGES[shown].text_hash
        rows.append(Judged(UUID(int=number), ask, "", hash_, liked, not liked, ("U",), {}))
        replays.append(Replay(PASSAGES, table))
        asked.append((table, right))
    feedback = Feedback(tuple(rows), tuple(replays), np.eye(count, dtype=np.float32))
    frozen = asked[:160]

    def scores(weights: fit_ranking.Weights, floor: float) -> fit_ranking.Weights:
        return np.array([float((t @ weights[:3]).argmax() == r) for t, r in frozen])

    return FitInput(feedback, scores, list, parameters, seed)


def honest(chance: np.random.Generator, is_right: bool) -> bool:
    return is_right ^ bool(chance.random() < 0.18)


def turned(chance: np.random.Generator, is_right: bool) -> bool:
    return not honest(chance, is_right)


def at_random(chance: np.random.Generator, is_right: bool) -> bool:
    return bool(chance.random() < 0.5)


def test_honest_votes_raise_the_titles_weight() -> None:
    verdict = fit_ranking.fit_title(night(1, honest, 600))
    assert verdict.decision == "promoted", verdict.reason
    assert 0.2 < float(str(verdict.payload["title_weight"])) < 1.2


@pytest.mark.parametrize("turn", [turned, at_random])
def test_poisoned_votes_and_votes_without_signal_promote_nothing(turn: Turn) -> None:
    decisions = [
        fit(night(seed, turn)).decision
        for seed in range(NIGHTS)
        for fit in (fit_ranking.fit_title, fit_ranking.fit_fusion, fit_ranking.fit_memory)
    ]
    assert "promoted" not in decisions


def test_too_few_votes_wait_and_say_how_many_are_missing() -> None:
    verdict = fit_ranking.fit_title(night(1, honest, 60))
    assert (verdict.decision, verdict.numbers["need"]) == ("waiting", promotion.MIN_JUDGED)
    assert "140 more" in verdict.reason


def test_what_the_frozen_set_would_lose_is_refused() -> None:
    verdict = promotion.judge(
        "title", {}, judged=300, better=60, worse=5, chance=0.5, frozen=[-0.1] * 160
    )
    assert verdict.decision == "refused" and "frozen" in verdict.reason


def test_a_gain_on_all_votes_counts_where_too_few_first_passages_change() -> None:
    known: dict[str, float] = {"judged": 300, "better": 22, "worse": 15, "chance": 0.5}
    few = promotion.judge("title", {}, frozen=[0.0] * 160, **known)  # type: ignore[arg-type]
    gains = [0.05] * 200 + [-0.02] * 100
    all_of_them = promotion.judge(
        "title",
        {},
        frozen=[0.0] * 160,
        gains=gains,
        **known,  # type: ignore[arg-type]
    )
    assert (few.decision, all_of_them.decision) == ("refused", "promoted")
    worse = promotion.judge(
        "title", {}, judged=300, better=15, worse=22, chance=0.5, frozen=[0.0] * 160, gains=gains
    )
    assert worse.decision == "refused"
