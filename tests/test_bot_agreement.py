"""Whether two questions ask the same, on pairs of ours that are kept apart by kind of difference."""

import pytest

from bot.answering.agreement import agrees
from evals import replies


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("can I park here", "can I not park here"),
        ("who signs in Lisbon", "who signs in London"),
        ("how do I get from Graz to Linz", "how do I get from Linz to Graz"),
        ("what does E17 mean", "what does E71 mean"),
        ("when is the audit", "who is the audit"),
        ("can I wear headphones", "must I wear headphones"),
        ("am I allowed to work at night", "do I have to work at night"),
        ("what may I bring to the lab", "what must I bring to the lab"),
        ("who pays the divers", "who pays the drivers"),
        ("", "where is the key"),
        ("???", "!!!"),
    ],
)
def test_what_tells_answers_apart_tells_questions_apart(one: str, other: str) -> None:
    assert not agrees(one, other)
    assert not agrees(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("how do I book a meeting room", "Hi! how can I reserve a conference room pls"),
        ("what is ERR-4042", "err 4042??"),
        ("who approves 5,000 euros", "who signs off on 5000 €"),
        ("how do I reset my password", "how do i reset my pasword"),
        ("who can I ask about tax", "who do I have to ask about tax"),
        ("who fixes the lift", "who repairs the elevator"),
        ("how long is the probation period", "how long does the probation period last"),
    ],
)
def test_other_words_for_the_same_agree(one: str, other: str) -> None:
    assert agrees(one, other)
    assert agrees(other, one)


def test_the_promise_holds_on_kinds_that_the_words_were_not_chosen_on() -> None:
    told = replies.score(replies.labelled(replies.PAIRS), agrees).held_out
    assert told.wrong_served <= 0.01
    assert told.right_served >= 0.9
