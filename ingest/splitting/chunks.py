"""Sections to chunks that fit the encoder's window together with their title and headings.

Knows nothing about which encoder it is: `count` gives the tokens of texts.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count as counter

from ingest.splitting.cuts import cut, cut_text
from ingest.splitting.sections import Block, Section
from ingest.splitting.sizes import CHARS_PER_TOKEN, Count, Sizes, readable
from store.records import Chunk
from store.values import searchable

CHUNKER = "sections-5"
"""Changes with the way documents are parsed and split; a new one rebuilds every source."""

SPECIAL_TOKENS = 2  # that the encoder puts around a text
TINY_TOKENS = 30  # neighbouring sections of one parent up to this size share a chunk
OPENING_SHARE = (
    0.5  # of the window: up to this size together, a document's opening goes with its first section
)
HEADER_SHARE = 0.4  # of the window, at most, for title and headings


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    size: int


def embedded(title: str, heading: str, body: str) -> str:
    """Give the text that is encoded for a chunk: addresses of links say nothing, so they go."""
    return searchable(f"{_header(title, heading)}\n\n{readable(body)}")


def _header(title: str, heading: str) -> str:
    return f"{title} > {heading}" if heading else title


def split(
    pieces: Iterable[Sequence[Section]], title: str, url: str | None, *, count: Count, window: int
) -> Iterator[Chunk]:
    """Give the document's chunks in order; each has at most `window` tokens with its header.

    `pieces` are its sections, taken piece by piece as the chunks are.
    """
    numbers = counter()
    for piece in pieces:
        size = Sizes(count)
        size([block.text for section in piece for block in section.blocks])
        size([_header(title, " > ".join(section.headings)) for section in piece])
        drafts = list(_drafts(piece, title, url, size, window))
        for heading, link, body in _fitting_drafts(title, drafts, size, window):
            digest = _digest(embedded(title, heading, body))
            yield Chunk(next(numbers), heading, body, digest, link)


def _drafts(
    sections: Sequence[Section], title: str, url: str | None, size: "Sizes", window: int
) -> Iterator[tuple[str, str | None, str]]:
    for section in _merge_tiny(_with_opening(sections, size, window), size):
        heading = _fit_heading(title, section.headings, size, window)
        room = window - SPECIAL_TOKENS - size([_header(title, heading)])[0]
        link = f"{url}#{section.anchor}" if url and section.anchor else url
        for body in _bodies(section.blocks, max(room, 8), size):
            yield heading, link, body


def _fitting_drafts(
    title: str, drafts: Sequence[tuple[str, str | None, str]], size: "Sizes", window: int
) -> Iterator[tuple[str, str | None, str]]:
    """Cut again what is longer as a whole than its parts were: markup can span blocks."""
    limit = window - SPECIAL_TOKENS
    wholes = size.count([embedded(title, heading, body) for heading, _, body in drafts])
    for (heading, link, body), tokens in zip(drafts, wholes, strict=True):
        if tokens <= limit:
            yield heading, link, body
            continue
        room = 2 * limit - tokens - size([_header(title, heading)])[0]
        for part in cut_text(body, max(room, 8), size):
            yield heading, link, part


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def fit_title(title: str, count: Count, window: int) -> str:
    """Shorten a title that would leave too little of the window to the text."""
    return _shorten(" ".join(title.split()), Sizes(count), int(window * HEADER_SHARE / 2))


def _fit_heading(title: str, headings: Sequence[str], size: Sizes, window: int) -> str:
    """Join headings, the outermost left out first when they are too long."""
    kept = list(headings)
    limit = int(window * HEADER_SHARE)
    while len(kept) > 1 and size([_header(title, " > ".join(kept))])[0] > limit:
        kept.pop(0)
    return _shorten(" > ".join(kept), size, limit // 2) if kept else ""


def _shorten(text: str, size: Sizes, limit: int) -> str:
    text = text[: limit * CHARS_PER_TOKEN]
    while (tokens := size([text])[0]) > limit:
        text = text[: min(len(text) - 1, len(text) * limit // tokens)].rstrip()
    return text


def _merge_tiny(sections: Sequence[Section], size: Sizes) -> Iterator[Section]:
    """Join runs of tiny sections under one parent; their headings stay, as part of the text."""
    waiting: list[Section] = []
    tokens = 0
    for section in sections:
        here = sum(size([block.text for block in section.blocks]))
        is_tiny = here <= TINY_TOKENS and len(section.headings) > 1
        if waiting and not (
            is_tiny
            and section.headings[:-1] == waiting[0].headings[:-1]
            and tokens + here <= 4 * TINY_TOKENS
        ):
            yield _joined(waiting)
            waiting, tokens = [], 0
        if is_tiny:
            waiting.append(section)
            tokens += here
        else:
            yield section
    if waiting:
        yield _joined(waiting)


def _with_opening(sections: Sequence[Section], size: Sizes, window: int) -> Sequence[Section]:
    """Join a document's opening words to its first section: alone they match much and say little.

    On our own handbook: right quote in the first three .785 -> .798, chunks 271 -> 253.
    """
    if len(sections) < 2 or sections[0].headings:
        return sections
    opening, first, *rest = sections
    tokens = sum(size([block.text for block in (*opening.blocks, *first.blocks)]))
    if tokens > window * OPENING_SHARE:
        return sections
    return [Section(first.headings, first.anchor, (*opening.blocks, *_headed(first))), *rest]


def _headed(section: Section) -> Iterator[Block]:
    """Give a section's blocks with its heading as written before the first."""
    first, *rest = section.blocks
    yield Block("text", f"{section.markup}\n\n{first.text}" if section.markup else first.text)
    yield from rest


def _joined(sections: Sequence[Section]) -> Section:
    if len(sections) == 1:
        return sections[0]
    blocks = tuple(block for section in sections for block in _headed(section))
    return Section(sections[0].headings[:-1], sections[0].anchor, blocks)


def _bodies(blocks: Sequence[Block], room: int, size: Sizes) -> Iterator[str]:
    """Pack blocks into texts of at most `room` tokens; what introduces a block stays with it."""
    pieces = list(_pieces(blocks, room, size))
    kept: list[_Piece] = []
    for piece in pieces:
        if kept and sum(p.size for p in kept) + piece.size > room:
            lead = kept.pop() if _introduces(kept, piece, room) else None
            yield _text(kept)
            kept = [lead] if lead else []
        kept.append(piece)
    if kept:
        yield _text(kept)


def _introduces(kept: Sequence[_Piece], piece: _Piece, room: int) -> bool:
    last = kept[-1]
    return len(kept) > 1 and last.text.endswith(":") and last.size + piece.size <= room


def _text(pieces: Sequence[_Piece]) -> str:
    return "\n\n".join(piece.text for piece in pieces)


def _pieces(blocks: Sequence[Block], room: int, size: Sizes) -> Iterator[_Piece]:
    for block, tokens in zip(blocks, size([block.text for block in blocks]), strict=True):
        if tokens <= room:
            yield _Piece(block.text, tokens)
            continue
        texts = [text for text in cut(block, room, size) if text.strip()]
        for text, part in zip(texts, size(texts), strict=True):
            yield _Piece(text, part)
