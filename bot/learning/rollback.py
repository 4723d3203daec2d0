"""Watch what was promoted: where people like answers clearly less than before, it is rolled back.

Knows nothing about fitting.
"""

from datetime import datetime, timedelta

import psycopg
from psycopg.rows import TupleRow

from evals.metrics import wilson
from store.feedback import likes, versions

WATCHED = timedelta(days=14)
"""How long after its promotion a version is watched, and how long before it is compared with."""

MIN_VOTES = 30
"""Votes on either side below which nothing can be said."""


def roll_back(
    connection: psycopg.Connection[TupleRow], workspace: str, now: datetime
) -> tuple[str, ...]:
    """Roll back the latest promotion when the like rate's upper bound since falls below the lower
    bound before (95 % Wilson intervals); gives the kinds that were rolled back."""
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
