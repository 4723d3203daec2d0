"""What was learned night by night: parts, numbers, verdicts, the curve; and what serves, promoted and rolled back.

Knows nothing about how anything is learned.
"""

from collections.abc import Mapping
from typing import get_args

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import jobs
from bot.learning import choosing, curve
from bot.learning.points import point
from bot.screen.parts import Parts
from store.feedback import nights as kept
from store.feedback import versions
from store.feedback.nights import Night
from store.records import Kind, ModelVersion, kind_of

SHOWN = 30
CURVE = 120
"""Nights that the curve has."""

VERSIONS = 40


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the page, and what can be done about what serves."""

    @pages.get("/nights")
    def nights() -> str:
        with parts.connection() as connection:
            found = kept.last(connection, parts.workspace, CURVE)
            known = versions.all_of(connection, parts.workspace)
        points = [point(one) for one in found]
        return render_template(
            "nights.html",
            title="Nights",
            curve=curve.draw(points) if points else None,
            points=points,
            nights=[(one, _parts(one)) for one in reversed(found[-SHOWN:])],
            serving=[version for version in known if version.is_serving],
            versions=known[:VERSIONS],
            kinds=get_args(Kind),
            is_off=parts.settings.learn_at == "off",
        )

    @pages.post("/nights/now")
    def learn_now() -> ResponseReturnValue:
        with parts.connection() as connection:
            is_new = jobs.defer_learn(connection, parts.queue)
            parts.note(connection, "asked for a night now")
        return _back("queued" if is_new else "waiting")

    @pages.post("/nights/promote")
    def promote() -> ResponseReturnValue:
        with parts.connection() as connection:
            found = versions.get(connection, parts.workspace, request.form.get("version", "-"))
            if found is None:
                abort(404, "There is no such version.")
            _check(parts, found)
            versions.promote(connection, parts.workspace, found.version_id, parts.now())
            parts.note(connection, "promoted a version", f"{found.kind} {found.version_id}")
        return _back("saved")

    @pages.post("/nights/roll-back")
    def roll_back() -> ResponseReturnValue:
        kind = kind_of(request.form.get("kind", ""))
        if kind is None:
            abort(404, "There is no such part.")
        with parts.connection() as connection:
            undone = versions.roll_back(connection, parts.workspace, kind, parts.now())
            if undone is None:
                abort(409, "No version of that part serves: there is nothing to undo.")
            parts.note(connection, "rolled a version back", f"{kind} {undone[0].version_id}")
        return _back("saved")


def _check(parts: Parts, version: ModelVersion) -> None:
    if version.path is None:
        return
    from models.shelf import ShelfError  # with it comes numpy, which this process does without

    try:
        choosing.check_files(parts.settings.home, version)
    except ShelfError as error:
        abort(409, str(error))


def _parts(night: Night) -> list[Mapping[str, object]]:
    """Give a night's verdicts; earlier versions kept none."""
    found = night.report.get("parts")
    return [part for part in found if isinstance(part, Mapping)] if isinstance(found, list) else []


def _back(said: str) -> ResponseReturnValue:
    return redirect(url_for("screen.nights", said=said), 303)
