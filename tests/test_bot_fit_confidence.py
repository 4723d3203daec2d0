"""The night refits confidence, thresholds and what sources are worth from votes, where votes say so."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pytest

from bot.answering import ranking
from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.learning import fit_confidence, fit_ranking
from bot.learning.calibration import Sample
from bot.learning.feedback import Feedback
from bot.learning.fit_ranking import FitInput
from bot.learning.replay import Replay
from store.feedback.memory import Judged
from store.records import Ask, ModelVersion, Passage

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SERVING = Calibrator(-2.0, {"unit": 4.0}, 0.8, 0.4)


def rated(number: int, unit: float, good: float, bad: float, unfounded: float = 0.0) -> Judged:
    ask = Ask("T1", "C1", str(number), f"U{number}", "?", "mention", False)
    signals = {"unit": unit}
    return Judged(UUID(int=number), ask, "", "aa", good, bad, ("U",), signals, unfounded)


def known(rows: list[Judged], chance: np.random.Generator) -> FitInput:
    """What people said, beside a frozen set that the serving model tells truly."""
    units = chance.random(200)
    frozen = [
        Sample({"unit": u}, bool(chance.random() < SERVING.probability({"unit": u})), f"{n}", 1.0)
        for n, u in enumerate(units)
    ]
    feedback = Feedback((), (), np.zeros((0, 0), dtype=np.float32), tuple(rows))
    return FitInput(
        feedback, lambda weights, floor: np.zeros(0), lambda: frozen, Parameters(SERVING)
    )


def told(count: int, wrong_below: float, *, refused: bool = False) -> list[Judged]:
    """Answers that people like but where the signal is low; these are wrong, or made of nothing."""
    units = np.random.default_rng(1).random(count)
    return [
        rated(n, u, 1.0, 0.0)
        if u > wrong_below
        else rated(n, u, 0.0, 0.0 if refused else 1.0, float(refused))
        for n, u in enumerate(units)
    ]


@pytest.mark.parametrize("refused", [False, True], ids=["wrong", "should be not found"])
def test_what_people_reject_makes_the_bot_less_sure(refused: bool) -> None:
    evidence = known(told(400, 0.6, refused=refused), np.random.default_rng(0))
    verdict = fit_confidence.fit_confidence(evidence)
    assert verdict.decision == "promoted", verdict.reason
    fitted = Calibrator.of(verdict.payload)
    assert fitted.probability({"unit": 0.5}) < SERVING.probability({"unit": 0.5})
    assert (fitted.answer_above, fitted.unsure_above) == (0.8, 0.4)


def test_votes_that_say_nothing_new_leave_the_confidence_alone() -> None:
    chance = np.random.default_rng(2)
    rows = []
    for n, u in enumerate(chance.random(300)):
        is_right = bool(chance.random() < SERVING.probability({"unit": u}))
        rows.append(rated(n, u, float(is_right), float(not is_right)))
    evidence = known(rows, chance)
    assert fit_confidence.fit_confidence(evidence).decision == "refused"
    assert fit_confidence.fit_thresholds(evidence).decision == "refused"


@pytest.mark.parametrize("turned", [True, False], ids=["turned", "no signal"])
def test_votes_that_have_nothing_to_do_with_how_sure_it_was_move_nothing(turned: bool) -> None:
    chance = np.random.default_rng(2)
    rows = []
    for n, u in enumerate(chance.random(400)):
        liked = 1 - SERVING.probability({"unit": u}) if turned else 0.5
        is_liked = bool(chance.random() < liked)
        rows.append(rated(n, u, float(is_liked), float(not is_liked)))
    evidence = known(rows, chance)
    for fit in (fit_confidence.fit_confidence, fit_confidence.fit_thresholds):
        verdict = fit(evidence)
        assert verdict.decision == "refused" and "sure of" in verdict.reason


def test_thresholds_rise_part_of_the_way_when_what_is_said_is_mostly_wrong() -> None:
    evidence = known(told(400, 0.6), np.random.default_rng(0))
    few = evidence.samples()[:5]
    verdict = fit_confidence.fit_thresholds(replace(evidence, samples=lambda: few))
    assert verdict.decision == "promoted", verdict.reason
    fitted = SERVING.within({k: float(str(v)) for k, v in verdict.payload.items()})
    assert 0.4 < fitted.unsure_above < SERVING.probability({"unit": 0.6})


def test_too_few_votes_wait() -> None:
    evidence = known(told(40, 0.6), np.random.default_rng(0))
    for fit in (fit_confidence.fit_confidence, fit_confidence.fit_thresholds):
        assert "160 more votes" in fit(evidence).reason


def passage(number: int, source: str, score: float = 0.0) -> Passage:
    return Passage(number, source, f"{number}", "", "", None, "", f"{number:02x}", NOW, 0, score)


def test_a_source_that_people_reject_loses_its_lead() -> None:
    chance = np.random.default_rng(3)
    passages = (passage(0, "wiki"), passage(1, "archive"))
    rows, replays = [], []
    for n in range(400):
        table = np.full((2, 3), 0.5) + chance.normal(0, 0.02, (2, 3))
        shown = int((table @ [0.4, 0.6, 0.0]).argmax())
        ask = Ask("T1", "C1", str(n), f"U{n}", "?", "mention", False)
        likes = float((shown == 0) ^ (chance.random() < 0.18))
        rows.append(
            Judged(UUID(int=n), ask, "", passages[shown].text_hash, likes, 1 - likes, ("U",), {})
        )
        replays.append(Replay(passages, table))
    feedback = Feedback(tuple(rows), tuple(replays), np.eye(400, dtype=np.float32))
    evidence = FitInput(feedback, lambda weights, floor: np.zeros(160), list, Parameters(SERVING))
    verdict = fit_ranking.fit_sources(evidence)
    assert verdict.decision == "promoted", verdict.reason
    worth = {name: float(str(value)) for name, value in verdict.payload.items()}
    assert worth["wiki"] > worth["archive"]


def test_one_source_has_nothing_to_be_told_apart_from() -> None:
    replays = (Replay((passage(0, "wiki"),), np.zeros((1, 3))),)
    feedback = Feedback((rated(0, 0.5, 1, 0),), replays, np.eye(1, dtype=np.float32))
    evidence = FitInput(feedback, lambda weights, floor: np.zeros(0), list, Parameters(SERVING))
    assert fit_ranking.fit_sources(evidence).decision == "waiting"


def test_what_a_source_is_worth_moves_its_passages() -> None:
    found = [passage(0, "archive", 0.6), passage(1, "wiki", 0.58)]
    assert [p.source for p in ranking.prefer_sources(found, {})] == ["archive", "wiki"]
    assert [p.source for p in ranking.prefer_sources(found, {"archive": -0.05})] == [
        "wiki",
        "archive",
    ]


def test_promoted_thresholds_and_sources_serve() -> None:
    def version(kind: str, payload: dict[str, object]) -> ModelVersion:
        return ModelVersion(UUID(int=1), kind, None, payload, {}, NOW, NOW, True)

    parameters = Parameters.of(
        {
            "thresholds": version("thresholds", {"answer_above": 0.9}),
            "sources": version("sources", {"wiki": 0.02}),
        }
    )
    assert parameters.calibrator.answer_above == 0.9
    assert parameters.calibrator.unsure_above == Calibrator.default().unsure_above
    assert parameters.sources == {"wiki": 0.02}
