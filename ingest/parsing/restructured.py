"""reStructuredText, to Markdown: headings, code and links; the rest reads well as it is.

Knows nothing about Sphinx: directives that need it are left out.
"""

import csv
import re
from collections.abc import Iterator

from ingest.parsing.tables import table
from ingest.parsing.text import Parsed, decode

_RULE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}[ \t]*$")
_DIRECTIVE = re.compile(r"\.\. ([\w:+-]+)::[ ]*(.*)")
_REPLACED = re.compile(r"^\.\. \|([^|\n]+)\| replace:: *(.*)$", re.MULTILINE)
_NAME = re.compile(r"\|([^|\n]{1,100})\|(?! replace::)")
_CODES = {"code-block", "code", "sourcecode", "parsed-literal", "highlight", "prompt", "math"}
_HIDDEN = {"toctree", "contents", "index", "raw", "include", "meta", "highlight", "sectnum", "_"}
_NOTES = {
    "note", "warning", "tip", "important", "caution", "seealso", "danger", "hint", "attention",
    "error", "deprecated", "versionadded", "versionchanged", "todo",
}  # fmt: skip
_LINK = re.compile(r"`([^`<]+?)\s*<([^>]+)>`__?")
_ROLE = re.compile(r"(?<![\w:.+-]):[\w:.+-]{1,60}:`([^`<]+?)(?:\s*<[^>]+>)?`")


def read(data: bytes) -> Parsed:
    """Give the text with Markdown's headings; their depth follows the order of first use."""
    source = decode(data).expandtabs(4)
    texts = {name: text.strip() for name, text in _REPLACED.findall(source)}
    # Once: texts that stand for one another could grow without end.
    source = _NAME.sub(lambda name: texts.get(name.group(1), name.group()), source)
    lines = source.split("\n")
    found: list[str] = []
    styles: list[str] = []
    index = 0
    while index < len(lines):
        taken = _heading(lines, index, styles, found) or _directive(lines, index, found)
        if not taken:
            found.append(_inline(lines[index]))
        index += taken or 1
    body = "\n".join(found)
    title = re.search(r"^# (.+)$", body, re.MULTILINE)
    body = re.sub(r"\n{3,}", "\n\n", body)
    return Parsed(body, title.group(1) if title else None, anchors="heading")


def _heading(lines: list[str], index: int, styles: list[str], found: list[str]) -> int:
    """Take a heading at this line, with or without a line above it; give how many lines it had."""
    above = 1 if _RULE.match(lines[index]) and index + 2 < len(lines) else 0
    if index + above + 1 >= len(lines):
        return 0
    text, below = lines[index + above], lines[index + above + 1]
    if not text.strip() or not _RULE.match(below) or _RULE.match(text):
        return 0
    if len(below.rstrip()) < len(text.strip()) or (above and lines[index][0] != below[0]):
        return 0
    style = below[0] * (above + 1)
    if style not in styles:
        styles.append(style)
    found.append(f"{'#' * min(styles.index(style) + 1, 6)} {_inline(text.strip())}")
    return above + 2


def _directive(lines: list[str], index: int, found: list[str]) -> int:
    """Take a directive or a comment with its block; give how many lines it had."""
    if not lines[index].startswith(".. "):
        return 0
    end = index + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith("   ")):
        end += 1
    block = [line[3:] for line in lines[index + 1 : end]]
    while block and re.match(r"\s*:[\w-]+:", block[0]):
        block.pop(0)
    found += _shown(lines[index], block)
    return end - index


def _shown(first: str, block: list[str]) -> Iterator[str]:
    """Give what a reader sees of a directive; a comment shows nothing."""
    match = _DIRECTIVE.match(first)
    if not match:
        return
    name, rest = match.group(1).lower(), match.group(2).strip()
    if name in _HIDDEN:
        return
    if name in _CODES:
        yield from (f"```{rest}", *_trim(block), "```", "")
    elif name in ("list-table", "csv-table"):
        rows = _list_rows(block) if name == "list-table" else list(csv.reader(_trim(block)))
        yield from (f"**{rest}**" if rest else "", "", table(rows), "")
    elif name in ("image", "figure"):
        yield from ("", *map(_inline, block), "")
    else:
        title = name.replace("-", " ").title() if name in _NOTES else ""
        yield " ".join(filter(None, [f"**{title}**" if title else "", _inline(rest)]))
        yield from ("", *map(_inline, block), "")


def _list_rows(block: list[str]) -> list[list[str]]:
    """Read rows written as lists in a list: `* - cell`."""
    rows: list[list[str]] = []
    for line in block:
        text = line.strip()
        if text.startswith("* -"):
            rows.append([text[3:].strip()])
        elif text.startswith("- ") and rows:
            rows[-1].append(text[2:].strip())
        elif text and rows:
            rows[-1][-1] += f" {text}"
    return [[_inline(cell) for cell in row] for row in rows]


def _trim(block: list[str]) -> list[str]:
    return "\n".join(block).strip("\n").split("\n")


def _inline(line: str) -> str:
    line = _LINK.sub(r"[\1](\2)", _ROLE.sub(r"\1", line))
    return line.replace("``", "`")
