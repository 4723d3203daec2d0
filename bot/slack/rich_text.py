"""A Markdown passage as rich_text elements: quoted, its best sentences bold, tables and code set apart.

Knows nothing about answers. Nothing of a passage becomes a link, a mention or formatting of its own.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.slack.markup import literal
from bot.text import shorten, visible

Element = dict[str, object]

CELL_CHARS = 40
TABLE_ROWS = 25
LINE_CHARS = 160
"""Widths and heights that a code block keeps without wrapping into a mess on a laptop."""

_LINKED = re.compile(r"!?\[([^\[\]\n]*)\]\(\s*<?([^\s()<>]+)>?[^()\n]*\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^\n]*?\S)\1")
_CODE = re.compile(r"(`+)([^`\n]+)\1")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+")
_BULLET = re.compile(r"^(\s*)[-*+]\s+")
_FENCE = re.compile(r"^\s*(```|~~~)")

Piece = tuple[str, bool]
"""Some text, and whether it is the part that answers."""


def elements(text: str, marked: Sequence[str]) -> list[Element]:
    """Give the rich_text elements of a passage in which the slices `marked` are bold."""
    lines = _lines(_pieces(text, marked))
    found: list[Element] = []
    for kind, group in groupby(_classified(lines), key=lambda each: each[0]):
        block = [pieces for _, pieces in group]
        if kind == "text":
            found.append(_quote(block))
        else:
            shown = _aligned(block) if kind == "table" else _verbatim(block)
            found.append({"type": "rich_text_preformatted", "elements": [_text(shown, False)]})
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
        elif number + 1 < len(lines) and _is_rule(lines[number + 1]):
            names = _split(line)
        elif names and not _is_rule(line):
            cells = zip(names, _split(line), strict=False)
            yield ", ".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)
        elif not _is_rule(line):
            yield line


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


def _quote(block: list[list[Piece]]) -> Element:
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
            found.append(_text(_inline(text), is_best or is_heading))
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


def _inline(text: str) -> str:
    text = _LINKED.sub(lambda m: m[1] if not m[2].startswith("http") else f"{m[1]} ({m[2]})", text)
    return _CODE.sub(r"\2", _STRONG.sub(r"\2", text))


def _aligned(block: list[list[Piece]]) -> str:
    """Line up a table's columns; an arrow points to the rows that answer."""
    rows = [(_cells(pieces), any(is_best for _, is_best in pieces)) for pieces in block]
    rows = [row for row in rows if not _is_rule("|".join(row[0]))]
    first = next((n for n, row in enumerate(rows) if row[1]), 0)
    if first >= TABLE_ROWS:  # what answers is shown in the longest table
        rows = [rows[0], *rows[first - TABLE_ROWS // 2 :]]
    rows = rows[:TABLE_ROWS]
    columns = max((len(cells) for cells, _ in rows), default=0)
    widths = [max(len(c[i]) if i < len(c) else 0 for c, _ in rows) for i in range(columns)]
    has_best = any(is_best for _, is_best in rows)
    lines = []
    for cells, is_best in rows:
        padded = " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
        arrow = ("▸ " if is_best else "  ") if has_best else ""
        lines.append(shorten((arrow + padded).rstrip(), LINE_CHARS))
    return "\n".join(lines)


def _cells(pieces: list[Piece]) -> list[str]:
    cells = _split("".join(text for text, _ in pieces))
    return [shorten(_inline(cell), CELL_CHARS) for cell in cells]


def _verbatim(block: list[list[Piece]]) -> str:
    return "\n".join(shorten("".join(t for t, _ in pieces), LINE_CHARS) for pieces in block)
