"""Take the latest promotion back when people like the answers clearly less since than before.

Knows nothing about what was promoted or how it was fitted.
"""

from datetime import datetime, timedelta

from evals.metrics import wilson
from store.database import Connection
from store.feedback import likes, versions

WATCHED = timedelta(days=14)
"""How long after its promotion a version is watched; it is compared with as long a time before."""

MIN_VOTES = 30
"""Judged answers needed before the promotion, and again since, to compare them at all."""


def roll_back(connection: Connection, workspace: str, now: datetime) -> tuple[str, ...]:
    """Roll back the latest promotion if the share of liked answers fell; gives the kinds rolled back.

    It fell when the upper end of its 95 % interval since then lies below the lower end of the one before
    (Wilson intervals). Only the latest promotion is looked at: of two, nobody could tell which one did it.
    """
    watched = [
        v
        for v in versions.serving(connection, workspace).values()
        if v.promoted_at and now - v.promoted_at <= WATCHED
    ]
    back = []
    for version in sorted(watched, key=lambda v: v.promoted_at or now, reverse=True)[:1]:
        at = version.promoted_at or now
        good, count = likes.between(connection, workspace, at, now)
        old_good, old_count = likes.between(connection, workspace, at - WATCHED, at)
        if min(count, old_count) < MIN_VOTES:
            continue
        if wilson(good, count)[1] < wilson(old_good, old_count)[0]:
            versions.roll_back(connection, workspace, version.kind, now)
            back.append(version.kind)
    return tuple(back)
