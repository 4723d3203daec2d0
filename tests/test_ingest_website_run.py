"""Runs over a website, from the server to the index: what was cut is said, and nothing is lost by it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ingest import run as running
from ingest.entries import SourceConfig
from store.database import Database
from store.index import builds, documents, runs
from store.records import Run
from tests.fake_http import FakeHttp, Reply, fake_http
from tests.fakes import HashEmbedder
from tests.ingester import START


@pytest.fixture
def web() -> Iterator[FakeHttp]:
    with fake_http() as fake:
        yield fake


class Crawl:
    """Ingests the pages below /docs/ of a fake server."""

    def __init__(self, database: Database, web: FakeHttp) -> None:
        self.database = database
        self.web = web
        self.now = START

    def __call__(self, **options: float) -> Run:
        given = {"allow_private": True, "delay_seconds": 0.0, **options}
        return running.ingest(
            SourceConfig("site", "website", f"{self.web.url}/docs/", options=given),
            database=self.database,
            workspace="local",
            embedder=HashEmbedder(),
            now=self.tick,
        )

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def paths(self) -> list[str]:
        with self.database.connection() as connection:
            live = builds.of(connection, "local", "site")["live"]
            return sorted(documents.stored(connection, "local", live.build_id))

    def failures(self) -> dict[str, str]:
        with self.database.connection() as connection:
            return {f.path: f.reason for f, _ in runs.failures(connection, "local", "site")}


@pytest.fixture
def crawl(database: Database, web: FakeHttp) -> Crawl:
    return Crawl(database, web)


def linked(*names: str) -> Reply:
    return Reply("<p>Contents of the handbook.</p>" + "".join(f"<a href={n}>x</a>" for n in names))


def test_a_cut_crawl_fails_with_its_numbers_and_removes_nothing(
    web: FakeHttp, crawl: Crawl
) -> None:
    web.routes |= {f"/docs/p{n}": Reply(f"<p>Page number {n} of the quay.</p>") for n in range(8)}
    web.routes["/docs/"] = linked(*(f"p{n}" for n in range(4)))
    assert crawl().state == "done" and len(crawl.paths()) == 5
    web.routes["/docs/"] = linked(*(f"p{n}" for n in range(4, 8)), "p0")
    run = crawl(max_pages=3)
    assert run.state == "failed" and run.removed == 0
    assert run.error and "stopped at 3 pages; 3 more links were seen" in run.error
    assert crawl.paths() == [
        "docs",
        "docs/p0",
        "docs/p1",
        "docs/p2",
        "docs/p3",
        "docs/p4",
        "docs/p5",
    ]


def test_an_empty_crawl_fails_and_removes_nothing(web: FakeHttp, crawl: Crawl) -> None:
    web.routes |= {"/docs/": linked("a"), "/docs/a": Reply("<p>The quay opens at six.</p>")}
    crawl()
    web.routes["/robots.txt"] = Reply("User-agent: *\nDisallow: /")
    run = crawl()
    assert run.state == "failed" and run.error and "robots.txt forbids it" in run.error
    assert crawl.paths() == ["docs", "docs/a"]


def test_pages_of_every_sort_are_read_or_named(web: FakeHttp, crawl: Crawl) -> None:
    koi8 = {"Content-Type": "text/html; charset=koi8-r"}
    web.routes |= {
        "/docs/": linked("lock", "app", "deep", "private"),
        "/docs/lock": Reply(
            "<h1>Шлюз</h1><p>Ключ висит у Марфы.</p>".encode("koi8-r"), headers=koi8
        ),
        "/docs/app": Reply(
            "<noscript>Please enable JavaScript.</noscript><div id=root></div><script></script>"
        ),
        "/docs/deep": Reply("<div>" * 40_000 + "text"),
        "/docs/private": Reply(status=302, headers={"Location": "/login"}),
    }
    run = crawl()
    assert run.state == "done" and crawl.paths() == ["docs", "docs/lock"]
    said = crawl.failures()
    assert sorted(said) == ["docs/app", "docs/deep", "docs/private"]
    assert (
        "script" in said["docs/app"]
        and "deep" in said["docs/deep"]
        and "sign in" in said["docs/private"]
    )
