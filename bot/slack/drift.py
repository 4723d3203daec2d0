"""What the admins' channel is told of a drift: once, when it begins.

Knows nothing about how drifts are found. Questions from private places are not told.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.learning import telling
from bot.slack.markup import mrkdwn
from bot.slack.notices import Notice, Speaker
from bot.slack.render import Message
from bot.text import shorten
from store.feedback import drifts, versions
from store.feedback.drifts import Drift

NAMED = 3
"""Questions that show what is new."""

NAME_CHARS = 200

WEEK = timedelta(days=7)


def began(speaker: Speaker, about: Mapping[str, Any]) -> Notice | None:
    """Tell the admins' channel of a drift; None where there is no such channel, or the drift has gone meanwhile."""
    channel, where = speaker.settings.admin_channel, speaker.workspace
    if channel is None:
        return None
    with speaker.database.connection() as connection:
        drift = drifts.latest(connection, where).get(about["measure"])
        if drift is None or drift.since is None:
            return None
        known = drifts.channels(connection, where, drift.question_ids)
        promoted = [
            version.kind
            for version in versions.serving(connection, where).values()
            if version.promoted_at and version.promoted_at > drift.since - WEEK
        ]
    lines = [f"*Drift* {telling.said(drift)}", *_named(speaker, drift, known)]
    if promoted:
        lines.append(f"Another version serves since then, which may be why: {', '.join(promoted)}.")
    return Notice(channel, (Message("\n".join([*lines, telling.cure(drift)])),))


def _named(speaker: Speaker, drift: Drift, known: list[str]) -> list[str]:
    """Name questions that show what is new: Slack is asked now whether all members may read their channels."""
    audience, channel = speaker.audience, speaker.settings.admin_channel
    if channel is None or audience.place(channel).is_shared:
        return []
    named_in = [each for each in known if audience.is_open(each)]
    with speaker.database.connection() as connection:
        found = drifts.named(connection, speaker.workspace, drift, named_in, NAMED)
    return [f"• “{mrkdwn(shorten(' '.join(text.split()), NAME_CHARS))}”" for text in found]
