"""Who reads what in Slack, and so what may be told where: decided here, for all that is said.

Everyone ("*") is full members of this workspace. Guests, people and bots from elsewhere, and channels
that others read along get only what names the channel or them, unless an admin allowed the channel. What
Slack does not say, or not in time, is closed.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from slack_sdk import WebClient

from bot.answering.readers import Closed, Reader, inside, own
from bot.slack import clients
from store.channels import ChannelSettings
from store.records import EVERYONE, Ask, Viewer

KEPT_SECONDS = 120.0
"""How long what Slack said is believed."""

FAILED_SECONDS = 5.0
"""How long it is not asked again after it did not say."""

MOST_KEPT = 10_000

Standing = Literal["member", "guest", "outsider", "unknown"]
"""What a person is to this workspace."""

_SHARED = ("is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared")
_TEAMS = ("shared_team_ids", "connected_team_ids", "internal_team_ids", "pending_shared")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel: whether all members may read it, and whether others do. Unknown is private and shared."""

    is_private: bool = True
    is_shared: bool = True
    is_known: bool = False
    name: str = "channel"

    @property
    def is_open(self) -> bool:
        """Whether every member may read it, and nobody else."""
        return self.is_known and not self.is_private and not self.is_shared


class Audience:
    """Asks Slack who people are and who reads a channel; shared by a process' threads."""

    def __init__(
        self, client: WebClient, workspace: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`client` must not wait long: clients.quick."""
        self._client = client
        self._workspace = workspace
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Standing | Place]] = {}

    def reader(self, ask: Ask, channel: ChannelSettings) -> Reader:
        """Tell who will read the reply to a message (bot.answering.readers.Readers)."""
        if ask.origin == "terminal" or channel.outsiders:
            return inside(ask, channel)
        closed = self._closed(ask, takes_programs=channel.workflows)
        return inside(ask, channel) if closed is None else Reader(Viewer(own(ask)), closed)

    def person(self, person: str) -> Reader:
        """Tell what one person may read where nobody else reads along: in the Home, say."""
        who = self.standing(person)
        if who != "member":
            return Reader(Viewer((person,)), who)
        return Reader(Viewer((EVERYONE, person)))

    def may_hear(self, ask: Ask, to: str) -> bool:
        """Whether those who read at `to` (a channel, group or person) may read what was asked, and where.

        A group is called in the thread itself. Elsewhere only what every member may read is told, and
        only to members.
        """
        if ask.is_private:
            return False
        if to == ask.channel or to.startswith("S"):
            return True
        if self.place(ask.channel).is_private:
            return False
        if to.startswith(("U", "W")):
            return self.standing(to) == "member"
        return not self.place(to).is_shared

    def standing(self, person: str) -> Standing:
        """Tell what a person is to this workspace."""
        found = self._look_up(
            person,
            lambda: standing(self._client.users_info(user=person), self._workspace),
            "unknown",
        )
        return "unknown" if isinstance(found, Place) else found

    def place(self, channel: str) -> Place:
        """Tell who reads a channel."""
        found = self._look_up(
            channel,
            lambda: place(self._client.conversations_info(channel=channel), self._workspace),
            Place(),
        )
        return found if isinstance(found, Place) else Place()

    def is_open(self, channel: str) -> bool:
        """Whether every member may read a channel now, and nobody else; what Slack does not say is not."""
        return self.place(channel).is_open

    def _closed(self, ask: Ask, *, takes_programs: bool) -> Closed | None:
        """Say why a reply is closed; a program counts as a member where an admin lets programs ask."""
        if ask.is_outside:
            return "outsider"
        is_program = ask.person.startswith("B")
        if is_program and not takes_programs:
            return "unknown"
        who = "member" if is_program else self.standing(ask.person)
        if who != "member":
            return who
        if ask.is_private:
            return None
        where = self.place(ask.channel)
        if not where.is_known:
            return "unknown"
        return "shared" if where.is_shared else None

    def _look_up(
        self, key: str, ask: Callable[[], Standing | Place], unknown: Standing | Place
    ) -> Standing | Place:
        now = self._clock()
        with self._lock:
            until, known = self._known.get(key, (now, unknown))
        if now < until:
            return known
        try:
            found = ask()
        except Exception as error:  # noqa: BLE001 - whatever keeps Slack from saying it, it is closed
            log.warning("not_looked_up id=%s reason=%s", key, type(error).__name__)
            found = unknown
        kept = FAILED_SECONDS if found == unknown else KEPT_SECONDS
        with self._lock:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[key] = (now + kept, found)
        return found


def standing(answer: Mapping[str, Any] | Any, workspace: str) -> Standing:
    """Read users.info: a member only where Slack says that it is no guest.

    The other flags close only when they are set: not every Slack-like server sends them.
    """
    user = _part(answer, "user")
    teams = {user.get("team_id"), *_texts(_part(user, "enterprise_user").get("teams"))} - {None}
    if user.get("is_stranger") or (teams and workspace not in teams):
        return "outsider"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "guest"
    is_said = all(user.get(flag) is False for flag in ("is_restricted", "is_ultra_restricted"))
    if not is_said or user.get("is_bot") or user.get("deleted"):
        return "unknown"
    return "member"


def place(answer: Mapping[str, Any] | Any, workspace: str) -> Place:
    """Read conversations.info: open, and read by members alone, only where Slack says so.

    `is_ext_shared` is the word that counts; the other flags close only when they are set.
    """
    channel = _part(answer, "channel")
    others = {team for key in _TEAMS for team in _texts(channel.get(key))} - {workspace}
    host = channel.get("conversation_host_id")
    is_shared = (
        any(channel.get(flag) for flag in _SHARED)
        or bool(others)
        or (bool(host) and host != workspace)
    )
    is_known = isinstance(channel.get("is_ext_shared"), bool)
    return Place(
        is_private=channel.get("is_private") is not False or bool(channel.get("is_mpim")),
        is_shared=is_shared or not is_known,
        is_known=is_known,
        name=str(channel.get("name") or "channel"),
    )


def is_outside(event: Mapping[str, object], body: Mapping[str, object], workspace: str) -> bool:
    """Whether a message says itself that it comes from elsewhere, or into a channel that is shared."""
    teams = (event.get("user_team"), event.get("source_team"), event.get("team"))
    if any(team and team != workspace for team in (*teams, body.get("context_team_id"))):
        return True
    return bool(body.get("is_ext_shared_channel"))


def _part(found: Mapping[str, Any] | Any, key: str) -> Mapping[str, Any]:
    part = found.get(key)
    return part if isinstance(part, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def of(token: str | None, api_url: str, workspace: str) -> Audience:
    """Make one that does not keep anybody waiting."""
    return Audience(clients.quick(token, api_url), workspace)
