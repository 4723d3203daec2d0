"""Large texts come in pieces: nothing is lost between them, and only one is in memory."""

import re
from collections.abc import Sequence

import pytest

from ingest.entries import Content, Entry, Source, SourceConfig
from ingest.parsing import encodings
from ingest.parsing.pieces import PIECE_CHARS, pieces, slices
from ingest.prepare import PART_CHUNKS, WHOLE_CHUNKS, Part, Preparer
from ingest.sandbox import Parser
from tests.fakes import HashEmbedder


def cut(body: str, *, is_plain: bool = False) -> list[str]:
    found = list(pieces(slices(body), is_plain=is_plain))
    assert all(len(piece) <= PIECE_CHARS + 1000 for piece in found)
    return found


@pytest.mark.parametrize(
    ("unit", "end"),
    [
        ("Some words of a paragraph.\n\n", "\n\n"),
        ("one line of a log\n", "\n"),
        ("words without an end ", " "),
        ("x", "x"),
    ],
)
def test_a_text_is_cut_at_the_largest_gap_that_it_has(unit: str, end: str) -> None:
    body = unit * (2 * PIECE_CHARS // len(unit) + 1000)
    found = cut(body, is_plain=True)
    assert len(found) > 2 and "".join(found) == body
    assert all(piece.endswith(end) for piece in found)


def test_markdown_is_cut_before_headings_and_not_in_code() -> None:
    section = "## Head\n\nwords\n\n```sh\n# no heading\n\nmake\n```\n\n"
    found = cut(section * (2 * PIECE_CHARS // len(section) + 1000))
    assert len(found) > 2
    assert all(p.startswith("## Head") and p.count("```") % 2 == 0 for p in found)


def test_code_that_is_longer_than_a_piece_is_code_in_each() -> None:
    lines = "".join(f"line {n}\n\n# no heading\n" for n in range(PIECE_CHARS // 10))
    found = cut(f"```sh\n{lines}```\n\n# After\n")
    assert len(found) > 1
    assert all(piece.startswith("```sh\n") for piece in found)
    assert all(piece.rstrip().endswith("```") for piece in found[:-1])
    kept = "".join(re.sub(r"^```.*\n", "", piece, flags=re.MULTILINE) for piece in found)
    assert kept == f"{lines}\n# After\n"


def test_letters_and_line_ends_are_whole_over_the_blocks_that_are_decoded() -> None:
    body = "é\r\nab" * encodings.BLOCK_BYTES
    for encoding in ("utf-8", "utf-16"):
        assert encodings.decode(body.encode(encoding)) == body.replace("\r\n", "\n")


class Memory(Source):
    """A source of one text."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, entry: Entry, known: str | None) -> Content:
        return Content(self.data, entry.path)


@pytest.mark.parametrize("name", ["large.txt", "large.md"])
def test_of_a_large_text_only_what_comes_next_is_split(name: str) -> None:
    config, encoder, counted = SourceConfig("wiki", "folder", ""), HashEmbedder(), list[int]()

    def count(texts: Sequence[str]) -> list[int]:
        counted.append(sum(map(len, texts)))
        return encoder.count(texts)

    body = "\n\n".join(
        f"## Head\n\n{n} {'Some words of a paragraph. ' * 20}" for n in range(12_000)
    )
    parser = Parser()
    prepare = Preparer(config, Memory(body.encode()), parser, count, 256, config.audience_of)
    outcomes = prepare(Entry(name, "1", name), None)
    parts = [next(outcomes) for _ in range(3)]
    assert all(isinstance(p, Part) and not p.is_last for p in parts)
    assert sum(counted) < len(body)  # texts are counted alone and as wholes: twice in all
    parts += outcomes
    chunks = [chunk for part in parts if isinstance(part, Part) for chunk in part.document.chunks]
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert len(chunks) > WHOLE_CHUNKS and sum(counted) > 1.5 * len(body)
    assert [p.is_last for p in parts if isinstance(p, Part)] == [False] * (len(parts) - 1) + [True]
    assert all(len(p.document.chunks) == PART_CHUNKS for p in parts[:-1] if isinstance(p, Part))
    parser.close()
    words = "".join("".join(chunk.body.split()) for chunk in chunks)
    assert words.count("paragraph") == body.count("paragraph")
