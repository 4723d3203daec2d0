"""A Markdown passage as rich_text elements: quoted, its best sentences bold, tables and code set apart.

Knows nothing about answers. Nothing of a passage becomes a mention or formatting of its own, nor a link
unless that is asked for.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.slack.markup import linked, literal
from bot.text import visible

Element = dict[str, object]

CELL_CHARS = 40
TABLE_ROWS = 25
LINE_CHARS = 160
"""Widths and heights that a code block keeps without wrapping into a mess on a laptop. A larger table is
written row by row, each cell with its column's name, so that nothing of it is cut."""

_LINKED = re.compile(r"!?\[([^\[\]\n]*)\]\(\s*<?([^\s()<>]+)>?[^()\n]*\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^\n]*?\S)\1")
_CODE = re.compile(r"(?<!`)(`++)([^`\n]++)\1(?!`)")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+")
_BULLET = re.compile(r"^(\s*)[-*+]\s+")
_FENCE = re.compile(r"^\s*(```|~~~)")

Piece = tuple[str, bool]
"""Some text, and whether it is the part that answers."""


def elements(text: str, marked: Sequence[str], *, links: bool = False) -> list[Element]:
    """Give the rich_text elements of a passage in which the slices `marked` are bold.

    Only with `links`, for what a person of the team wrote, its links lead somewhere.
    """
    lines = _lines(_pieces(text, marked))
    found: list[Element] = []
    for kind, group in groupby(_classified(lines), key=lambda each: each[0]):
        block = [pieces for _, pieces in group]
        aligned = _aligned(block) if kind == "table" else None
        if kind == "code" or aligned is not None:
            text = aligned if aligned is not None else _verbatim(block)
            found.append({"type": "rich_text_preformatted", "elements": [_text(text, False)]})
        else:
            found.append(_quote(_told(block) if kind == "table" else block, links))
    return [each for each in found if each["elements"]]


def plain(passage: str) -> str:
    """Give a passage as running text, without Markdown's signs; a row's cells with their columns' names."""
    lines = _named(visible(passage).split("\n"))
    texts = (_BULLET.sub("• ", _HEADING.sub("", line)) for line in lines)
    return _inline("\n".join(line for line in texts if not _FENCE.match(line)))


def _named(lines: Sequence[str]) -> Iterator[str]:
    names: list[str] = []
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("|"):
            names = []
            yield line
        elif _heads(lines, number):
            names = _split(line)
        elif names and not _is_rule(line):
            cells = zip(names, _split(line), strict=False)
            yield ", ".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)
        elif not _is_rule(line):
            yield line


def _heads(lines: Sequence[str], number: int) -> bool:
    """Whether a row is the header of those below it; a header of nothing is a row."""
    return len(lines) > number + 2 and _is_rule(lines[number + 1])


def _is_rule(line: str) -> bool:
    return "-" in line and not line.strip("|:=- \t")


def _split(row: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", row.strip().removeprefix("|").removesuffix("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _pieces(text: str, marked: Sequence[str]) -> Iterator[Piece]:
    """Cut a text where a marked slice begins and ends; overlapping ones become one."""
    places = sorted((text.find(part), len(part)) for part in marked if part.strip())
    end = 0
    for start, length in places:
        if start < 0 or start + length <= end:
            continue
        yield text[end:start], False
        yield text[max(start, end) : start + length], True
        end = start + length
    yield text[end:], False


def _lines(pieces: Iterator[Piece]) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[]]
    for text, is_best in pieces:
        for number, part in enumerate(visible(text).split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((part, is_best))
    return lines


def _classified(lines: list[list[Piece]]) -> Iterator[tuple[str, list[Piece]]]:
    in_code = False
    for pieces in lines:
        line = "".join(text for text, _ in pieces)
        if _FENCE.match(line):
            in_code = not in_code
        elif in_code:
            yield "code", pieces
        elif line.lstrip().startswith("|"):
            yield "table", pieces
        else:
            yield "text", pieces


def _quote(block: list[list[Piece]], links: bool) -> Element:
    """Join lines into one quote; runs of empty lines count as one."""
    found: list[Element] = []
    is_open = False
    for pieces in block:
        if not pieces:
            is_open = is_open and bool(found)
            if found and not str(found[-1]["text"]).endswith("\n\n"):
                found.append(_text("\n", False))
            continue
        line = "".join(text for text, _ in pieces)
        is_heading = bool(_HEADING.match(line))
        for number, (text, is_best) in enumerate(pieces):
            if number == 0:
                text = _BULLET.sub(r"\1• ", _HEADING.sub("", text))
            is_bold = is_best or is_heading
            for shown, address in linked(text) if links else [(text, None)]:
                if shown:
                    found.append(_text(_inline(shown), is_bold) | _leading(address))
        found.append(_text("\n", False))
    return {"type": "rich_text_quote", "elements": _trimmed(found)}


def _trimmed(found: list[Element]) -> list[Element]:
    while found and not str(found[-1]["text"]).strip():
        found.pop()
    while found and not str(found[0]["text"]).strip():
        found.pop(0)
    return found


def _text(text: str, is_bold: bool) -> Element:
    element: Element = {"type": "text", "text": literal(text) or " "}
    return element | {"style": {"bold": True}} if is_bold and text.strip() else element


def _leading(address: str | None) -> Element:
    return {"type": "link", "url": address} if address else {}


def _inline(text: str) -> str:
    text = _LINKED.sub(lambda m: m[1] if not m[2].startswith("http") else f"{m[1]} ({m[2]})", text)
    return _CODE.sub(r"\2", _STRONG.sub(r"\2", text))


def _aligned(block: list[list[Piece]]) -> str | None:
    """Line up a table's columns, an arrow at the rows that answer; None where that is too wide or long."""
    rows = [(_cells(pieces), any(is_best for _, is_best in pieces)) for pieces in block]
    rows = [row for row in rows if not _is_rule("|".join(row[0]))]
    columns = max((len(cells) for cells, _ in rows), default=0)
    widths = [max(len(c[i]) if i < len(c) else 0 for c, _ in rows) for i in range(columns)]
    is_wide = max(widths, default=0) > CELL_CHARS or sum(widths) + 3 * columns > LINE_CHARS
    if is_wide or len(rows) > TABLE_ROWS:
        return None
    has_best = any(is_best for _, is_best in rows)
    lines = []
    for cells, is_best in rows:
        padded = " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
        arrow = ("▸ " if is_best else "  ") if has_best else ""
        lines.append((arrow + padded).rstrip())
    return "\n".join(lines)


def _told(block: list[list[Piece]]) -> list[list[Piece]]:
    """Write a table row by row, each cell with its column's name."""
    lines = ["".join(text for text, _ in pieces) for pieces in block]
    best = [any(is_best for _, is_best in pieces) for pieces in block]
    rows = [n for n, line in enumerate(lines) if not _is_rule(line) and not _heads(lines, n)]
    return [[(text, best[n])] for text, n in zip(_named(lines), rows, strict=True)]


def _cells(pieces: list[Piece]) -> list[str]:
    return [_inline(cell) for cell in _split("".join(text for text, _ in pieces))]


def _verbatim(block: list[list[Piece]]) -> str:
    return "\n".join("".join(text for text, _ in pieces) for pieces in block)
