"""Signing in and out: a link that is good once.

Knows nothing about who is an admin; that is checked with every page.
"""

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from bot.screen import guard, openid
from bot.screen.parts import Parts
from store import sessions


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the page of a link, and the way out."""

    @pages.get("/sign-in")
    def sign_in() -> str:
        # Only the button uses the link up: programs that look at links in messages follow them.
        return render_template(
            "sign-in.html",
            title="Sign in",
            token=request.args.get("token", ""),
            by_slack=openid.is_set_up(parts.settings),
        )

    @pages.post("/sign-in")
    def use_link() -> ResponseReturnValue:
        with parts.connection() as connection:
            now, token = parts.now(), request.form.get("token", "")
            person = sessions.use_link(connection, parts.workspace, token, now)
            if person is not None:
                session = sessions.begin(connection, parts.workspace, person, now)
                g.person = person
                parts.note(connection, "signed in")
        if person is None:
            abort(
                400, "This link was used already, or is older than five minutes. Ask for a new one."
            )
        return guard.let_in(_to("screen.overview"), parts, session)

    @pages.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        with parts.connection() as connection:
            sessions.end(connection, parts.workspace, g.session)
        return guard.let_out(_to("screen.sign_in"))


def _to(endpoint: str) -> Response:
    return make_response(redirect(url_for(endpoint), 303))
