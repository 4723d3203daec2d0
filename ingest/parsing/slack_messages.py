"""Slack's exports: people's names, and a day's messages as text, with names in place of ids.

Knows nothing about archives or threads. Runs in the parser's child.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ingest.entries import Unreadable

Message = dict[str, object]

DEEPEST = 12  # blocks within blocks

_PERSON = re.compile(r"<@([A-Z0-9]+)(?:\|([^<>]*))?>")
_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|([^<>]*))?>")
_LINK = re.compile(r"<((?:https?|mailto):[^|<>]+)(?:\|([^<>]*))?>")
_SPECIAL = re.compile(r"<!([a-z]+)(?:\^[A-Z0-9]+)?(?:\|([^<>]*))?>")
_HEADING = re.compile(r"^(?=#{1,6}\s)", re.MULTILINE)
_WORD = re.compile(r"\w+")

# What people did, not what they said.
SILENT = {
    "channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name",
    "channel_archive", "channel_unarchive", "group_join", "group_leave", "pinned_item",
    "bot_add", "bot_remove", "tombstone",
}  # fmt: skip

_PASSED_OVER = {"actions", "button", "image", "input", "overflow", "file", "video"}
_INLINE = {"rich_text_section", "rich_text_quote", "rich_text_preformatted"}


class Writer:
    """Writes messages; `people` and `channels` are names by id."""

    def __init__(self, people: Mapping[str, str], channels: Mapping[str, str]) -> None:
        self._people = people
        self._channels = channels

    def author(self, message: Message) -> str:
        """Name who wrote a message."""
        user = str(message.get("user") or "")
        profile = message.get("user_profile")
        named = profile.get("real_name") if isinstance(profile, dict) else None
        return self._people.get(user) or str(named or message.get("username") or user or "Somebody")

    def text(self, message: Message) -> str:
        """Give what a message says; what blocks, attachments and files add is put below it."""
        parts: list[str] = []
        for part in _parts(message):
            written = self._named(part).strip()
            if written and not _says(parts, written):
                parts.append(written)
        # A line that begins like a heading is none: the conversation has headings of its own.
        return _HEADING.sub(r"\\", "\n\n".join(parts))

    def _named(self, text: str) -> str:
        text = _PERSON.sub(lambda m: self._people.get(m[1]) or m[2] or "somebody", text)
        text = _CHANNEL.sub(lambda m: f"#{m[2] or self._channels.get(m[1], m[1])}", text)
        text = _LINK.sub(lambda m: f"[{m[2]}]({m[1]})" if m[2] else m[1], text)
        text = _SPECIAL.sub(lambda m: m[2] or m[1], text)
        for mark, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
            text = text.replace(mark, sign)
        return text


def names(data: bytes, address: str) -> dict[str, object]:
    """Give the `names` by id of users.json or channels.json."""
    rows = _objects(_loaded(data))
    return {"names": {str(row.get("id")): _name(row) for row in rows}}


def day(data: bytes, address: str) -> dict[str, object]:
    """Give the `messages` of a day's file: ts, the thread's ts, author, time of day, text.

    At `address` lies a file of JSON, with the names of `people` and `channels` by id.
    """
    known = json.loads(Path(address).read_text(encoding="utf-8"))
    writer = Writer(known["people"], known["channels"])
    found = []
    for message in _objects(_loaded(data)):
        text = "" if message.get("subtype") in SILENT else writer.text(message)
        if text:
            ts = str(message.get("ts"))
            thread = str(message.get("thread_ts") or ts)
            found.append([ts, thread, writer.author(message), clock(message), text])
    return {"messages": found}


def _loaded(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable("It is no JSON. Export the workspace again.") from error


def _name(row: Message) -> str:
    profile = row.get("profile")
    shown = profile.get("display_name") if isinstance(profile, dict) else None
    return str(shown or row.get("real_name") or row.get("name") or row.get("id"))


def clock(message: Message) -> str:
    """Give when a message was written; nothing when it does not say."""
    try:
        return f"{datetime.fromtimestamp(moment(message), UTC):%H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return ""


def moment(message: Message) -> float:
    """Give a message's time in seconds, 0 when it is none."""
    try:
        return float(str(message.get("ts")))
    except ValueError:
        return 0.0


def _parts(message: Message) -> Iterator[str]:
    yield str(message.get("text") or "")
    yield from (_words(block, 0) for block in _objects(message.get("blocks")))
    for attachment in _objects(message.get("attachments")):
        keys = ("pretext", "title", "text")
        said = [str(attachment[key]) for key in keys if attachment.get(key)]
        said += [
            f"{field.get('title') or ''}: {field.get('value') or ''}".strip(": ")
            for field in _objects(attachment.get("fields"))
        ]
        said += [_words(block, 0) for block in _objects(attachment.get("blocks"))]
        yield "\n".join(filter(None, said)) or str(attachment.get("fallback") or "")
    for file in _objects(message.get("files")):
        name = file.get("title") or file.get("name")
        yield f"(File: {name})" if name else ""


def _words(node: object, depth: int) -> str:
    """Give the words of a block, as people see them in Slack."""
    if isinstance(node, str):
        return node
    if not isinstance(node, dict) or depth > DEEPEST or node.get("type") in _PASSED_OVER:
        return ""
    kind, text = node.get("type"), node.get("text")
    if kind == "user":
        return f"<@{node.get('user_id')}>"
    if kind == "channel":
        return f"<#{node.get('channel_id')}>"
    if kind == "link":
        return f"<{node.get('url')}|{text}>" if text else str(node.get("url") or "")
    if kind == "emoji":
        return f":{node.get('name')}:"
    said = [_words(text, depth + 1)] if text else []
    for key in ("fields", "elements"):
        inner = node.get(key)
        said += [_words(each, depth + 1) for each in inner] if isinstance(inner, list) else []
    if kind == "rich_text_list":
        return "\n".join(f"- {item}" for item in said if item)
    return ("" if kind in _INLINE else "\n").join(filter(None, said))


def _says(parts: list[str], more: str) -> bool:
    """Tell whether what was said already holds these words, as a message's text does its blocks'."""
    held = " ".join(_WORD.findall(" ".join(parts).lower()))
    return " ".join(_WORD.findall(more.lower())) in held


def _objects(value: object) -> list[Message]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
