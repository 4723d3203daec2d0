"""The weekly digest for the admins' channel: figures with their n, gaps, stale pages, the learning curve.

Knows nothing about when it is sent. Charts where the workspace has them, the same in words where not.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.slack import gaps as told
from bot.slack import render
from bot.slack.markup import mrkdwn
from bot.slack.notices import Notice, Speaker
from bot.slack.render import Block, Message
from bot.text import age, shorten
from store import figures, gaps
from store.figures import Figures
from store.gaps import Gap
from store.index import documents
from store.index.documents import Aged

WEEK = timedelta(days=7)
WEEKS = 8
"""Points of the learning curve."""

NAMED_GAPS = 5
CITED = 50
"""Documents that were cited most this week, of which the stale ones are named."""

STALE = timedelta(days=365)
NAMED_PAGES = 5


def weekly(speaker: Speaker, about: Mapping[str, Any]) -> Notice | None:
    """Make the digest of the week that ended on a day; None where there is no admins' channel."""
    channel = speaker.settings.admin_channel
    if channel is None:
        return None
    until, where = date.fromisoformat(about["until"]), speaker.workspace
    now, named_in = datetime.now(UTC), told.open_channels(speaker)
    with speaker.database.connection() as connection:
        figures.refresh(connection, where, now)
        weeks = [
            figures.between(connection, where, until - n * WEEK, until - (n - 1) * WEEK)
            for n in range(WEEKS, 0, -1)
        ]
        found = gaps.listed(connection, where, limit=NAMED_GAPS, named_in=named_in)
        waiting = gaps.count(connection, where)
        pages = [
            (source, path)
            for source, path, _ in figures.cited(connection, where, until - WEEK, until, most=CITED)
        ]
        stale = documents.older(connection, where, pages, now - STALE)
    is_told = not speaker.audience.place(channel).is_shared
    lines = [
        f"*The week to {until:%-d %B}*",
        _counts(weeks[-1]),
        *_gap_lines(found, waiting, is_told),
        *(_stale_lines(stale, now) if is_told else []),
        _curve_line(weeks),
    ]
    text = shorten("\n".join(lines), render.SECTION_CHARS)
    plain = Message(text, (render.verbatim(text),))
    days = [until - n * WEEK for n in range(WEEKS - 1, -1, -1)]
    if not speaker.newer.takes(where, "chart") or not weeks[-1].asked:
        return Notice(channel, (plain,))
    return Notice(channel, (Message(text, (*plain.blocks, *_charts(days, weeks))), plain))


def _counts(week: Figures) -> str:
    if not week.asked:
        return "Nobody asked anything."
    parts = [
        (week.answered, "answered"), (week.unsure, "in doubt"), (week.not_found, "not found"),
        (week.routed, "passed on"), (week.failed, "failed"),
    ]  # fmt: skip
    shares = ", ".join(f"{n} {word} ({n / week.asked:.0%})" for n, word in parts if n)
    return f"{week.asked} asked: {shares}. {_liked(week)}"


def _liked(week: Figures) -> str:
    if not week.judged:
        return "Nobody judged an answer."
    return f"{week.liked} of {week.judged} judged answers liked ({week.liked / week.judged:.0%})."


def _gap_lines(found: Sequence[Gap], waiting: int, is_told: bool) -> list[str]:
    if not waiting:
        return []
    head = f"*{waiting} {'gap' if waiting == 1 else 'gaps'}* in the documents (`/threadwise gaps`):"
    return [head, *(f"• {told.line(gap, is_told=is_told)}" for gap in found)]


def _stale_lines(stale: Sequence[Aged], now: datetime) -> list[str]:
    if not stale:
        return []
    lines = [
        f"• {mrkdwn(each.title)} ({age(each.updated_at, now)})" for each in stale[:NAMED_PAGES]
    ]
    more = len(stale) - NAMED_PAGES
    return ["*Old, and cited this week*:", *lines, *([f"and {more} more"] if more > 0 else [])]


def _curve_line(weeks: Sequence[Figures]) -> str:
    shares = [f"{w.liked / w.judged:.0%} of {w.judged}" if w.judged else "none" for w in weeks]
    return f"Liked of the judged answers, week by week: {', '.join(shares)}"


def _charts(days: Sequence[date], weeks: Sequence[Figures]) -> list[Block]:
    labels = [f"{day:%-d %b}" for day in days]
    ends = {"Answered": [w.answered for w in weeks], "Not found": [w.not_found for w in weeks]}
    liked = [round(100 * w.liked / w.judged) if w.judged else 0 for w in weeks]
    return [
        _chart("How questions ended, week by week", "bar", labels, ends, "Questions"),
        _chart(
            "Liked of the judged answers, in percent", "line", labels, {"Liked": liked}, "Percent"
        ),
    ]


def _chart(
    title: str, kind: str, labels: Sequence[str], series: Mapping[str, Sequence[int]], unit: str
) -> Block:
    drawn = [
        {
            "name": name,
            "data": [{"label": a, "value": n} for a, n in zip(labels, values, strict=True)],
        }
        for name, values in series.items()
    ]
    axes = {"categories": list(labels), "x_label": "Week to", "y_label": unit}
    chart = {"type": kind, "series": drawn, "axis_config": axes}
    return {"type": "data_visualization", "title": title, "chart": chart}
