"""Sign in with Slack (OpenID Connect), where a public address and the app's client id and secret are set.

Knows nothing about who is an admin; that is checked with every page.
"""

import base64
import hmac
import json
import logging
import secrets
from collections.abc import Mapping
from http.client import HTTPException
from urllib.error import URLError

from flask import Blueprint, abort, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth import OpenIDConnectAuthorizeUrlGenerator

from bot.screen import guard
from bot.screen.parts import Parts
from bot.settings import Settings
from store import sessions

COOKIE = "threadwise_asked"
"""Holds, while somebody is away at Slack, what must come back from there."""

ASKED_SECONDS = 600
TIMEOUT_SECONDS = 5

_log = logging.getLogger(__name__)


def is_set_up(settings: Settings) -> bool:
    """Whether people can sign in with Slack."""
    return bool(settings.url and settings.slack_client_id and settings.slack_client_secret)


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the way to Slack and the way back."""

    @pages.get("/slack")
    def slack() -> ResponseReturnValue:
        _check_set_up(parts.settings)
        state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        generator = OpenIDConnectAuthorizeUrlGenerator(
            client_id=str(parts.settings.slack_client_id),
            redirect_uri=_back(parts.settings),
            scopes=["openid"],
        )
        reply = make_response(redirect(generator.generate(state, nonce, parts.workspace), 303))
        reply.set_cookie(
            COOKIE, f"{state}.{nonce}", max_age=ASKED_SECONDS, path=url_for("screen.overview"),
            secure=guard.is_secure(parts), httponly=True, samesite="Lax",
        )  # fmt: skip
        return reply

    @pages.get("/from-slack")
    def from_slack() -> ResponseReturnValue:
        _check_set_up(parts.settings)
        state, _, nonce = request.cookies.get(COOKIE, "").partition(".")
        given = request.args.get("state", "")
        if not state or not hmac.compare_digest(state.encode(), given.encode("utf-8", "replace")):
            abort(400, "This sign-in was not begun in this browser, or too long ago. Begin again.")
        person = _person(parts, request.args.get("code", ""), nonce)
        if person is None:
            abort(403, "Slack did not sign you in to this workspace.")
        with parts.connection() as connection:
            session = sessions.begin(connection, parts.workspace, person, parts.now())
            g.person = person
            parts.note(connection, "signed in with Slack")
        reply = guard.let_in(
            make_response(redirect(url_for("screen.overview"), 303)), parts, session
        )
        reply.delete_cookie(COOKIE, path=url_for("screen.overview"))
        return reply


def _check_set_up(settings: Settings) -> None:
    if not is_set_up(settings):
        abort(404, "Sign in with Slack is not set up: use a link of /threadwise screen.")


def _back(settings: Settings) -> str:
    return f"{settings.url}{url_for('screen.from_slack')}"


def _person(parts: Parts, code: str, nonce: str) -> str | None:
    """Ask Slack whom a code stands for; None for nobody of this workspace."""
    settings = parts.settings
    client = WebClient(base_url=settings.slack_api_url, timeout=TIMEOUT_SECONDS)
    try:
        given = client.openid_connect_token(
            client_id=str(settings.slack_client_id),
            client_secret=str(settings.slack_client_secret),
            code=code,
            redirect_uri=_back(settings),
        )
        if not _is_ours(str(given.get("id_token") or ""), str(settings.slack_client_id), nonce):
            return None
        found = client.openid_connect_userInfo(token=str(given.get("access_token") or ""))
    except (SlackApiError, URLError, OSError, HTTPException) as error:
        _log.warning("not_signed_in reason=%s", type(error).__name__)
        return None
    if found.get("https://slack.com/team_id") != parts.workspace:
        return None
    return str(found.get("https://slack.com/user_id") or "") or None


def _is_ours(id_token: str, client_id: str, nonce: str) -> bool:
    """Whether a token was made for us and for this sign-in. It came from Slack itself over TLS, so that its
    signature need not be checked (OpenID Connect Core 1.0, section 3.1.3.7)."""
    try:
        payload = id_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return False
    return isinstance(claims, Mapping) and (claims.get("aud"), claims.get("nonce")) == (
        client_id,
        nonce,
    )
