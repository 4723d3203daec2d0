"""Clients for Slack's Web API, the same everywhere: one address, patient with limits and outages.

Knows nothing about what is said to Slack.
"""

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    RetryHandler,
)
from slack_sdk.http_retry.builtin_handlers import ServerErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.webhook import WebhookClient

from bot.answering.lifecycle import Undeliverable

TIMEOUT_SECONDS = 20
RATE_LIMIT_RETRIES = 5
OTHER_RETRIES = 2

POSTING = "chat.postMessage"
"""Never repeated blindly after an error: Slack may have posted before the answer got lost."""

CURES = {
    "not_in_channel": "invite the bot there: /invite @Threadwise",
    "channel_not_found": "the bot cannot see that channel; invite it: /invite @Threadwise",
    "is_archived": "the channel is archived; nothing can be posted there",
    "restricted_action": "a workspace setting keeps apps from posting there; ask a Slack admin",
    "missing_scope": "add the scope to the app (manifest.json has them all) and reinstall it",
    "invalid_auth": "the token is not valid; copy it anew from the app's settings",
    "not_authed": "no token was sent; set SLACK_BOT_TOKEN",
    "not_allowed_token_type": "the wrong kind of token: xoxb- for SLACK_BOT_TOKEN, xapp- for"
    " SLACK_APP_TOKEN",
    "account_inactive": "the app was removed from the workspace; install it again",
    "token_revoked": "the token was revoked; install the app again and copy the new one",
    "token_expired": "the token has expired; install the app again and copy the new one",
    "user_not_in_channel": "the person has left that channel",
    "cannot_dm_bot": "the message went to a bot, which cannot be answered privately",
    "thread_not_found": "the message that was to be answered is gone",
    "message_not_found": "the message that was to be answered is gone",
}
"""What an admin does about an error that will not go away by itself."""


class SlackRefused(Undeliverable):
    """Slack said no, and will again; the message names the method, the reason and the cure."""

    def __init__(self, method: str, code: str, needed: str = "") -> None:
        detail = f"{code}: {needed}" if needed else code
        super().__init__(f"Slack refused {method} ({detail}): {CURES[code]}.", permanent=True)
        self.code = code


class ServerErrorHandler(ServerErrorRetryHandler):
    """Tries again after a server error, except to post."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        is_server = response is not None and response.status_code >= 500
        return is_server and not request.url.endswith(POSTING)


class ConnectionErrorHandler(ConnectionErrorRetryHandler):
    """Tries again after a broken connection, except to post."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if request.url.endswith(POSTING):
            return False
        return super()._can_retry(state=state, request=request, response=response, error=error)


def retry_handlers() -> list[RetryHandler]:
    """The three handlers that every client has."""
    return [
        ConnectionErrorHandler(max_retry_count=OTHER_RETRIES),
        RateLimitErrorRetryHandler(max_retry_count=RATE_LIMIT_RETRIES),
        ServerErrorHandler(max_retry_count=OTHER_RETRIES),
    ]


def web(token: str | None, api_url: str) -> WebClient:
    """Make a client for Slack's Web API at `api_url`."""
    return WebClient(
        token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=retry_handlers()
    )


def webhook(url: str) -> WebhookClient:
    """Make a client for a response_url."""
    return WebhookClient(url, timeout=TIMEOUT_SECONDS, retry_handlers=retry_handlers())


def code_of(error: SlackApiError) -> str:
    """Name Slack's reason: `not_in_channel`, say; the HTTP status when there is none."""
    response = error.response
    body = response.data if hasattr(response, "data") else response
    named = body.get("error") if isinstance(body, dict) else None
    return str(named or getattr(response, "status_code", "unknown"))


def refusal(error: SlackApiError, method: str) -> SlackRefused | None:
    """Explain an error that trying again will not cure; None when it may pass."""
    code = code_of(error)
    if code not in CURES:
        return None
    return SlackRefused(method, code, str(error.response.get("needed") or ""))
