"""A Slack message as text: its words, blocks and attachments, with names in place of ids.

Knows nothing about exports or threads.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

Message = dict[str, object]

DEEPEST = 12  # blocks within blocks

_PERSON = re.compile(r"<@([A-Z0-9]+)(?:\|([^<>]*))?>")
_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|([^<>]*))?>")
_LINK = re.compile(r"<((?:https?|mailto):[^|<>]+)(?:\|([^<>]*))?>")
_SPECIAL = re.compile(r"<!([a-z]+)(?:\^[A-Z0-9]+)?(?:\|([^<>]*))?>")
_HEADING = re.compile(r"^(?=#{1,6}\s)", re.MULTILINE)
_WORD = re.compile(r"\w+")

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
