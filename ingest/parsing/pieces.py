"""Large texts in pieces, so that only one is parsed and split at a time.

Knows nothing about encodings, headings or chunks: a text comes in blocks of any size.
"""

from collections.abc import Iterable, Iterator

from ingest.parsing.commonmark import fences

PIECE_CHARS = 1_000_000  # about a thousand chunks
LONGEST_OPENING = 200  # characters of a fence's first line that are repeated


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
    fenced = [] if is_plain else [f for f in fences(text) if f[0] < PIECE_CHARS]
    start = PIECE_CHARS // 2
    for mark, after in (("\n#", 1), ("\n\n", 2)):
        end, code = PIECE_CHARS, fenced[::-1]
        while (end := text.rfind(mark, start, end)) > 0:
            around = next((f for f in code if f[0] < end < f[1]), None)
            if around is None:
                return text[: end + after], text[end + after :]
            end = around[0] + 1  # nothing before the code's own begin can be in it
            code = [f for f in code if f[0] < around[0]]
    end = text.rfind("\n", start, PIECE_CHARS) + 1 or text.rfind(" ", start, PIECE_CHARS) + 1
    end = end or PIECE_CHARS
    opening = next((opening for first, last, opening in fenced if first < end < last), None)
    if opening is None:
        return text[:end], text[end:]
    sign = opening.lstrip(" ")[0]
    fence = sign * (len(opening.lstrip(" ")) - len(opening.lstrip(" ").lstrip(sign)))
    gap = "" if text[end - 1] == "\n" else "\n"
    return f"{text[:end]}{gap}{fence}\n", f"{opening[:LONGEST_OPENING]}\n{text[end:]}"
