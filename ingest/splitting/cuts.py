"""Cuts blocks that are too long for a chunk: between rows, items, lines or sentences.

Knows nothing about headings or documents. What a part needs to be understood is repeated in it: a
table's header, the items above an item, a fence.
"""

import re
from collections.abc import Iterator, Sequence

from semantic_text_splitter import MarkdownSplitter

from ingest.splitting.sections import Block
from ingest.splitting.sizes import Sizes

LONGEST_PIECE = 20_000  # characters that the semantic splitter is given at once

_BAR = re.compile(r"(?<!\\)\|")


def cut(block: Block, room: int, size: Sizes) -> Iterator[str]:
    """Cut a block into texts of at most `room` tokens, as a reader would."""
    if block.items:
        return _cut_list(block.items, room, size)
    ways = {"table": _cut_table, "code": _cut_code, "lines": _cut_lines}
    return ways.get(block.kind, cut_text)(block.text, room, size)


def _cut_list(items: Sequence[tuple[int, str]], room: int, size: Sizes) -> Iterator[str]:
    """Cut between items; a part that begins within an item gets the first lines of those above."""
    above: list[tuple[int, str]] = []
    kept: list[str] = []
    used = 0
    for (depth, text), tokens in zip(items, size([text for _, text in items]), strict=True):
        above = [item for item in above if item[0] < depth]
        if kept and used + tokens > room:
            yield "\n".join(kept)
            kept, used = [], 0
        if not kept:
            kept = _context([line for _, line in above], room, size)
            used = sum(size(kept))
        if used + tokens > room:
            context = "".join(f"{line}\n" for line in kept)
            for part in cut_text(text, max(room - used, room // 2), size):
                yield f"{context}{part}"
            kept, used = [], 0
        else:
            kept.append(text)
            used += tokens
        above.append((depth, text.split("\n", 1)[0]))
    if kept:
        yield "\n".join(kept)


def _context(lines: list[str], room: int, size: Sizes) -> list[str]:
    """Leave out the outermost lines while they take more than a third of the room."""
    while lines and sum(size(lines)) > room // 3:
        lines = lines[1:]
    return lines


def _cut_lines(text: str, room: int, size: Sizes) -> Iterator[str]:
    fitting = [part for line in text.split("\n") for part in _fitting(line, room, size)]
    return _fill(fitting, size(fitting), room)


def _cut_table(text: str, room: int, size: Sizes) -> Iterator[str]:
    """Cut between rows; each part gets the header."""
    lines = text.split("\n")
    header, rows = "\n".join(lines[:2]), lines[2:]
    left = room - size([header])[0]
    if left < room // 3:
        yield from _cut_lines("\n".join(_records(lines[0], rows)), room, size)
        return
    fitting = [part for row in rows for part in _fitting(row, left, size)]
    for part in _fill(fitting, size(fitting), left):
        yield f"{header}\n{part}"


def _records(header: str, rows: Sequence[str]) -> Iterator[str]:
    """Write a table whose header is too wide for a chunk as one line a cell: "name: value"."""
    names = _cells(header)
    yield from (f"- {name}" for name in names if name and not rows)
    for row in rows:
        cells = _cells(row)
        named = zip(names + [""] * len(cells), cells, strict=False)
        yield from (f"{name}: {cell}" if name else cell for name, cell in named if cell)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in _BAR.split(row.strip().strip("|"))]


def _cut_code(text: str, room: int, size: Sizes) -> Iterator[str]:
    """Cut between lines; each part is fenced like the whole."""
    lines = text.split("\n")
    fence = re.match(r"\s*(`{3,}|~{3,})", lines[0])
    first, last = (lines.pop(0), fence.group(1)) if fence else ("```", "```")
    if fence and lines and lines[-1].strip().startswith(last):
        lines.pop()
    left = max(room - sum(size([first, last])), room // 2)
    fitting = [part for line in lines for part in _fitting(line, left, size)]
    for part in _fill(fitting, size(fitting), left):
        yield f"{first}\n{part}\n{last}"


def _fitting(line: str, room: int, size: Sizes) -> Iterator[str]:
    if len(line) <= room or size([line])[0] <= room:
        yield line
    else:
        yield from cut_text(line, room, size)


def _fill(lines: Sequence[str], sizes: Sequence[int], room: int) -> Iterator[str]:
    kept: list[str] = []
    used = 0
    for line, tokens in zip(lines, sizes, strict=True):
        if kept and used + tokens > room:
            yield "\n".join(kept)
            kept, used = [], 0
        kept.append(line)
        used += tokens
    if kept:
        yield "\n".join(kept)


def cut_text(text: str, room: int, size: Sizes) -> Iterator[str]:
    """Cut between list items, sentences, words: the largest units that fit."""
    splitter = MarkdownSplitter.from_callback(lambda part: size([part])[0], room)
    for start in _stretches(text):
        yield from splitter.chunks(start)


def _stretches(text: str) -> Iterator[str]:
    """Give very long texts in parts, cut at a line end or a space where there is one."""
    while len(text) > LONGEST_PIECE:
        end = max(text.rfind("\n", 1, LONGEST_PIECE), text.rfind(". ", 1, LONGEST_PIECE) + 1)
        end = end if end > LONGEST_PIECE // 2 else text.rfind(" ", 1, LONGEST_PIECE)
        end = end if end > 0 else LONGEST_PIECE
        yield text[:end]
        text = text[end:]
    yield text
