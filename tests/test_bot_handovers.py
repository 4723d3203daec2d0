"""A message is passed on: those who take over learn what was asked and where, the asker who has it."""

import pytest

from bot.answering.policy import Handover
from bot.slack import handovers


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
