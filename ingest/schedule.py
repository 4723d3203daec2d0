"""Schedules: cron lines, read and followed as Debian's cron does.

Knows nothing about sources or about what is run. A day fits when day of month or weekday does, where
both are named. Times are those of the machine's own zone. When its clocks change, what runs at a fixed
time runs once: a time that is jumped over comes right after the jump, and one that comes twice counts the
first time. What runs every few minutes or every hour follows the time that passes.
"""

import re
from datetime import UTC, datetime, tzinfo

from cronsim import CronSim, CronSimError

EXAMPLE = "0 4 * * *"
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ROUND: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "minute": (0, 59, ()),
    "hour": (0, 23, ()),
    "month": (1, 12, _MONTHS),
    "day-of-week": (0, 6, _WEEKDAYS),
}
"""Fields whose ranges may go over the end, as sat-mon does: first and last value, and names."""

_RANGE = re.compile(r"(\w{1,3})-(\w{1,3})(?:/(\d{1,4}))?")
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class ScheduleError(ValueError):
    """A line cannot be read as a schedule; the message says what is wrong with it."""


class Schedule:
    """When something runs. Made of a cron line or of a nickname such as @daily; raises ScheduleError."""

    def __init__(self, line: str) -> None:
        self._line = _unwound(line)
        if self.after(_ANY_DAY) is None:
            raise ScheduleError("there is no such day")

    def after(self, moment: datetime, zone: tzinfo = UTC) -> datetime | None:
        """Give the first time after `moment` that the schedule names, in `zone`; None: never."""
        try:
            return next(CronSim(self._line, moment.astimezone(zone)), None)
        except CronSimError as error:
            raise ScheduleError(str(error).lower()) from error
        except OverflowError:  # beyond the year 9999
            return None


def _unwound(line: str) -> str:
    """Write a line as five fields whose ranges all go up."""
    words = line.lower().split()
    if len(words) == 1 and words[0].startswith("@"):
        if words[0] not in NICKNAMES:
            raise ScheduleError(f"{words[0]} is none of {', '.join(NICKNAMES)}")
        words = NICKNAMES[words[0]].split()
    if len(words) != len(_FIELDS):
        raise ScheduleError(f"it has {len(words)} fields instead of {len(_FIELDS)}")
    return " ".join(
        ",".join(_unwound_range(field, part) for part in word.split(","))
        for field, word in zip(_FIELDS, words, strict=True)
    )


def _unwound_range(field: str, part: str) -> str:
    """Write a range that goes over the end, such as fri-mon, as a list of its values."""
    found = _RANGE.fullmatch(part)
    if found is None or field not in _ROUND:
        return part
    lowest, highest, names = _ROUND[field]
    first, last = (_number(found[n], names, lowest) for n in (1, 2))
    step = int(found[3] or 1)
    if first is None or last is None or not lowest <= last < first <= highest or not step:
        return part
    values = [*range(first, highest + 1), *range(lowest, last + 1)]
    return ",".join(map(str, values[::step]))


def _number(text: str, names: tuple[str, ...], lowest: int) -> int | None:
    if text in names:
        return names.index(text) + lowest
    return int(text) if text.isdecimal() and text.isascii() else None
