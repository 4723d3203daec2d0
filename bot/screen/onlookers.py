"""What the admin who looks may read of what was asked: open channels, and what they asked themselves.

Knows nothing about pages.
"""

from collections.abc import Mapping
from datetime import timedelta

from flask import g

from bot.screen.parts import Parts
from store import figures
from store.conversations import Onlooker

MOST_CHANNELS = 500
"""The busiest of the year, whose conversations can be looked through."""

YEAR = timedelta(days=366)


def open_channels(parts: Parts) -> Mapping[str, str]:
    """Name the channels with questions that every member may read, by id."""
    with parts.connection() as connection:
        now = parts.now()
        figures.refresh(connection, parts.workspace, now)
        today = now.date()
        found = figures.by(
            connection, parts.workspace, "channel", today - YEAR, today + timedelta(days=1),
            most=MOST_CHANNELS,
        )  # fmt: skip
    return parts.channels(name for name, _ in found if name != figures.PRIVATE)


def onlooker(channels: Mapping[str, str]) -> Onlooker:
    """Give whoever asks for this page, with the channels that are open."""
    return Onlooker(g.person, tuple(channels))
