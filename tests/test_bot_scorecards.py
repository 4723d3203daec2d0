"""What the learning scorecards try: rows never trained on, labels that lie, votes that mislead."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bot.intents import Intent, Intents
from bot.learning import feedback, fit_intents
from bot.scorecards import intents, nights, poisoning
from bot.scorecards.answers import OneLeg, Scorecard
from evals.answers import Labelled, Outcome, score
from evals.intents import Scores
from evals.metrics import times
from store.feedback import shares

INTENTS = Intents.of(
    tuple(
        Intent(name, name, "answer", tuple(f"{name} says {n}" for n in range(120)))
        for name in ("ann", "bob", "cleo")
    )
)
TRUTH = dict(INTENTS.examples())


def test_test_rows_are_neither_examples_nor_labels() -> None:
    split = nights.divide(INTENTS, 0.1, seed=0)
    parts = [split.intents.examples(), list(split.labels), list(split.test)]
    texts = [text for part in parts for text, _ in part]
    assert sorted(texts) == sorted(TRUTH)
    assert all(TRUTH[text] == name for text, name in split.test)
    assert min(map(len, parts)) > 40


@pytest.mark.parametrize("wrong", [0.0, 0.5, 1.0])
def test_so_many_labels_lie(wrong: float) -> None:
    labels = nights.divide(INTENTS, wrong, seed=0).labels
    share = sum(TRUTH[text] != name for text, name in labels) / len(labels)
    assert share == pytest.approx(wrong, abs=0.12)


def test_labels_arrive_from_the_first_night_to_the_last() -> None:
    labels = nights.divide(INTENTS, 0.1, seed=0).labels
    counts = [len(nights.arrived(labels, night, 10)) for night in range(1, 11)]
    assert counts[0] == fit_intents.MIN_LABELS and counts[-1] == len(labels)
    assert counts == sorted(counts)


def test_bad_nights_are_shared_out_and_those_without_signal_stand_apart() -> None:
    counts = poisoning.shared(100, 30)
    assert sum(counts[mode] for mode in poisoning.POISONED) == 100
    assert counts["no signal"] == 30 and set(counts) == set(poisoning.MODES)


def test_one_loud_person_turns_no_more_votes_than_count() -> None:
    votes = poisoning.loud(np.ones(poisoning.VOTES), np.random.default_rng(0))
    honest = (poisoning.VOTES - poisoning.LOUD) * (1 - poisoning.NOISE)
    assert (votes[: feedback.LEAST] == 0).all()
    assert np.isnan(votes).sum() == poisoning.LOUD - feedback.LEAST
    assert np.nansum(votes) == pytest.approx(honest, abs=15)


@pytest.mark.parametrize(
    ("votes", "most"),
    [
        ([], feedback.LEAST),
        ([500], feedback.LEAST),
        ([200, *[1] * 100], feedback.LEAST),
        ([200, *[1] * 300], 100),
        ([100] * 4, 100),
        ([1000, 80, 80, 80, 80], 106),
    ],
)
def test_nobodys_votes_are_more_than_a_quarter_and_fifty_always_count(
    votes: list[int], most: int
) -> None:
    assert shares.fair_share(votes, feedback.LEAST) == most


def test_on_one_day_a_loud_persons_votes_are_capped() -> None:
    votes = poisoning.capped(np.ones(poisoning.VOTES), np.random.default_rng(0))
    assert (votes[: poisoning.PERSON_VOTES] == 0).all()
    assert np.isnan(votes).sum() == poisoning.LOUD - poisoning.PERSON_VOTES


def kind_of(accuracy: float, auroc: float | None, ms: float) -> intents.ModelScores:
    scores = Scores(accuracy, (0.5, 1.0), accuracy, 0.9, auroc, 0.05, 0.1, 10, 2, 60.0)
    return intents.ModelScores(scores, ms)


def test_several_seeds_give_means_with_their_spread() -> None:
    found = intents.mean([kind_of(0.8, 0.9, 1.0), kind_of(0.9, None, 3.0)])
    assert found.scores.accuracy == pytest.approx(0.85) and found.ms == 2.0
    assert found.spread is not None
    assert found.spread["accuracy"] == pytest.approx(0.0707, abs=1e-4)
    # Not every seed could measure it: the first one's value stands, without a spread.
    assert found.scores.oos_auroc == 0.9 and "oos_auroc" not in found.spread


def test_one_seed_has_no_spread() -> None:
    found = intents.mean([kind_of(0.8, 0.9, 1.0)])
    assert found.spread is None and "spread" not in found.as_json()


def test_the_intents_scorecard_keeps_the_keys_that_others_rely_on() -> None:
    bert, baseline = kind_of(0.8, 0.9, 1.0), kind_of(0.7, 0.8, 0.1)
    card = intents.Scorecard(
        bert, bert, baseline, 12, 8, 1, (0,), ("bert",), "wins", (("ann", "bob", 2),)
    )
    shown = json.loads(json.dumps(card.as_json()))
    wanted = {"accuracy", "macro_f1", "oos_recall", "oos_auroc", "in_scope_rejected", "ece"}
    assert wanted | {"seconds", "ms", "train", "test", "leaked", "seeds", "serves"} <= set(shown)
    assert wanted | {"seconds", "ms"} <= set(shown["baseline"])
    assert shown["accuracy"] == shown["bert"]["accuracy"] != shown["baseline"]["accuracy"]


def test_what_was_chosen_on_the_questions_is_told_by_held_out_figures_alone() -> None:
    row = Labelled("1", "?", True, "a.md", "fact")
    outcome = Outcome(0.9, refused=False, pages=("a.md",), quotes=("fact",))
    leg = OneLeg(1.0, 1.0, 1.0)
    card = Scorecard(score([row], [outcome]), leg, leg, {}, times([1.0]))
    own, told = (
        card.as_json(),
        replace(card, held_out={"ece": 0.2, "coverage_at_80": 0.4}).as_json(),
    )
    assert (own["chosen_on_these"], told["chosen_on_these"]) == (False, True)
    assert own["ece"] != 0.2 and (told["ece"], told["coverage_at_80"]) == (0.2, 0.4)
