"""Tags of page generators in Markdown: which are known, and what a reader of the page sees of them.

Knows nothing about where in a text they stand. What is not known here is text and stays.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_TAG = 2_000  # characters

_LINK_TAGS = {"page", "link", "post_url", "image", "download", "asset", "ref", "relref", "url"}
_TITLE_TAGS = {"alert", "note", "warning", "callout", "details", "summary", "tab", "admonition"}
# Liquid, Jekyll, Jinja and Nunjucks, with the ends of what has one.
_TAGS = _LINK_TAGS | _TITLE_TAGS | {
    "for", "if", "unless", "case", "when", "else", "elsif", "elif", "assign", "capture",
    "increment", "decrement", "include", "include_relative", "include_cached", "render", "layout",
    "block", "extends", "import", "from", "macro", "set", "with", "filter", "call", "raw",
    "verbatim", "comment", "highlight", "tablerow", "cycle", "break", "continue", "liquid",
    "slack_channel", "image_with_class", "usa_icon", "uswds_icon", "tabs", "endfor", "gist",
    "youtube", "seo", "feed_meta", "toc", "avatar", "figure", "blockquote", "codeblock", "hint",
    "embed", "content-ref", "code", "file", "swagger", "api-method", "stepper", "step", "columns",
}  # fmt: skip
_CODE_TAGS = {"highlight", "codeblock", "code"}
# What a page's own values begin with.
_VALUES = {"site", "page", "layout", "include", "paginator", "theme", "jekyll", "base", "post"}
_HUGO = re.compile(r"\.(?:Site|Page|Params|Title|Content|Inner|Get|RelPermalink|Permalink)\b")
_SHOWN = re.compile(r"""\b(?:title|caption|text|alt|label|name)\s*[=:]\s*(?:"([^"]*)"|'([^']*)')""")

_NAME = re.compile(r"-?\s*(/?[a-zA-Z][\w-]*)")
_VALUE = re.compile(r"-?\s*(\w+)\s*[.|[]")
_ARGUMENT = re.compile(r"""["']([^"']*)["']""")
_ATTRIBUTES = re.compile(
    r"""\{:?[ ]?(?:[#.][\w:-]+|[\w-]+=(?:"[^"\n]*"|'[^'\n]*'|[\w-]+))"""
    r"""(?:[ ]+(?:[#.][\w:-]+|[\w-]+=(?:"[^"\n]*"|'[^'\n]*'|[\w-]+)))*[ ]?\}"""
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag's place in a text, what is put there instead, and its name."""

    start: int
    end: int
    shown: str
    name: str


def tag_at(text: str, start: int) -> Tag | None:
    """Give the tag that begins at this brace, if it is a known one and ends."""
    return (
        _KINDS[text[start : start + 2]](text, start) if text[start : start + 2] in _KINDS else None
    )


def tags(text: str) -> list[Tag]:
    """Give all known tags of a text in order."""
    found: list[Tag] = []
    place = text.find("{")
    while place >= 0:
        tag = tag_at(text, place)
        found += [tag] if tag else []
        place = text.find("{", tag.end if tag else place + 1)
    return found


def without(text: str) -> str:
    """Give a text with what a reader sees in place of its tags."""
    parts, last, hidden = list[str](), 0, -1
    for tag in tags(text):
        if hidden < 0:
            parts += [text[last : tag.start], tag.shown]
            hidden = len(parts) if tag.name == "comment" else -1
        elif tag.name == "endcomment":
            hidden = -1
        else:
            continue
        last = tag.end
    return "".join([*parts, text[last:]])


def _end(text: str, start: int, sign: str) -> int:
    end = text.find(sign, start + 2, start + LONGEST_TAG)
    again = text.find(text[start : start + 2], start + 2, max(end, 0))
    return -1 if end < 0 or again >= 0 else end


def _statement(text: str, start: int) -> Tag | None:
    end = _end(text, start, "%}")
    name = _NAME.match(text, start + 2, max(end, start + 2))
    if not name:
        return None
    word = name.group(1).lower()
    if word.removeprefix("end") not in _TAGS and word not in _TAGS:
        return None
    return Tag(start, end + 2, _shown(word, text[name.end() : end]), word)


def _shown(name: str, rest: str) -> str:
    """Keep what a reader of the published page would see or follow."""
    argument = _ARGUMENT.search(rest)
    value = argument.group(1) if argument else ""
    if name == "slack_channel":
        return f"#{value.lstrip('#')}" if value else ""
    if name in _CODE_TAGS:
        return "```\n"
    if name.removeprefix("end") in _CODE_TAGS:
        return "\n```"
    if name in _LINK_TAGS:
        return value
    return f"**{value}**\n" if name in _TITLE_TAGS and value else ""


def _output(text: str, start: int) -> Tag | None:
    if text[start + 2 : start + 3] in ("<", "%"):
        return _shortcode(text, start)
    end = _end(text, start, "}}")
    inner = text[start + 2 : max(end, start + 2)]
    value = _VALUE.match(inner)
    is_known = value is not None and value.group(1) in _VALUES or _HUGO.match(inner.strip(" -$"))
    return Tag(start, end + 2, "", "value") if end > 0 and is_known else None


def _shortcode(text: str, start: int) -> Tag | None:
    """Read Hugo's `{{< name ... >}}`: links give their address, others the titles in them."""
    sign = {"<": ">}}", "%": "%}}"}[text[start + 2]]
    end = _end(text, start, sign)
    name = _NAME.match(text, start + 3, max(end, start + 3))
    if not name:
        return None
    word, rest = name.group(1).lower(), text[name.end() : end]
    if word in _LINK_TAGS:
        shown = _shown(word, rest)
    else:
        shown = " ".join(filter(None, (a or b for a, b in _SHOWN.findall(rest))))
    return Tag(
        start, end + 3, f"**{shown}**\n" if shown and word not in _LINK_TAGS else shown, word
    )


def _remark(text: str, start: int) -> Tag | None:
    """Read Jinja's `{# ... #}`, or an attribute list that only looks alike."""
    end = _end(text, start, "#}")
    if end > 0 and text[start + 2] in " \n-":
        return Tag(start, end + 2, "", "remark")
    return _attributes(text, start)


def _attributes(text: str, start: int) -> Tag | None:
    found = _ATTRIBUTES.match(text, start, start + LONGEST_TAG)
    return Tag(start, found.end(), "", "attributes") if found else None


_KINDS: dict[str, Callable[[str, int], Tag | None]] = {
    "{%": _statement, "{{": _output, "{#": _remark, "{:": _attributes, "{.": _attributes,
}  # fmt: skip
