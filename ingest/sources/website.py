"""A website: the pages of its sitemap, or what can be reached by links below an address.

Knows nothing about a page's content but its links.
"""

import re
import time
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from html import unescape
from typing import ClassVar, NamedTuple
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import httpx

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.parsing.text import parse_date
from ingest.sources.client import AGENT, LONGEST_WAIT_SECONDS, TIMEOUT_SECONDS
from ingest.sources.crawl import Visited, links_of, without_fragment
from ingest.sources.guard import Forbidden, GuardedTransport

TRIES = 3
MOST_PAGES = 5000
DELAY_SECONDS = 0.2
MOST_SITEMAPS = 200
MOST_REDIRECTS = 5

_SITEMAP_ITEM = re.compile(r"<(url|sitemap)\b[^>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_NOT_PAGES = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|ico|css|js|mjs|woff2?|ttf|zip|gz|tgz|mp[34]|webm|mov|exe|dmg|xml"
    r"|rss|atom|json)$",
    re.IGNORECASE,
)


class _Page(NamedTuple):
    url: str
    data: bytes
    media_type: str
    mark: str | None


class Website(Source):
    """`address` is a sitemap (.xml), or the page below which everything is read."""

    OPTIONS: ClassVar[Mapping[str, type]] = {
        "max_pages": int,
        "delay_seconds": float,
        "allow_private": bool,
    }

    def __init__(self, config: SourceConfig, transport: httpx.BaseTransport | None = None) -> None:
        self.config = config
        self.is_partial = False
        self.delay = float(str(config.options.get("delay_seconds", DELAY_SECONDS)))
        self.most = int(str(config.options.get("max_pages", MOST_PAGES)))
        allowed = config.options.get("allow_private") is True
        self._http = httpx.Client(
            transport=transport or (httpx.HTTPTransport() if allowed else GuardedTransport()),
            headers={"User-Agent": AGENT, "Accept": "text/html,application/pdf;q=0.9,*/*;q=0.5"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
        parts = urlsplit(config.address)
        self.site = f"{parts.scheme}://{parts.netloc}"
        is_sitemap = parts.path.endswith((".xml", ".xml.gz"))
        self.prefix = self.site + ("/" if is_sitemap else parts.path.rpartition("/")[0] + "/")
        self.is_sitemap = is_sitemap
        self._crawled: dict[str, _Page] = {}
        self._robots = RobotFileParser()
        self._next_request = 0.0

    def entries(self) -> Iterator[Entry]:
        """Give every page; `is_partial` is set when some could not be looked at."""
        self._read_robots()
        sitemaps = [self.config.address] if self.is_sitemap else self._known_sitemaps()
        listed = list(self._from_sitemaps(sitemaps))
        yield from listed or self._crawl()

    def close(self) -> None:
        """Let go of what is open."""
        self._http.close()

    def read(self, entry: Entry, known: str | None) -> Content | None:
        """Read a page, unless the server says that it is still as `known`."""
        crawled = self._crawled.pop(entry.ref, None)
        if crawled:
            return Content(zlib.decompress(crawled.data), entry.path, crawled.media_type)
        page = self._get(entry.ref, known and known.removesuffix(f" {entry.url}"))
        if page is None:
            return None
        if not self._is_inside(page.url):
            raise Unreadable(f"It leads elsewhere, to {page.url}.", is_skip=True)
        return Content(page.data, entry.path, page.media_type, version=page.mark)

    def _read_robots(self) -> None:
        try:
            response = self._request(f"{self.site}/robots.txt", {})
        except httpx.HTTPError as error:
            raise SourceError(f"{self.site} cannot be reached: {error}") from error
        if response.status_code >= 500:
            raise SourceError(
                f"{self.site}/robots.txt answers {response.status_code}, so it is not known what"
                " may be read. The next run tries again."
            )
        text = response.text if response.status_code == 200 else ""
        self._robots.parse(text.splitlines())
        asked = self._robots.crawl_delay(AGENT)
        self.delay = max(self.delay, float(asked)) if asked else self.delay

    def _known_sitemaps(self) -> list[str]:
        return (self._robots.site_maps() or []) or [f"{self.site}/sitemap.xml"]

    def _from_sitemaps(self, sitemaps: list[str]) -> Iterator[Entry]:
        waiting, seen = deque(sitemaps), set(sitemaps)
        found: set[str] = set()
        while waiting and len(seen) <= MOST_SITEMAPS:
            address = waiting.popleft()
            text = self._sitemap(address)
            for kind, item in _SITEMAP_ITEM.findall(text):
                url = _tag(item, "loc")
                if kind.lower() == "sitemap":
                    waiting += [url] if url not in seen else []
                    seen.add(url)
                elif self._wants(url) and url not in found:
                    found.add(url)
                    if len(found) > self.most:
                        self.is_partial = True
                        return
                    changed = _tag(item, "lastmod")
                    yield self._entry(url, None, changed)

    def _sitemap(self, address: str) -> str:
        try:
            page = self._get(address, None)
        except Unreadable as error:
            if self.is_sitemap or error.is_passing:
                raise SourceError(f"{address} cannot be read: {error}") from error
            return ""
        if page is None:
            return ""
        data = page.data
        if data.startswith(b"\x1f\x8b"):
            data = zlib.decompressobj(31).decompress(data, self.config.max_bytes)
        return data.decode("utf-8", "replace")

    def _crawl(self) -> Iterator[Entry]:
        start, visited = without_fragment(self.config.address), Visited(self.config)
        waiting, seen = deque([start]), {start}
        while waiting:
            url = waiting.popleft()
            try:
                page = self._get(url, visited.mark(url))
            except Unreadable as error:
                if url == start:
                    raise SourceError(f"{url} cannot be read: {error}") from error
                # What lies behind a page that fails now must not count as gone.
                self.is_partial = self.is_partial or error.is_passing
                visited.note(url, visited.mark(url), visited.links(url))
                continue
            if page and not self._is_inside(page.url):
                continue
            # What did not change leads where it led.
            mark, links = visited.mark(url), visited.links(url)
            if page:
                mark, links = page.mark, self._links(page)
                self._crawled[url] = page._replace(data=zlib.compress(page.data, 1))
            visited.note(url, mark, links)
            if self._wants(url):
                yield self._entry(url, mark, None)
            for link in links:
                if link in seen or not self._may_follow(link):
                    continue
                if len(seen) < self.most:
                    seen.add(link)
                    waiting.append(link)
                else:
                    self.is_partial = True
        visited.save()

    def _links(self, page: _Page) -> list[str]:
        if "html" not in page.media_type:
            return []
        links = links_of(page.url, page.data.decode("utf-8", "replace"))
        return [link for link in links if self._is_inside(link)]

    def _is_inside(self, url: str) -> bool:
        return url.startswith(self.prefix) or url + "/" == self.prefix

    def _may_follow(self, url: str) -> bool:
        is_page = not _NOT_PAGES.search(urlsplit(url).path)
        return is_page and self._robots.can_fetch(AGENT, url)

    def _wants(self, url: str) -> bool:
        return self._is_inside(url) and self._may_follow(url) and self.config.wants(self._path(url))

    def _path(self, url: str) -> str:
        return url[len(self.site) :].strip("/") or "index"

    def _entry(self, url: str, mark: str | None, changed: str | None) -> Entry:
        return Entry(
            path=self._path(url),
            version=mark,
            ref=url,
            url=url,
            updated_at=parse_date(changed),
        )

    def _get(self, url: str, known: str | None) -> _Page | None:
        """Fetch a page; None when it is still as known. Raises Unreadable."""
        headers = {}
        if known and known.startswith("etag:"):
            headers["If-None-Match"] = known.removeprefix("etag:")
        elif known and known.startswith("modified:"):
            headers["If-Modified-Since"] = known.removeprefix("modified:")
        try:
            response = self._request(url, headers)
        except Forbidden as error:
            raise Unreadable(str(error), is_skip=True) from error
        except httpx.HTTPError as error:
            raise Unreadable(f"It cannot be fetched: {error}", is_passing=True) from error
        status = response.status_code
        if status == 304:
            return None
        if status in {404, 410}:
            raise Unreadable(f"The server says that it is gone ({status}).", is_skip=True)
        if status != 200:
            raise Unreadable(f"The server answers {status}.", is_passing=True)
        return _Page(
            str(response.extensions["final_url"]),
            response.content,
            response.headers.get("Content-Type", "text/html"),
            _mark(response),
        )

    def _request(self, url: str, headers: dict[str, str]) -> httpx.Response:
        """Ask politely: not too often, again when the server is busy, redirects one by one."""
        for attempt in range(TRIES):
            response = self._follow(url, headers)
            if response.status_code not in {429, 503}:
                break
            after = response.headers.get("Retry-After", "")
            pause = float(after) if after.isdecimal() else 2.0**attempt
            time.sleep(min(pause, LONGEST_WAIT_SECONDS))
        return response

    def _follow(self, url: str, headers: dict[str, str]) -> httpx.Response:
        for _ in range(MOST_REDIRECTS):
            time.sleep(max(0.0, self._next_request - time.monotonic()))
            self._next_request = time.monotonic() + self.delay
            # The request's own URL may become an address of the host: keep the one asked for.
            with self._http.stream("GET", url, headers=headers) as stream:
                if not stream.has_redirect_location:
                    return self._load(stream, url)
                url = urljoin(url, stream.headers.get("Location", ""))
        raise httpx.TooManyRedirects(f"{url} redirects in circles.")

    def _load(self, stream: httpx.Response, url: str) -> httpx.Response:
        """Read a body, but not more than is allowed."""
        parts: list[bytes] = []
        size = 0
        for part in stream.iter_bytes():
            size += len(part)
            if size > self.config.max_bytes:
                raise Unreadable(f"It has more than {self.config.max_mb:g} MB.")
            parts.append(part)
        headers = [(k, v) for k, v in stream.headers.items() if k != "content-encoding"]
        return httpx.Response(
            stream.status_code,
            headers=headers,
            content=b"".join(parts),
            extensions={"final_url": url},
        )


def _tag(item: str, name: str) -> str:
    found = re.search(
        rf"<{name}\b[^>]*>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</{name}>", item, re.DOTALL
    )
    return unescape(found.group(1)) if found else ""


def _mark(response: httpx.Response) -> str | None:
    if etag := response.headers.get("ETag"):
        return f"etag:{etag}"
    changed = response.headers.get("Last-Modified")
    return f"modified:{changed}" if changed else None
