"""Kept replies: what waits for a decision, what serves, what contradicts itself.

Knows nothing about serving them. What was kept in a private channel is decided there, and only counted here.
"""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import jobs
from bot.screen import onlookers
from bot.screen.parts import Parts
from store.database import Connection
from store.feedback import faqs
from store.feedback.faqs import Faq
from store.records import EVERYONE

SHOWN = 100
MOST_CONFLICTS = 10

ALIKE = 0.9
"""Cosine of two questions that are nearly the same (as a night takes them for one, LOG.md)."""

MOST_CHARS = 3000


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the list, and what can be done with a reply."""

    @pages.get("/replies")
    def replies() -> str:
        principals = _principals(parts)
        with parts.connection() as connection:
            found, others = faqs.of_readers(connection, parts.workspace, principals, limit=SHOWN)
            pairs = faqs.conflicts(connection, parts.workspace, principals, ALIKE)
        known = {one.faq_id: one for one in found}
        return render_template(
            "replies.html",
            title="Kept replies",
            waiting=[one for one in found if one.state == "candidate" or one.flagged_at],
            decided=[one for one in found if one.state != "candidate" and not one.flagged_at],
            others=others,
            conflicts=[(known[a], known[b], c) for a, b, c in pairs if a in known and b in known][
                :MOST_CONFLICTS
            ],
            most=SHOWN,
        )

    @pages.post("/replies/<uuid:faq_id>/approve")
    def approve(faq_id: UUID) -> ResponseReturnValue:
        return _decided(faq_id, is_approved=True)

    @pages.post("/replies/<uuid:faq_id>/reject")
    def reject(faq_id: UUID) -> ResponseReturnValue:
        return _decided(faq_id, is_approved=False)

    def _decided(faq_id: UUID, *, is_approved: bool) -> ResponseReturnValue:
        principals = _principals(parts)
        with parts.connection() as connection:
            _mine(connection, parts, principals, faq_id)
            faqs.decide(
                connection, parts.workspace, faq_id, g.person, parts.now(), approve=is_approved
            )
            if is_approved:
                jobs.defer_retry(connection, parts.queue)  # it may answer what was asked in vain
            did = "approved a kept reply" if is_approved else "rejected a kept reply"
            parts.note(connection, did, str(faq_id))
        return _back()

    @pages.post("/replies/<uuid:faq_id>/edit")
    def edit(faq_id: UUID) -> ResponseReturnValue:
        principals, body = _principals(parts), request.form.get("body", "").strip()
        if not 0 < len(body) <= MOST_CHARS:
            abort(400, f"A reply has 1 to {MOST_CHARS} characters.")
        expires_at = _end_of(request.form.get("expires", ""))
        with parts.connection() as connection:
            one = _mine(connection, parts, principals, faq_id)
            faqs.edit(connection, parts.workspace, faq_id, body, expires_at)
            if one.state == "approved":
                jobs.defer_retry(connection, parts.queue)  # an expired one may be served again
            parts.note(connection, "edited a kept reply", str(faq_id))
        return _back()


def _principals(parts: Parts) -> list[str]:
    """Whose replies are shown: everyone's, and those of the channels that all may read."""
    return [EVERYONE, *onlookers.open_channels(parts)]


def _mine(connection: Connection, parts: Parts, principals: list[str], faq_id: UUID) -> Faq:
    """Give a reply that may be shown here; any other is as if it were not."""
    found = faqs.get(connection, parts.workspace, faq_id, principals)
    if found is None:
        abort(404, "There is no such kept reply, or it is decided about in its channel.")
    return found


def _end_of(text: str) -> datetime | None:
    """Read a day until whose end (UTC) something is served; None when there is none."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        abort(400, "Write the day like 2027-01-31.")


def _back() -> ResponseReturnValue:
    return redirect(url_for("screen.replies", said="saved"), 303)
