"""The first page: how much was asked, how it ended, and what people thought of it.

Knows nothing about how figures are counted.
"""

from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, render_template, request

from bot.screen import charts
from bot.screen.parts import Parts
from store import figures

RANGES = (7, 30, 90, 365)
"""Days that can be chosen with one click."""

LONGEST_DAYS = 366


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the figures of a span of days."""

    @pages.get("/")
    def overview() -> str:
        since, until = span(parts.now())
        before = since - (until - since)
        with parts.connection() as connection:
            where = connection, parts.workspace
            as_of = figures.refresh(*where, parts.now())
            daily = charts.grouped(figures.daily(*where, since, until))
            total = figures.between(*where, since, until)
            earlier = figures.between(*where, before, since)
            channels = figures.by(*where, "channel", since, until)
            sources = figures.by(*where, "source", since, until)
        return render_template(
            "overview.html",
            title="Overview",
            since=since,
            last=until - timedelta(days=1),
            days=(until - since).days,
            ranges=RANGES,
            as_of=as_of,
            total=total,
            before=earlier,
            stacks=charts.stacks(daily),
            times=charts.times(daily),
            daily=daily,
            channels=channels,
            sources=sources,
            names=parts.channels(name for name, _ in channels),
        )


def span(now: datetime) -> tuple[date, date]:
    """Read the chosen days of the address: `days` up to today, or `from` to `to`; the last 30 otherwise."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    chosen = request.args.get("days", "")
    days = RANGES[1]
    if chosen.isascii() and chosen.isdecimal() and len(chosen) < 5:
        days = max(1, min(int(chosen), LONGEST_DAYS))
    since, until = _day("from"), _day("to")
    if since is None:
        return tomorrow - timedelta(days=days), tomorrow
    end = min(tomorrow, until + timedelta(days=1)) if until else tomorrow
    end = max(end, since + timedelta(days=1))
    return max(since, end - timedelta(days=LONGEST_DAYS)), end


def _day(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if 1970 <= found.year <= 9000 else None
