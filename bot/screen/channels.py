"""What channels want: when to speak there, from which sources, and whether outsiders may read along.

Knows nothing about Slack's own settings of a channel.
"""

import re
from datetime import timedelta
from typing import get_args

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot.screen.parts import Parts
from store import channels, figures
from store.channels import ChannelSettings, Mode
from store.index import sources

COUNTED = timedelta(days=30)
MOST = 300

ID = re.compile(r"[CG][A-Z0-9]{1,30}")

MODES: dict[Mode, str] = {
    "mention": "when it is mentioned",
    "questions": "at questions that it knows the answer to",
    "all": "at everything",
    "off": "never",
}


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the list, and a form for each channel."""

    @pages.get("/channels")
    def channels_() -> str:
        today = parts.now().date()
        with parts.connection() as connection:
            figures.refresh(connection, parts.workspace, parts.now())
            busy = figures.by(
                connection, parts.workspace, "channel", today - COUNTED, today + timedelta(days=1),
                most=MOST,
            )  # fmt: skip
            settings = {one.channel: one for one in channels.all_of(connection, parts.workspace)}
        counts = {name: found for name, found in busy if ID.fullmatch(name)}
        known = list(dict.fromkeys([*settings, *counts]))
        return render_template(
            "channels.html",
            title="Channels",
            rows=[(one, settings.get(one), counts.get(one)) for one in known],
            names=parts.channels(known),
            modes=MODES,
        )

    @pages.get("/channels/<channel>")
    def channel(channel: str) -> str:
        _check(channel)
        with parts.connection() as connection:
            now = channels.get(connection, parts.workspace, channel)
            known = [status.name for status in sources.statuses(connection, parts.workspace)]
        names = parts.channels([channel])
        return render_template(
            "channel.html",
            title=f"#{names[channel]}" if channel in names else f"Channel {channel}",
            now_=now,
            known=known,
            modes=MODES,
        )

    @pages.post("/channels/<channel>")
    def change(channel: str) -> ResponseReturnValue:
        _check(channel)
        with parts.connection() as connection:
            known = [status.name for status in sources.statuses(connection, parts.workspace)]
            wanted = _read(channel, known)
            channels.put(connection, parts.workspace, wanted, g.person, parts.now())
            parts.note(connection, "changed a channel", f"{channel}: {wanted.mode}")
        return redirect(url_for("screen.channel", channel=channel, said="saved"), 303)


def _check(channel: str) -> None:
    if not ID.fullmatch(channel):
        abort(404, "There is no such channel.")


def _read(channel: str, known: list[str]) -> ChannelSettings:
    """Read a channel's form."""
    form = request.form
    mode = next((mode for mode in get_args(Mode) if mode == form.get("mode")), None)
    chosen = tuple(name for name in known if name in form.getlist("source"))
    if mode is None:
        abort(400, "Choose when to speak.")
    if "some" in form.getlist("sources") and not chosen:
        abort(400, "Choose a source, or all of them.")
    text = form.get("strictness", "").strip()
    if text and not (text.isascii() and text.isdecimal() and int(text[:4]) <= 100):
        abort(400, "Strictness is a whole number from 0 to 100.")
    return ChannelSettings(
        channel,
        mode,
        int(text[:4]) / 100 if text else None,
        chosen if form.get("sources") == "some" else None,
        "outsiders" in form,
    )
