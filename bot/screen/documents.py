"""The documents that are served: what is cited, liked, old, read in part; and hiding one from search.

Knows nothing about what they say.
"""

from datetime import timedelta
from typing import get_args

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import jobs
from bot.screen.parts import Parts
from store import figures
from store.index import hidden, pages
from store.index import sources as kept
from store.index.pages import Order

COUNTED = timedelta(days=90)
"""How far back citations and votes are counted."""

STALE = timedelta(days=365)
"""A document that was not changed for so long is stale."""

SHOWN = 100

ORDERS: tuple[tuple[Order, str], ...] = (
    ("cited", "most cited"), ("stale", "stale but cited"), ("disliked", "most disliked"),
    ("partial", "read in part"), ("hidden", "hidden"), ("path", "all, by path"),
)  # fmt: skip


def register(pages_: Blueprint, parts: Parts) -> None:
    """Serve the lists, and what can be done with a document."""

    @pages_.get("/documents")
    def documents_() -> str:
        text = request.args.get("text", "").strip()[:200]
        asked = request.args.get("order", "path" if text else "cited")
        order: Order = next((each for each in get_args(Order) if each == asked), "cited")
        now = parts.now()
        with parts.connection() as connection:
            figures.refresh(connection, parts.workspace, now)
            found = pages.listed(
                connection, parts.workspace, order, (now - COUNTED).date(), now - STALE,
                text=text, limit=SHOWN,
            )  # fmt: skip
        return render_template(
            "documents.html",
            title="Documents",
            found=found,
            order=order,
            orders=ORDERS,
            text=text,
            stale_before=now - STALE,
            days=COUNTED.days,
            most=SHOWN,
        )

    @pages_.post("/documents/hide")
    def hide() -> ResponseReturnValue:
        source, path = _named(parts)
        with parts.connection() as connection:
            hidden.hide(connection, parts.workspace, source, path, g.person, parts.now())
            parts.note(connection, "hid a document", f"{source}: {path}")
        return redirect(url_for("screen.documents_", order="hidden", said="hidden"), 303)

    @pages_.post("/documents/show")
    def show() -> ResponseReturnValue:
        source, path = _named(parts)
        with parts.connection() as connection:
            if hidden.show(connection, parts.workspace, source, path):
                parts.note(connection, "showed a document again", f"{source}: {path}")
                # The run reads from the settings who may see it.
                jobs.defer_ingest(connection, parts.queue, parts.workspace, source)
        return redirect(url_for("screen.documents_", order="hidden", said="shown"), 303)


def _named(parts: Parts) -> tuple[str, str]:
    """Read which document a form is about."""
    source, path = request.form.get("source", ""), request.form.get("path", "")
    with parts.connection() as connection:
        if source not in kept.names(connection, parts.workspace) or not path or "\0" in path:
            abort(404, "There is no such document.")
    return source, path
