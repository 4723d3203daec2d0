"""Holds a night and says what it did: in a few lines, a message to the admins, a curve of all nights.

Knows nothing about fitting, nor where its words are shown.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.learning import night
from bot.learning.night import Report
from bot.services import open_services
from bot.settings import Settings
from bot.text import percent
from evals.metrics import wilson
from store.feedback import nights as kept
from store.feedback.nights import Night

WIDTH, HEIGHT, MARGIN = 640, 320, 48
"""Of the picture, in pixels."""

SHOWN = 7
"""Nights that the message to the admins lists."""

CURVE = "learning.png"
"""The picture of all nights, in the home folder."""

LINE, INTERVAL, AXES = (31, 119, 180), (205, 224, 240), (90, 90, 90)


def hold(settings: Settings) -> dict[str, object]:
    """Hold tonight's night from the settings alone, as a process of its own does; gives `publish`."""
    with open_services(settings) as services:
        found = night.run(services, now=datetime.now(UTC))
        with services.database.connection() as connection:
            known = kept.last(connection, services.workspace)
    return publish(found, known, settings.home)


def lines(report: Report) -> list[str]:
    """Say in a few lines what was learned from, and how people like the answers."""
    said = [
        f"{report.judged} judged questions by {report.voters} people"
        f" ({report.liked} liked, {report.disliked} disliked), {report.seconds:.0f} s"
        + (", dry run: nothing was changed" if report.is_dry else "")
    ]
    if report.set_aside:
        said.append(f"{report.set_aside} votes left out: they were beyond one person's share.")
    if not report.is_new:
        said.append("Nothing new since the last night: nothing was fitted.")
    good, count = report.likes
    if count:
        said.append(f"Liked this week: {percent(good / count, wilson(good, count))} of {count}")
    if report.drift and report.drift[1].asked:
        before, now = report.drift
        said.append(
            f"This week (four weeks before): not found {_pair(now.refused, before.refused)}, out of"
            f" scope {_pair(now.out_of_scope, before.out_of_scope)}, best cosine {now.cosine:.2f}"
            f" ({before.cosine:.2f})"
        )
    if report.pruned:
        said.append(f"{report.pruned} remembered judgements forgotten: their text changed.")
    if report.flagged:
        said.append(f"{report.flagged} approved answers flagged: their document changed.")
    said += [
        f"Rolled back: {kind}, people liked its answers clearly less."
        for kind in report.rolled_back
    ]
    return said


def message(report: Report, nights: Sequence[Night] = ()) -> str:
    """Write the report as plain text, for the admins' channel, with the latest of the nights so far."""
    parts = [f"{v.kind}: {v.decision} - {v.reason}" for v in report.verdicts]
    before = [
        f"{day}: liked {liked}; promoted: {kinds}" for day, _, liked, kinds in earlier(nights)
    ]
    shown = ["Nights so far", *before[-SHOWN:]] if before else []
    return "\n".join(["Learning report", *lines(report), *parts, *shown])


def earlier(nights: Sequence[Night]) -> list[tuple[str, str, str, str]]:
    """Give (day, judged questions, like rate of its week, kinds promoted) per night, oldest first."""
    found = []
    for one in nights:
        rate = one.report.get("like_rate")
        liked = "nothing was judged"
        if isinstance(rate, Mapping) and rate["judged"]:
            share = percent(rate["liked"] / rate["judged"], tuple(rate["interval"]))
            liked = f"{share} of {rate['judged']}"
        kinds = [str(p["kind"]) for p in _parts(one.report) if p.get("decision") == "promoted"]
        day, judged = f"{one.started_at:%Y-%m-%d}", str(one.report.get("judged", ""))
        found.append((day, judged, liked, ", ".join(kinds) or "nothing"))
    return found


def publish(report: Report, nights: Sequence[Night], home: Path) -> dict[str, object]:
    """Draw the curve of the nights so far; give the report with its `message` and the curve's path."""
    picture = str(curve(nights, home / CURVE)) if nights else None
    return {**report.as_json(), "message": message(report, nights), "picture": picture}


def curve(nights: Sequence[Night], out: Path) -> Path:
    """Draw the like rate with its interval over the nights as a PNG; gives its path."""
    from PIL import Image, ImageDraw

    points = [_point(night.report) for night in nights]
    known = [(i, *point) for i, point in enumerate(points) if point]
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    wide, high = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN

    def at(number: int, share: float) -> tuple[float, float]:
        return MARGIN + wide * number / max(1, len(points) - 1), MARGIN + high * (1 - share)

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.line([at(0, share), (MARGIN + wide, at(0, share)[1])], fill=(230, 230, 230))
        draw.text((8, at(0, share)[1] - 6), f"{share:.0%}", fill=AXES)
    if len(known) > 1:
        upper, lower = [at(i, up) for i, _, _, up in known], [at(i, low) for i, _, low, _ in known]
        draw.polygon(upper + lower[::-1], fill=INTERVAL)
        draw.line([at(i, rate) for i, rate, _, _ in known], fill=LINE, width=3)
    for i, rate, _, _ in known:
        x, y = at(i, rate)
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=LINE)
        is_new = any(p.get("decision") == "promoted" for p in _parts(nights[i].report))
        draw.text((x - 3, HEIGHT - MARGIN + 6), "^" if is_new else ".", fill=AXES)
    draw.text((MARGIN, 12), "Answers liked, with 95 % interval, by night (^ promoted)", fill=AXES)
    out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(out)
    return out


def _point(report: Mapping[str, object]) -> tuple[float, float, float] | None:
    rate = report.get("like_rate")
    if not isinstance(rate, Mapping) or not rate["judged"]:
        return None
    low, high = rate["interval"]
    return float(rate["liked"]) / float(rate["judged"]), float(low), float(high)


def _parts(report: Mapping[str, object]) -> list[Mapping[str, object]]:
    parts = report.get("parts")
    return list(parts) if isinstance(parts, list) else []


def _pair(now: float, before: float) -> str:
    return f"{now:.0%} ({before:.0%})"
