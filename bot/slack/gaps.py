"""Gaps in Slack: what the admins' channel is told, and what `/threadwise gaps` shows and changes.

Knows nothing about how gaps are found. Questions from private places are told as counts alone.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from slack_bolt import Ack, App

from bot.slack import payload, render
from bot.slack.edge import Edge
from bot.slack.markup import mrkdwn
from bot.slack.notices import Notice, Speaker
from bot.slack.payload import Payload
from bot.slack.render import Message
from bot.text import shorten
from store import gaps
from store.gaps import Gap

NAME_CHARS = 200
NAMED = 10
"""Gaps that are named in one message; the others are counted."""

PRIVATE = "asked only in private, so I do not tell what"
NONE = (
    "No gap is open: what was asked lately found an answer, or has not been grouped yet (Mondays)."
)
REFUSAL = "Only admins decide about gaps."


def register(app: App, edge: Edge) -> None:
    """Listen to the buttons of a gap."""

    def on_decision(ack: Ack, body: Payload) -> None:
        ack()
        edge.later(decide, edge, body)

    app.action(re.compile("^gap:"))(on_decision)


def answered(speaker: Speaker, about: Mapping[str, Any]) -> Notice | None:
    """Tell the admins' channel which gaps are answered now; None where there is no such channel."""
    channel = speaker.settings.admin_channel
    if channel is None:
        return None
    ids, named_in = [UUID(each) for each in about["gaps"]], open_channels(speaker)
    with speaker.database.connection() as connection:
        every = [gaps.get(connection, speaker.workspace, each, named_in=named_in) for each in ids]
    found = [gap for gap in every if gap and gap.state == "closed"]
    if not found:
        return None
    is_told = not speaker.audience.place(channel).is_shared
    verb = "gap is" if len(found) == 1 else "gaps are"
    lines = [f"{len(found)} {verb} now answered:", *_lines(found, is_told)]
    return Notice(channel, (Message("\n".join(lines)),))


def open_channels(told: Edge | Speaker) -> list[str]:
    """Name the channels whose questions may be told: Slack is asked now, as one may have become private."""
    with told.database.connection() as connection:
        known = gaps.channels(connection, told.workspace)
    return [channel for channel in known if told.audience.is_open(channel)]


def open_ones(edge: Edge, limit: int) -> list[Message]:
    """Show the gaps that wait, one each, with buttons to take, to mute and to close it."""
    named_in = open_channels(edge)
    with edge.database.connection() as connection:
        found = gaps.listed(connection, edge.workspace, limit=limit, named_in=named_in)
    return [_shown(gap) for gap in found]


def decide(edge: Edge, body: Payload) -> None:
    """Take, mute or close a gap, if an admin says so."""
    click, person, url = payload.action(body), payload.person(body), payload.response_url(body)
    gap_id = payload.uuid(click.get("value"))
    if gap_id is None:
        return
    if not edge.is_admin(person):
        said, channel = Message(REFUSAL), payload.channel(body)
        edge.whisper(said, person=person, channel=channel, thread_ts=None, url=url)
        return
    verb, now = str(click.get("action_id")).partition(":")[2], datetime.now(UTC)
    named_in = open_channels(edge)
    with edge.database.connection() as connection:
        where = connection, edge.workspace, gap_id
        if verb == "take":
            is_done, did = gaps.assign(*where, person, person, now), "Taken"
        elif verb == "mute":
            is_done, did = gaps.mute(*where, person, now), "Muted"
        else:
            is_done, did = gaps.close(*where, person, now), "Closed"
        gap = gaps.get(*where, named_in=named_in)
    if gap:
        said_so = f"{did} by <@{person}>" if is_done else f"Is {gap.state} already"
        edge.rewrite(url, f"{said_so}: {_named(gap, is_told=True)}")


def _shown(gap: Gap) -> Message:
    text = line(gap, is_told=True)
    value = str(gap.gap_id)
    buttons = [
        render.button("I take it", "gap:take", value),
        render.button("Mute", "gap:mute", value),
        render.button("Close", "gap:close", value),
    ]
    return Message(text, (render.verbatim(text), {"type": "actions", "elements": buttons}))


def _lines(found: Sequence[Gap], is_told: bool) -> list[str]:
    lines = [f"• {line(gap, is_told=is_told)}" for gap in found[:NAMED]]
    more = len(found) - NAMED
    return lines + ([f"and {more} more"] if more > 0 else [])


def line(gap: Gap, *, is_told: bool) -> str:
    people = f"{gap.people} {'person' if gap.people == 1 else 'people'}"
    times = "once" if gap.asked == 1 else f"{gap.asked} times"
    facts = [f"asked {times} by {people}"]
    if gap.disliked:
        facts.append(f"{gap.disliked} of the answers disliked")
    if gap.assigned_to:
        facts.append(f"taken by <@{gap.assigned_to}>")
    return f"{_named(gap, is_told=is_told)} ({', '.join(facts)})"


def _named(gap: Gap, *, is_told: bool) -> str:
    if not is_told or gap.name is None:
        return PRIVATE if gap.name is None else "A question"
    name = f"“{mrkdwn(shorten(' '.join(gap.name.split()), NAME_CHARS))}”"
    return f"{mrkdwn(gap.title)}: {name}" if gap.title else name
