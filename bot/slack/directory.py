"""Names of the channels that every member of the workspace may read.

Knows nothing about who asks. What Slack does not say is not open.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from slack_sdk import WebClient

from bot.slack import clients
from bot.slack.audience import place

KEPT_SECONDS = 60.0
"""How long what Slack said is believed."""

PAGE, MOST_PAGES = 1000, 20
"""Channels that Slack lists at once, and how many such lists are read."""

MOST_LOOKED_UP = 40
"""Channels that are asked about one by one, where Slack does not list them."""

log = logging.getLogger(__name__)


class Directory:
    """Asks Slack which channels are open and how they are named; shared by a process' threads."""

    def __init__(
        self, client: WebClient, workspace: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`client` must not wait long: clients.quick."""
        self._client = client
        self._workspace = workspace
        self._clock = clock
        self._lock = threading.Lock()
        self._until = clock()
        self._listed: Mapping[str, str] | None = None
        self._looked_up: dict[str, str | None] = {}

    def __call__(self, channels: Iterable[str]) -> Mapping[str, str]:
        """Name those of the channels that every member may read, by id."""
        with self._lock:
            if self._clock() >= self._until:
                self._listed, self._looked_up = self._list(), {}
                self._until = self._clock() + KEPT_SECONDS
            named = {channel: self._name(channel) for channel in channels}
        return {channel: name for channel, name in named.items() if name is not None}

    def _list(self) -> Mapping[str, str] | None:
        """Read the list of public channels; None where Slack does not give it."""
        names: dict[str, str] = {}
        cursor = ""
        try:
            for _ in range(MOST_PAGES):
                page = self._client.conversations_list(
                    types="public_channel", limit=PAGE, cursor=cursor
                )
                if not isinstance(page.get("channels"), list):
                    return None
                for channel in page["channels"]:
                    if channel.get("is_private") is False:
                        names[str(channel.get("id"))] = str(channel.get("name") or "channel")
                cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
                if not cursor:
                    break
        except clients.FAILURES as error:
            log.info("channels_not_listed reason=%s", type(error).__name__)
            return None
        return names

    def _name(self, channel: str) -> str | None:
        if self._listed is not None:
            return self._listed.get(channel)
        if channel not in self._looked_up and len(self._looked_up) < MOST_LOOKED_UP:
            self._looked_up[channel] = self._look_up(channel)
        return self._looked_up.get(channel)

    def _look_up(self, channel: str) -> str | None:
        try:
            found = self._client.conversations_info(channel=channel)
        except clients.FAILURES as error:
            log.info("channel_not_named id=%s reason=%s", channel, type(error).__name__)
            return None
        where = place(found, self._workspace)
        if where.is_private or not where.is_known:
            return None
        return str((found.get("channel") or {}).get("name") or "channel")
