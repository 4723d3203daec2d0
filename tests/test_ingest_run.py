"""The loop of ingestion: what changes is read, what is gone goes, and nothing is lost on the way."""

import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.embedder import Wrapped
from store.database import Database
from store.index import runs, sources
from store.records import Run
from tests.fakes import HashEmbedder
from tests.ingester import Ingester, failing_after

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ingest(database: Database, tmp_path: Path) -> Ingester:
    return Ingester(database, tmp_path / "docs")


def test_a_folder_is_found_after_a_run(ingest: Ingester) -> None:
    ingest.write("pay/day.md", "# Pay day\n\nSalaries arrive on the 25th.")
    ingest.write("leave.md", "# Leave\n\nThere are 30 days of leave.")
    run = ingest()
    assert (run.state, run.total, run.changed, run.chunks, run.embedded) == ("done", 2, 2, 2, 2)
    assert ingest.find("when do salaries arrive")[0] == "pay/day.md"


def test_a_second_run_reads_and_encodes_nothing(ingest: Ingester) -> None:
    for number in range(5):
        ingest.write(f"{number}.md", f"text number {number}")
    ingest()
    run = ingest()
    assert (run.unchanged, run.changed, run.embedded) == (5, 0, 0)
    assert ingest.encoder.encoded == []


def test_only_what_changed_is_encoded(ingest: Ingester) -> None:
    ingest.write("a.md", "apples are red")
    ingest.write("b.md", "bananas are yellow")
    ingest()
    ingest.write("b.md", "berries are blue")
    run = ingest()
    assert (run.changed, run.unchanged, run.embedded) == (1, 1, 1)
    assert ingest.find("berries") and "bananas" not in str(ingest.encoder.encoded)


def test_a_touched_file_with_the_same_content_is_unchanged(ingest: Ingester) -> None:
    ingest.write("a.md", "apples are red")
    ingest()
    ingest.write("a.md", "apples are red")
    assert (ingest().unchanged, ingest().unchanged) == (1, 1)


def test_the_same_text_in_two_places_is_encoded_once(ingest: Ingester) -> None:
    ingest.write("one/a.md", "# Same\n\nsame text")
    ingest.write("two/b.md", "# Same\n\nsame text")
    assert (ingest().chunks, len(ingest.encoder.encoded)) == (2, 1)
    ingest.write("three/c.md", "# Same\n\nsame text")
    assert ingest().embedded == 0


def test_a_removed_file_is_not_found_any_more(ingest: Ingester) -> None:
    ingest.write("a.md", "apples are red")
    ingest.write("b.md", "bananas are yellow")
    ingest()
    (ingest.folder / "a.md").unlink()
    assert ingest().removed == 1
    assert ingest.find("apples are red") == ["b.md"]


def test_mass_removal_stops_and_asks(ingest: Ingester) -> None:
    for number in range(10):
        ingest.write(f"{number}.md", f"text number {number}")
    ingest()
    for number in range(6):
        (ingest.folder / f"{number}.md").unlink()
    run = ingest()
    assert run.state == "failed" and run.removed == 0
    assert "6 of 10" in str(run.error) and "--allow-removal" in str(run.error)
    assert len(ingest.find("text number")) == 10
    assert ingest(allow_removal=True).removed == 6
    assert len(ingest.find("text number")) == 4


def test_a_folder_that_vanished_removes_nothing(ingest: Ingester) -> None:
    ingest.write("a.md", "apples are red")
    ingest()
    ingest.folder.rename(ingest.folder.with_name("elsewhere"))
    run = ingest()
    assert run.state == "failed" and "neither a folder nor a file" in str(run.error)
    assert ingest.find("apples") == ["a.md"]
    with ingest.database.connection() as connection:
        status = sources.statuses(connection, "local")[0]
    assert status.documents == 1 and "neither a folder nor a file" in str(status.last_error)


def test_a_bad_file_is_listed_and_the_rest_goes_on(ingest: Ingester) -> None:
    ingest.write("a.md", "apples are red")
    (ingest.folder / "bad.pdf").write_bytes(b"not a pdf")
    (ingest.folder / "empty.md").write_bytes(b"")
    (ingest.folder / "picture.png").write_bytes(b"\x89PNG")
    run = ingest()
    assert (run.state, run.changed, run.failed, run.skipped) == ("done", 1, 1, 2)
    failures = ingest.failures()
    assert "not a PDF" in failures["bad.pdf"].reason or "is something" in failures["bad.pdf"].reason
    assert failures["empty.md"].is_skip and failures["picture.png"].is_skip
    again = ingest()
    assert (again.unchanged, again.failed, again.skipped) == (1, 1, 2)


def test_a_mended_file_is_not_listed_any_more(ingest: Ingester) -> None:
    (ingest.folder / "a.md").write_bytes(b"%PDF-1.4")
    assert ingest().failed == 1
    ingest.write("a.md", "apples are red")
    assert ingest().failed == 0
    assert ingest.failures() == {}


def test_a_damaged_file_keeps_serving_its_old_content_and_an_emptied_one_does_not(
    ingest: Ingester,
) -> None:
    ingest.write("a.md", "apples are red")
    ingest.write("b.md", "bananas are yellow")
    ingest()
    ingest.write("a.md", "%PDF-1.4")
    ingest.write("b.md", "")
    run = ingest()
    assert (run.failed, run.skipped, run.removed) == (1, 1, 1)
    assert ingest.find("apples bananas") == ["a.md"]


def test_a_file_over_the_limit_is_refused_until_the_limit_is_raised(ingest: Ingester) -> None:
    ingest.write("a.txt", "word " * 1000)
    assert ingest(max_mb=0.001).failed == 1
    assert "raise max_mb" in ingest.failures()["a.txt"].reason
    assert ingest(max_mb=1).changed == 1


def test_a_link_out_of_the_folder_is_skipped(ingest: Ingester, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret words")
    (ingest.folder / "link.md").symlink_to(tmp_path / "secret.md")
    (ingest.folder / "dangling.md").symlink_to(tmp_path / "nowhere.md")
    run = ingest()
    assert (run.skipped, run.changed) == (2, 0)
    assert "leads out" in ingest.failures()["link.md"].reason


def test_a_changed_audience_is_followed_without_encoding(ingest: Ingester) -> None:
    ingest.write("hr/pay.md", "salary bands")
    ingest.write("open.md", "opening hours")
    ingest()
    assert ingest.find("salary bands")[0] == "hr/pay.md"
    run = ingest(rules=(("hr/**", ("C1",)),))
    assert (run.changed, run.unchanged, run.embedded) == (1, 1, 0)
    assert ingest.find("salary bands") == ["open.md"]
    assert ingest.find("salary bands", "C1")[0] == "hr/pay.md"


def test_a_full_run_encodes_all_again_and_serves_the_old_meanwhile(ingest: Ingester) -> None:
    ingest.write("a.md", "apples are red")
    ingest.write("b.md", "bananas are yellow")
    ingest()
    seen: list[list[str]] = []
    run = ingest(full=True, on_progress=lambda _: seen.append(ingest.find("apples")))
    assert (run.changed, run.embedded) == (2, 2)
    assert all(len(found) == 2 for found in seen)
    assert sorted(ingest.find("apples bananas")) == ["a.md", "b.md"]
    with ingest.database.connection() as connection:
        left = connection.execute("SELECT count(*) FROM chunks").fetchone()
    assert left == (2,)


def test_a_new_encoder_replaces_all_vectors(ingest: Ingester) -> None:
    ingest.write("a.md", "apples are red")
    ingest()
    assert ingest(embedder=HashEmbedder("hash@2")).embedded == 1
    with ingest.database.connection() as connection:
        left = connection.execute("SELECT count(DISTINCT embedder_id) FROM chunks").fetchone()
    assert left == (1,) and ingest.find("apples") == ["a.md"]


@pytest.mark.parametrize("full", [False, True])
def test_a_killed_run_goes_on_where_it_was(ingest: Ingester, full: bool) -> None:
    for number in range(600):
        ingest.write(f"{number}.md", f"text number {number}")
    if full:
        ingest()
    with pytest.raises(KeyboardInterrupt):
        ingest(embedder=failing_after(2, ingest.encoder), full=full)
    run = ingest()
    assert run.embedded <= 600 - 256
    assert (run.state, run.total, len(ingest.find("text"))) == ("done", 600, 10)
    assert ingest().unchanged == 600


def test_a_source_is_ingested_by_one_at_a_time(ingest: Ingester) -> None:
    ingest.write("a.md", "apples are red")
    with (
        runs.only_one(ingest.database, "local", "wiki"),
        pytest.raises(runs.Busy, match="already"),
    ):
        ingest()
    assert ingest().state == "done"


def test_two_sources_are_ingested_at_once(ingest: Ingester, database: Database) -> None:
    for number in range(300):
        ingest.write(f"{number}.md", f"common words and number {number} of {number % 7}")
    ended: list[Run] = []
    threads = [
        threading.Thread(target=lambda n=name: ended.append(Ingester(database, ingest.folder)(n)))
        for name in ("first", "second", "third")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [run.state for run in ended] == ["done"] * 3
    with database.connection() as connection:
        kept = connection.execute("SELECT chunks FROM term_stats WHERE term = 'common'").fetchone()
    assert kept == (900,)


def test_progress_is_told_and_kept(ingest: Ingester) -> None:
    for number in range(600):
        ingest.write(f"{number}.md", f"text number {number}")
    told: list[Run] = []
    batches: list[int] = []

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        batches.append(len(texts))
        return ingest.encoder.encode(texts)

    ingest(on_progress=told.append, embedder=Wrapped(ingest.encoder, encode))
    assert [run.embedded for run in told] == sorted(run.embedded for run in told)
    assert (told[-1].state, told[-1].seen, len(batches)) == ("done", 600, 3)
    with ingest.database.connection() as connection:
        status = sources.statuses(connection, "local")[0]
    assert (status.documents, status.chunks, status.last_error) == (600, 600, None)
    assert status.run == told[-1] and status.last_success == told[-1].finished_at


def test_names_that_are_no_text_are_ingested(ingest: Ingester) -> None:
    (ingest.folder / os.fsdecode(b"caf\xe9.md")).write_text("coffee")
    ingest.write("a b #1?.md", "tea")
    assert ingest(link="https://x.org/{path}").changed == 2
    assert ingest(link="https://x.org/{path}").unchanged == 2
    with ingest.database.connection() as connection:
        urls = connection.execute("SELECT url FROM documents ORDER BY url").fetchall()
    assert urls[0] == ("https://x.org/a%20b%20%231%3F.md",)


def test_text_that_postgres_cannot_hold_is_ingested_without_it(ingest: Ingester) -> None:
    ingest.write("a.md", "many good words " * 20 + "a nul \x00 here")
    (ingest.folder / "b.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["half \\ud800 a pair"]}]}'
    )
    assert ingest().changed == 2
    assert ingest.find("half pair")[0] == "b.ipynb"


def test_the_documents_own_date_is_kept_and_the_files_is_none(ingest: Ingester) -> None:
    ingest.write("a.md", "---\nupdated: 2024-05-06\n---\ndated")
    ingest.write("b.md", "undated")
    ingest()
    with ingest.database.connection() as connection:
        rows = connection.execute("SELECT path, updated_at FROM documents").fetchall()
    assert dict(rows) == {
        "a.md": datetime(2024, 5, 6, tzinfo=UTC),
        "b.md": None,
    }


def test_a_run_that_lost_its_hold_goes_on_only_if_nobody_has_taken_it(database: Database) -> None:
    """Postgres was restarted under it: its lock went with its connection."""

    def cut_connections() -> None:
        with database.connection() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE l.locktype = 'advisory' AND a.datname = current_database()"
            )

    with runs.only_one(database, "local", "wiki") as first:
        cut_connections()
        first.keep()
        with pytest.raises(runs.Busy), runs.only_one(database, "local", "wiki"):
            pass
        cut_connections()
        with runs.only_one(database, "local", "wiki"), pytest.raises(runs.Busy):
            first.keep()
