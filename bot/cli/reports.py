"""The night's report for people: a table, a few lines for the admins' channel, a learning curve.

Knows nothing about fitting; it shows what was kept.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from bot.terminal import console
from evals.metrics import wilson

if TYPE_CHECKING:
    from bot.erasure import Erased
    from bot.learning.night import Report
    from bot.scorecards.simulation import Scorecard
    from store.feedback.nights import Night

WIDTH, HEIGHT, MARGIN = 640, 320, 48
"""Of the picture, in pixels."""

SHOWN = 7
"""Nights that the message to the admins lists."""

LINE, INTERVAL, AXES = (31, 119, 180), (205, 224, 240), (90, 90, 90)


def table(report: "Report") -> RenderableType:
    """Show a night in the terminal."""
    rows = [(v.kind, v.decision, v.reason) for v in report.verdicts]
    shown = console.table("", ("part", "", "why"), rows)
    for column in shown.columns:
        column.justify = "left"
    return Group(*lines(report), shown) if rows else Group(*lines(report))


def lines(report: "Report") -> list[str]:
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
        said.append(
            f"Liked this week: {console.percent(good / count, wilson(good, count))} of {count}"
        )
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


def message(report: "Report", nights: Sequence["Night"] = ()) -> str:
    """Write the report as plain text, for the admins' channel, with the latest of the nights so far."""
    parts = [f"{v.kind}: {v.decision} - {v.reason}" for v in report.verdicts]
    told = [f"{day}: liked {liked}; promoted: {kinds}" for day, _, liked, kinds in _told(nights)]
    earlier = ["Nights so far", *told[-SHOWN:]] if told else []
    return "\n".join(["Learning report", *lines(report), *parts, *earlier])


def history(nights: Sequence["Night"]) -> RenderableType:
    """Show how people liked the answers from night to night, and what was promoted when."""
    return console.table("Nights so far", ("night", "judged", "liked", "promoted"), _told(nights))


def _told(nights: Sequence["Night"]) -> list[tuple[str, str, str, str]]:
    """Give (day, judged questions, like rate of its week, kinds promoted) per night, oldest first."""
    found = []
    for night in nights:
        rate = night.report.get("like_rate")
        liked = "nothing was judged"
        if isinstance(rate, Mapping) and rate["judged"]:
            share = console.percent(rate["liked"] / rate["judged"], tuple(rate["interval"]))
            liked = f"{share} of {rate['judged']}"
        kinds = [str(p["kind"]) for p in _parts(night.report) if p.get("decision") == "promoted"]
        day, judged = f"{night.started_at:%Y-%m-%d}", str(night.report.get("judged", ""))
        found.append((day, judged, liked, ", ".join(kinds) or "nothing"))
    return found


def erased(result: "Erased") -> str:
    """Say what was removed of a person."""
    gone = result.gone
    return (
        f"Erased of {result.person}: {gone.questions} questions with their answers, {gone.votes} votes,"
        f" {gone.labels} labels, {gone.faqs} kept replies, {gone.audit} log entries."
        " The next models are trained without them."
    )


def simulation(result: "Scorecard") -> RenderableType:
    """Show a learning simulation: again and unseen, before and after, beside plus/minus one."""
    rows = []
    for name in ("again", "unseen"):
        group = result.groups[name]
        for label, found in ((name, group.learned), ("  +1/-1 boost", group.plus_minus_one)):
            low, high = found.hit_interval
            rows.append(
                (
                    label, found.n, console.percent(found.hit_before),
                    console.percent(found.hit_after), f"{100 * low:+.1f} to {100 * high:+.1f}",
                    f"{found.mrr_before:.3f}", f"{found.mrr_after:.3f}",
                )
            )  # fmt: skip
    columns = ("questions", "n", "hit@1", "after", "change (95 %)", "MRR@10", "after")
    title = (
        f"{result.votes} votes, {result.flip:.0%} turned round, seed {result.seed}:"
        f" {result.promotions} promoted, {result.refused} refused"
    )
    return console.table(title, columns, rows)


def curve(nights: Sequence["Night"], out: Path) -> Path:
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
