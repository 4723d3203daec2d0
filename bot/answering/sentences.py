"""Cut a passage into the units that can be quoted: sentences, list items, table rows.

Knows nothing about questions; every unit is a verbatim slice of the passage.
"""

import re
from dataclasses import dataclass

_LINE = re.compile(r"[^\n]+")
_MARKER = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)]|#{1,6}|>)\s+")
_RULE = re.compile(r"^[\s|:*_=-]*$")
_END = re.compile(r"(?<=[.!?])[\"')\]*_]*\s+(?=[\"'(\[*_`]*[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|nos|mr|mrs|ms|dr|st|inc|ltd|fig|p|pp|cf|a\.m|p\.m)|\b[A-Z])\.$",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\s*(```|~~~)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A slice `passage[start:end]`; `kind` is "sentence", "item", "row" or "code"."""

    text: str
    start: int
    end: int
    kind: str


def units(passage: str) -> list[Unit]:
    """List the quotable units of a Markdown passage in their order."""
    found: list[Unit] = []
    for block, start in _paragraphs(passage):
        found.extend(_block(block, start))
    return found


def _paragraphs(passage: str) -> list[tuple[str, int]]:
    """Join wrapped prose lines into paragraphs; each list item, row and fence stands alone."""
    blocks: list[tuple[int, int]] = []
    in_code, open_prose = False, False
    previous_end = 0
    for match in _LINE.finditer(passage):
        line, start, end = match.group(), match.start(), match.end()
        gap = passage.count("\n", previous_end, start) > 1
        previous_end = end
        if _FENCE.match(line):
            if in_code:
                blocks[-1] = (blocks[-1][0], end)
            else:
                blocks.append((start, end))
            in_code, open_prose = not in_code, False
        elif in_code or (open_prose and not gap and not _starts_block(line)):
            blocks[-1] = (blocks[-1][0], end)
        else:
            blocks.append((start, end))
            open_prose = not line.lstrip().startswith(("|", "#"))
    return [(passage[a:b], a) for a, b in blocks]


def _starts_block(line: str) -> bool:
    return bool(_MARKER.match(line)) or line.lstrip().startswith("|")


def _block(block: str, offset: int) -> list[Unit]:
    if _FENCE.match(block):
        return [Unit(block, offset, offset + len(block), "code")]
    if block.lstrip().startswith("|"):
        return [] if _RULE.match(block) else [Unit(block, offset, offset + len(block), "row")]
    marker = _MARKER.match(block)
    kind = "item" if marker else "sentence"
    if block.lstrip().startswith("#") or _RULE.match(block):
        return []
    return _sentences(block, marker.end() if marker else 0, offset, kind)


def _sentences(block: str, start: int, offset: int, kind: str) -> list[Unit]:
    pieces: list[Unit] = []
    for match in [*_END.finditer(block, start), None]:
        end = match.start() if match else len(block)
        if match and _ABBREVIATION.search(block[start:end]):
            continue
        text = block[start:end].strip()
        if text:
            at = block.index(text, start)
            pieces.append(Unit(text, offset + at, offset + at + len(text), kind))
        start = match.end() if match else end
    return pieces
