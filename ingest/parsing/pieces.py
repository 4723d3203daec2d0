"""Large texts in pieces, so that only one is parsed and split at a time.

Knows nothing about encodings, headings or chunks: a text comes in blocks of any size.
"""

import re
from collections.abc import Iterable, Iterator

PIECE_CHARS = 1_000_000  # about a thousand chunks
LONGEST_OPENING = 200  # characters of a fence's first line that are repeated

FENCE = re.compile(
    r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)


def pieces(blocks: Iterable[str], *, is_plain: bool = False) -> Iterator[str]:
    """Give a text in pieces of at most PIECE_CHARS, cut between paragraphs where that can be.

    Code that is cut (unless `is_plain`) is fenced in both pieces; pieces without text are left out.
    """
    waiting = ""
    for block in blocks:
        waiting += block
        while len(waiting) > PIECE_CHARS:
            piece, waiting = _cut(waiting, is_plain)
            if piece.strip():
                yield piece
    if waiting.strip():
        yield waiting


def slices(text: str) -> Iterator[str]:
    """Give a text that is in memory already in blocks."""
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS]


def _cut(text: str, is_plain: bool) -> tuple[str, str]:
    """Cut one piece off the front."""
    code = [] if is_plain else [m for m in FENCE.finditer(text) if m.start() < PIECE_CHARS]
    start = PIECE_CHARS // 2
    for mark, after in (("\n#", 1), ("\n\n", 2)):
        end = PIECE_CHARS
        while (end := text.rfind(mark, start, end)) > 0:
            if not any(m.start() < end < m.end() for m in code):
                return text[: end + after], text[end + after :]
    end = text.rfind("\n", start, PIECE_CHARS) + 1 or text.rfind(" ", start, PIECE_CHARS) + 1
    end = end or PIECE_CHARS
    inside = next((m for m in code if m.start() < end < m.end()), None)
    if inside is None:
        return text[:end], text[end:]
    opening = inside.group().partition("\n")[0][:LONGEST_OPENING]
    gap = "" if text[end - 1] == "\n" else "\n"
    return f"{text[:end]}{gap}{inside.group(1)}\n", f"{opening}\n{text[end:]}"
