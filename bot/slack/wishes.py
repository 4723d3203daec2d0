"""What a channel wants, as an admin says it after `/threadwise`: read, changed and shown. Pure.

Knows nothing about where it is kept, nor about who may change it.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from bot.slack.markup import mrkdwn
from bot.text import shorten
from store.channels import ChannelSettings, Mode

USAGE = (
    "`/threadwise status` shows this channel's settings.\n"
    "`/threadwise mode mention|questions|all|off`: answer when mentioned (as it is at first), answer"
    " questions that I know the answer to, answer everything, or keep silent here.\n"
    "`/threadwise sources NAME, NAME` answers here from these sources alone, `sources all` from all."
    "\n`/threadwise outsiders allow|deny`: let guests and people from elsewhere who read this channel see"
    " what is open to everyone, or (as it is at first) only what names the channel."
    "\n`/threadwise owners @NAME @GROUP`: whom I call when somebody here needs a person; `owners none`."
    "\n`/threadwise workflows on|off`: take posts of workflows and apps for questions, or (as it is at"
    " first) leave them alone.\n`/threadwise limit NUMBER|off`: how many questions a minute this channel"
    " may ask."
)

MOST_OWNERS = 10
MOST_PER_MINUTE = 10_000

_NAMED = re.compile(r"<(?:@|!subteam\^)([UWS][A-Z0-9]+)(?:\|[^<>]*)?>|\b([UWS][A-Z0-9]{5,})\b")
"""A person or group as Slack writes it, or a bare id."""


def changed(
    now: ChannelSettings, verb: str, value: str, known: Sequence[str]
) -> ChannelSettings | str:
    """Give the settings as they are after the change, or what is wrong with what was said."""
    text = html.unescape(value) if verb != "owners" else value
    return _CHANGES[verb](now, text, known)


def is_change(verb: str) -> bool:
    """Whether a word says what to change."""
    return verb in _CHANGES


def shown(now: ChannelSettings) -> str:
    """Say in a line what a channel wants."""
    names = "all sources" if now.sources is None else mrkdwn(", ".join(now.sources))
    parts = [f"mode {now.mode}", f"answers from {names}"]
    if now.outsiders:
        parts[-1] += ", also to guests and people from elsewhere"
    if now.owners:
        parts.append(f"{len(now.owners)} to call when somebody needs a person")
    if now.workflows:
        parts.append("posts of workflows and apps count as questions")
    if now.max_per_minute is not None:
        parts.append(f"at most {now.max_per_minute} questions a minute")
    return f"In this channel: {', '.join(parts)}."


def _mode(now: ChannelSettings, value: str, known: Sequence[str]) -> ChannelSettings | str:
    for mode in get_args(Mode):
        if mode == value.lower():
            return replace(now, mode=mode)
    return f"There is no mode {mrkdwn(shorten(value, 80))}.\n{USAGE}"


def _outsiders(now: ChannelSettings, value: str, known: Sequence[str]) -> ChannelSettings | str:
    if value.lower() not in ("allow", "deny"):
        return f"Say `outsiders allow` or `outsiders deny`.\n{USAGE}"
    return replace(now, outsiders=value.lower() == "allow")


def _sources(now: ChannelSettings, value: str, known: Sequence[str]) -> ChannelSettings | str:
    if value.lower() == "all":
        return replace(now, sources=None)
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        listed = mrkdwn(", ".join(known)) or "none yet"
        return f"Name one or more of the sources: {listed}; or `all`."
    return replace(now, sources=names)


def _owners(now: ChannelSettings, value: str, known: Sequence[str]) -> ChannelSettings | str:
    if value.lower() == "none":
        return replace(now, owners=())
    found = tuple(dict.fromkeys(a or b for a, b in _NAMED.findall(value)))
    if not found or len(found) > MOST_OWNERS:
        return f"Name one to {MOST_OWNERS} people or groups with @, or say `owners none`."
    return replace(now, owners=found)


def _workflows(now: ChannelSettings, value: str, known: Sequence[str]) -> ChannelSettings | str:
    if value.lower() not in ("on", "off"):
        return "Say `workflows on` or `workflows off`."
    return replace(now, workflows=value.lower() == "on")


def _limit(now: ChannelSettings, value: str, known: Sequence[str]) -> ChannelSettings | str:
    if value.lower() == "off":
        return replace(now, max_per_minute=None)
    if not value.isascii() or not value.isdecimal() or not 1 <= int(value) <= MOST_PER_MINUTE:
        return f"Say `limit` and a number from 1 to {MOST_PER_MINUTE:,}, or `limit off`."
    return replace(now, max_per_minute=int(value))


_CHANGES: Mapping[
    str, Callable[[ChannelSettings, str, Sequence[str]], ChannelSettings | str]
] = {
    "mode": _mode, "sources": _sources, "outsiders": _outsiders, "owners": _owners,
    "workflows": _workflows, "limit": _limit,
}  # fmt: skip
