"""What a channel wants: when to speak there, and from which sources.

Knows nothing about Slack: a channel is the id it was given.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.types.json import Jsonb

from store.database import Connection

Mode = Literal["mention", "questions", "all", "off"]


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """When to speak: if mentioned, at questions it can answer, at everything, or never.

    `sources` None stands for all of them; `strictness` (0..1) is how sure the classifier must
    be that a message is a question to speak without being asked. `outsiders` lets all who read the channel,
    guests and people from elsewhere too, see what is open to everyone. `owners` (ids of people and groups) are
    called when somebody wants a person; `workflows` takes posts of workflows and apps for questions;
    `max_per_minute` is how many questions the channel may ask, None for no limit of its own.
    """

    channel: str
    mode: Mode = "mention"
    strictness: float | None = None
    sources: tuple[str, ...] | None = None
    outsiders: bool = False
    owners: tuple[str, ...] = ()
    workflows: bool = False
    max_per_minute: int | None = None


def get(connection: Connection, workspace: str, channel: str) -> ChannelSettings:
    """Give a channel's settings, the usual ones when nothing was set."""
    row = connection.execute(
        "SELECT mode, strictness, sources, outsiders, owners, workflows, max_per_minute"
        " FROM channel_settings"
        " WHERE workspace_id = %s AND channel = %s",
        (workspace, channel),
    ).fetchone()
    if row is None:
        return ChannelSettings(channel)
    sources = None if row[2] is None else tuple(row[2])
    return ChannelSettings(channel, row[0], row[1], sources, row[3], tuple(row[4]), row[5], row[6])


def all_of(connection: Connection, workspace: str) -> list[ChannelSettings]:
    """List the settings of the channels that somebody changed, by channel."""
    rows = connection.execute(
        "SELECT channel, mode, strictness, sources, outsiders FROM channel_settings"
        " WHERE workspace_id = %s ORDER BY channel",
        (workspace,),
    ).fetchall()
    return [
        ChannelSettings(row[0], row[1], row[2], None if row[3] is None else tuple(row[3]), row[4])
        for row in rows
    ]


def put(
    connection: Connection,
    workspace: str,
    settings: ChannelSettings,
    changed_by: str,
    now: datetime,
) -> None:
    """Replace a channel's settings, keeping who changed them and when."""
    connection.execute(
        "INSERT INTO channel_settings"
        " (workspace_id, channel, mode, strictness, sources, outsiders, owners, workflows,"
        " max_per_minute, changed_by, changed_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (workspace_id, channel) DO UPDATE SET mode = excluded.mode,"
        " strictness = excluded.strictness, sources = excluded.sources,"
        " outsiders = excluded.outsiders, owners = excluded.owners, workflows = excluded.workflows,"
        " max_per_minute = excluded.max_per_minute,"
        " changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        (
            workspace,
            settings.channel,
            settings.mode,
            settings.strictness,
            None if settings.sources is None else list(settings.sources),
            settings.outsiders,
            Jsonb(list(settings.owners)),
            settings.workflows,
            settings.max_per_minute,
            changed_by,
            now,
        ),
    )
