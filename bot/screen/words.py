"""How values are written on the pages: moments, ages, shares, numbers, and what was just done.

Knows nothing about pages.
"""

from datetime import UTC, datetime

from flask import Flask

from bot.text import visible
from evals.metrics import wilson

NOTICES = {
    "queued": "Queued: a worker does it as soon as it is free.",
    "waiting": "It waits to be done already.",
    "saved": "Saved.",
    "hidden": "Hidden: no search finds it any more.",
    "shown": "It is found again as soon as its source was read, which is queued.",
}
"""What the page after a form says, by the word in its address: nothing that a link says is shown."""

UNITS = (
    (365 * 86400, "year"),
    (30 * 86400, "month"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
)


def register(app: Flask) -> None:
    """Let the templates write values so."""
    for word in (moment, ago, share, number, seconds, plain):
        app.add_template_filter(word)
    app.add_template_global(wilson, "interval")


def moment(value: datetime | None) -> str:
    """Write a moment to the minute, in UTC."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}" if value else "never"


def ago(value: datetime | None, now: datetime) -> str:
    """Write how long ago something was, or in how long it will be, in the largest unit that fits."""
    if value is None:
        return "never"
    gone = (now - value).total_seconds()
    for size, unit in UNITS:
        count = int(abs(gone) // size)
        if count:
            words = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"{words} ago" if gone > 0 else f"in {words}"
    return "just now" if gone >= 0 else "in a moment"


def share(value: float | None) -> str:
    """Write a share of 0..1 as a whole percentage."""
    return "–" if value is None else f"{100 * value:.0f} %"


def number(value: float | None) -> str:
    """Write a number with thin spaces between its thousands."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def seconds(value: float | None) -> str:
    """Write a duration of so many seconds in a unit that fits."""
    if value is None:
        return "–"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 60 else f"{value / 60:.0f} min"


def plain(value: object) -> str:
    """Write a text without invisible and direction-changing signs."""
    return visible(str(value))
