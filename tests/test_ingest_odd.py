"""One odd document among good ones costs only itself, and is named."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import config as configuration
from ingest import run as running
from ingest.entries import Content, Entry, Source, SourceConfig, SourceError
from ingest.prepare import Prepared, Preparer, Refused
from ingest.sandbox import Parser
from ingest.sources.folder import Folder
from store.database import Database
from tests.fakes import HashEmbedder
from tests.ingester import Ingester
from tests.store_parts import ask, begin, make, put


@pytest.fixture
def ingest(database: Database, tmp_path: Path) -> Ingester:
    return Ingester(database, tmp_path / "docs")


class Odd(Source):
    """Gives what it is told to; an exception is raised."""

    def __init__(self, *given: object) -> None:
        self.given = given

    def read(self, entry: Entry, known: str | None) -> Content:
        given = self.given[int(entry.ref)]
        if isinstance(given, Exception):
            raise given
        assert isinstance(given, Content)
        return given


def test_whatever_one_document_raises_the_others_are_read() -> None:
    good = Content(b"# Good\n\nwords", "good.md", updated_at=datetime.max.replace(tzinfo=UTC))
    broken = (OverflowError("date value out of range"), ZeroDivisionError(), RecursionError("deep"))
    source = Odd(*broken, good)
    encoder, parser = HashEmbedder(), Parser()
    config = SourceConfig("wiki", "folder", "/")
    prepare = Preparer(config, source, parser, encoder.count, 200, config.audience_of)
    entries = [Entry(f"{n}.md", "1", str(n)) for n in range(4)]
    *refused, last = (outcome for entry in entries for outcome in prepare(entry, None))
    parser.close()
    assert all(isinstance(o, Refused) and not o.is_skip and o.version == "" for o in refused)
    reasons = [o.reason for o in refused if isinstance(o, Refused)]
    assert "OverflowError: date value out of range" in reasons[0] and "ZeroDivision" in reasons[1]
    assert isinstance(last, Prepared) and last.document.updated_at is None


@pytest.mark.parametrize(
    "when",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime.fromisoformat("0001-01-01T00:00:00+14:00"),
        datetime.fromisoformat("9999-12-31T23:59:59-12:00"),
        datetime(1601, 1, 1, tzinfo=UTC),
    ],
)
def test_a_date_that_no_page_can_have_breaks_no_search(database: Database, when: datetime) -> None:

    put(database, begin(database), replace(make("a.md", "the rink opens at nine"), updated_at=when))
    (found,) = ask(database, "rink")
    assert found.updated_at is None


def test_files_with_odd_names_and_times_are_read(ingest: Ingester) -> None:
    names = [
        b"a\xff.md",
        b"a\xfe.md",
        b"line\nbreak.md",
        "e\u0301.md".encode(),
        "\u00e9.md".encode(),
    ]
    for number, name in enumerate(names):
        file = Path(ingest.folder, os.fsdecode(name))
        file.write_text(f"# Word{number}")
        file.write_text(f"apples and word{number}")
        os.utime(file, (-86_400 * 365 * 100 * number, 2**40 if number == 1 else 5))
    run = ingest()
    assert (run.state, run.changed) == ("done", 5)
    assert ingest.find("word0")[0] == "a\\xff.md" and ingest.find("word1")[0] == "a\\xfe.md"
    assert ingest().unchanged == 5


def test_linked_folders_and_dead_links_are_named_and_nothing_loops(ingest: Ingester) -> None:
    ingest.write("notes/a.md", "apples")
    (ingest.folder / "notes/loop").symlink_to(ingest.folder)
    (ingest.folder / "elsewhere").symlink_to("/etc")
    (ingest.folder / "dead.md").symlink_to("nowhere.md")
    (ingest.folder / "round.md").symlink_to("round.md")
    (ingest.folder / "same.md").symlink_to("notes/a.md")
    run = ingest()
    assert (run.state, run.changed, run.failed, run.skipped) == ("done", 2, 0, 4)
    reasons = {path: failure.reason for path, failure in ingest.failures().items()}
    assert "not followed" in reasons["notes/loop"] and "not followed" in reasons["elsewhere"]
    assert "not there" in reasons["dead.md"] and "not there" in reasons["round.md"]


def test_a_single_file_is_a_source(database: Database, tmp_path: Path) -> None:
    (tmp_path / "Rink Rules.md").write_text("# Rules\n\nSkates are dried on Friday.")
    (tmp_path / "other.md").write_text("# Other")
    config = configuration.of_address(str(tmp_path / "Rink Rules.md"))
    assert (config.name, config.kind) == ("rink-rules-md", "folder")
    encoder = HashEmbedder()
    run = running.ingest(
        config,
        database=database,
        workspace="local",
        embedder=encoder,
        now=lambda: datetime.now(UTC),
    )
    assert (run.state, run.total, run.changed) == ("done", 1, 1)
    (only,) = paths(Folder(config))
    assert only == "Rink Rules.md"


def test_a_file_that_is_gone_removes_nothing(tmp_path: Path) -> None:

    with pytest.raises(SourceError, match="neither a folder nor a file"):
        list(paths(Folder(SourceConfig("a", "folder", str(tmp_path / "gone.md")))))


def paths(source: Source) -> Iterator[str]:
    return (entry.path for entry in source.entries())


def test_a_source_that_refuses_one_document_is_not_away_and_one_that_refuses_all_is() -> None:
    good, error = Content(b"words of a page", "good.md"), SourceError("answers 403")
    config = SourceConfig("wiki", "folder", "/")
    encoder, parser = HashEmbedder(), Parser()

    def outcomes(*given: object) -> list[str]:
        audience = config.audience_of
        prepare = Preparer(config, Odd(*given), parser, encoder.count, 200, audience)
        entries = [Entry(f"{n}.md", "1", str(n)) for n in range(len(given))]
        return [type(outcome).__name__ for entry in entries for outcome in prepare(entry, None)]

    assert outcomes(error, error, good, error, good) == [
        "Refused", "Refused", "Prepared", "Refused", "Prepared",
    ]  # fmt: skip
    with pytest.raises(SourceError, match="403"):
        outcomes(error, error, error)
    parser.close()
