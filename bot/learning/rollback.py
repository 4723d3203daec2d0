"""Take the latest promotion back when people like the answers clearly less since than before, and let its
kind rest.

Knows nothing about what was promoted or how it was fitted.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.learning.promotion import MIN_JUDGED
from evals.metrics import wilson
from store.database import Connection
from store.feedback import likes, versions
from store.records import Kind

WATCHED = timedelta(days=14)
"""How long after its promotion a version is watched; it is compared with as long a time before. As long
nothing of its kind is promoted once it was rolled back."""

MIN_VOTES = 30
"""Judged answers needed before the promotion, and again since, to compare them at all."""

LEAST = MIN_VOTES // 4
"""Votes of one person that always count in the comparison: nobody brings the MIN_VOTES together alone."""


def roll_back(connection: Connection, workspace: str, now: datetime) -> tuple[Kind, ...]:
    """Roll back the latest promotion if the share of liked answers fell; gives the kinds rolled back.

    It fell when the upper end of its 95 % interval since then lies below the lower end of the one before
    (Wilson intervals). Only the latest promotion is looked at: of two, nobody could tell which one did it.
    For the same reason answers that another version, rolled back since, had a part in do not count.
    """
    # First, so that what is chosen is still what serves when it is undone.
    versions.await_turns(connection, workspace)
    serving = versions.serving(connection, workspace).values()
    watched = [v for v in serving if v.promoted_at and now - v.promoted_at <= WATCHED]
    if not watched:
        return ()
    version = max(watched, key=lambda v: v.promoted_at or now)
    at = version.promoted_at or now
    since = max([at, *versions.rolled_back(connection, workspace).values()])
    good, count = likes.between(connection, workspace, since, now, least=LEAST)
    old_good, old_count = likes.between(connection, workspace, at - WATCHED, at, least=LEAST)
    if min(count, old_count) < MIN_VOTES:
        return ()
    if wilson(good, count)[1] >= wilson(old_good, old_count)[0]:
        return ()
    versions.roll_back(connection, workspace, version.kind, now)
    return (version.kind,)


def resting(
    connection: Connection, workspace: str, now: datetime, need: int = MIN_JUDGED
) -> Mapping[Kind, str]:
    """Give why nothing of a kind is promoted tonight, by kind, where it was rolled back lately.

    The votes that made the version once would make it again. So its kind rests for WATCHED, and until
    `need` answers given since were judged: by default as many as a part needs at all.
    """
    found = {}
    for kind, at in versions.rolled_back(connection, workspace).items():
        _, judged = likes.between(connection, workspace, at, now, least=MIN_JUDGED // 4)
        if now - at <= WATCHED or judged < need:
            found[kind] = f"rolled back on {at:%Y-%m-%d}: rests until {at + WATCHED:%Y-%m-%d}" + (
                f", and until {need} answers given since are judged ({judged} are)" if need else ""
            )
    return found
