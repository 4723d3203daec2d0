"""What of a document was not read is said wherever the document is shown."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from uuid import uuid4

from rich.console import Console

from bot.slack import commands
from bot.slack import render as slack
from bot.terminal import render as terminal
from bot.terminal.json_contract import citation_json, source_json
from ingest.entries import Entry, SourceConfig
from ingest.prepare import WHOLE_CHUNKS, Part, Preparer
from ingest.sandbox import Names, Outline
from ingest.sources.folder import Folder
from ingest.splitting.sections import Block, Section
from store.database import Database
from store.index import documents, sources
from store.records import Answer, Citation
from tests.ingester import Ingester
from tests.office_files import paragraph, run, word_file
from tests.store_parts import ask, begin, make, put

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LEFT = ("page 2 of 3 is a picture without text", "3 comments")
SAID = "partly read: page 2 of 3 is a picture without text; 3 comments"


def test_an_answer_says_it_below_its_source() -> None:
    cited = Citation("Rink", "rink.pdf", None, "Open at 9.", "", 1.0, None, "wiki", 1, LEFT)
    whole = Citation("Hall", "hall.md", None, "Open at 8.", "", 0.9, None, "wiki", 2)
    answer = Answer(uuid4(), "when?", "answered", 0.9, "Open at 9.", (cited, whole))
    assert citation_json(cited)["left_out"] == list(LEFT)
    for is_terminal in (True, False):
        out = StringIO()
        terminal.render(Console(file=out, width=120, force_terminal=is_terminal), answer)
        assert out.getvalue().count("partly read") == 1 and SAID in out.getvalue()
    message = slack.message(answer, NOW)
    assert SAID in message.text and SAID in json.dumps(message.blocks)


def test_a_source_counts_and_names_its_partly_read_documents(
    database: Database, tmp_path: Path
) -> None:
    ingest = Ingester(database, tmp_path / "docs")
    ingest.write("good.md", "# Skates\n\nSkates are dried on Friday.\n")
    comments = "<w:comment/><w:comment/>"
    file = ingest.write("rules.docx", "")
    file.write_bytes(word_file(paragraph(run("The rink opens at nine.")), comments=comments))
    ingest()
    with database.connection() as connection:
        (status,) = sources.statuses(connection, "local")
        partial = documents.partial(connection, "local", "wiki")
    assert (status.partial, partial) == (1, [("rules.docx", ("2 comments",))])
    written = source_json(status, partial)
    assert written["partial"] == 1
    assert written["partly_read"] == [{"path": "rules.docx", "left_out": ["2 comments"]}]
    assert "1 read in part" in commands.state(status, NOW)


def test_a_search_and_memory_tell_what_was_left_out(database: Database) -> None:
    page = make("rink.md", "the rink opens at nine")
    put(database, begin(database), replace(page, left_out=LEFT))
    assert [passage.left_out for passage in ask(database, "when does the rink open")] == [LEFT]


def test_so_many_phrases_that_nobody_reads_them_are_counted(database: Database) -> None:
    page = make("rink.md", "the rink opens at nine")
    put(database, begin(database), replace(page, left_out=tuple(f"picture {n}" for n in range(90))))
    (passage,) = ask(database, "when does the rink open")
    assert len(passage.left_out) == 51 and passage.left_out[-1] == "and 40 more"


def test_what_later_pieces_leave_out_counts_for_the_whole_document(tmp_path: Path) -> None:
    left_out = ["1 comment"]

    def pieces() -> Iterator[list[Section]]:
        for number in range(WHOLE_CHUNKS // 100 + 2):
            if number == 20:
                left_out.append("2 pictures")
            yield [Section((f"Part {number}",), None, tuple(blocks(number)))]

    def blocks(number: int) -> Iterator[Block]:
        for line in range(100):
            yield Block("text", f"Rule {number}.{line}: " + "skates are dried. " * 30)

    def read(name: str, data: bytes, names: Names) -> Outline:
        return Outline("Rules", None, left_out, pieces())

    def count(texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    config = SourceConfig("wiki", "folder", str(tmp_path))
    (tmp_path / "rules.md").write_text("all the rules")
    prepare = Preparer(config, Folder(config), read, count, 100, config.audience_of)
    entry = Entry("rules.md", "1", str(tmp_path / "rules.md"))
    outcomes = list(prepare(entry, None))
    assert isinstance(outcomes[-1], Part) and outcomes[-1].is_last
    assert outcomes[-1].document.left_out == ("1 comment", "2 pictures")
