"""What is said in Slack when a message is passed on: to those who take over, and to the asker.

Knows nothing about what is passed on to whom: bot/answering/policy.py decides that.
"""

from bot.answering.policy import Handover
from bot.slack.markup import mrkdwn
from bot.text import shorten

SUMMARY_CHARS = 150
"""Of a question, in what those are told who take it over."""


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
