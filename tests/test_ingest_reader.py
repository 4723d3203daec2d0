"""Reading ahead: a source that hangs, fails or lists in part harms nothing and holds up nobody."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest import run as running
from ingest.entries import Content, Entry, Source, SourceConfig, SourceError
from ingest.prepare import Outcome, Refused
from ingest.reader import Reader, Stuck
from store.database import Database
from store.records import Run
from tests.fake_http import Asked, FakeHttp, Reply, fake_http
from tests.fakes import HashEmbedder

START = datetime(2026, 3, 1, tzinfo=UTC)

CONFIG = SourceConfig("fake", "folder", "nowhere")


class Fake(Source):
    """Lists and reads by the functions it is given."""

    def __init__(self, entries: Callable[[], Iterator[Entry]]) -> None:
        self.entries = entries  # type: ignore[method-assign]

    def read(self, entry: Entry, known: str | None) -> Content:
        return Content(b"text", entry.path)


def entries(number: int) -> Iterator[Entry]:
    for n in range(number):
        yield Entry(str(n), "1", str(n))


def refuse(entry: Entry) -> list[Outcome]:
    return [Refused(entry.path, "", "no", False)]


def collect(
    reader: Reader, prepare: Callable[[Entry], Iterable[Outcome]] = refuse
) -> list[Outcome]:
    with reader:
        reader.read(reader.listing(lambda: None), prepare)
        return list(reader.outcomes(lambda: None))


def test_outcomes_come_in_the_order_of_the_listing() -> None:
    found = collect(Reader(Fake(lambda: entries(3000)), CONFIG))
    assert [outcome.path for outcome in found if isinstance(outcome, Refused)] == [
        str(n) for n in range(3000)
    ]


def test_reading_stops_some_way_ahead_of_who_takes() -> None:
    read: list[str] = []

    def prepare(entry: Entry) -> list[Outcome]:
        read.append(entry.path)
        return refuse(entry)

    with Reader(Fake(lambda: entries(5000)), CONFIG) as reader:
        reader.read(reader.listing(lambda: None), prepare)
        first = next(reader.outcomes(lambda: None))
        deadline = time.monotonic() + 10
        while len(read) < 1024 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
    assert isinstance(first, Refused) and 1024 <= len(read) < 1100


@pytest.mark.parametrize("while_listing", [True, False])
def test_a_source_that_hangs_is_given_up(while_listing: bool) -> None:
    let_go = threading.Event()

    def hang(*_: Any) -> Any:
        let_go.wait(30)
        return iter(())

    source = Fake(hang if while_listing else lambda: entries(1))
    reader = Reader(source, CONFIG, stall_seconds=0.2)
    with pytest.raises(Stuck, match="listing" if while_listing else "reading 0"):
        collect(reader, hang)
    let_go.set()


def test_a_run_past_its_time_ends() -> None:
    config = SourceConfig("fake", "folder", "nowhere", timeout_minutes=0)
    let_go = threading.Event()
    with pytest.raises(Stuck, match="raise timeout_minutes"):
        collect(Reader(Fake(lambda: entries(1)), config), lambda e: (let_go.wait(5), refuse(e))[1])
    let_go.set()


def test_what_a_source_raises_arrives() -> None:
    def broken() -> Iterator[Entry]:
        yield from entries(1)
        raise SourceError("half way")

    with pytest.raises(SourceError, match="half way"):
        collect(Reader(Fake(broken), CONFIG))


@pytest.fixture
def web() -> Iterator[FakeHttp]:
    with fake_http() as fake:
        yield fake


def crawl(database: Database, web: FakeHttp, cache: Path | None = None) -> Run:
    return running.ingest(
        SourceConfig(
            "site",
            "website",
            f"{web.url}/",
            max_removed=0,
            max_removed_share=1,
            cache=cache and str(cache),
            options={"allow_private": True, "delay_seconds": 0.0},
        ),
        database=database,
        workspace="local",
        embedder=HashEmbedder(),
        now=lambda: START,
    )


def page(words: str, *links: str) -> Reply:
    return Reply(f"<p>{words}</p>" + "".join(f'<a href="{to}">{to}</a> ' for to in links))


def test_a_website_is_followed_through_changes_errors_and_deletions(
    database: Database, web: FakeHttp
) -> None:
    web.routes |= {"/": page("start", "/a", "/b"), "/a": page("apples"), "/b": page("berries")}
    first = crawl(database, web)
    assert (first.state, first.changed) == ("done", 3)
    assert crawl(database, web).unchanged == 3
    web.routes |= {"/a": page("avocados"), "/b": Reply("", 500)}
    troubled = crawl(database, web)
    assert (troubled.changed, troubled.removed) == (1, 0)
    web.routes |= {"/": page("start", "/a"), "/b": Reply("", 404)}
    assert crawl(database, web).removed == 1
    web.routes["/"] = Reply("", 500)
    down = crawl(database, web)
    assert (down.state, down.removed) == ("failed", 0)
    with database.connection() as connection:
        left = connection.execute("SELECT path FROM documents ORDER BY path").fetchall()
    assert left == [("a",), ("index",)]


def test_a_second_crawl_of_an_unchanged_website_loads_nothing_and_removes_nothing(
    database: Database, web: FakeHttp, tmp_path: Path
) -> None:
    loaded: list[str] = []

    def serve(asked: Asked) -> Reply:
        if asked.headers.get("if-modified-since"):
            return Reply(status=304)
        loaded.append(asked.path)
        reply = page(f"words of {asked.path}", "/a", "/b")
        return Reply(reply.body, headers={"Last-Modified": "Mon, 03 Feb 2025 10:00:00 GMT"})

    web.routes |= {"/": serve, "/a": serve, "/b": serve}
    assert crawl(database, web, tmp_path).changed == 3
    assert sorted(loaded) == ["/", "/a", "/b"]
    again = crawl(database, web, tmp_path)
    assert (again.state, again.unchanged, again.removed) == ("done", 3, 0)
    assert len(loaded) == 3
