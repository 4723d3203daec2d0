"""Clients for Slack's Web API, the same everywhere: one address, and what an error of it means.

Knows nothing about what is said to Slack.
"""

from collections.abc import Mapping
from http.client import HTTPException
from socket import gaierror
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    RetryHandler,
)
from slack_sdk.http_retry.builtin_handlers import ServerErrorRetryHandler
from slack_sdk.webhook import WebhookClient, WebhookResponse

from bot.answering.lifecycle import NotYet, Undeliverable

TIMEOUT_SECONDS = 10
"""Of one call; what is slower is tried again later."""

LEASE_SECONDS = TIMEOUT_SECONDS + 2.0
"""A call that began longer ago has ended, however its process fared."""

BUSY_SECONDS = 2.0
"""Until the next look whether an earlier call has ended."""

BLOCK_ERRORS = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long")
"""What Slack says of blocks that it will not take."""

QUICK_TIMEOUT_SECONDS = 3
"""Of a look-up that an answer waits for."""

LIMIT_STATUS = 429
SERVER_STATUS = 500
RATE_LIMIT_RETRIES = 5
OTHER_RETRIES = 2

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
    "duplicate_message_not_found": "the answer was posted before and has been deleted since",
}
"""What an admin does about an error that will not go away by itself."""


FAILURES = (SlackApiError, URLError, OSError, HTTPException)
"""What a call to Slack may raise."""

TRANSIENT = (
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "accesslimited",
)
"""What Slack says when it is unwell itself, also with status 200."""

LIMITED = ("ratelimited", "rate_limited", "message_limit_exceeded")

SHORTEST_LIMIT_SECONDS = 1.0
"""Where Slack limits without saying for how long."""


class SlackRefused(Undeliverable):
    """Slack said no, and will again; the message names the method, the reason and the cure."""

    def __init__(self, method: str, code: str, needed: str = "") -> None:
        detail = f"{code}: {needed}" if needed else code
        super().__init__(f"Slack refused {method} ({detail}): {CURES[code]}.")
        self.code = code


class SlackLimited(NotYet):
    """Slack wants fewer calls; `after` so many seconds it takes the next one."""


def web(token: str | None, api_url: str) -> WebClient:
    """Make a client for Slack's Web API at `api_url` that never sleeps: errors come at once.

    Who calls it puts off what may pass (`may_pass`), so that nobody else waits for it.
    """
    return WebClient(token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])


def patient(token: str | None, api_url: str) -> WebClient:
    """Make a client that waits for a Slack that limits it or is away: for a process that starts."""
    handlers: list[RetryHandler] = [
        ConnectionErrorRetryHandler(max_retry_count=OTHER_RETRIES),
        RateLimitErrorRetryHandler(max_retry_count=RATE_LIMIT_RETRIES),
        ServerErrorRetryHandler(max_retry_count=OTHER_RETRIES),
    ]
    return WebClient(
        token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=handlers
    )


def quick(token: str | None, api_url: str) -> WebClient:
    """Make a client for look-ups that somebody waits for: it gives up soon and does not try again."""
    return WebClient(
        token=token, base_url=api_url, timeout=QUICK_TIMEOUT_SECONDS, retry_handlers=[]
    )


def webhook(url: str) -> WebhookClient:
    """Make a client for a response_url; it never sleeps either."""
    return WebhookClient(url, timeout=TIMEOUT_SECONDS, retry_handlers=[])


def check_hook(sent: WebhookResponse) -> None:
    """Raise NotYet when a response_url may take a message later; other refusals are the caller's."""
    if sent.status_code == LIMIT_STATUS:
        raise SlackLimited("Slack limits response_url", after=_told(sent.headers))
    if sent.status_code >= SERVER_STATUS:
        raise NotYet(f"response_url answered {sent.status_code}")


def explained(error: Exception, method: str) -> Exception:
    """Turn a failed call into NotYet when it may pass, SlackRefused when it will not; else leave it."""
    if not isinstance(error, SlackApiError):
        is_outage = isinstance(error, FAILURES)
        return NotYet(f"{method}: {error or type(error).__name__}") if is_outage else error
    code, status = code_of(error), getattr(error.response, "status_code", 200)
    if status == LIMIT_STATUS or code in LIMITED:
        return SlackLimited(
            f"{method}: {code}", after=_told(getattr(error.response, "headers", None) or {})
        )
    if status >= SERVER_STATUS or code in TRANSIENT or " " in code:  # words: a proxy's page
        return NotYet(f"{method}: {status} {code[:100]}")
    return refusal(error, method) or error


def is_open(error: Exception) -> bool:
    """Whether a call that failed so may have had its effect all the same."""
    if isinstance(error, SlackApiError):
        return isinstance(explained(error, ""), NotYet) and not isinstance(
            explained(error, ""), SlackLimited
        )
    reason = error.reason if isinstance(error, URLError) else error
    return not isinstance(reason, ConnectionRefusedError | gaierror)


def _told(headers: Mapping[str, str]) -> float:
    """Read how long Slack wants to be left alone, in seconds."""
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return max(float(told) if str(told).isdecimal() else 0.0, SHORTEST_LIMIT_SECONDS)


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
