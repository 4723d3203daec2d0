"""The date of a web page, as the page itself states it: in its head, in data for machines, in words.

Knows nothing about servers. A date that is only somewhere in the text is none of the page's.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ingest.parsing.text import parse_date

LONGEST_DATA = 200_000  # characters of data for machines that are looked at
MOST_VALUES = 10_000

_CHANGED = {
    "article:modified_time", "og:updated_time", "og:article:modified_time", "datemodified",
    "dcterms.modified", "dc.date.modified", "last-modified", "last_modified", "lastmod", "revised",
    "modified", "updated_time", "last-updated", "docs:modified", "date.modified",
}  # fmt: skip
_PUBLISHED = {
    "article:published_time", "og:published_time", "datepublished", "dcterms.date", "dc.date",
    "dcterms.created", "dc.date.issued", "date", "pubdate", "publish_date", "datecreated",
}  # fmt: skip
_MONTHS = {
    name[:width]: number
    for names in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    )
    for number, name in enumerate(names.split(), start=1)
    for width in ((3, 4, len(name)) if name not in ("juin", "juillet") else (4, len(name)))
}
_STATED = re.compile(
    r"(?:last|page|was|recently)[ ](?:last[ ])?(?:updated|modified|edited|reviewed|changed|revised)"
    r"|(?:updated|revised|reviewed)[ ]?(?:on|:)|zuletzt (?:geändert|aktualisiert|bearbeitet)"
    r"|letzte (?:änderung|aktualisierung|bearbeitung)|\bstand:"
    r"|dernière (?:mise à jour|modification)|mis à jour le|última (?:actualización|modificación)",
    re.IGNORECASE,
)
_ISO = re.compile(r"\b((?:19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})\b")
_DAY_FIRST = re.compile(
    r"\b(\d{1,2})(?:\.|st|nd|rd|th|er|º)?,? (?:de )?([a-zéûäç]{3,10})\.?,? (?:de )?((?:19|20)\d\d)\b"
)
_MONTH_FIRST = re.compile(r"\b([a-zéûäç]{3,10})\.? (\d{1,2})(?:st|nd|rd|th)?,? ((?:19|20)\d\d)\b")
_GERMAN = re.compile(r"\b(\d{1,2})\.[ ]?(\d{1,2})\.[ ]?((?:19|20)\d\d)\b")
_AFTER = 60  # characters after "last updated" in which the date stands


def stated(tree: Any, text: str) -> datetime | None:
    """Give when a page was changed last, or else published; None when it does not say, or the future.

    `text` is what a visitor sees.
    """
    latest = datetime.now(UTC) + timedelta(days=1)
    for found in (_changed(tree), _said(text), _published(tree)):
        for value in found:
            moment = parse_date(value) if isinstance(value, str) else value
            if moment is not None and moment <= latest:
                return moment
    return None


def _changed(tree: Any) -> Iterator[str]:
    yield from _named(tree, _CHANGED)
    yield from _data(tree, "dateModified")
    for element in tree.iter("time"):
        names = f"{element.get('class') or ''} {element.get('itemprop') or ''}".lower()
        if re.search(r"updated|modified", names):
            yield _date_of(element)


def _published(tree: Any) -> Iterator[str]:
    yield from _named(tree, _PUBLISHED)
    yield from _data(tree, "datePublished")
    times = [_date_of(e) for e in tree.iter("time") if e.get("datetime")]
    if len(set(times)) == 1:
        yield times[0]


def _named(tree: Any, names: set[str]) -> Iterator[str]:
    for meta in tree.iter("meta"):
        found = (meta.get(key) for key in ("property", "name", "itemprop", "http-equiv"))
        if any(name and name.lower() in names for name in found):
            yield str(meta.get("content") or "")


def _date_of(element: Any) -> str:
    return str(element.get("datetime") or "".join(element.itertext())).strip()


def _data(tree: Any, name: str) -> Iterator[str]:
    """Give what data for machines (JSON-LD) says under a name."""
    for script in tree.iter("script"):
        if (script.get("type") or "").lower() != "application/ld+json":
            continue
        try:
            waiting = [json.loads((script.text or "")[:LONGEST_DATA])]
        except (ValueError, RecursionError):
            continue
        for _ in range(MOST_VALUES):
            if not waiting:
                break
            value = waiting.pop()
            if isinstance(value, list):
                waiting += value
            elif isinstance(value, dict):
                if isinstance(value.get(name), str):
                    yield value[name]
                waiting += value.values()


def _said(text: str) -> Iterator[datetime]:
    for said in _STATED.finditer(text):
        after = " ".join(text[said.end() : said.end() + _AFTER].split()).lower()
        yield from _dates(after)


def _dates(text: str) -> Iterator[datetime]:
    found: list[tuple[int, str, int | None, str]] = []
    if m := _ISO.search(text):
        found.append((m.start(), m[1], int(m[2]), m[3]))
    if m := _GERMAN.search(text):
        found.append((m.start(), m[3], int(m[2]), m[1]))
    if m := _DAY_FIRST.search(text):
        found.append((m.start(), m[3], _month(m[2]), m[1]))
    if m := _MONTH_FIRST.search(text):
        found.append((m.start(), m[3], _month(m[1]), m[2]))
    for _, year, month, day in sorted(found, key=lambda f: f[0]):
        try:
            moment = parse_date(date(int(year), month or 0, int(day)))
        except ValueError:
            continue
        if moment:
            yield moment


def _month(name: str) -> int | None:
    return _MONTHS.get(name) or _MONTHS.get(name[:4]) or _MONTHS.get(name[:3])
