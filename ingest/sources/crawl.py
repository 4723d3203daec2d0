"""What a crawl keeps: pages until they are read, and until the next crawl their links and marks.

Knows nothing about requests, nor which pages are wanted.
"""

import json
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import IO

from ingest.entries import SourceConfig
from ingest.sources.fetch import Page


class Spool:
    """Pages that a crawl met, compressed on disk until they are read once."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._places: dict[str, tuple[int, int, Page]] = {}

    def put(self, url: str, page: Page) -> None:
        """Keep a page."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="threadwise-")  # noqa: SIM115 -- closed by close()
        data = zlib.compress(page.data, 1)
        start = self._file.seek(0, 2)
        self._file.write(data)
        self._places[url] = start, len(data), replace(page, data=b"")

    def take(self, url: str) -> Page | None:
        """Give a page back, once."""
        place = self._places.pop(url, None)
        if place is None or self._file is None:
            return None
        self._file.seek(place[0])
        return replace(place[2], data=zlib.decompress(self._file.read(place[1])))

    def close(self) -> None:
        """Give the disk back."""
        if self._file is not None:
            self._file.close()


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
