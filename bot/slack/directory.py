"""Names of the channels that every member of the workspace may read, and nobody else.

Knows nothing about who asks, nor what makes a channel open: the audience tells that (audience.py).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from slack_sdk import WebClient

from bot.slack import clients
from bot.slack.audience import Audience, place

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
        self,
        client: WebClient,
        workspace: str,
        audience: Audience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`client` must not wait long: clients.quick."""
        self._client = client
        self._workspace = workspace
        self._audience = audience
        self._clock = clock
        self._lock = threading.Lock()
        self._until = clock()
        self._listed: Mapping[str, str] | None = None

    def __call__(self, channels: Iterable[str]) -> Mapping[str, str]:
        """Name those of the channels that are open, by id."""
        with self._lock:
            if self._clock() >= self._until:
                self._listed = self._list()
                self._until = self._clock() + KEPT_SECONDS
            listed = self._listed
        if listed is not None:
            return {channel: listed[channel] for channel in channels if channel in listed}
        asked = islice(dict.fromkeys(channels), MOST_LOOKED_UP)
        places = {channel: self._audience.place(channel) for channel in asked}
        return {channel: where.name for channel, where in places.items() if where.is_open}

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
                    where = place({"channel": channel}, self._workspace)
                    if where.is_open:
                        names[str(channel.get("id"))] = where.name
                cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
                if not cursor:
                    break
        except clients.FAILURES as error:
            log.info("channels_not_listed reason=%s", type(error).__name__)
            return None
        return names
