"""Lets only admins in: hosts, sessions, rights, forged forms, and what a page may load.

Knows nothing about what the pages show. Every request is checked anew.
"""

import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from bot.screen.parts import Parts, Unsure
from store import sessions

COOKIE = "threadwise_session"

OPEN = {"screen.static", "screen.sign_in", "screen.use_link", "screen.slack", "screen.from_slack"}
"""What is served to whoever is not signed in."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}


def register(app: Flask, parts: Parts) -> None:
    """Check every request before a page is made, and put the headers on every reply."""

    @app.before_request
    def check() -> ResponseReturnValue | None:
        _check_host(parts)
        g.person, g.csrf, g.session = None, "", request.cookies.get(COOKIE, "")
        if request.method == "POST":
            _check_origin()
        if request.endpoint in OPEN:
            return None
        return _check_session(parts)

    @app.after_request
    def dress(reply: Response) -> Response:
        for name, value in HEADERS.items():
            reply.headers.setdefault(name, value)
        if request.endpoint != "screen.static":
            reply.headers.setdefault("Cache-Control", "no-store")
        return reply


def csrf(session: str) -> str:
    """Give the token that the forms of a session carry: no other site can know it."""
    return hmac.new(session.encode("utf-8", "replace"), b"form", hashlib.sha256).hexdigest()


def let_in(reply: Response, parts: Parts, token: str) -> Response:
    """Give the browser its session: not readable by scripts, not sent from other sites."""
    reply.set_cookie(
        COOKIE,
        token,
        max_age=sessions.SESSION_LASTS,
        path=url_for("screen.overview"),
        secure=is_secure(parts),
        httponly=True,
        samesite="Lax",
    )
    return reply


def let_out(reply: Response) -> Response:
    """Take the session from the browser."""
    reply.delete_cookie(COOKIE, path=url_for("screen.overview"))
    return reply


def _check_session(parts: Parts) -> ResponseReturnValue | None:
    with parts.connection() as connection:
        person = sessions.person(connection, parts.workspace, g.session, parts.now())
    if person is None:
        return redirect(url_for("screen.sign_in"), 303)
    try:
        is_admin = parts.is_admin(person)
    except Unsure:
        abort(503, "Slack does not say whether you are an admin. Try again in a minute.")
    if not is_admin:
        abort(403, "Only Slack admins and the people in THREADWISE_ADMINS see this.")
    g.person, g.csrf = person, csrf(g.session)
    if request.method == "POST" and not hmac.compare_digest(
        request.form.get("csrf", "").encode("utf-8", "replace"), g.csrf.encode()
    ):
        abort(400, "This form is too old. Go back, load the page again, and repeat it.")
    return None


def _check_host(parts: Parts) -> None:
    """Refuse a name that somebody else may have pointed at this machine (DNS rebinding)."""
    host = (urlsplit(f"//{request.host}").hostname or "") if request.host else ""
    if host != "localhost" and host != _public_host(parts) and not _is_address(host):
        abort(421, "This name is not known here. Set THREADWISE_URL to the address that you use.")


def _check_origin() -> None:
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        abort(400, "This form was sent from another site.")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _public_host(parts: Parts) -> str | None:
    return urlsplit(parts.settings.url).hostname if parts.settings.url else None


def is_secure(parts: Parts) -> bool:
    """Whether the browser came by https, maybe to a proxy before us."""
    is_public = urlsplit(f"//{request.host}").hostname == _public_host(parts)
    return request.is_secure or (is_public and str(parts.settings.url).startswith("https:"))
