"""Holds a night and says what it did: in a few lines, a message to the admins, a curve of all nights.

Knows nothing about fitting, nor where its words are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.learning import curve, feedback, night
from bot.learning.night import Report
from bot.learning.points import point
from bot.services import open_services
from bot.settings import Settings
from bot.text import percent
from evals.metrics import wilson
from store.feedback import nights as kept
from store.feedback.nights import Night

SHOWN = 7
"""Nights that the message to the admins lists."""

PICTURE = "learning.svg"
"""The learning curve of all nights, in the home folder."""


@dataclass(frozen=True, slots=True)
class Published:
    """A night's report, the message that tells the admins, and where the learning curve was written."""

    report: Report
    message: str
    picture: Path | None

    def as_json(self) -> dict[str, object]:
        """Give the report at the top, the rest beside it."""
        picture = str(self.picture) if self.picture else None
        return {**self.report.as_json(), "message": self.message, "picture": picture}


def hold(settings: Settings) -> Published:
    """Hold tonight's night from the settings alone, as a process of its own does, and publish it."""
    with open_services(settings) as services:
        found = night.run(services, now=datetime.now(UTC))
        with services.database.connection() as connection:
            known = kept.last(connection, services.workspace)
    return publish(found, known, settings.home)


def publish(report: Report, nights: Sequence[Night], home: Path) -> Published:
    """Write the message, and the curve of the nights so far into the home folder; none without nights."""
    picture = None
    if nights:
        picture = home / PICTURE
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_text(curve.draw([point(one) for one in nights]), encoding="utf-8")
    return Published(report, message(report, nights), picture)


def lines(report: Report) -> list[str]:
    """Say in a few lines what was learned from, and how people like the answers."""
    said = [
        f"{report.judged} judged questions by {report.voters} people"
        f" ({report.liked} liked, {report.disliked} disliked), {report.seconds:.0f} s"
        + (", dry run: nothing was changed" if report.is_dry else "")
    ]
    if report.set_aside:
        said.append(f"{report.set_aside} votes left out: they were beyond one person's share.")
    if report.older:
        said.append(
            f"{report.older} older judged answers left out: a night learns from the latest"
            f" {feedback.LATEST}."
        )
    if not report.is_new:
        said.append("Nothing new since the last night: nothing was fitted.")
    good, count = report.likes
    if count:
        said.append(f"Liked this week: {percent(good / count, wilson(good, count))} of {count}")
    if report.traffic and report.traffic[1].asked:
        before, now = report.traffic
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
        at, liked = point(one), "nothing was judged"
        if at.judged:
            liked = f"{percent(at.share, (at.low, at.high))} of {at.judged}"
        judged = str(one.report.get("judged", ""))
        found.append((str(at.day), judged, liked, ", ".join(at.promoted) or "nothing"))
    return found


def _pair(now: float, before: float) -> str:
    return f"{now:.0%} ({before:.0%})"
