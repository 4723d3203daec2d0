"""A Slack export: the zip that an admin downloads, one document per channel and day.

Knows nothing about Slack's API. Use it where a team's rules allow its messages to be searched.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from ingest.entries import Content, Entry, Source, SourceConfig, Unreadable
from ingest.sources.archive import Archive
from ingest.sources.folder import link_of

Message = dict[str, object]

_DAY = re.compile(r"([^/]+)/(\d{4}-\d{2}-\d{2})\.json$")
_PERSON = re.compile(r"<@([A-Z0-9]+)(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|([^>]*))?>")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]+)(?:\|([^>]*))?>")
_SPECIAL = re.compile(r"<!([a-z]+)(?:\^[A-Z0-9]+)?(?:\|([^>]*))?>")

# What people did, not what they said.
SILENT = {
    "channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name",
    "channel_archive", "channel_unarchive", "group_join", "group_leave", "pinned_item",
    "bot_add", "bot_remove", "tombstone",
}  # fmt: skip


class SlackExport(Source):
    """`address` is the .zip file."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.archive = Archive(config)
        self.people = {str(user.get("id")): _name(user) for user in self._table("users.json")}
        self.channels = {
            str(channel.get("id")): str(channel.get("name"))
            for channel in self._table("channels.json")
        }

    def entries(self) -> Iterator[Entry]:
        """Give every day of every channel."""
        for item in self.archive.items():
            found = _DAY.search(item.filename)
            if not found or not self.config.wants(found.group(1)):
                continue
            channel, day = found.groups()
            yield Entry(
                path=f"{channel}/{day}",
                version=self.archive.version(item),
                ref=item.filename,
                url=link_of(self.config, f"{channel}/{day}"),
                size=None,
                updated_at=datetime.fromisoformat(day).replace(tzinfo=UTC),
                title=f"#{channel}, {day}",
            )

    def close(self) -> None:
        """Let go of what is open."""
        self.archive.close()

    def read(self, entry: Entry, known: str | None) -> Content:
        """Give a day as Markdown: a heading per conversation, a paragraph per message."""
        messages = self._said(entry.ref)
        if not messages:
            raise Unreadable("Nobody said anything that day.", is_skip=True)
        threads: dict[str, list[Message]] = {}
        for message in messages:
            threads.setdefault(str(message.get("thread_ts") or message.get("ts")), []).append(
                message
            )
        parts = [f"# {entry.title}"]
        for thread in threads.values():
            first = thread[0]
            parts.append(f"## {self._author(first)}, {_clock(first)}")
            parts += [self._text(first)]
            parts += [f"**{self._author(m)}**: {self._text(m)}" for m in thread[1:]]
        return Content("\n\n".join(parts).encode(), f"{entry.path}.md", title=entry.title)

    def _said(self, name: str) -> list[Message]:
        try:
            found = json.loads(self.archive.read(name))
        except ValueError as error:
            raise Unreadable("It is no JSON. Export the workspace again.") from error
        messages = [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []
        return [m for m in messages if m.get("subtype") not in SILENT and self._text(m)]

    def _table(self, name: str) -> list[Message]:
        try:
            found = json.loads(self.archive.read(name))
        except (KeyError, ValueError, zipfile.BadZipFile):
            return []
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def _author(self, message: Message) -> str:
        user = str(message.get("user") or "")
        profile = message.get("user_profile")
        named = profile.get("real_name") if isinstance(profile, dict) else None
        return self.people.get(user) or str(named or message.get("username") or user or "Somebody")

    def _text(self, message: Message) -> str:
        text = str(message.get("text") or "")
        attached = message.get("attachments")
        for attachment in attached if isinstance(attached, list) and not text else []:
            if isinstance(attachment, dict):
                text += str(attachment.get("text") or attachment.get("fallback") or "") + "\n"
        text = _PERSON.sub(lambda m: self.people.get(m[1]) or m[2] or "somebody", text)
        text = _CHANNEL.sub(lambda m: f"#{m[2] or self.channels.get(m[1], m[1])}", text)
        text = _LINK.sub(lambda m: f"[{m[2]}]({m[1]})" if m[2] else m[1], text)
        text = _SPECIAL.sub(lambda m: m[2] or m[1], text)
        for mark, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
            text = text.replace(mark, sign)
        return text.strip()


def _name(user: Message) -> str:
    profile = user.get("profile")
    shown = profile.get("display_name") if isinstance(profile, dict) else None
    return str(shown or user.get("real_name") or user.get("name") or user.get("id"))


def _clock(message: Message) -> str:
    try:
        when = datetime.fromtimestamp(float(str(message.get("ts"))), UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{when:%H:%M} UTC"
