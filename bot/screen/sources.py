"""Where documents come from: how each source is doing, what could not be read, and reading it again.

Knows nothing about how a source is read.
"""

from flask import Blueprint, abort, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bot import jobs
from bot.screen.parts import Parts
from store.index import documents, runs, sources
from store.records import SourceStatus

SHOWN = 200
"""Failures, and documents read in part, of one source: more than anybody mends in a day."""

RUNS_SHOWN = 20

ALIVE_SECONDS = 120
"""A run that was not heard of for so long was interrupted; the next one goes on from there."""


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the list of sources, a page for each, and what can be done with them."""

    @pages.get("/sources")
    def sources_() -> str:
        with parts.connection() as connection:
            found = sources.statuses(connection, parts.workspace)
        return render_template(
            "sources.html", title="Sources", found=found, running=_running(parts, found)
        )

    @pages.get("/sources/<path:name>/")
    def source(name: str) -> str:
        one = _one(parts, name)
        with parts.connection() as connection:
            failures = [f for f, _ in runs.failures(connection, parts.workspace, name)]
            partial = documents.partial(connection, parts.workspace, name)
            latest = runs.last(connection, parts.workspace, name, RUNS_SHOWN)
        return render_template(
            "source.html",
            title=name,
            one=one,
            running=_running(parts, [one]),
            failed=[f for f in failures if not f.is_skip],
            skipped=[f for f in failures if f.is_skip],
            partial=partial,
            runs=latest,
            most=SHOWN,
        )

    @pages.post("/sources/<path:name>/read")
    def read(name: str) -> ResponseReturnValue:
        _one(parts, name)
        with parts.connection() as connection:
            asked_by = g.person if parts.settings.talks_to_slack else None
            is_new = jobs.defer_ingest(
                connection, parts.queue, parts.workspace, name, asked_by=asked_by
            )
            parts.note(connection, "read a source again", name)
        return _back(name, "queued" if is_new else "waiting")

    @pages.post("/sources/<path:name>/pause")
    def pause(name: str) -> ResponseReturnValue:
        return _paused(name, is_paused=True)

    @pages.post("/sources/<path:name>/resume")
    def resume(name: str) -> ResponseReturnValue:
        return _paused(name, is_paused=False)

    def _paused(name: str, *, is_paused: bool) -> ResponseReturnValue:
        _one(parts, name)
        with parts.connection() as connection:
            sources.pause(connection, parts.workspace, name, parts.now() if is_paused else None)
            parts.note(connection, "paused a source" if is_paused else "resumed a source", name)
        return _back(name, "saved")


def _one(parts: Parts, name: str) -> SourceStatus:
    with parts.connection() as connection:
        found = sources.statuses(connection, parts.workspace)
    one = next((status for status in found if status.name == name), None)
    if one is None:
        abort(404, "There is no source of that name.")
    return one


def _running(parts: Parts, found: list[SourceStatus]) -> set[str]:
    """Name the sources that are being read now."""
    return {
        status.name
        for status in found
        if status.run
        and status.run.state == "running"
        and (parts.now() - status.run.seen_at).total_seconds() < ALIVE_SECONDS
    }


def _back(name: str, said: str) -> ResponseReturnValue:
    return redirect(url_for("screen.source", name=name, said=said), 303)
