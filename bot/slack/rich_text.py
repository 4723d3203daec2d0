"""A Markdown passage as rich_text elements: quoted, its best sentences bold, tables and code set apart.

Knows nothing about answers. Nothing of a passage becomes a link, a mention or formatting of its own.
"""

import re
from collections.abc import Iterator
from itertools import groupby

from bot.slack.markup import literal
from bot.text import shorten, visible

Element = dict[str, object]

QUOTE_CHARS = 1500
"""The longest part of a passage that is shown; a whole passage of 256 tokens is about 1,200."""

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
_RULE = re.compile(r"^[\s|:=-]*-[\s|:=-]*$")

Piece = tuple[str, bool]
"""Some text, and whether it is the part that answers."""


def elements(passage: str, best: str) -> list[Element]:
    """Give the rich_text elements of a passage in which `best`, a slice of it, is bold."""
    lines = _lines(*_window(passage, best))
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
    """Give a passage as running text, without Markdown's signs."""
    lines = (_BULLET.sub("• ", _HEADING.sub("", line)) for line in visible(passage).split("\n"))
    return _inline("\n".join(line for line in lines if not _FENCE.match(line)))


def _window(passage: str, best: str) -> tuple[str, str, str]:
    """Cut the passage into before, best and after, as much as may be shown."""
    start = passage.find(best) if best.strip() else -1
    if start < 0:
        return shorten(best or passage, QUOTE_CHARS), "", ""
    best = shorten(best, QUOTE_CHARS)
    room = QUOTE_CHARS - len(best)
    before, after = passage[:start], passage[start + len(best) :]
    keep = min(len(before), max(room // 2, room - len(after)))
    cut = before[len(before) - keep :]
    if keep < len(before):
        cut = "…" + cut.partition(" ")[2]
    return cut, best, shorten(after, room - keep) if room > keep else ""


def _lines(before: str, best: str, after: str) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[]]
    for text, is_best in ((before, False), (best, True), (after, False)):
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
    rows = [row for row in rows if not _RULE.match("|".join(row[0]))][:TABLE_ROWS]
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
    line = "".join(text for text, _ in pieces).strip().strip("|")
    cells = re.split(r"(?<!\\)\|", line)
    return [shorten(_inline(cell.strip().replace("\\|", "|")), CELL_CHARS) for cell in cells]


def _verbatim(block: list[list[Piece]]) -> str:
    return "\n".join(shorten("".join(t for t, _ in pieces), LINE_CHARS) for pieces in block)
