"""What the admin who looks may read of what was asked: open channels, and what they asked themselves.

Knows nothing about pages.
"""

from collections.abc import Mapping

from flask import g

from bot.screen.parts import Parts
from store import figures
from store.conversations import Onlooker

MOST_CHANNELS = 2000
"""Whose conversations can be looked through."""


def open_channels(parts: Parts) -> Mapping[str, str]:
    """Name the channels with questions that every member may read, by id."""
    with parts.connection() as connection:
        figures.refresh(connection, parts.workspace, parts.now())
        found = figures.channels(connection, parts.workspace, MOST_CHANNELS)
    return parts.channels(found)


def onlooker(channels: Mapping[str, str]) -> Onlooker:
    """Give whoever asks for this page, with the channels that are open."""
    return Onlooker(g.person, tuple(channels))
