"""A Slack export: the zip that an admin downloads, one document per channel and day.

Knows nothing about Slack's API. Use it where a team's rules allow its messages to be searched.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

from ingest.entries import Content, Entry, Source, SourceConfig, Unreadable
from ingest.sources.archive import Archive
from ingest.sources.folder import link_of
from ingest.sources.slack_messages import Message, Writer, clock, moment

_DAY = re.compile(r"([^/]+)/(\d{4}-\d{2}-\d{2})\.json$")

# What people did, not what they said.
SILENT = {
    "channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name",
    "channel_archive", "channel_unarchive", "group_join", "group_leave", "pinned_item",
    "bot_add", "bot_remove", "tombstone",
}  # fmt: skip


class SlackExport(Source):
    """`address` is the .zip file. A thread stands whole on the day that it began."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.archive = Archive(config)
        self._writer = Writer(
            {str(user.get("id")): _name(user) for user in self._table("users.json")},
            {
                str(channel.get("id")): str(channel.get("name"))
                for channel in self._table("channels.json")
            },
        )
        self._later: dict[str, list[Message]] = defaultdict(list)
        """By the day's file: what was replied on later days to what was said on it."""
        self._moved: dict[str, set[str]] = defaultdict(set)
        """By the day's file: the messages that belong to threads of earlier days."""

    def entries(self) -> Iterator[Entry]:
        """Give every day of every channel."""
        days = [
            (item, found[1], found[2])
            for item in self.archive.items()
            if (found := _DAY.search(item.name)) and self.config.wants(found[1])
        ]
        self._gather([(channel, item.name) for item, channel, _ in days])
        for item, channel, day in days:
            yield Entry(
                path=f"{channel}/{day}",
                version=f"{item.version}{self._mark(item.name)}",
                ref=item.name,
                url=link_of(self.config, f"{channel}/{day}"),
                size=None,
                updated_at=_date(day),
                title=f"#{channel}, {day}",
            )

    def close(self) -> None:
        """Let go of what is open."""
        self.archive.close()

    def read(self, entry: Entry, known: str | None) -> Content:
        """Give a day as Markdown: a heading per conversation, a paragraph per message."""
        threads: dict[str, list[Message]] = {}
        moved = self._moved.get(entry.ref, set())
        said = [m for m in self._said(entry.ref) if str(m.get("ts")) not in moved]
        for message in [*said, *self._later.get(entry.ref, [])]:
            threads.setdefault(_thread(message), []).append(message)
        if not threads:
            raise Unreadable("Nobody began to talk that day.", is_skip=True)
        parts = [f"# {entry.title}"]
        for thread in threads.values():
            first, *replies = sorted(thread, key=moment)
            parts += [f"## {self._writer.author(first)}, {clock(first)}", self._writer.text(first)]
            parts += [f"**{self._writer.author(m)}**: {self._writer.text(m)}" for m in replies]
        return Content("\n\n".join(parts).encode(), f"{entry.path}.md", title=entry.title)

    def _gather(self, days: list[tuple[str, str]]) -> None:
        """Find the replies that were written on another day than what they reply to."""
        self._later.clear()
        self._moved.clear()
        began: dict[tuple[str, str], str] = {}
        for channel, name in days:
            try:
                said = self._said(name)
            except Unreadable:  # told when it is read
                continue
            for message in said:
                ts, thread = str(message.get("ts")), _thread(message)
                if thread == ts:
                    began.setdefault((channel, thread), name)
                elif (day := began.get((channel, thread), name)) != name:
                    self._later[day].append(message)
                    self._moved[name].add(ts)

    def _mark(self, name: str) -> str:
        """Give what changes when later days add to a day's threads, or lose to those before."""
        told = [json.dumps(message, sort_keys=True) for message in self._later.get(name, [])]
        told += sorted(self._moved.get(name, ()))
        return f"-{sha256(chr(0).join(told).encode()).hexdigest()[:12]}" if told else ""

    def _said(self, name: str) -> list[Message]:
        try:
            found = json.loads(self.archive.read(name))
        except (ValueError, RecursionError) as error:
            raise Unreadable("It is no JSON. Export the workspace again.") from error
        messages = [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []
        return [m for m in messages if m.get("subtype") not in SILENT and self._writer.text(m)]

    def _table(self, name: str) -> list[Message]:
        try:
            found = json.loads(self.archive.read(name))
        except (KeyError, ValueError, RecursionError, Unreadable):
            return []
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _thread(message: Message) -> str:
    return str(message.get("thread_ts") or message.get("ts"))


def _date(day: str) -> datetime | None:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:  # no day of any calendar
        return None


def _name(user: Message) -> str:
    profile = user.get("profile")
    shown = profile.get("display_name") if isinstance(profile, dict) else None
    return str(shown or user.get("real_name") or user.get("name") or user.get("id"))
