"""A Slack export: the zip that an admin downloads, one document per channel and day.

Knows nothing about Slack's API. Use it where a team's rules allow its messages to be searched.
"""

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import cast

from ingest.entries import Content, Entry, Source, SourceConfig, Unreadable
from ingest.plan import version_of
from ingest.sources.archive import Archive, Item
from ingest.sources.folder import link_of
from ingest.sources.looking import looked

_DAY = re.compile(r"(?:^|/)([^/]+)/(\d{4}-\d{2}-\d{2})\.json$")


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody said; `ts` and `thread` are Slack's, `clock` a time of day or nothing."""

    ts: str
    thread: str
    author: str
    clock: str
    text: str


class SlackExport(Source):
    """`address` is the .zip file. A thread stands whole on the day that it began."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.archive = Archive(config)
        self._names = tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="threadwise-")  # noqa: SIM115
        self._is_named = False
        self._later: dict[str, list[Message]] = defaultdict(list)
        """By the day's file: what was replied on later days to what was said on it."""
        self._moved: dict[str, set[str]] = defaultdict(set)
        """By the day's file: the messages that belong to threads of earlier days."""

    def entries(self) -> Iterator[Entry]:
        """Give every day of every channel."""
        days = [
            (item.name, self._entry(item, found[1], found[2]))
            for item in self.archive.items()
            if (found := _DAY.search(item.name)) and self.config.wants(found[1])
        ]
        self._gather([entry for _, entry in days])
        for name, entry in days:
            yield replace(entry, version=f"{entry.version}{self._mark(name)}")

    def _entry(self, item: Item, channel: str, day: str) -> Entry:
        return Entry(
            path=f"{channel}/{day}",
            version=item.version,
            ref=item.name,
            url=link_of(self.config, f"{channel}/{day}"),
            size=None,
            updated_at=_date(day),
            title=f"#{channel}, {day}",
        )

    def close(self) -> None:
        """Let go of what is open."""
        self.archive.close()
        self._names.close()

    def read(self, entry: Entry, known: str | None) -> Content:
        """Give a day as Markdown: a heading per conversation, a paragraph per message."""
        threads: dict[str, list[Message]] = {}
        moved = self._moved.get(entry.ref, set())
        said = [m for m in self._said(entry.ref) if m.ts not in moved]
        for message in [*said, *self._later.get(entry.ref, [])]:
            threads.setdefault(message.thread, []).append(message)
        if not threads:
            raise Unreadable("Nobody began to talk that day.", is_skip=True)
        parts = [f"# {entry.title}"]
        for thread in threads.values():
            first, *replies = sorted(thread, key=_moment)
            parts += [f"## {first.author}, {first.clock}", first.text]
            parts += [f"**{m.author}**: {m.text}" for m in replies]
        return Content("\n\n".join(parts).encode(), f"{entry.path}.md", title=entry.title)

    def _gather(self, days: list[Entry]) -> None:
        """Find the replies that were written on another day than what they reply to.

        A day that could not be read is not tried again here until it changes.
        """
        self._later.clear()
        self._moved.clear()
        began: dict[tuple[str, str], str] = {}
        for entry in days:
            if self.failed.get(entry.path) == version_of(entry):
                continue
            channel, name = entry.path.rpartition("/")[0], entry.ref
            try:
                said = self._said(name)
            except Unreadable:  # told when it is read
                continue
            for message in said:
                if message.thread == message.ts:
                    began.setdefault((channel, message.thread), name)
                elif (day := began.get((channel, message.thread), name)) != name:
                    self._later[day].append(message)
                    self._moved[name].add(message.ts)

    def _mark(self, name: str) -> str:
        """Give what changes when later days add to a day's threads, or lose to those before."""
        told = [repr(message) for message in self._later.get(name, [])]
        told += sorted(self._moved.get(name, ()))
        digest = sha256(chr(0).join(told).encode("utf-8", "surrogatepass"))
        return f"-{digest.hexdigest()[:12]}" if told else ""

    def _said(self, name: str) -> list[Message]:
        if not self._is_named:
            known = {"people": self._table("users.json"), "channels": self._table("channels.json")}
            json.dump(known, self._names)
            self._names.flush()
            self._is_named = True
        said = looked(self, "slack-day", self.archive.read(name), self._names.name)
        return [Message(*message) for message in cast(list[list[str]], said["messages"])]

    def _table(self, name: str) -> dict[str, str]:
        try:
            said = looked(self, "slack-names", self.archive.read(name))
        except (KeyError, Unreadable):
            return {}
        return cast(dict[str, str], said["names"])


def _moment(message: Message) -> float:
    """Give a message's time in seconds, 0 when it is none."""
    try:
        return float(message.ts)
    except ValueError:
        return 0.0


def _date(day: str) -> datetime | None:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:  # no day of any calendar
        return None
