"""Text that Slack cannot mistake for anything else: no pings, no disguised links, no hidden signs.

Knows nothing about answers or blocks. Escapes after docs.slack.dev/messaging/formatting-message-text.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

from bot.text import INVISIBLE, visible

WORD_JOINER = "\u2060"
"""Invisible; put into a sign sequence it keeps Slack from reading it as a mention."""

LINK_CHARS = 2000

_MENTION = re.compile(r"<(?=[!@#])|@(?=here|channel|everyone|group)", re.IGNORECASE)
_PAIR = re.compile(r"(?<!\w)([*_~`])(?=\S)([^\n]{0,500}?\S)\1(?!\w)")
_LOOKALIKE = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"}
_ENTITY = re.compile(r"<([@#!][^<>]*|(?:https?|mailto|tel):[^<>]*)>")
_CHANNEL = re.compile(r"&lt;(#C[A-Z0-9]{2,20})(?:\|[^&|]*)?&gt;")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>|\"'`]+[^\s<>|\"'`.,;:!?)\]]")
_LINK = re.compile(rf"\[([^\[\]\n]+)\]\((https?://[^\s()<>|]+)\)|({_ADDRESS.pattern})")
_NAMES_HOST = re.compile(r"://|^[\w-]+(\.[\w-]+)+(/\S*)?$")


def literal(text: str) -> str:
    """Make a text safe for a rich_text element, which shows it as it stands."""
    return _MENTION.sub(lambda match: match.group() + WORD_JOINER, visible(text))


def mrkdwn(text: str) -> str:
    """Make a text safe where Slack reads mrkdwn: `*_~` and backticks that would format look alike."""
    previous, text = "", literal(text)
    while previous != text:
        previous = text
        text = _PAIR.sub(lambda m: _LOOKALIKE[m[1]] + m[2] + _LOOKALIKE[m[1]], text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def reply(text: str) -> str:
    """Make a configured reply's mrkdwn: links and `<#C...>` channels work, nobody is pinged."""
    escaped = mrkdwn(re.sub(r"<(https?://[^<>|\s]+)(?:\|[^<>]*)?>", r"\1", text))
    escaped = escaped.replace(f"&lt;{WORD_JOINER}#", "&lt;#")
    linked = _CHANNEL.sub(r"<\1>", escaped)
    return _ADDRESS.sub(lambda match: f"<{match.group()}>", linked)


def link(url: str | None) -> str | None:
    """Give an address that may be a link: http or https, a host, no user name in it; else None.

    The host comes back in ASCII, so that look-alike letters show.
    """
    if not url or len(url) > LINK_CHARS or INVISIBLE.search(url) or len(url.split()) != 1:
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return None
    rest = parts._replace(scheme="", netloc="").geturl()
    return f"{parts.scheme}://{host}{port}{quote(rest, safe='/:?#[]@!$&()*+,;=%~-._')}"


def host(url: str) -> str:
    return urlsplit(url).hostname or ""


def spoken(text: str, me: str) -> str:
    """Give a Slack message as its writer saw it: entities decoded, the bot's own name left out."""
    text = re.sub(rf"<@{re.escape(me)}(?:\|[^<>]*)?>", " ", text)
    return re.sub(r"^[,:]\s+", "", _decoded(_ENTITY.sub(_shown, text)).strip())


def kept(text: str, name_of: Callable[[str], str]) -> str:
    """Give a Slack message as it is kept: names as people read them, a labelled link as Markdown.

    `name_of` names a person (`U...`), channel (`C...`) or group (`S...`) by the id.
    """

    def shown(match: re.Match[str]) -> str:
        inner = match.group(1)
        address, _, label = inner.partition("|")
        if inner[:2] in ("@U", "@W"):
            return f"@{label or name_of(address[1:])}"
        if inner[:1] == "#":
            return f"#{label or name_of(address[1:])}"
        if inner.startswith("!subteam^"):
            return f"@{(label or name_of(address.partition('^')[2])).removeprefix('@')}"
        if inner[:1] in "!@":
            return label or f"@{address[1:].partition('^')[0]}"
        return _kept_link(address, label) if inner.startswith("http") else _shown(match)

    return _decoded(_ENTITY.sub(shown, text)).strip()


def linked(text: str) -> Iterator[tuple[str, str | None]]:
    """Cut a kept text into what is shown and where it leads: None for what is no link."""
    end = 0
    for match in _LINK.finditer(text):
        label, labelled, bare = match.groups()
        address = link(labelled or bare)
        if address is None:
            continue
        yield text[end : match.start()], None
        yield (bare or (address if _NAMES_HOST.search(label) else label)), address
        end = match.end()
    yield text[end:], None


def kept_mrkdwn(text: str) -> str:
    """Make a kept text's mrkdwn: its links work, nobody is pinged."""
    parts = []
    for shown, address in linked(text):
        safe = mrkdwn(shown)
        parts.append(
            f"<{address.replace('&', '&amp;')}|{safe.replace('|', '¦')}>" if address else safe
        )
    return "".join(parts)


def _kept_link(address: str, label: str) -> str:
    label = label.translate(str.maketrans("[]", "()")).strip()
    if not label or label == address or "\n" in label:
        return address
    return f"[{label}]({address.replace('(', '%28').replace(')', '%29')})"


def _decoded(text: str) -> str:
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text


def _shown(match: re.Match[str]) -> str:
    """What Slack shows for `<...>`: the label if any, else the address or the kind of mention."""
    inner = match.group(1)
    address, _, label = inner.partition("|")
    if inner[:1] == "#":
        return f"#{label}" if label else "#channel"
    if inner[:1] in "@!":
        return label or "@someone"
    return label or address.removeprefix("mailto:")
