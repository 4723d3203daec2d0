"""A simulated year holds the real gate's tests; votes that say nothing pass hardly ever."""

import numpy as np

from bot.learning import looks
from bot.scorecards import years


def test_a_year_of_labels_without_signal_seldom_teaches_the_intents() -> None:
    chance = np.random.default_rng(0)
    promoted = sum(years.labelled(chance) is not None for _ in range(500))
    assert promoted / 500 <= 2 * looks.ALPHA / looks.PARTS


def test_votes_without_signal_of_which_most_are_liked_promote_nothing() -> None:
    chance = np.random.default_rng(1)
    assert years.hold(years.drawn(chance, 0.9, days=130), chance, days=130) == {}


def test_a_question_asked_again_is_the_same_topic() -> None:
    chance = np.random.default_rng(1)
    judged = years.drawn(chance, 0.5, days=101).until(202)
    topics = len(set(judged.numbered(judged.rows).tolist()))
    assert 120 < topics < 202


def test_what_was_found_is_counted_by_part() -> None:
    found = years.counted([{"title": 300}, {"title": 200}, {}])
    assert found.promoted["title"] == 2 and found.after == {"title": 250.0}
    parts = found.as_json()["parts"]
    assert isinstance(parts, dict) and parts["memory"]["promoted"] == 0


def test_the_tests_alone_seldom_pass_without_signal() -> None:
    passed = [years.gates(np.random.default_rng(seed), 0.9) for seed in range(2)]
    assert passed == [{}] * 2
