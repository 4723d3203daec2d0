"""Websites: what is listed or linked below the address is read, politely, and never what is private."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest.entries import SourceConfig, SourceError, Unreadable
from ingest.sources import guard
from ingest.sources.website import Website
from tests.fake_http import Asked, FakeHttp, Reply, Route, fake_http


@pytest.fixture
def web() -> Iterator[FakeHttp]:
    with fake_http() as fake:
        yield fake


def site(web: FakeHttp, path: str = "/docs/", **options: Any) -> Website:
    given = {"allow_private": True, "delay_seconds": 0.0, **options}
    opened = Website(SourceConfig("site", "website", web.url + path, options=given))
    web.closing.callback(opened.close)
    return opened


def link(*paths: str) -> Reply:
    return Reply("".join(f'<a href="{path}">x</a>' for path in paths) + "text")


def paths(opened: Website) -> list[str]:
    return sorted(entry.path for entry in opened.entries())


def test_pages_are_found_by_links_below_the_address(web: FakeHttp) -> None:
    web.routes |= {
        "/docs/": link(
            "a", "b#part", "/docs/c?x=1", "/blog/", "https://elsewhere.example/", "p.png"
        ),
        "/docs/a": link("../docs/deep/d", "mailto:a@x.org"),
        "/docs/b": link(),
        "/docs/c": link(),
        "/docs/deep/d": link("/docs/a"),
    }
    assert paths(site(web)) == ["docs", "docs/a", "docs/b", "docs/c?x=1", "docs/deep/d"]
    assert "/blog/" not in web.paths()


def test_a_page_is_fetched_once_and_unchanged_by_its_mark(web: FakeHttp) -> None:
    web.routes["/docs/"] = Reply("text", headers={"ETag": '"v1"'})
    opened = site(web)
    (entry,) = opened.entries()
    content = opened.read(entry, None)
    assert content and content.data == b"text" and entry.version == 'etag:"v1"'
    assert web.paths().count("/docs/") == 1


def test_a_sitemap_is_followed_with_conditional_requests(web: FakeHttp) -> None:
    def page(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == '"v1"':
            return Reply(status=304)
        return Reply("text", headers={"ETag": '"v1"'})

    index = f"<sitemapindex><sitemap><loc>{web.url}/s2.xml</loc></sitemap></sitemapindex>"
    pages = (
        f"<urlset><url><loc>{web.url}/docs/a</loc><lastmod>2025-02-03</lastmod></url>"
        f"<url><loc>{web.url}/other/b</loc></url><url><loc>{web.url}/docs/gone</loc></url></urlset>"
    )
    web.routes |= {
        "/robots.txt": Reply(f"Sitemap: {web.url}/s1.xml"),
        "/s1.xml": Reply(index),
        "/s2.xml": Reply(pages),
        "/docs/a": page,
    }
    opened = site(web)
    first, gone = opened.entries()
    assert (first.path, first.version, str(first.updated_at)[:10]) == ("docs/a", None, "2025-02-03")
    content = opened.read(first, None)
    assert content and content.version == 'etag:"v1"'
    assert opened.read(first, content.version) is None
    with pytest.raises(Unreadable, match="gone") as error:
        opened.read(gone, None)
    assert error.value.is_skip


def marked(etag: str, *links: str, loaded: list[str] | None = None) -> Route:
    """A page with a mark; each time that all of it is sent, its path is added to `loaded`."""

    def serve(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == etag:
            return Reply(status=304)
        if loaded is not None:
            loaded.append(asked.path)
        return Reply("".join(f'<a href="{to}">x</a>' for to in links), headers={"ETag": etag})

    return serve


def kept(web: FakeHttp, folder: Path) -> Website:
    given = {"allow_private": True, "delay_seconds": 0.0}
    config = SourceConfig("site", "website", f"{web.url}/docs/", cache=str(folder), options=given)
    opened = Website(config)
    web.closing.callback(opened.close)
    return opened


def test_a_second_crawl_follows_pages_that_did_not_change_without_loading_them(
    web: FakeHttp, tmp_path: Path
) -> None:
    loaded: list[str] = []
    web.routes |= {
        "/docs/": marked('"1"', "a", "gone", loaded=loaded),
        "/docs/a": marked('"2"', "deep/b", loaded=loaded),
        "/docs/deep/b": marked('"3"', loaded=loaded),
        "/docs/gone": marked('"4"', loaded=loaded),
    }
    first = {entry.path: entry.version for entry in kept(web, tmp_path).entries()}
    assert len(loaded) == len(first) == 4
    del web.routes["/docs/gone"]
    opened = kept(web, tmp_path)
    second = {entry.path: entry.version for entry in opened.entries()}
    assert second == {path: mark for path, mark in first.items() if path != "docs/gone"}
    assert not opened.is_partial
    assert len(loaded) == 4


def test_a_page_that_changed_is_loaded_and_followed_anew(web: FakeHttp, tmp_path: Path) -> None:
    web.routes |= {"/docs/": marked('"1"', "a"), "/docs/a": marked('"2"')}
    assert len(paths(kept(web, tmp_path))) == 2
    web.routes |= {"/docs/": marked('"5"', "a", "new"), "/docs/new": marked('"6"')}
    opened = kept(web, tmp_path)
    entries = {entry.path: entry for entry in opened.entries()}
    assert sorted(entries) == ["docs", "docs/a", "docs/new"]
    # Read though it did not change: its document was never stored, say.
    content = opened.read(entries["docs/a"], None)
    assert content is not None and content.version == 'etag:"2"'
    assert opened.read(entries["docs/a"], f'etag:"2" {web.url}/docs/a') is None


def test_a_damaged_memory_of_the_last_crawl_costs_only_requests(
    web: FakeHttp, tmp_path: Path
) -> None:
    web.routes |= {"/docs/": marked('"1"', "a"), "/docs/a": marked('"2"')}
    paths(kept(web, tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_text('{"urls": [], "pages": {"x": 1}}')
    assert paths(kept(web, tmp_path)) == ["docs", "docs/a"]


def test_robots_are_obeyed(web: FakeHttp) -> None:
    web.routes |= {
        "/robots.txt": Reply("User-agent: *\nDisallow: /docs/secret\nCrawl-delay: 0"),
        "/docs/": link("a", "secret/b"),
        "/docs/a": link(),
        "/docs/secret/b": link(),
    }
    assert paths(site(web)) == ["docs", "docs/a"]
    assert "/docs/secret/b" not in web.paths()


def test_what_cannot_be_looked_at_now_does_not_count_as_gone(web: FakeHttp) -> None:
    web.routes |= {"/docs/": link("a", "b"), "/docs/a": link(), "/docs/b": Reply("", 500)}
    opened = site(web)
    assert paths(opened) == ["docs", "docs/a"] and opened.is_partial
    web.routes["/docs/b"] = Reply("", 404)
    opened = site(web)
    assert paths(opened) == ["docs", "docs/a"] and not opened.is_partial


def test_a_site_that_does_not_answer_is_an_error(web: FakeHttp) -> None:
    web.routes["/docs/"] = Reply("", 500)
    with pytest.raises(SourceError, match="answers 500"):
        list(site(web).entries())
    web.routes["/robots.txt"] = Reply("", 503, {"Retry-After": "0"})
    with pytest.raises(SourceError, match="robots"):
        list(site(web).entries())


def test_more_pages_than_allowed_are_cut_and_nothing_is_removed(web: FakeHttp) -> None:
    web.routes |= {"/docs/": link("a", "b", "c"), "/docs/a": link(), "/docs/b": link()}
    opened = site(web, max_pages=2)
    assert len(paths(opened)) == 2 and opened.is_partial


def test_a_redirect_to_a_login_is_not_read(web: FakeHttp) -> None:
    web.routes |= {
        "/docs/": link("a"),
        "/docs/a": Reply(status=302, headers={"Location": "/login"}),
        "/login": Reply("Please log in"),
    }
    assert paths(site(web)) == ["docs"]


def test_a_private_site_is_refused_unless_it_is_allowed(web: FakeHttp) -> None:
    with pytest.raises(SourceError, match="private address 127.0.0.1"):
        list(site(web, allow_private=False).entries())
    assert web.asked == []


def test_a_redirect_to_a_private_address_is_refused(web: FakeHttp) -> None:
    class Near(guard.GuardedTransport):
        """A server of this machine plays the public one; the checks are the guard's."""

        def _send(self, request: httpx.Request, address: str) -> httpx.Response:
            assert address == "1.1.1.1"
            return super()._send(request, "127.0.0.1")

    def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1"] if host == "public.example" else guard.resolved(host, port)

    web.routes |= {
        "/docs/": link("a"),
        "/docs/a": Reply(status=302, headers={"Location": f"{web.url}/docs/secret"}),
        "/docs/secret": Reply("secret"),
    }
    address = web.url.replace("127.0.0.1", "public.example") + "/docs/"
    config = SourceConfig("site", "website", address, options={"delay_seconds": 0.0})
    opened = Website(config, Near(resolve))
    web.closing.callback(opened.close)
    assert paths(opened) == ["docs"]
    assert "/docs/secret" not in web.paths()


def test_a_page_over_the_limit_is_not_loaded(web: FakeHttp) -> None:
    web.routes |= {"/docs/": link("a"), "/docs/a": Reply("x" * 300_000)}
    config = SourceConfig(
        "site", "website", f"{web.url}/docs/", max_mb=0.1,
        options={"allow_private": True, "delay_seconds": 0.0},
    )  # fmt: skip
    opened = Website(config)
    web.closing.callback(opened.close)
    assert paths(opened) == ["docs"]
