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
        ("who calls the customer", "who does the customer call"),
        ("may a supplier visit a customer", "may a customer visit a supplier"),
        ("whose laptop is repaired", "who repairs the laptop"),
        ("can a manager approve overtime", "can a team lead approve overtime"),
        ("where do I get the expense form", "where do I submit the expense form"),
        ("who gives the training", "who takes the training"),
        ("how are trainers picked", "how are trainees picked"),
        ("is lunch free when there is a workshop", "when is lunch free"),
        ("how fast is the van", "how heavy is the van"),
        ("what does alarm 7 mean", "what does alarm 8 mean"),
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
        ("who do I call when the boiler fails", "the boiler fails, who do I call"),
        ("is there a dress code for visits", "is there a dress code when visiting"),
        ("what is the retention period for logs", "how long is the retention period for logs"),
        ("by when must claims be handed in", "what is the deadline for claims"),
        (
            "how is the meter calibrated",
            "what about the calibration of the meter, how does it work",
        ),
        ("how heavy may a parcel be", "what weight may a parcel have"),
        ("what does alarm A17 mean", "meaning of A17"),
        ("how do I report a fault", "where can I report a fault"),
        ("which bank holidays are paid", "which bank holiday is paid"),
    ],
)
def test_other_words_for_the_same_agree(one: str, other: str) -> None:
    assert agrees(one, other)
    assert agrees(other, one)


def test_the_promise_holds_on_kinds_that_the_words_were_not_chosen_on() -> None:
    told = replies.score(replies.labelled(replies.PAIRS), agrees).held_out
    assert told.wrong_served <= 0.01
    assert told.right_served >= 0.9
