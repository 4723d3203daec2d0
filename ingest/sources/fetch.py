"""Fetches the pages of websites, politely: not too often, not too much, redirects one by one.

Knows nothing about which pages are wanted.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from ingest.entries import Unreadable
from ingest.sources import urls
from ingest.sources.client import AGENT, LONGEST_WAIT_SECONDS, TIMEOUT_SECONDS
from ingest.sources.guard import Forbidden

TRIES = 3
MOST_REDIRECTS = 5
MADE_NOW = timedelta(minutes=2)  # a "last change" as late as this before the reply is none


@dataclass(frozen=True, slots=True)
class Page:
    """What a server sent. `url` is where it was found in the end; `robots` are words of its headers."""

    url: str
    data: bytes
    media_type: str
    mark: str | None
    changed_at: datetime | None
    robots: frozenset[str]


class Fetcher:
    """`delay` is in seconds between requests; `auth` is sent to `site` alone."""

    def __init__(
        self,
        transport: httpx.BaseTransport,
        *,
        delay: float,
        max_bytes: int,
        auth: tuple[str, str] | None = None,
        site: str = "",
    ) -> None:
        self.delay = delay
        self._max_bytes = max_bytes
        self._auth = auth
        self._site = site
        self._next_request = 0.0
        self._http = httpx.Client(
            transport=transport,
            headers={"User-Agent": AGENT, "Accept": "text/html,application/pdf;q=0.9,*/*;q=0.5"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def get(
        self, url: str, known: str | None, may: Callable[[str], bool] | None = None
    ) -> Page | None:
        """Fetch a page; None when it is still as `known`. Raises Unreadable.

        A redirect to what `may` refuses ends there: the page is that address without its text.
        """
        headers = {}
        if known and known.startswith("etag:"):
            headers["If-None-Match"] = known.removeprefix("etag:")
        elif known and known.startswith("modified:"):
            headers["If-Modified-Since"] = known.removeprefix("modified:")
        try:
            response, final = self.ask(url, headers, may)
        except Forbidden as error:
            raise Unreadable(str(error), is_skip=True) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreadable(f"It cannot be fetched: {error}", is_passing=True) from error
        status = response.status_code
        if status == 304:
            return None
        if status in {404, 410}:
            raise Unreadable(f"The server says that it is gone ({status}).", is_skip=True)
        if status in {401, 407}:
            raise Unreadable(f"It asks to sign in (the server answers {status}).")
        if status != 200 and not response.has_redirect_location:
            raise Unreadable(f"The server answers {status}.", is_passing=True)
        return Page(
            final,
            response.content,
            response.headers.get("Content-Type", "text/html"),
            _mark(response),
            _changed_at(response),
            _robots(response),
        )

    def ask(
        self, url: str, headers: dict[str, str], may: Callable[[str], bool] | None = None
    ) -> tuple[httpx.Response, str]:
        """Ask, again when the server is busy; give the reply and where it came from.

        Raises httpx.HTTPError, or Unreadable when there is too much.
        """
        for attempt in range(TRIES):
            response, final = self._follow(url, headers, may)
            if response.status_code not in {429, 503}:
                break
            after = response.headers.get("Retry-After", "")
            pause = float(after) if after.isdecimal() else 2.0**attempt
            time.sleep(min(pause, LONGEST_WAIT_SECONDS))
        return response, final

    def _follow(
        self, url: str, headers: dict[str, str], may: Callable[[str], bool] | None
    ) -> tuple[httpx.Response, str]:
        for _ in range(MOST_REDIRECTS + 1):
            time.sleep(max(0.0, self._next_request - time.monotonic()))
            self._next_request = time.monotonic() + self.delay
            auth = self._auth if urls.site_of(url) == self._site else None
            # The request's own URL may become an address of the host: keep the one asked for.
            with self._http.stream("GET", url, headers=headers, auth=auth) as stream:
                if not stream.has_redirect_location:
                    return self._load(stream), url
                target = urls.normal(stream.headers.get("Location", ""), url)
                if target is None:
                    raise httpx.UnsupportedProtocol("It leads to what is no web address.")
                url = target
                if may is not None and not may(url):
                    return httpx.Response(stream.status_code, headers={"Location": url}), url
        raise httpx.TooManyRedirects(f"{url} redirects in circles.")

    def _load(self, stream: httpx.Response) -> httpx.Response:
        """Read a body, but not more than is allowed."""
        parts: list[bytes] = []
        size = 0
        for part in stream.iter_bytes():
            size += len(part)
            if size > self._max_bytes:
                raise Unreadable(f"It has more than {self._max_bytes / 1_000_000:g} MB.")
            parts.append(part)
        dropped = ("content-encoding", "content-length", "transfer-encoding")
        headers = [(k, v) for k, v in stream.headers.multi_items() if k.lower() not in dropped]
        return httpx.Response(stream.status_code, headers=headers, content=b"".join(parts))


def _mark(response: httpx.Response) -> str | None:
    if etag := response.headers.get("ETag"):
        return f"etag:{etag}"
    changed = response.headers.get("Last-Modified")
    return f"modified:{changed}" if changed else None


def _changed_at(response: httpx.Response) -> datetime | None:
    """Give the date of the last change, unless the page was made for this request."""
    changed = _date(response.headers.get("Last-Modified"))
    now = _date(response.headers.get("Date")) or datetime.now(UTC)
    return changed if changed and changed < now - MADE_NOW else None


def _date(value: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(value) if value else None
    except (ValueError, TypeError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _robots(response: httpx.Response) -> frozenset[str]:
    """Give what X-Robots-Tag says to everyone or to us."""
    found: set[str] = set()
    for value in response.headers.get_list("X-Robots-Tag"):
        agent, colon, words = value.lower().partition(":")
        if colon and agent.strip() not in ("*", "threadwise"):
            continue
        found.update((words if colon else agent).replace(",", " ").split())
    return frozenset(found)
