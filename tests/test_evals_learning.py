"""The simulation asks, votes and splits as it says."""

import random

from evals import learning

RIGHT = {f"q{p}-{n}": f"p{p}" for p in range(50) for n in range(4)} | {"alone": "p99"}


def test_half_of_a_topics_questions_are_asked_and_none_twice() -> None:
    drawn = learning.draw(RIGHT, nights=2, votes=20, seed=1)
    asked = [question for night in drawn.asked for question in night]
    assert [len(night) for night in drawn.asked] == [20, 20]
    assert len(set(asked)) == 40
    assert not set(asked) & set(drawn.others)
    assert "alone" in drawn.others


def test_the_same_seed_gives_the_same_plan() -> None:
    assert learning.draw(RIGHT, 1, 30, 7) == learning.draw(RIGHT, 1, 30, 7)
    assert learning.draw(RIGHT, 1, 30, 7) != learning.draw(RIGHT, 1, 30, 8)


def test_votes_follow_what_is_right_but_for_the_flipped_share() -> None:
    chance = random.Random(3)
    thumbs = [learning.thumb(True, 0.18, chance) for _ in range(4000)]
    assert 0.16 < thumbs.count(-1) / 4000 < 0.20
    assert learning.thumb(False, 0.0, chance) == -1


def test_again_needs_a_topic_that_was_asked_and_shown() -> None:
    drawn = learning.Draw((("q0-0", "q1-0"),), ("q0-1", "q1-1", "q2-1", "q3-1"))
    groups = learning.groups(drawn, RIGHT, {"p0", "p2"}, 10, 0)
    assert groups == {"again": ["q0-1"], "between": ["q1-1", "q2-1"], "unseen": ["q3-1"]}


def test_ranks_become_hits_and_reciprocal_ranks() -> None:
    scores = learning.compare([1, 2, None, 1], [1, 1, 4, None])
    assert (scores.hit_before, scores.hit_after) == (0.5, 0.5)
    assert (scores.mrr_before, scores.mrr_after) == (0.625, 0.5625)
