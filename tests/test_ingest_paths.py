"""Addresses and paths in one form, and rules that hold however a path is spelled."""

import pytest

from ingest import paths
from ingest.entries import SourceConfig
from ingest.parsing import looks, weblinks
from ingest.sources import urls
from ingest.sources.robots import Robots


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("HTTP://Docs.Example:80", "http://docs.example/"),
        (
            "https://docs.example:443/%68r/%7Ea/%c3%a9?q=%7e#part",
            "https://docs.example/hr/~a/%C3%A9?q=~",
        ),
        ("https://docs.example//a///b/./c/../d/", "https://docs.example/a/b/d/"),
        ("https://docs.example/docs/%2e%2E/board", "https://docs.example/board"),
        ("https://docs.example/../../a", "https://docs.example/a"),
        ("https://docs.example/a b/é?x=100%", "https://docs.example/a%20b/%C3%A9?x=100%25"),
        ("https://docs.example/a%2Fb", "https://docs.example/a%2Fb"),
        ("https://docs.example/a?utm_source=x&p=1&gclid=2", "https://docs.example/a?p=1"),
        ("https://docs.example./a\\b", "https://docs.example/a/b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("https://ann:secret@docs.example/", None),
        ("https://docs.example:99999/", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("http://[::1", None),
        ("https://docs.example/" + "a" * 3000, None),
    ],
)
def test_an_address_has_one_form(given: str, expected: str | None) -> None:
    assert urls.normal(given) == expected
    if expected:
        assert urls.normal(expected) == expected


@pytest.mark.parametrize(
    "path",
    [
        "docs/hr/salaries.html", "docs/HR/salaries.html", "docs/%68r/salaries.html",
        "docs/%2568r/salaries.html", "docs//hr/salaries.html", "docs/./hr/a", "docs/x/../hr/a",
        "docs/x/%2e%2e/hr/a", "docs/hr;v=1/a", "docs/hr./a", "docs\\hr\\a", "docs/x/..;/hr/a",
        "docs/ｈｒ/a", "docs/%252568r/a", "docs/x/%252e%252e/hr/a",
    ],
)  # fmt: skip
def test_a_rule_for_a_folder_holds_for_every_spelling_of_it(path: str) -> None:
    config = SourceConfig(
        "site", "website", "x", rules=(("docs/hr/**", ("C0HR",)), ("docs/all/**", ("*",)))
    )
    assert config.audience_of(path) == ("C0HR",)
    assert SourceConfig("site", "website", "x", exclude=("docs/hr/**",)).wants(path) is False


def test_where_two_rules_could_be_meant_the_narrower_audience_wins() -> None:
    rules = (("hr/public/**", ("*",)), ("hr/**", ("C0HR",)), ("HR/board/**", ("C0BOARD", "C0HR")))
    config = SourceConfig("site", "website", "x", rules=rules, audience=("*",))
    assert config.audience_of("hr/public/a") == ("*",)
    assert config.audience_of("hr/Public/a") == ("C0HR",)
    assert config.audience_of("HR/board/a") == ("C0HR",)
    assert config.audience_of("other/a") == ("*",)
    two = SourceConfig("s", "website", "x", rules=(("A/**", ("C1",)), ("a/**", ("C2",))))
    assert two.audience_of("A/x") == ("C1",) and two.audience_of("a/x") == ()


def robots_of(text: str) -> Robots:
    return Robots(looks.look("robots", text.encode(), "https://docs.example/robots.txt"))


def test_the_longest_rule_of_robots_decides() -> None:
    robots = robots_of(
        "User-agent: other\nDisallow: /\n\nUser-agent: *\nUser-agent: second\nDisallow: /docs/ # all\n"
        "Allow: /docs/open/\nDisallow: /*.cgi$\nDisallow: /*/draft\nCrawl-delay: 2\n"
        "Sitemap: /map.xml"
    )
    assert robots.sitemaps == ["/map.xml"] and robots.delay == 2
    assert robots.allows("/docs/open/a") and robots.allows("/a.cgi?x") and robots.allows("/")
    for path in ("/docs/a", "/a.cgi", "/x/y/draft-2", "/DOCS/a", "/%64ocs/a", "/x/../docs/a"):
        assert not robots.allows(path)
    assert robots_of("User-agent: Threadwise\nAllow: /\n\nUser-agent: *\nDisallow: /").allows("/a")
    assert Robots().allows("/a")


def test_what_a_page_says_to_a_crawler() -> None:
    html = (
        b"<base href='/docs/'><link rel='canonical' href='a'><meta name='robots' content='noindex,NOFOLLOW'>"
        b"<a href='b#c'>x</a><a rel='ugc nofollow' href='n'>x</a><area href='d'><input type=password>"
    )
    said = weblinks.page(html, "https://docs.example/x/")
    assert said["links"] == ["https://docs.example/docs/b#c", "https://docs.example/docs/d"]
    assert said["canonical"] == "https://docs.example/docs/a"
    assert said["robots"] == ["nofollow", "noindex"] and said["password"] is True


@pytest.mark.parametrize(
    "data", [b"<loc>" * 8_000, b"<url><loc>" * 8_000, b"<html>none</html>", b""]
)
def test_a_sitemap_that_is_none_lists_nothing(data: bytes) -> None:
    said = weblinks.sitemap(data, "https://docs.example/")
    assert said["pages"] == [] and said["sitemaps"] == []


def test_entities_of_a_sitemap_are_not_expanded() -> None:
    bomb = (
        b'<!DOCTYPE u [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        b"<urlset><url><loc>/p&b;</loc></url></urlset>"
    )
    pages = weblinks.sitemap(bomb, "https://docs.example/")["pages"]
    assert "xx" not in str(pages)


def test_reading_a_path_again_changes_nothing() -> None:
    for path in ("a/b", "/a//b/", "A/%2e%2e/b;c", "docs?x=%41"):
        once = paths.lenient(path)
        assert paths.lenient(once) == once
