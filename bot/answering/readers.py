"""Who reads a reply, and what they are told when that is less than everyone in the workspace.

Knows nothing about how Slack says it (bot/slack/audience.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from store.channels import ChannelSettings
from store.records import EVERYONE, Answer, Ask, Viewer

Closed = Literal["guest", "outsider", "shared", "unknown", "changed"]
"""Why a reply may not hold what is open to everyone: who asks is a guest or from elsewhere, the channel
is shared with others, Slack does not say, or the right was lost since the answer was found."""

NOTES: dict[Closed, str] = {
    "guest": "You are a guest here: I answer you only from what is meant for this channel or for you.",
    "outsider": "You are not of this workspace: I answer you only from what is meant for this channel or"
    " for you.",
    "shared": "This channel is shared with people from elsewhere: I answer here only from what is meant"
    " for it. An admin can change that with `/threadwise outsiders allow`.",
    "unknown": "Slack did not tell me who you are or who reads along here, so I answered only from what is"
    " meant for this channel or for you. Please ask again in a moment.",
    "changed": "What I had found may no longer be shown here.",
}

PREFIX = "closed:"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who will read a reply; `closed` says why not everything that is open to everyone."""

    viewer: Viewer
    closed: Closed | None = None


Readers = Callable[[Ask, ChannelSettings], Reader]
"""Tells who will read the reply to a message, in a channel of these settings. Never raises."""


def inside(ask: Ask, channel: ChannelSettings) -> Reader:
    """Take all for full members of the workspace, as in the terminal."""
    return Reader(Viewer((EVERYONE, *own(ask))))


def own(ask: Ask) -> tuple[str, ...]:
    """Name what a reply is for in any case: its channel and, where nobody else reads it, its asker."""
    return (ask.channel, ask.person) if ask.is_private else (ask.channel,)


def signals(closed: Closed | None) -> dict[str, float]:
    """Give what an answer keeps of it, next to its other signals."""
    return {} if closed is None else {f"{PREFIX}{closed}": 1.0}


def is_unknown(answer: Answer) -> bool:
    """Whether Slack did not say who would read it when the answer was found."""
    return f"{PREFIX}unknown" in answer.signals


def note(answer: Answer) -> str | None:
    """Say in a line why an answer holds less than it might; None where nothing is to be said."""
    for closed in get_args(Closed):
        if f"{PREFIX}{closed}" in answer.signals:
            is_told = answer.status == "not_found" or closed in ("unknown", "changed")
            return NOTES[closed] if is_told else None
    return None
