"""reStructuredText, to Markdown: headings, code and links; the rest reads well as it is.

Knows nothing about Sphinx: directives that need it are left out.
"""

import re

from ingest.parsing.text import Parsed, decode

_RULE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}[ \t]*$")
_CODE = re.compile(r"\.\. (?:code-block|code|sourcecode)::\s*(\S*)")
_TITLED = re.compile(r"\.\. (note|warning|tip|important|caution|admonition|seealso)::\s*(.*)")
_LINK = re.compile(r"`([^`<]+?)\s*<([^>]+)>`__?")
_ROLE = re.compile(r"(?<![\w:.+-]):[\w:.+-]{1,60}:`([^`<]+?)(?:\s*<[^>]+>)?`")


def read(data: bytes) -> Parsed:
    """Give the text with Markdown's headings; their depth follows the order of first use."""
    lines = decode(data).expandtabs(4).split("\n")
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
    code, titled = _CODE.match(lines[index]), _TITLED.match(lines[index])
    if code:
        found += [f"```{code.group(1)}", *_trim(block), "```", ""]
    elif titled:
        found += [f"**{titled.group(1).title()}** {titled.group(2)}", *map(_inline, block)]
    return end - index


def _trim(block: list[str]) -> list[str]:
    return "\n".join(block).strip("\n").split("\n")


def _inline(line: str) -> str:
    line = _LINK.sub(r"[\1](\2)", _ROLE.sub(r"\1", line))
    return line.replace("``", "`")
