"""What is asked and not answered, by topic, and what is done about it.

Knows nothing about how questions are grouped. A question from a private place counts and is not shown.
"""

from uuid import UUID

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot.screen.parts import Parts
from store import gaps as kept
from store.gaps import State

SHOWN = 60
EXAMPLES = 5

STATES: dict[State, str] = {"open": "waiting", "closed": "closed", "muted": "muted"}


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the list, and what can be done about a gap."""

    @pages.get("/gaps")
    def gaps() -> str:
        state = next((each for each in STATES if each == request.args.get("state")), None)
        wanted = None if state in (None, "open") else state
        with parts.connection() as connection:
            known = kept.channels(connection, parts.workspace)
        # Some may have become private since their questions were grouped.
        named_in = list(parts.channels(known))
        with parts.connection() as connection:
            where = connection, parts.workspace
            found = kept.listed(*where, state=wanted, limit=SHOWN, named_in=named_in)
            examples = {
                gap.gap_id: kept.examples(*where, gap.gap_id, EXAMPLES, named_in) for gap in found
            }
        return render_template(
            "gaps.html", title="Gaps", found=found, examples=examples, states=STATES,
            state=state or "open",
        )  # fmt: skip

    @pages.post("/gaps/<uuid:gap_id>/<deed>")
    def change_gap(gap_id: UUID, deed: str) -> ResponseReturnValue:
        with parts.connection() as connection:
            where = connection, parts.workspace, gap_id
            if deed == "assign":
                assignee = request.form.get("assignee", "").strip().lstrip("@")[:80]
                if not assignee:
                    abort(400, "Write to whom it is given.")
                changed = kept.assign(*where, assignee, g.person, parts.now())
            elif deed in ("mute", "close", "reopen"):
                act = {"mute": kept.mute, "close": kept.close, "reopen": kept.reopen}[deed]
                changed = act(*where, g.person, parts.now())
            else:
                abort(404)
        if not changed:
            abort(404, "There is no such gap, or that was done already.")
        return redirect(url_for("screen.gaps", said="saved"), 303)
