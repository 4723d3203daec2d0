"""What a crawl finds in pages and keeps until the next: their links, and the marks they are known by.

Knows nothing about requests, nor which pages are wanted.
"""

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit, urlunsplit

from ingest.entries import SourceConfig

_LINK = re.compile(r"<a\s[^>]*?href\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_BASE = re.compile(r"<base\s[^>]*?href\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)


class Visited:
    """The pages of the last crawl, in a file that may be lost: then they are fetched again."""

    def __init__(self, config: SourceConfig) -> None:
        """Read what the last crawl left, if there is a place to keep it."""
        name = sha256(config.address.encode()).hexdigest()[:16]
        self._file = Path(config.cache) / f"{config.name}-{name}.json" if config.cache else None
        self._last = _load(self._file)
        self._now: dict[str, tuple[str, list[str]]] = {}

    def mark(self, url: str) -> str | None:
        """Give what a page was known by."""
        return self._last[url][0] if url in self._last else None

    def links(self, url: str) -> list[str]:
        """Give where a page led."""
        return self._last[url][1] if url in self._last else []

    def note(self, url: str, mark: str | None, links: Iterable[str]) -> None:
        """Keep a page for the next crawl; one without a mark is fetched anyway."""
        if mark is not None:
            self._now[url] = (mark, list(links))

    def save(self) -> None:
        """Write down what was noted in this crawl."""
        if self._file is None:
            return
        pages = self._now
        # Most pages link to the same ones: each address is written once.
        urls = list(dict.fromkeys(link for _, links in pages.values() for link in links))
        number = {url: n for n, url in enumerate(urls)}
        kept = {url: [mark, [number[x] for x in links]] for url, (mark, links) in pages.items()}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps({"urls": urls, "pages": kept}), encoding="utf-8")
        fresh.replace(self._file)


def links_of(url: str, html: str) -> list[str]:
    """Give where a page's links lead, without what comes after #."""
    base = _BASE.search(html)
    root = urljoin(url, unescape(base.group(1))) if base else url
    found = (without_fragment(urljoin(root, unescape(link))) for link in _LINK.findall(html))
    return list(dict.fromkeys(found))


def without_fragment(url: str) -> str:
    """Give the address of a page, whatever part of it was meant."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))


def _load(file: Path | None) -> dict[str, tuple[str, list[str]]]:
    if file is None:
        return {}
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        urls = kept["urls"]
        return {
            url: (str(mark), [urls[n] for n in links])
            for url, (mark, links) in kept["pages"].items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # absent, or damaged
        return {}
