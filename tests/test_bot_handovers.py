"""A message is passed on: those who take over learn what was asked and where, the asker who has it."""

import pytest

from bot.intents import Intent, Intents
from bot.slack import handovers
from bot.slack.handovers import Handover
from tests.slack_parts import answer_of

INTENTS = Intents.of(
    (
        Intent("access", "Asks for access", "route", ("a",), route_to="C0ACCESS"),
        Intent("time_off", "Asks for time off", "route", ("t",), reply="Tell your manager."),
    )
)


def test_who_takes_over_learns_what_is_asked() -> None:
    routed = answer_of("routed", question="need access", intent="access")
    assert handovers.of(routed, INTENTS) == Handover("C0ACCESS", "Asks for access", "need access")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "answered"},
        {"intent": "time_off"},
        {"intent": "deleted since"},
        {"intent": None},
        {"signals": {"intent:access": 0.5, "intent:time_off": 0.4}},  # still open which of two
    ],
)
def test_nobody_takes_over_what_was_not_routed_or_has_nowhere_to_go(
    changes: dict[str, object],
) -> None:
    given = {"status": "routed", "question": "need access", "intent": "access"} | changes
    assert handovers.of(answer_of(**given), INTENTS) is None  # type: ignore[arg-type]


def test_who_takes_over_is_told_on_one_line_with_a_link() -> None:
    asked = Handover("C0ACCESS", "Asks for access", "need access\nto {crm}  " + "x" * 500)
    told = handovers.told(asked, "https://team.slack.example/1")
    assert told.startswith("Asks for access: “need access to {crm} xxx") and "\n" not in told
    assert told.endswith("…” <https://team.slack.example/1>") and len(told) < 230


@pytest.mark.parametrize(
    ("route_to", "named"),
    [("C0ACCESS", True), ("G0ACCESS", True), ("S0TEAM", False), ("U1", False)],
)
def test_only_a_channel_is_named_to_the_asker(route_to: str, named: bool) -> None:
    for said in (handovers.passed_on(route_to), handovers.not_passed_on(route_to)):
        assert (f"<#{route_to}>" in said) is named and (route_to in said) is named
