"""A message that is passed on in Slack, or a person who is called: to whom, and what they and the asker are told.

Knows nothing about which messages are passed on: bot/answering/policy.py decides that.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from bot import jobs
from bot.answering.policy import asked_back
from bot.intents import Intents
from bot.slack.markup import mrkdwn
from bot.text import shorten
from store import calls
from store.calls import Call
from store.channels import ChannelSettings
from store.database import Connection
from store.queue import Queue
from store.records import Answer, Question

SUMMARY_CHARS = 150
"""Of a question, in what those are told who take it over."""

REMIND_SECONDS = 4 * 3600.0
"""After which those who were called are reminded, once."""

CALLED = "I have called the people in charge to this thread. It is open until one of you closes it."


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


def in_charge(channel: ChannelSettings, intents: Intents) -> tuple[str, ...]:
    """Name who is called in a channel: its owners, else whoever takes those who want a person."""
    human = next((each for each in intents.by_name.values() if each.action == "human"), None)
    return channel.owners or ((human.route_to,) if human and human.route_to else ())


def wants_person(answer: Answer, intents: Intents) -> bool:
    """Whether a message asks for a person."""
    intent = intents.by_name.get(answer.intent or "")
    is_human = intent is not None and intent.action == "human"
    return answer.status == "routed" and is_human and not asked_back(answer)


def call(call_id: UUID, question: Question, person: str) -> Call:
    """Make the call of a person in the thread of a question."""
    ask = question.ask
    thread_ts = ask.thread_ts or ask.said_ts
    now = datetime.now(UTC)
    return Call(call_id, question.question_id, ask.channel, thread_ts, person, now)


def open_call(connection: Connection, queue: Queue, workspace: str, opened: Call) -> bool:
    """Open a call and queue that people are told and reminded; False when its thread has one."""
    if not calls.put(connection, workspace, opened):
        return False
    about = {"call": str(opened.call_id)}
    jobs.defer_notice(connection, queue, workspace, "call", f"call:{opened.call_id}", about)
    jobs.defer_notice(
        connection, queue, workspace, "reminder", f"reminder:{opened.call_id}", about,
        after=REMIND_SECONDS,
    )  # fmt: skip
    return True


def passed_on(route_to: str) -> str:
    """Say that a message was passed on; groups and people are not named, which would ping them."""
    where = f"to <#{route_to}>" if is_channel(route_to) else "to the people in charge"
    return f"That is not in the documents' hands: I have passed it on {where}."


def not_passed_on(route_to: str) -> str:
    """Say whom to ask, where a message could not or must not be passed on."""
    where = f"in <#{route_to}>" if is_channel(route_to) else "the people in charge"
    return f"That is not in the documents' hands. Please ask {where}."


def told(handover: Handover, permalink: str) -> str:
    """Tell those who take over what was asked, on one line, and where; a group is called by name."""
    asked = shorten(" ".join(handover.question.split()), SUMMARY_CHARS)
    text = f"{mrkdwn(f'{handover.about}: “{asked}”')} <{permalink}>"
    return f"<!subteam^{handover.route_to}> {text}" if handover.route_to.startswith("S") else text


def is_channel(route_to: str) -> bool:
    """Whether an id is a channel's, not a person's or a group's."""
    return route_to.startswith(("C", "G"))
