"""Nights on made-up questions: what votes say is learned, what they do not say is not promoted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.learning import fit_ranking, promotion
from bot.learning.feedback import Feedback
from bot.learning.fit_ranking import FitInput
from bot.learning.replay import Replay
from evals import paired
from models import ranking
from store.feedback.memory import Judged
from store.records import Ask, Passage

TRUTH = np.array([0.4, 0.6, 0.6])
NIGHTS = 4
NOW = datetime(2026, 3, 2, tzinfo=UTC)
Turn = Callable[[np.random.Generator, bool], bool]


def passage(number: int) -> Passage:
    return Passage(
        number, "s", f"{number}", "", "", None, f"page{number}", f"{number:02x}", NOW, 0, 0.0
    )


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
        "title", {}, judged=300, better=60, worse=5, chance=0.5, frozen=[-0.1] * 160, level=0.01
    )
    assert verdict.decision == "refused" and "frozen" in verdict.reason


def test_a_gain_on_all_votes_counts_where_too_few_first_passages_change() -> None:
    known: dict[str, float] = {
        "judged": 300,
        "better": 22,
        "worse": 15,
        "chance": 0.5,
        "level": 0.01,
    }
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
        "title",
        {},
        judged=300,
        better=15,
        worse=22,
        chance=0.5,
        frozen=[0.0] * 160,
        level=0.01,
        gains=gains,
    )
    assert worse.decision == "refused"


def test_far_out_losses_are_not_hidden() -> None:
    gains = [0.1] * 285 + [-5.0] * 15
    verdict = promotion.judge(
        "title",
        {},
        judged=300,
        better=22,
        worse=15,
        chance=0.5,
        frozen=[0.0] * 160,
        level=0.01,
        gains=gains,
    )
    assert sum(gains) < 0 < sum(paired.winsorised(gains))
    assert verdict.decision == "refused"


def asked_often(seed: int, turn: Turn) -> FitInput:
    """225 votes on different questions, and three questions asked 25 times each, judged alike each time."""
    given = night(seed, turn, 300)
    rows, replays = list(given.feedback.rows), list(given.feedback.replays)
    topics = {}
    for topic in range(3):
        first = 225 + 25 * topic
        for place in range(first, first + 25):
            known = rows[first]
            rows[place] = replace(
                rows[place], text_hash=known.text_hash, good=known.good, bad=known.bad
            )
            replays[place] = replays[first]
            topics[rows[place].answer_id] = topic
    feedback = replace(given.feedback, rows=tuple(rows), replays=tuple(replays), topics=topics)
    return replace(given, feedback=feedback)


def test_a_question_that_is_asked_often_is_one_observation() -> None:
    given = asked_often(1, honest)
    assert given.topics == 228
    assert fit_ranking.fit_title(given).numbers["judged"] == 228
    fold = given.folds()
    assert [len(set(fold[first : first + 25])) for first in (225, 250, 275)] == [1, 1, 1]


def test_few_questions_asked_often_are_too_few() -> None:
    given = night(1, honest, 300)
    topics = {row.answer_id: place % 100 for place, row in enumerate(given.feedback.rows)}
    few = replace(given, feedback=replace(given.feedback, topics=topics))
    assert fit_ranking.fit_title(few).reason.startswith("100 more judged questions")


@pytest.mark.parametrize("liked", [0.1, 0.5, 0.9])
def test_a_return_to_what_was_shown_before_passes_only_if_it_was_liked_more_than_most(
    liked: float,
) -> None:
    """All changes bring back a shown passage; of these as many are liked as of the others."""
    chance = np.random.default_rng(4)

    def without_signal(chance: np.random.Generator, is_right: bool) -> bool:
        return bool(chance.random() < liked)

    found = []
    for seed in range(NIGHTS):
        given = night(seed, without_signal, 300)
        votes = given.feedback.votes(0.4)
        shown = votes.shown
        other = np.where(chance.random(300) < 0.3, (shown + 1) % 10, shown)
        verdict = fit_ranking._verdict("fusion", given, {}, votes, other, shown, np.zeros(0))
        found.append(verdict.decision)
    assert set(found) == {"refused"}


def test_what_is_shown_first_is_the_newer_of_two_copies() -> None:
    old = replace(PASSAGES[0], body="the office opens at nine", updated_at=NOW)
    newer = replace(old, chunk_id=1, path="1", text_hash="01", updated_at=NOW + timedelta(days=30))
    given = night(1, honest, 1)
    row = replace(given.feedback.rows[0], text_hash="00")
    table = np.array([[1.0, 1.0, 0.0], [0.9, 0.9, 0.0]])
    feedback = replace(given.feedback, rows=(row,), replays=(Replay((old, newer), table),))
    votes = feedback.votes(0.4)
    weights = fit_ranking.weights(given.parameters, feedback.sources)
    assert list(ranking.choices(votes, weights)) == [0]
    assert list(feedback.first(votes, weights, [0])) == [1]
