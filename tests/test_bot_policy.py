"""What is done with a message: a table of what was said, where, how sure, and what was decided."""

from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.answering import policy
from bot.answering.classifier import Classifier
from bot.answering.policy import Decision, Policy
from bot.answering.request import Request
from bot.intents import Intent, Intents
from models.intents.classifier import Prediction
from store.records import READER, Answer

INTENTS = Intents.of(
    (
        Intent("question", "Wants to know", "answer", ("?",), sources=("handbook",)),
        Intent("greeting", "Says hello", "reply", ("hi",), reply="Hello!"),
        Intent("chatter", "Talk", "ignore", ("lol",)),
        Intent("access", "Asks for access", "route", ("a",), route_to="C0ACCESS"),
        Intent("time_off", "Asks for time off", "route", ("t",), reply="Tell your manager."),
        Intent("human", "Wants a person", "human", ("h",), reply="Nobody was called."),
    )
)


def said(
    nearest: str, confidence: float, runner_up: str = "question", in_scope: float = 0.9
) -> Prediction:
    """A prediction; the runner-up takes all that is left."""
    intent = nearest if in_scope >= 0.5 else None
    return Prediction(intent, confidence, nearest, runner_up, 2 * confidence - 1, in_scope)


def decided(
    found: Prediction, intents: Intents = INTENTS, *, text: str = "text", **where: object
) -> Decision:
    def classify(text: str, vector: object) -> Prediction:
        return found

    bot = Policy(lambda: intents, lambda: Classifier(classify, "v1"))
    return bot.decide(Request(text, READER, **where), no_vector)  # type: ignore[arg-type]


def no_vector() -> NDArray[np.float32]:
    raise AssertionError("this classifier needs no vector")


@pytest.mark.parametrize(
    ("found", "origin", "action", "otherwise"),
    [
        (said("question", 0.99), "mention", "search", None),
        (said("question", 0.30), "dm", "search", None),
        (said("greeting", 0.95), "mention", "reply", None),
        (said("greeting", 0.60), "mention", "search", None),
        (said("greeting", 0.95, in_scope=0.2), "command", "search", None),
        (said("access", 0.995), "dm", "route", None),
        (said("access", 0.80), "dm", "search", "route"),
        (said("access", 0.59), "dm", "search", None),
        (said("human", 0.995), "terminal", "route", None),
        (said("access", 0.55, "time_off"), "mention", "search", "ask_back"),
        (said("access", 0.55, "question"), "mention", "search", None),
        (said("chatter", 0.99), "mention", "search", None),
        (said("chatter", 0.99), "thread", "ignore", None),
        (said("chatter", 0.60), "thread", "search", None),
        (said("deleted", 0.99), "mention", "search", None),
    ],
)
def test_whoever_asks_gets_an_end_and_a_doubtful_message_a_search(
    found: Prediction, origin: str, action: str, otherwise: str | None
) -> None:
    decision = decided(found, origin=origin)
    assert (decision.action, decision.otherwise) == (action, otherwise)


@pytest.mark.parametrize(
    ("found", "strictness", "action"),
    [
        (said("question", 0.8), None, "search"),
        (said("question", 0.4, "chatter"), None, "ignore"),
        (said("question", 0.4, "access"), None, "search"),
        (said("question", 0.8, "chatter"), 0.9, "ignore"),
        (said("question", 0.8, in_scope=0.3), None, "ignore"),
        (said("greeting", 0.99), None, "ignore"),
        (said("chatter", 0.99), None, "ignore"),
        (said("access", 0.995), None, "route"),
        (said("access", 0.8), None, "ignore"),
        (said("deleted", 0.99), None, "ignore"),
    ],
)
def test_unasked_the_bot_speaks_only_when_it_is_sure(
    found: Prediction, strictness: float | None, action: str
) -> None:
    decision = decided(found, origin="channel", mode="questions", strictness=strictness)
    assert decision.action == action


@pytest.mark.parametrize(
    ("text", "action"), [("how do i get in?", "search"), ("i want to get in", "ignore")]
)
def test_unasked_a_question_that_looks_like_a_request_is_searched_for(
    text: str, action: str
) -> None:
    found = said("access", 0.6)
    decision = decided(found, text=text, origin="channel", mode="questions")
    assert decision.action == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("please give me access to the crm", "route"),
        ("how do i get access to the crm", "search"),
        ("access to the crm?", "search"),
    ],
)
def test_what_asks_is_searched_for_before_it_is_passed_on(text: str, action: str) -> None:
    decision = decided(said("access", 0.995), text=text)
    assert decision.action == action
    assert "route" in (decision.action, decision.otherwise)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("休暇", "search"),
        ("отпуск", "search"),
        ("hi 休", "reply"),
        ("👋", "reply"),
        ("Grüß", "reply"),
    ],
)
def test_a_script_that_no_example_is_in_is_searched_for(text: str, action: str) -> None:
    assert decided(said("greeting", 0.99), text=text).action == action


def test_in_mode_all_chatter_alone_is_ignored() -> None:
    assert decided(said("chatter", 0.99), origin="channel", mode="all").action == "ignore"
    assert decided(said("question", 0.2), origin="channel", mode="all").action == "search"


def test_without_intents_everything_is_searched_for() -> None:
    assert decided(said("greeting", 0.99), Intents()) == Decision()


def test_a_question_is_looked_for_in_its_intents_sources() -> None:
    assert decided(said("question", 0.9)).sources == ("handbook",)
    assert decided(said("question", 0.9, in_scope=0.1)).sources is None
    assert decided(said("question", 0.4)).sources is None
    assert decided(said("time_off", 0.7)).sources is None


def test_a_route_that_is_set_says_where_and_one_that_is_not_says_its_reply() -> None:
    given = decided(said("access", 0.995))
    assert (given.reply, given.route_to) == (policy.PASSED_ON, "C0ACCESS")
    unset = decided(said("time_off", 0.995))
    assert (unset.reply, unset.route_to) == ("Tell your manager.", None)


def test_asking_back_names_both_and_survives_being_kept() -> None:
    decision = decided(said("access", 0.55, "time_off"))
    assert decision.reply == "Did you mean “Asks for access” or “Asks for time off”?"
    assert policy.asked_back(routed(decision)) == ("access", "time_off")
    assert policy.asked_back(routed(decided(said("access", 0.995)))) is None


def routed(decision: Decision, question: str = "text") -> Answer:
    """What is kept of a decision."""
    return Answer(
        uuid4(),
        question,
        "routed",
        decision.confidence,
        decision.reply,
        intent=decision.intent,
        signals=policy.intent_signals(decision),
    )


@pytest.mark.parametrize(
    ("chosen", "action", "reply"),
    [
        ("access", "route", policy.PASSED_ON),
        ("time_off", "route", "Tell your manager."),
        ("greeting", "reply", "Hello!"),
        ("question", "search", None),
    ],
)
def test_what_the_asker_chose_is_done_whatever_the_classifier_says(
    chosen: str, action: str, reply: str | None
) -> None:
    decision = decided(said("access", 0.4, "time_off"), text="can i get in?", chosen=chosen)
    assert (decision.action, decision.intent, decision.reply) == (action, chosen, reply)


def test_a_choice_that_was_deleted_since_is_classified_again() -> None:
    assert decided(said("greeting", 0.95), chosen="deleted").intent == "greeting"
