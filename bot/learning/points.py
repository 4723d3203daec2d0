"""Reads the points of the learning curve out of the nights that were kept.

Knows nothing about how a night is held, so that it can be drawn where no numpy is loaded.
"""

from collections.abc import Mapping

from bot.learning.curve import Point
from store.feedback.nights import Night


def point(one: Night) -> Point:
    """Read from a kept report how people liked the week's answers, and what was promoted.

    Reports of earlier versions lack some keys: such a night is one on which nothing was judged.
    """
    rate, parts = one.report.get("like_rate"), one.report.get("parts")
    promoted = tuple(
        str(part["kind"])
        for part in (parts if isinstance(parts, list) else [])
        if part.get("decision") == "promoted"
    )
    day = one.started_at.date()
    if not isinstance(rate, Mapping) or not rate["judged"]:
        return Point(day, 0, promoted=promoted)
    low, high = rate["interval"]
    return Point(day, rate["judged"], rate["liked"] / rate["judged"], low, high, promoted)
