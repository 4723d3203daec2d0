"""The block of fields at the top of a Markdown page: YAML, TOML or JSON, well written or not.

Knows nothing about Markdown. What people may ask for is given as lines of text.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import yaml

LONGEST = 65_536  # characters
DEEPEST = 40  # brackets or lists within one another; the reader works level by level
LONGEST_NAME = 40  # characters of a field's name
FIRST_YEAR, LAST_YEAR = 1900, 2200  # of dates that pages can have

DATE_KEYS = (
    "updated", "updated_at", "last_updated", "last_modified", "lastmod", "modified",
    "last_reviewed", "reviewed", "date", "published", "created",
)  # fmt: skip

# What is meant for the program that makes pages of it, not for readers.
MACHINE_KEYS = {
    "title", "layout", "permalink", "weight", "slug", "id", "uid", "uuid", "guid", "template",
    "type", "kind", "draft", "url", "aliases", "alias", "redirect_from", "redirect_to",
    "redirects", "menu", "css", "class", "cssclass", "icon", "image", "images", "cover", "banner",
    "thumbnail", "theme", "toc", "math", "comments", "search", "robots", "sitemap", "nav",
    "navtitle", "navigation", "nav_order", "nav_exclude", "parent", "grand_parent", "has_children", "has_toc",
    "order", "position", "hide", "hidden", "sidebar", "sidebar_position", "sidebar_label",
    "pagination_next", "pagination_prev", "custom_edit_url", "hide_title", "lang", "locale",
    "jupyter", "kernelspec", "output", "format", "params", "outputs", "cascade", "geekdocnav",
    "date", "lastmod", "hash", "etag", "markup", "scripts", "styles", "breadcrumbs", "collection",
}  # fmt: skip

_FORMATS = (
    "%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d %b %Y", "%b %d, %Y", "%Y/%m/%d", "%d.%m.%Y", "%Y-%m",
)  # fmt: skip
_NAME = re.compile(r"[^\W\d][\w .-]*\Z")
_RULE = re.compile(r"(---|\+\+\+)[ \t]*\Z")
_HEXADECIMAL = re.compile(r"[0-9a-f]{8}[0-9a-f-]{8,}\Z", re.IGNORECASE)


class _AsWritten(yaml.BaseLoader):  # type: ignore[misc]
    """Gives every value as text: `10:15`, `01067` and `no` are not what YAML takes them for.

    References are refused: a few of them can stand for billions of values.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references are not read")
        return super().compose_node(parent, index)


@dataclass(frozen=True, slots=True)
class Front:
    """The fields in order, and what could not be read."""

    fields: Mapping[str, object]
    left_out: tuple[str, ...] = ()

    @property
    def title(self) -> str | None:
        """The page's own title."""
        title = next((v for k, v in self.fields.items() if k.lower() == "title"), None)
        is_text = isinstance(title, str | int | float) and not isinstance(title, bool)
        return str(title).strip() or None if is_text else None

    @property
    def updated_at(self) -> datetime | None:
        """The date of the last change, or the best that is told."""
        lowered = {_key(name): value for name, value in self.fields.items()}
        dates = (parse_date(lowered[key]) for key in DATE_KEYS if key in lowered)
        return next((found for found in dates if found), None)

    def lines(self) -> str:
        """Give what people may ask for, a field a line: "Owner: Rink team"."""
        told = ((name, _said(value)) for name, value in self.fields.items() if _is_told(name))
        return "\n".join(f"{_label(name)}: {text}" for name, text in told if text)


def part(text: str) -> tuple[Front, str]:
    """Part the block at the top, if there is one, from the rest of the text."""
    start = _start(text)
    head = text[start : start + LONGEST]
    if head.startswith("{"):
        return _json(text, start, head)
    first, _, rest = head.partition("\n")
    if not (rule := _RULE.match(first)):
        return Front({}), text
    lines = rest.split("\n")
    ends = {rule.group(1), "..."} if rule.group(1) == "---" else {"+++"}
    end = next((n for n, line in enumerate(lines) if line.rstrip(" \t") in ends), None)
    if end is None:
        return Front({}), text
    block = "\n".join(lines[:end])
    fields = _toml(block) if rule.group(1) == "+++" else _yaml(block)
    left_out: tuple[str, ...] = ()
    if fields is None:
        fields, lost = by_lines(block)
        left_out = ("a part of the front matter",) if lost and fields else ()
    if not fields or not all(map(_is_name, fields)):  # two rules with text between them
        return Front({}), text
    begin = start + len(first) + 1 + sum(len(line) + 1 for line in lines[: end + 1])
    return Front(fields, left_out + _odd_dates(fields)), text[begin:]


def by_lines(block: str) -> tuple[dict[str, object], int]:
    """Read fields line by line, where the block as a whole is not well written.

    Gives them, and how many lines said nothing.
    """
    fields: dict[str, object] = {}
    lost, last = 0, ""
    for line in block.split("\n"):
        text = line.strip()
        name, colon, value = text.partition(":")
        if not text or text.startswith("#"):
            continue
        if text.startswith("- ") and last:
            _append(fields, last, _unquoted(text[2:]))
        elif colon and _is_name(name.strip()):
            last = name.strip()
            fields[last] = _value(value.strip())
        elif last and line[0] in " \t":
            _append(fields, last, text)
        else:
            lost += 1
    return fields, lost


def parse_date(value: object) -> datetime | None:
    """Read a date as front matter or a page's metadata gives it; without a zone it is UTC.

    None for what is no date, or none that a page can have.
    """
    if isinstance(value, str):
        value = _written(value.strip()[:40])
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    if not isinstance(value, datetime) or not FIRST_YEAR <= value.year < LAST_YEAR:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _written(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def _start(text: str) -> int:
    """Give where the text begins behind blank lines and comments."""
    place = 0
    while True:
        while place < len(text) and (text[place].isspace() or text[place] == "\ufeff"):
            place += 1
        end = text.find("-->", place, place + LONGEST) if text.startswith("<!--", place) else -1
        if end < 0:
            return place
        place = end + 3


def _yaml(block: str) -> dict[str, object] | None:
    """Read YAML by the reader that is written in Python: the other one can break its process."""
    if max(map(block.count, "[{")) > DEEPEST or "- " * DEEPEST in block or "? " * 3 in block:
        return None
    try:
        values = yaml.load(block, Loader=_AsWritten)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError):
        return None
    if not isinstance(values, dict):
        return {}
    return {str(name): value for name, value in values.items()}


def _toml(block: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(block) if max(map(block.count, "[{")) <= DEEPEST else None
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        lines = (line.split("=", 1) for line in block.split("\n") if "=" in line)
        return {name.strip(): _value(value.strip()) for name, value in lines} or None


def _json(text: str, start: int, head: str) -> tuple[Front, str]:
    try:
        values, length = json.JSONDecoder().raw_decode(head)
    except (ValueError, RecursionError):
        return Front({}), text
    rest = text[start + length :]
    if not isinstance(values, dict) or not values or (rest and rest.lstrip(" \t")[:1] != "\n"):
        return Front({}), text
    return Front(values, _odd_dates(values)), rest.lstrip("\n")


def _odd_dates(fields: Mapping[str, object]) -> tuple[str, ...]:
    odd = [
        name
        for name, value in fields.items()
        if _key(name) in DATE_KEYS and value not in (None, "") and parse_date(value) is None
    ]
    return tuple(f"the date in “{name}”, which is none that can be" for name in odd)


def _append(fields: dict[str, object], name: str, text: str) -> None:
    before = fields[name]
    fields[name] = (
        [*before, text] if isinstance(before, list) else [*([before] if before else []), text]
    )


def _value(text: str) -> object:
    """Read one value: a list in brackets, or a text with or without quotes."""
    if len(text) > 1 and text[0] == "[" and text[-1] == "]":
        return [_unquoted(item) for item in text[1:-1].split(",")]
    return _unquoted(text)


def _unquoted(text: str) -> str:
    text = text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text


def _key(name: str) -> str:
    return str(name).strip().lower().replace("-", "_").replace(" ", "_")


def _is_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and _NAME.match(name) is not None


def _is_told(name: str) -> bool:
    key = _key(name)
    return key not in MACHINE_KEYS and not key.startswith(("sidebar_", "nav_", "toc_", "hide_"))


def _label(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _said(value: object, depth: int = 0) -> str:
    """Give a value as people write it; nothing for switches and for what only programs read."""
    if value is None or isinstance(value, bool) or depth > DEEPEST // 4:
        return ""
    if isinstance(value, Mapping):
        pairs = ((name, _said(inner, depth + 1)) for name, inner in value.items())
        return ", ".join(f"{name}: {text}" for name, text in pairs if text)
    if isinstance(value, list | tuple | set):
        return ", ".join(filter(None, (_said(item, depth + 1) for item in value)))
    text = " ".join(str(value).split())
    is_switch = text.lower() in {"true", "false", "null", "~"}
    return "" if is_switch or _HEXADECIMAL.match(text) else text
