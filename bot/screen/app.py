"""The pages as one WSGI application, under one path.

Knows nothing about the server that it runs in.
"""

import logging
from collections.abc import Callable

from flask import Blueprint, Flask, g, render_template, request
from werkzeug.exceptions import HTTPException

from bot.screen import (
    channels,
    conversations,
    documents,
    gaps,
    guard,
    intents,
    nights,
    openid,
    overview,
    quality,
    replies,
    signin,
    sources,
    system,
    words,
)
from bot.screen.parts import Parts
from store.database import StoreError

PATH = "/screen"

PAGES: tuple[tuple[str, str], ...] = (
    ("overview", "Overview"),
    ("conversations_", "Conversations"),
    ("replies", "Kept replies"),
    ("sources_", "Sources"),
    ("documents_", "Documents"),
    ("gaps", "Gaps"),
    ("channels_", "Channels"),
    ("intents", "Intents"),
    ("quality", "Quality"),
    ("nights", "Nights"),
    ("system", "System"),
)
"""The endpoints that the menu names, in order."""

BELOW: dict[str, tuple[str, ...]] = {
    "conversations_": ("conversation",), "sources_": ("source",), "channels_": ("channel",), "system": ("doctor",),
}  # fmt: skip
"""Endpoints that belong to one of the menu."""

REGISTERS: tuple[Callable[[Blueprint, Parts], None], ...] = (
    signin.register, openid.register, overview.register, conversations.register, replies.register, sources.register,
    documents.register, gaps.register, channels.register, intents.register, quality.register, nights.register, system.register,
)  # fmt: skip

BODY_BYTES = 200_000
"""Of a form: a kept reply is the longest that is sent."""

_log = logging.getLogger(__name__)


def build(parts: Parts) -> Flask:
    """Make the application; everything it serves lies under PATH."""
    app = Flask("bot.screen", static_folder=None, template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "autoescape": True}
    pages = Blueprint(
        "screen", __name__, url_prefix=PATH, static_folder="static", static_url_path="/static"
    )
    guard.register(app, parts)
    for register in REGISTERS:
        register(pages, parts)
    app.register_blueprint(pages)
    words.register(app)
    _tell_errors(app)

    @app.context_processor
    def common() -> dict[str, object]:
        return {
            "menu": PAGES,
            "below": BELOW,
            "here": (request.endpoint or "").removeprefix("screen."),
            "person": g.get("person"),
            "csrf": g.get("csrf", ""),
            "notice": words.NOTICES.get(request.args.get("said", "")),
            "now": parts.now(),
        }

    return app


def _tell_errors(app: Flask) -> None:
    """Say in a page of its own what went wrong, without anything of how it is made."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        return _told(error.name, error.description or "", error.code or 500)

    @app.errorhandler(StoreError)
    def unstored(error: StoreError) -> tuple[str, int]:
        _log.error("screen_failed page=%s reason=%s", request.endpoint, error)
        return _told("The database does not answer", "Try again in a minute.", 503)

    @app.errorhandler(Exception)
    def broke(error: Exception) -> tuple[str, int]:
        _log.exception("screen_broke page=%s", request.endpoint)
        return _told("That went wrong", "The log of the bot says why.", 500)


def _told(title: str, text: str, code: int) -> tuple[str, int]:
    return render_template("error.html", title=title, text=text), code
