"""A message that is passed on in Slack: to whom, and what they and the asker are told.

Knows nothing about which messages are passed on: bot/answering/policy.py decides that.
"""

from dataclasses import dataclass

from bot.answering.policy import asked_back
from bot.intents import Intents
from bot.slack.markup import mrkdwn
from bot.text import shorten
from store.records import Answer

SUMMARY_CHARS = 150
"""Of a question, in what those are told who take it over."""


@dataclass(frozen=True, slots=True)
class Handover:
    """A message for those who take over: `route_to` is their id, `about` what such messages are."""

    route_to: str
    about: str
    question: str


def of(answer: Answer, intents: Intents) -> Handover | None:
    """Give what those are told who take over a routed message; None where nobody is set."""
    intent = intents.by_name.get(answer.intent or "")
    if answer.status != "routed" or asked_back(answer) or not intent or not intent.route_to:
        return None
    return Handover(intent.route_to, intent.description, answer.question)


def passed_on(route_to: str) -> str:
    """Say that a message was passed on; groups and people are not named, which would ping them."""
    where = f"to <#{route_to}>" if _is_channel(route_to) else "to the people in charge"
    return f"That is not in the documents' hands: I have passed it on {where}."


def not_passed_on(route_to: str) -> str:
    """Say whom to ask, where a message could not or must not be passed on."""
    where = f"in <#{route_to}>" if _is_channel(route_to) else "the people in charge"
    return f"That is not in the documents' hands. Please ask {where}."


def told(handover: Handover, permalink: str) -> str:
    """Tell those who take over what was asked, on one line, and where; a group is called by name."""
    asked = shorten(" ".join(handover.question.split()), SUMMARY_CHARS)
    text = f"{mrkdwn(f'{handover.about}: “{asked}”')} <{permalink}>"
    return f"<!subteam^{handover.route_to}> {text}" if handover.route_to.startswith("S") else text


def _is_channel(route_to: str) -> bool:
    return route_to.startswith(("C", "G"))
