"""A website: the pages of its sitemap, or what can be reached by links below an address.

Knows nothing about a page's content but what it says to a crawler.
"""

import re
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping
from hashlib import sha256
from typing import ClassVar, NamedTuple, cast
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import httpx

from ingest import paths
from ingest.entries import Content, Entry, Look, Source, SourceConfig, SourceError, Unreadable
from ingest.parsing.text import parse_date
from ingest.sources import urls
from ingest.sources.crawl import Spool, Visited
from ingest.sources.fetch import Fetcher, Page
from ingest.sources.guard import GuardedTransport
from ingest.sources.looking import looked
from ingest.sources.robots import Robots
from ingest.sources.traps import Traps, kind_of
from store.redaction import without

MOST_PAGES = 5000
DELAY_SECONDS = 0.2
MOST_SITEMAPS = 2000
MOST_COPIES = 20  # pages that may name one other as the page they are a copy of
SIGN_IN_LETTERS = 600  # shown beside a field for a password: with fewer there is nothing else

_SIGN_IN = re.compile(
    r"(?:^|/)(?:log-?_?in|log-?_?on|sign-?_?in|sign_?on|sso|saml2?|oauth2?|openid|authorize|auth|cas"
    r"|adfs|session/new|wp-login\.php|anmelden|connexion|acceder)(?:[/.]|$)",
    re.IGNORECASE,
)
_NOT_PAGES = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|ico|css|js|mjs|woff2?|ttf|zip|gz|tgz|mp[34]|webm|mov|exe|dmg|xml"
    r"|rss|atom|json)$",
    re.IGNORECASE,
)
_SAME_PAGE = re.compile(r"(?:/(?:index|default)\.\w+|/|\.html?|/amp)$")
ASKS = "It asks to sign in, so it was not read. Make it public, or exclude it."

BROKE = (
    "Reading it broke the parser or took too long, and it has not changed since. Split it, save it again,"
    " or exclude it."
)


class _Met(NamedTuple):
    """A page that a crawl met; None when it is as it was. `said` is what it says to a crawler."""

    url: str
    page: Page | None
    said: Mapping[str, object]


class _Walk:
    """How far a crawl is: pages to visit with where they were linked, and what was found so far."""

    def __init__(self, start: str) -> None:
        self.waiting: deque[tuple[str, str | None]] = deque([(start, None)])
        self.seen = {start}
        self.beyond: set[str] = set()
        self.traps = Traps()
        self.trapped: set[str] = set()
        self.copies: dict[str, tuple[str, Entry]] = {}


class Website(Source):
    """`address` is a sitemap (.xml), or the page below which everything is read."""

    OPTIONS: ClassVar[Mapping[str, type]] = {
        "max_pages": int,
        "delay_seconds": float,
        "allow_private": bool,
    }

    def __init__(self, config: SourceConfig, transport: httpx.BaseTransport | None = None) -> None:
        """Raises SourceError when the address is none."""
        self.config = config
        self.is_partial = False
        self.cut: str | None = None
        self.look: Look | None = None
        self.most = int(str(config.options.get("max_pages", MOST_PAGES)))
        self.address, auth = _without_user(config.address)
        self.is_sitemap = urlsplit(self.address).path.endswith((".xml", ".xml.gz"))
        allowed = config.options.get("allow_private") is True
        self._fetch = Fetcher(
            transport or (httpx.HTTPTransport(trust_env=False) if allowed else GuardedTransport()),
            delay=float(str(config.options.get("delay_seconds", DELAY_SECONDS))),
            max_bytes=config.max_bytes,
            auth=auth,
            site=urls.site_of(self.address),
        )
        self._visited = Visited(config)
        self._spool = Spool()
        self._failed: dict[str, Unreadable] = {}
        self._listed: set[str] = set()
        self._first: Page | Unreadable | None = None
        self._set_start(self.address)

    def entries(self) -> Iterator[Entry]:
        """Give every page; `is_partial` is set when some could not be looked at."""
        self._robots = self._read_robots()
        if not self.is_sitemap:
            self._find_start()
        for entry in self._from_sitemaps() or self._crawl():
            self._listed.add(entry.ref)
            yield entry
        if not self._listed:
            raise SourceError(
                f"No page was found at {self.start}: {self._why_none()} Nothing was changed."
            )

    def close(self) -> None:
        """Let go of what is open."""
        self._fetch.close()
        self._spool.close()

    def read(self, entry: Entry, known: str | None) -> Content | None:
        """Read a page, unless the server says that it is still as `known`."""
        if error := self._failed.get(entry.ref):
            raise error
        page = self._spool.take(entry.ref)
        if page is None:
            page = self._fetch.get(entry.ref, known and known.removesuffix(f" {entry.url}"))
            if page is None:
                return None
            self._check(entry.ref, page)
        return Content(
            page.data, entry.path, page.media_type, version=page.mark, updated_at=page.changed_at
        )

    def _check(self, url: str, page: Page) -> None:
        """Raise Unreadable when a page of a sitemap is not what it was listed as."""
        if page.url != url:
            if _is_sign_in(page.url):
                raise Unreadable(ASKS)
            if not self._is_inside(page.url) or not self._may_follow(page.url):
                raise Unreadable(f"It leads elsewhere, to {page.url}.", is_skip=True)
            if page.url in self._listed:
                raise Unreadable(f"It leads to {page.url}, which is read.", is_skip=True)
        said = self._look_at(url, page)
        if _asks_password(said):
            raise Unreadable(ASKS)
        if _is_hidden(said, page):
            raise Unreadable("It asks not to be listed (noindex).", is_skip=True)
        canonical = self._canonical(page.url, said)
        if canonical and canonical != url and canonical in self._listed:
            raise Unreadable(f"It says that it is a copy of {canonical}.", is_skip=True)

    def _set_start(self, address: str) -> None:
        self.start = address
        self.site = urls.site_of(address)
        folder = urlsplit(address).path.rpartition("/")[0] + "/"
        self.prefix = self.site + ("/" if self.is_sitemap else folder)

    def _find_start(self) -> None:
        """Fetch the start page; where it leads on its own site, the start is."""
        try:
            page = self._fetch.get(self.start, self._visited.mark(self.start))
        except Unreadable as error:
            self._first = error
            return
        self._first = page
        if page is None or page.url == self.start:
            return
        if _is_sign_in(page.url):
            raise SourceError(f"{self.start} asks to sign in (at {page.url}). Make it public.")
        before, meant = self.prefix, self.start
        self._set_start(page.url)
        here, there = urlsplit(before).path, urlsplit(self.prefix).path
        if not urls.is_same_host(page.url, meant) or (here != there and here.startswith(there)):
            raise SourceError(
                f"{meant} leads to {page.url}, which is another site or more than was asked for."
                " If that is meant, make it the address."
            )
        if self.site != urls.site_of(meant):
            self._robots = self._read_robots()

    def _read_robots(self) -> Robots:
        try:
            response, _ = self._fetch.ask(f"{self.site}/robots.txt", {})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"{self.site} cannot be reached: {error}") from error
        except Unreadable:  # too long: what is wrong with it is not known
            raise SourceError(f"{self.site}/robots.txt is too long to be read.") from None
        if response.status_code >= 500:
            raise SourceError(
                f"{self.site}/robots.txt answers {response.status_code}, so it is not known what"
                " may be read. The next run tries again."
            )
        said = {}
        if response.status_code == 200:
            try:
                said = dict(looked(self, "robots", response.content, f"{self.site}/robots.txt"))
            except Unreadable as error:
                raise SourceError(f"{self.site}/robots.txt cannot be read: {error}") from error
        robots = Robots(said)
        self._fetch.delay = max(self._fetch.delay, robots.delay or 0.0)
        return robots

    def _from_sitemaps(self) -> list[Entry]:
        known = [urljoin(f"{self.site}/", s) for s in self._robots.sitemaps]
        first = [self.address] if self.is_sitemap else known or [f"{self.site}/sitemap.xml"]
        waiting, seen = deque(first), set(first)
        found: dict[str, Entry] = {}
        opened, more = 0, 0
        while waiting and opened < MOST_SITEMAPS and not more:
            said, opened = self._sitemap(waiting.popleft()), opened + 1
            for address in cast(list[str], said.get("sitemaps", [])):
                if address not in seen:
                    seen.add(address)
                    waiting.append(address)
            for listed, changed in cast(list[list[str]], said.get("pages", [])):
                url = self._here(listed)
                if url is None or url in found or not self._wants(url):
                    continue
                if len(found) < self.most:
                    found[url] = self._entry(url, None, changed)
                else:
                    more += 1
        if more or (waiting and found):
            rest = f" and {len(waiting):,} sitemaps were not opened" if waiting else ""
            self._cut(f"{more:,} more pages are listed{rest}", len(found))
        return list(found.values())

    def _sitemap(self, address: str) -> Mapping[str, object]:
        try:
            page = self._fetch.get(address, None)
            return self._said("sitemap", page) if page and page.data else {}
        except Unreadable as error:
            if self.is_sitemap or error.is_passing:
                raise SourceError(f"{address} cannot be read: {error}") from error
            return {}

    def _crawl(self) -> Iterator[Entry]:
        if isinstance(self._first, Unreadable):
            raise SourceError(f"{self.start} cannot be read: {self._first}") from self._first
        walk = _Walk(self.start)
        while walk.waiting:
            url, parent = walk.waiting.popleft()
            try:
                met = self._visit(url, walk)
            except Unreadable as error:
                yield from self._missed(url, error)
                continue
            if met is not None:
                links = yield from self._taken(met, walk)
                yield from self._follow(met, parent, links, walk)
        yield from self._true_copies(walk.copies)
        if beyond := walk.beyond - walk.seen:
            self._cut(f"{len(beyond):,} more links were seen", self.most)
        self._visited.save()

    def _visit(self, url: str, walk: _Walk) -> _Met | None:
        """Fetch a page; None when it leads to what is met elsewhere, or to nothing wanted."""
        page = self._first if url == self.start else self._get(url)
        assert not isinstance(page, Unreadable)
        if page is None:
            return _Met(url, None, {})
        if page.url != url:
            if _is_sign_in(page.url):
                raise Unreadable(ASKS)
            is_known = page.url in walk.seen
            if is_known or not self._is_inside(page.url) or not self._may_follow(page.url):
                return None
            walk.seen.add(page.url)
        said = self._look_at(url, page)
        if _asks_password(said):
            raise Unreadable(ASKS)
        return _Met(page.url, page, said)

    def _missed(self, url: str, error: Unreadable) -> Iterator[Entry]:
        if error.is_passing:
            # What lies behind a page that fails now must not count as gone.
            self.is_partial = True
            self._visited.note(url, self._visited.mark(url), self._visited.links(url))
        if not error.is_skip:
            yield from self._failing(url, error)

    def _taken(self, met: _Met, walk: _Walk) -> Generator[Entry, None, list[str]]:
        """Give the entry of a page unless it is hidden or a copy; returns where it leads."""
        url, page = met.url, met.page
        if page is None:  # what did not change leads where it led
            mark, links = self._visited.mark(url), self._visited.links(url)
        else:
            mark, links = page.mark, self._links(met.said, page)
            if _is_hidden(met.said, page):
                hidden = Unreadable("It asks not to be listed (noindex).", is_skip=True)
                yield from self._failing(url, hidden)
                return links
            self._spool.put(url, page)
        canonical = self._canonical(url, met.said)
        if canonical and canonical != url:
            walk.copies[url] = canonical, self._entry(url, mark, None)
            return [canonical, *links]
        self._visited.note(url, mark, links)
        if self._wants(url):
            yield self._entry(url, mark, None)
        return links

    def _follow(
        self, met: _Met, parent: str | None, links: list[str], walk: _Walk
    ) -> Iterator[Entry]:
        """Note the links that are new; give an entry for the first of those that never end."""
        fresh = [link for link in links if link not in walk.seen and self._may_follow(link)]
        walk.traps.met(met.url, parent, str(met.said.get("gist") or ""), fresh)
        for link in fresh:
            if walk.traps.holds(met.url, link):
                if kind_of(link) not in walk.trapped:
                    walk.trapped.add(kind_of(link))
                    yield from self._failing(link, _endless(self._path(link)))
            elif len(walk.seen) < self.most:
                walk.seen.add(link)
                walk.waiting.append((link, met.url))
            else:
                walk.beyond.add(link)

    def _true_copies(self, copies: dict[str, tuple[str, Entry]]) -> Iterator[Entry]:
        """Give the pages that call themselves a copy of one that is not there, or that many name."""
        named = Counter(canonical for canonical, _ in copies.values())
        there = set(self._listed)
        for url, (canonical, entry) in copies.items():
            is_copy = canonical in there and (
                named[canonical] <= MOST_COPIES or _is_same_page(url, canonical)
            )
            if not is_copy and self._wants(url):
                there.add(url)
                yield entry

    def _get(self, url: str) -> Page | None:
        def may(target: str) -> bool:
            return self._is_inside(target) and not _is_sign_in(target)

        return self._fetch.get(url, self._visited.mark(url), may)

    def _look_at(self, url: str, page: Page) -> Mapping[str, object]:
        """Look at the page that was listed as `url`; one that broke this before is left until it changes."""
        if "html" not in page.media_type or not page.data:
            return {}
        version = f"sha256:{sha256(page.data).hexdigest()}"
        try:
            if self.failed.get(self._path(url)) == version:
                raise Unreadable(BROKE)
            return self._said("page", page)
        except Unreadable as error:
            error.version = version
            raise

    def _said(self, what: str, page: Page) -> Mapping[str, object]:
        return looked(self, what, page.data, page.url)

    def _links(self, said: Mapping[str, object], page: Page) -> list[str]:
        words = {*cast(list[str], said.get("robots", [])), *page.robots}
        if words & {"nofollow", "none"}:
            return []
        found = (self._here(link) for link in cast(list[str], said.get("links", [])))
        return [link for link in dict.fromkeys(found) if link and self._is_inside(link)]

    def _canonical(self, url: str, said: Mapping[str, object]) -> str | None:
        """Give the page that one says it is a copy of, where that can be: below the address."""
        found = self._here(str(said.get("canonical") or ""))
        if found is None or not self._is_inside(found) or not self._may_follow(found):
            return None
        # Templates that name the start page on every page are a common fault.
        return None if found == self.start and not _is_same_page(url, found) else found

    def _here(self, link: str) -> str | None:
        """Give an address in its one form: on this site, whether http or www is written or not."""
        url = urls.normal(link)
        if url is None or urlsplit(url).port or urlsplit(self.site).port:
            return url
        return (
            self.site + url[len(urls.site_of(url)) :] if urls.is_same_host(url, self.site) else url
        )

    def _is_inside(self, url: str) -> bool:
        if not (url.startswith(self.prefix) or url + "/" == self.prefix):
            return False
        prefix = paths.lenient(self.prefix.removeprefix(self.site))
        return (paths.lenient(url.removeprefix(self.site)) + "/").startswith(prefix)

    def _may_follow(self, url: str) -> bool:
        path = url.removeprefix(self.site)
        return not _NOT_PAGES.search(urlsplit(url).path) and self._robots.allows(path)

    def _wants(self, url: str) -> bool:
        return self._is_inside(url) and self._may_follow(url) and self.config.wants(self._path(url))

    def _path(self, url: str) -> str:
        return self._told(url[len(self.site) :].strip("/") or "index")

    def _entry(self, url: str, mark: str | None, changed: str | None) -> Entry:
        told = self._told(url)
        return Entry(self._path(url), mark, url, url=told, updated_at=parse_date(changed))

    def _told(self, address: str) -> str:
        """Give an address as people may see it: the start page's query may hold a secret."""
        return without(address, self.config.secrets)

    def _failing(self, url: str, error: Unreadable) -> Iterator[Entry]:
        """Give a page that was found but is not read, so that the run lists it with the reason."""
        if self._wants(url):
            self._failed[url] = error
            yield self._entry(url, None, None)

    def _cut(self, more: str, read: int) -> None:
        self.is_partial = True
        self.cut = (
            f"The crawl stopped at {read:,} pages; {more}. Those were read and none was removed."
            " Raise max_pages, or exclude what is not needed."
        )

    def _why_none(self) -> str:
        if not self._robots.allows(self.start.removeprefix(self.site)):
            return "robots.txt forbids it."
        return (
            "it lists no pages below it." if self.is_sitemap else "include and exclude leave none."
        )


def _without_user(address: str) -> tuple[str, tuple[str, str] | None]:
    """Part a user's name and password from an address, which is shown and stored without them."""
    try:
        parts = urlsplit(address)
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        bare = urls.normal(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    except ValueError:
        bare = None
    if bare is None:
        raise SourceError("The address of a website begins with https:// or http:// and a host.")
    return bare, auth


def _is_sign_in(url: str) -> bool:
    return _SIGN_IN.search(urlsplit(url).path) is not None


def _asks_password(said: Mapping[str, object]) -> bool:
    return said.get("password") is True and int(str(said.get("letters", 0))) <= SIGN_IN_LETTERS


def _is_hidden(said: Mapping[str, object], page: Page) -> bool:
    words = {*cast(list[str], said.get("robots", [])), *page.robots}
    return bool(words & {"noindex", "none"})


def _is_same_page(url: str, other: str) -> bool:
    """Tell whether two addresses differ in nothing but their query, their ending and letter case."""
    a, b = (_SAME_PAGE.sub("", urlsplit(u).path.lower()) for u in (url, other))
    return a == b


def _endless(path: str) -> Unreadable:
    kind = re.sub(r"\d+", "*", path.partition("?")[0])
    return Unreadable(
        f"Pages like this go on without end, so no more of them were read. Exclude {kind + '*'!r},"
        " or list the pages that count in a sitemap.",
        is_skip=True,
    )
