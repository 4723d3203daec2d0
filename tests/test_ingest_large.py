"""A large document: written bit by bit, seen whole, and gone on with after a kill."""

from pathlib import Path

import pytest

from ingest.prepare import PART_CHUNKS, WHOLE_CHUNKS
from store.database import Database
from tests.ingester import Ingester, failing_after


@pytest.fixture
def ingest(database: Database, tmp_path: Path) -> Ingester:
    return Ingester(database, tmp_path / "docs")


def large(word: str, chunks: int = WHOLE_CHUNKS + PART_CHUNKS // 2) -> str:
    """A text of so many chunks: each section is one."""
    return "\n\n".join(f"## {word} {n}\n\n{word} {n} {'words ' * 40}" for n in range(chunks))


def counted(ingest: Ingester) -> tuple[int, ...]:
    with ingest.database.connection() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks),"
            " (SELECT count(*) FROM scopes WHERE document_id <> 0)"
        ).fetchone()
    assert row
    return tuple(row)


def test_a_killed_run_of_a_large_document_goes_on_in_the_middle_of_it(ingest: Ingester) -> None:
    ingest.write("large.md", "# Large\n\nThe old apples.")
    ingest.write("small.md", "A few pears.")
    ingest()
    total = WHOLE_CHUNKS + PART_CHUNKS // 2
    ingest.write("large.md", large("apples"))
    with pytest.raises(KeyboardInterrupt):
        ingest(embedder=failing_after(6, ingest.encoder))
    assert ingest.find("apples")[0] == "large.md" and len(ingest.find("apples")) == 2
    run = ingest()
    assert (run.state, run.changed, run.unchanged, run.chunks) == ("done", 1, 1, total)
    assert run.embedded <= total - 5 * PART_CHUNKS
    assert ingest.find("apples") == ["large.md"] * 10
    assert counted(ingest) == (2, total + 1, 1)
    assert ingest().unchanged == 2
    ingest.write("large.md", "No apples any more.")
    assert ingest().changed == 1 and counted(ingest) == (2, 2, 0)


def test_what_a_killed_run_left_of_a_document_that_is_gone_goes_too(ingest: Ingester) -> None:
    ingest.write("a.md", "apples")
    ingest.write("large.md", large("pears"))
    with pytest.raises(KeyboardInterrupt):
        ingest(embedder=failing_after(3, ingest.encoder))
    (ingest.folder / "large.md").unlink()
    assert ingest().state == "done"
    assert counted(ingest) == (1, 1, 0)
