"""Websites: what is listed or linked below the address is read, politely, and never what is private."""

import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest.entries import SourceConfig, SourceError, Unreadable
from ingest.parsing import looks
from ingest.prepare import Preparer, Refused
from ingest.sandbox import Parser
from ingest.sources import guard
from ingest.sources.website import BROKE, Website
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


@pytest.mark.parametrize("listed", [False, True])
def test_a_page_that_breaks_the_parser_is_left_until_it_changes(
    web: FakeHttp, listed: bool
) -> None:
    web.routes |= {"/docs/": link("bad"), "/docs/bad": Reply("bad")}
    if listed:
        found = "".join(f"<url><loc>{web.url}/docs/{n}</loc></url>" for n in ("", "bad"))
        web.routes["/sitemap.xml"] = Reply(f"<urlset>{found}</urlset>")
    looked: list[bytes] = []

    def look(what: str, data: bytes, address: str) -> Mapping[str, object]:
        looked.append(data)
        if data.startswith(b"bad"):
            raise Unreadable("It broke the parser.")
        return looks.look(what, data, address)

    def crawl(failed: Mapping[str, str]) -> Refused:
        looked.clear()
        opened = site(web)
        opened.look, opened.failed = look, failed
        (bad,) = [entry for entry in opened.entries() if entry.path == "docs/bad"]
        prepare = Preparer(
            opened.config, opened, Parser(), lambda texts: [1 for _ in texts], 100,
            opened.config.audience_of, failed,
        )  # fmt: skip
        (outcome,) = prepare(bad, None)
        assert isinstance(outcome, Refused)
        return outcome

    first = crawl({})
    assert first.reason == "It broke the parser." and first.version
    again = crawl({"docs/bad": first.version})
    assert (again.version, again.reason) == (first.version, BROKE) and b"bad" not in looked
    web.routes["/docs/bad"] = Reply("bad still")
    assert crawl({"docs/bad": first.version}).reason == first.reason and b"bad still" in looked


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
    entries = {entry.path: entry for entry in opened.entries()}
    assert sorted(entries) == ["docs", "docs/a", "docs/b"] and opened.is_partial
    with pytest.raises(Unreadable, match="answers 500") as error:
        opened.read(entries["docs/b"], None)
    assert error.value.is_passing
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
    assert opened.cut and "stopped at 2 pages; 2 more links were seen" in opened.cut


def refusals(opened: Website) -> dict[str, str]:
    """Read everything and give what was refused, by path."""
    found = {}
    for entry in list(opened.entries()):
        try:
            opened.read(entry, None)
        except Unreadable as error:
            found[entry.path] = f"{'skip' if error.is_skip else 'fail'}: {error}"
    return found


def html(text: str, *links: str, head: str = "") -> Reply:
    anchors = "".join(f'<a href="{to}">x</a>' for to in links)
    return Reply(f"<html><head>{head}</head><body><p>{text}</p>{anchors}</body></html>")


PASSWORD = "<form><input name=u><input type=password></form>"


def test_what_asks_to_sign_in_is_listed_and_not_read(web: FakeHttp) -> None:
    def to(path: str) -> Reply:
        return Reply(status=302, headers={"Location": path})

    web.routes |= {
        "/docs/": html("Text", "a", "b", "c", "d", "how-to-login"),
        "/docs/a": to("/login?next=/docs/a"),
        "/docs/b": to("/docs/users/sign_in"),
        "/docs/c": html(f"Members only {PASSWORD}"),
        "/docs/d": Reply("no", 401),
        "/docs/how-to-login": html("Press the blue button. " * 40 + PASSWORD),
        "/login": html("Please log in"),
        "/docs/users/sign_in": html("Please log in"),
    }
    found = refusals(site(web))
    assert sorted(found) == ["docs/a", "docs/b", "docs/c", "docs/d"]
    assert all(reason.startswith("fail: It asks to sign in") for reason in found.values())
    assert "/login" not in web.paths()


@pytest.mark.parametrize(
    ("given", "target", "read"),
    [
        ("/docs", "/docs/", ["docs", "docs/a"]),
        ("/docs/", "/docs/en/", ["docs/en", "docs/en/a"]),
        ("/", "/wiki/Main", ["wiki/Main", "wiki/a"]),
    ],
)
def test_the_start_is_where_the_address_leads(
    web: FakeHttp, given: str, target: str, read: list[str]
) -> None:
    web.routes |= {
        given: Reply(status=301, headers={"Location": target}),
        target: html("Text", "a", "/other/"),
        target.rpartition("/")[0] + "/a": html("More"),
    }
    assert paths(site(web, given)) == read


def test_a_start_that_leads_to_another_site_or_further_up_is_an_error(web: FakeHttp) -> None:
    web.routes |= {"/docs/": Reply(status=302, headers={"Location": "/"}), "/": html("All")}
    with pytest.raises(SourceError, match="make it the address"):
        list(site(web).entries())
    elsewhere = web.url.replace("127.0.0.1", "localhost") + "/docs/"
    web.routes["/docs/"] = Reply(status=302, headers={"Location": elsewhere})
    with pytest.raises(SourceError):
        list(site(web).entries())
    web.routes |= {
        "/docs/": Reply(status=302, headers={"Location": "/sso/login"}),
        "/sso/login": html("x"),
    }
    with pytest.raises(SourceError, match="asks to sign in"):
        list(site(web).entries())


def test_a_run_that_finds_nothing_says_why(web: FakeHttp) -> None:
    web.routes |= {"/docs/": html("x"), "/robots.txt": Reply("User-agent: *\nDisallow: /docs/")}
    with pytest.raises(SourceError, match=r"No page was found at .*robots\.txt forbids it"):
        list(site(web).entries())


def test_pages_that_do_not_want_to_be_listed_are_not_and_lead_on(web: FakeHttp) -> None:
    web.routes |= {
        "/docs/": html("Text", "draft", "quiet", "closed"),
        "/docs/draft": html("Draft", "a", head="<meta name=ROBOTS content='NoIndex, follow'>"),
        "/docs/quiet": Reply("<p>x</p>", headers={"X-Robots-Tag": "otherbot: nofollow, noindex"}),
        "/docs/closed": Reply("<a href=b>x</a>", headers={"X-Robots-Tag": "none"}),
        "/docs/a": html("A"),
        "/docs/b": html("B"),
    }
    opened = site(web)
    assert sorted(refusals(opened)) == ["docs/closed", "docs/draft"]
    assert "/docs/a" in web.paths() and "/docs/b" not in web.paths()


def test_copies_are_one_page(web: FakeHttp) -> None:
    def canonical(path: str) -> str:
        return f"<link rel=canonical href='{path}'>"

    web.routes |= {
        "/docs/": html(
            "Text", "a?utm_source=mail", "a?view=print", "a", "b", "lost", "home", "one"
        ),
        "/docs/a": html("A", head=canonical("/docs/a")),
        "/docs/b": html("A", head=canonical("/docs/a")),
        "/docs/lost": html("Lost", head=canonical("/docs/gone")),
        "/docs/home": html("Home", head=canonical("/docs/")),
        "/docs/one": html("1", head=canonical("/docs/two")),
        "/docs/two": html("2", head=canonical("/docs/one")),
    }
    found = paths(site(web))
    assert found[:4] == ["docs", "docs/a", "docs/home", "docs/lost"]
    assert found[4:] in (["docs/one"], ["docs/two"])  # two that name each other


def test_an_endless_calendar_is_left_and_named(web: FakeHttp) -> None:
    def month(asked: Asked) -> Reply:
        n = int(asked.query.get("m", 1))
        return html(f"Month {n} has no events.", f"cal?m={n + 1}", f"cal?m={n - 1}", "a")

    def day(asked: Asked) -> Reply:
        n = int(asked.path.rpartition("/")[2])
        return html("word " * (n % 7) + "end", f"/docs/day/{n + 1}")

    web.routes |= {f"/docs/day/{n}": day for n in range(300)}
    web.routes |= {
        "/docs/": html("Text", "cal?m=1", "day/1"),
        "/docs/cal": month,
        "/docs/a": html("A"),
    }
    opened = site(web, max_pages=200)
    found = refusals(opened)
    assert all(reason.startswith("skip: Pages like this go on") for reason in found.values())
    assert {path.rstrip("-0123456789") for path in found} == {"docs/cal?m=", "docs/day/"}
    assert opened.cut is None and len(web.asked) < 80


def test_a_path_that_repeats_itself_is_not_followed_for_ever(web: FakeHttp) -> None:
    def nested(asked: Asked) -> Reply:
        return Reply(f"<p>{len(asked.path)}</p><a href='more/'>x</a>")

    for n in range(12):
        web.routes["/docs/" + "more/" * n] = nested
    assert len(paths(site(web))) <= 6


def test_a_long_row_of_pages_that_lead_elsewhere_is_read(web: FakeHttp) -> None:
    def listing(asked: Asked) -> Reply:
        n = int(asked.path.rpartition("/")[2])
        return html(
            f"List {n}", f"/docs/list/{n + 1}", f"/docs/post-{chr(97 + n // 26)}{chr(97 + n % 26)}"
        )

    web.routes |= {f"/docs/list/{n}": listing for n in range(40)}
    web.routes["/docs/"] = html("Text", "list/0")
    assert sum(path.startswith("docs/list/") for path in paths(site(web))) == 40


def test_an_index_of_many_sitemaps_is_read(web: FakeHttp) -> None:
    def child(asked: Asked) -> Reply:
        n = asked.path[2:-7]
        xml = (
            '<?xml version="1.0"?><s:urlset xmlns:s="http://www.sitemaps.org/schemas/sitemap/0.9">'
            f"<s:url><s:loc> /docs/p{n}?a=1&amp;b=2 </s:loc><s:lastmod>2024-05-06</s:lastmod></s:url></s:urlset>"
        )
        return Reply(gzip.compress(xml.encode()), headers={"Content-Type": "application/gzip"})

    # Ten seconds: a real index has hundreds, and an earlier limit was met only beyond the two hundredth.
    children = "".join(f"<sitemap><loc>s{n}.xml.gz</loc></sitemap>" for n in range(250))
    web.routes |= {f"/s{n}.xml.gz": child for n in range(250)}
    web.routes["/sitemap.xml"] = Reply(f"<sitemapindex>{children}</sitemapindex>")
    opened = site(web, "/sitemap.xml")
    entries = list(opened.entries())
    assert len(entries) == 250 and opened.cut is None
    assert (entries[7].path, str(entries[7].updated_at)[:10]) == ("docs/p7?a=1&b=2", "2024-05-06")


def test_a_sitemap_of_more_than_allowed_is_cut_and_said(web: FakeHttp) -> None:
    listed = "\n".join(f"{web.url}/docs/{n}" for n in range(30))
    web.routes["/sitemap.xml"] = Reply(listed)
    opened = site(web, max_pages=10)
    assert len(paths(opened)) == 10 and opened.is_partial
    assert opened.cut and "20 more pages are listed" in opened.cut


def test_what_a_sitemap_lists_is_looked_at_when_it_is_read(web: FakeHttp) -> None:
    pages = ("a", "hidden", "copy", "moved", "locked")
    listed = "".join(f"<url><loc>{web.url}/docs/{name}</loc></url>" for name in pages)
    web.routes |= {
        "/sitemap.xml": Reply(f"<urlset>{listed}</urlset>"),
        "/docs/a": html("A"),
        "/docs/hidden": html("H", head="<meta name=robots content=none>"),
        "/docs/copy": html("A", head="<link rel=canonical href=/docs/a>"),
        "/docs/moved": Reply(status=301, headers={"Location": "/docs/a"}),
        "/docs/locked": Reply(status=302, headers={"Location": "/auth?x=1"}),
        "/auth": html("Sign in"),
    }
    found = refusals(site(web))
    assert sorted(found) == ["docs/copy", "docs/hidden", "docs/locked", "docs/moved"]
    assert found["docs/locked"].startswith("fail") and found["docs/copy"].startswith("skip")


def test_no_spelling_leads_around_the_prefix_or_robots(web: FakeHttp) -> None:
    links = (
        "/docs/%73ecret/a", "/docs//secret/a", "/docs/SECRET/a", "/docs/x/../secret/a", "/docs/%2e%2e/board/",
        "/docs/../board/", "/docs/secret;x=1/a", "/docs/%252e%252e/board/a", "/docs/..%2fboard/a",
        "/docs/%2573ecret/a", "/docs/..\\board/a", "/docs/x/..;/secret/a",
    )  # fmt: skip
    web.routes |= {
        "/robots.txt": Reply("User-agent: *\nDisallow: /docs/secret\n"),
        "/docs/": html("Text", *links),
    }
    assert paths(site(web)) == ["docs"]
    assert set(web.paths()) == {"/robots.txt", "/sitemap.xml", "/docs/"}


def test_a_name_and_password_are_sent_and_never_shown(web: FakeHttp) -> None:
    web.routes["/docs/"] = html("Text")
    address = web.url.replace("http://", "http://ann:s3cret@") + "/docs/"
    options = {"allow_private": True, "delay_seconds": 0.0}
    opened = Website(SourceConfig("site", "website", address, options=options))
    web.closing.callback(opened.close)
    (entry,) = opened.entries()
    assert web.asked[-1].headers["authorization"].startswith("Basic ")
    assert "s3cret" not in f"{entry} {opened.start}"


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
    assert "more than 0.1 MB" in refusals(opened)["docs/a"]
