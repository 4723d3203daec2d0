"""What Slack sends, taken apart: clicks and reactions. Pure; what is missing comes out empty.

Knows nothing about what is done with it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

Payload = dict[str, object]
"""An event, a click, a shortcut or a view, as it came."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A reaction: `name` without skin tone, on the message `ts`, added or taken away at a time."""

    name: str
    person: str
    channel: str
    ts: str
    at: datetime
    event_ts: str
    is_added: bool


def sign(event: Payload, *, is_added: bool) -> Sign | None:
    """Read a reaction; None where it is not on a message."""
    item = cast(dict[str, str], event.get("item") or {})
    if item.get("type") != "message":
        return None
    moment = str(event.get("event_ts", ""))
    return Sign(
        name=str(event.get("reaction", "")).split("::")[0],
        person=str(event.get("user", "")),
        channel=item["channel"],
        ts=item["ts"],
        at=at(moment),
        event_ts=moment,
        is_added=is_added,
    )


def action(body: Payload) -> Payload:
    """Give the button or menu that was used."""
    actions = cast(list[Payload], body.get("actions") or [{}])
    return actions[0]


def person(body: Payload) -> str:
    """Give the id of who clicked."""
    return cast(dict[str, str], body.get("user") or {}).get("id", "")


def channel(body: Payload) -> str:
    """Give the id of the channel that the click was made in."""
    return cast(dict[str, str], body.get("channel") or {}).get("id", "")


def response_url(body: Payload) -> str:
    """Give the address that a reply to the click goes to."""
    return str(body.get("response_url") or "")


def named(value: object) -> tuple[UUID | None, str]:
    """Read an id and the name behind it, as render.named writes them."""
    identifier, _, name = str(value or "").partition(":")
    return uuid(identifier), name


def uuid(text: object) -> UUID | None:
    """Read an id; None where it is none."""
    try:
        return UUID(str(text))
    except ValueError:
        return None


def at(ts: object) -> datetime:
    """When Slack says that it happened, so that a late delivery does not undo a later change."""
    try:
        return datetime.fromtimestamp(float(str(ts)), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)
