"""Strangers' text is looked at in the parser's child alone, also before it is a document."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from ingest.config import open_source
from ingest.entries import Source, SourceConfig, SourceError, Unreadable
from ingest.plan import version_of
from ingest.sandbox import Parser
from ingest.sources.archive import Archive
from tests.fake_http import FakeHttp, Reply, fake_http

MEMORY_BOMB = b"[" + b"[]," * 4_000_000 + b"[]]"
DEEP = b"[" * 500_000


@pytest.fixture
def parser() -> Iterator[Parser]:
    with closing(Parser(timeout_seconds=20, memory_mb=200)) as parser:
        yield parser


@pytest.fixture
def web() -> Iterator[FakeHttp]:
    with fake_http() as fake:
        yield fake


def export(folder: Path, **days: bytes) -> Source:
    with zipfile.ZipFile(folder / "slack.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.json", DEEP)
        for day, data in days.items():
            archive.writestr(f"general/{day.replace('_', '-').strip('-')}.json", data)
    return open_source(SourceConfig("chat", "slack-export", str(folder / "slack.zip")))


def test_a_day_that_bursts_the_parser_costs_itself_and_is_not_tried_again(
    tmp_path: Path, parser: Parser
) -> None:
    good = json.dumps([{"ts": "1738584000.0001", "user": "U1", "text": "The rink opens at nine"}])
    source = export(tmp_path, _2025_02_03=MEMORY_BOMB, _2025_02_04=good.encode(), _2025_02_05=DEEP)
    looked: list[str] = []

    def look(what: str, data: bytes, address: str) -> Mapping[str, object]:
        looked.append(what)
        return parser.look(what, data, address)

    source.look = look
    bomb, day, deep = source.entries()
    with pytest.raises(Unreadable, match="memory|MB"):
        source.read(bomb, None)
    with pytest.raises(Unreadable, match="JSON"):
        source.read(deep, None)
    content = source.read(day, None)
    assert content is not None and b"## U1, 12:00 UTC\n\nThe rink opens at nine" in content.data
    source.failed = {entry.path: version_of(entry) or "" for entry in (bomb, deep)}
    looked.clear()
    assert len(list(source.entries())) == 3
    assert looked == ["slack-day"]  # the good one
    source.close()


def test_a_file_that_says_it_is_small_does_not_fill_the_memory(tmp_path: Path) -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"".join(packed.compress(bytes(1 << 20)) for _ in range(300)) + packed.flush()
    name, size = b"a.md", 1000
    about = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 7, len(data), size, len(name), 0)
    local = b"PK\x03\x04" + about + name
    entry = (
        b"PK\x01\x02" + struct.pack("<H", 20) + about + bytes(2) + bytes(2) + bytes(2) + bytes(4)
    )
    central = entry + struct.pack("<I", 0) + name
    end = b"PK\x05\x06" + struct.pack(
        "<HHHHIIH", 0, 0, 1, 1, len(central), len(local) + len(data), 0
    )
    (tmp_path / "bomb.zip").write_bytes(local + data + central + end)
    archive = Archive(SourceConfig("a", "notion-export", str(tmp_path / "bomb.zip")))
    with closing(archive), pytest.raises(Unreadable, match="unpacked"):
        archive.read("a.md")


@pytest.mark.parametrize("reply", [b"[" * 200_000, b"no json", b'{"a":' * 150 + b"1" + b"}" * 150])
@pytest.mark.parametrize("kind", ["confluence", "notion"])
def test_a_reply_that_cannot_be_read_ends_the_listing_in_one_line(
    web: FakeHttp, parser: Parser, kind: str, reply: bytes
) -> None:
    options = {"email": "a@x.example", "token": "t0ken"}
    web.routes["/wiki/api/v2/pages"] = web.routes["/v1/search"] = Reply(reply)
    source = open_source(SourceConfig("wiki", kind, web.url, options=options))
    source.look = parser.look
    with closing(source), pytest.raises(Unreadable, match="no JSON"):
        list(source.entries())


def test_a_confluence_page_of_broken_html_is_read_in_the_child(
    tmp_path: Path, parser: Parser
) -> None:
    from ingest.parsing import parse
    from ingest.sandbox import Names

    pages = {
        "Good.html": "<title>T : Pay</title><div id='main-content'><p>On Friday</p></div>",
        "Frame.html": "<title>T</title><p>x</p>",
        "Open.html": "<div " * 200_000,
        "Deep.html": "<div id='main-content'>" + "<div>" * 100_000 + "deep",
    }
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, html in pages.items():
            archive.writestr(f"T/{name}", html)
    said: dict[str, str] = {}
    address = str(tmp_path / "c.zip")
    with closing(open_source(SourceConfig("wiki", "confluence-export", address))) as source:
        for entry in source.entries():
            content = source.read(entry, None)
            assert content is not None
            try:
                ending = parse.ending_of(content)
                outline = parser(f"document{ending}", content.data, Names(entry.path))
                said[entry.path] = f"{outline.title} {[*outline.pieces]}"
            except Unreadable as error:
                said[entry.path] = str(error)
    assert said["T/Good.html"].startswith("Pay ") and "On Friday" in said["T/Good.html"]
    assert "no page" in said["T/Frame.html"] and "no page" in said["T/Open.html"]
    assert said["T/Deep.html"]


def test_robots_that_cannot_be_read_forbid_the_crawl(web: FakeHttp) -> None:
    def look(what: str, data: bytes, address: str) -> Mapping[str, object]:
        raise Unreadable("It broke the parser.")

    web.routes["/robots.txt"] = Reply("User-agent: *\nDisallow: /")
    options = {"allow_private": True, "delay_seconds": 0.0}
    source = open_source(SourceConfig("site", "website", web.url, options=options))  # type: ignore[arg-type]
    source.look = look
    with closing(source), pytest.raises(SourceError, match="broke the parser"):
        list(source.entries())


def crowded(files: int) -> bytes:
    """Make a zip of so many files with nothing in them."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for number in range(files):
            archive.writestr(f"{number}.md", b"")
    return written.getvalue()


@pytest.mark.parametrize("wide", [False, True])
def test_an_inner_zip_that_lists_a_million_files_is_one_file_that_cannot_be_read(
    tmp_path: Path, wide: bool
) -> None:
    inner = bytearray(crowded(3))
    at = inner.rindex(b"PK\x05\x06")
    if wide:
        record = b"PK\x06\x06" + bytes(36) + struct.pack("<QQ", 90_000_000, 0)
        inner[at:at] = record
        at += len(record)
    inner[at + 12 : at + 16] = struct.pack("<I", 0xFFFFFFFF if wide else 90_000_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner.zip", bytes(inner))
        archive.writestr("good.zip", crowded(2))
    with closing(Archive(SourceConfig("a", "notion-export", str(tmp_path / "a.zip")))) as opened:
        assert [item.name for item in opened.items()] == ["0.md", "1.md", "inner.zip"]
    (tmp_path / "b.zip").write_bytes(inner)
    with pytest.raises(SourceError, match="list of its files"):
        Archive(SourceConfig("a", "notion-export", str(tmp_path / "b.zip")))


@pytest.mark.parametrize(
    "reply", [b"[" * 5_000_000, b"no json", b'{"a":' * 150 + b"1" + b"}" * 150]
)
def test_a_token_reply_that_cannot_be_read_is_one_line(web: FakeHttp, reply: bytes) -> None:
    web.routes["/token"] = Reply(reply)
    options = dict.fromkeys(("folder", "client_id", "client_secret", "refresh_token"), "x")
    options["token_address"] = f"{web.url}/token"
    with pytest.raises(SourceError, match="no JSON"):
        open_source(SourceConfig("drive", "drive", web.url, options=options))
