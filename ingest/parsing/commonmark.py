"""The Markdown parser that everything here uses, and the fences of code in a text.

Two things differ from CommonMark: a comment that never ends is text, and so is a footnote's text.
Knows nothing about what is done with the tree.
"""

import re
from collections.abc import Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, html_block
from markdown_it.token import Token

_FOOTNOTE = re.compile(r"\[\^([^\s\]]{1,100})\]:")


@cache
def _parser() -> MarkdownIt:
    # Inline markup is not looked at: that is most of the time a Markdown parser takes.
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.block.ruler.at(
        "html_block", _html_block, {"alt": ["paragraph", "reference", "blockquote"]}
    )
    parser.block.ruler.before("reference", "footnote", _footnote, {"alt": ["paragraph"]})
    return parser


def blocks(body: str) -> tuple[list[Token], dict[str, str]]:
    """Give the tree of blocks, and where the labels of links lead to: label -> address, title."""
    environment: dict[str, dict[str, dict[str, str]]] = {}
    tokens = _parser().parse(body, environment)
    found = environment.get("references", {})
    return tokens, {label: _target(link) for label, link in found.items()}


def _target(link: dict[str, str]) -> str:
    title = link.get("title", "").replace('"', "'")
    return f'{link.get("href", "")} "{title}"' if title else link.get("href", "")


def fences(text: str) -> Iterator[tuple[int, int, str]]:
    """Give where code between fences begins and ends, and its first line."""
    place, opening, start = 0, "", 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if not opening:
            sign = bare[:1]
            is_opening = bare[:3] in ("```", "~~~") and indent < 4
            if is_opening and not (sign == "`" and "`" in bare.lstrip("`")):
                opening, start = line.rstrip("\n"), place
        elif indent < 4 and bare[:3] in ("```", "~~~") and not bare.strip(bare[0]):
            sign = opening.strip()[0]
            length = len(opening.strip()) - len(opening.strip().lstrip(sign))
            if bare[0] == sign and len(bare) >= length:
                yield start, place + len(line.rstrip("\n")), opening
                opening = ""
        place += len(line)
    if opening:
        yield start, len(text), opening


def _html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    place = state.bMarks[start] + state.tShift[start]
    if state.src.startswith("<!--", place):
        if "last_comment_end" not in state.env:
            state.env["last_comment_end"] = state.src.rfind("-->")
        if state.env["last_comment_end"] < place:
            return False
    return html_block(state, start, end, silent)


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take a footnote's text, with indented paragraphs: `[^1]: ...`."""
    match = _FOOTNOTE.match(
        state.src, state.bMarks[start] + state.tShift[start], state.eMarks[start]
    )
    if not match or state.is_code_block(start):
        return False
    if silent:
        return True
    line = start + 1
    while line < end and not _begins_another(state, line):
        line += 1
    while line > start + 1 and state.isEmpty(line - 1):
        line -= 1
    opened = state.push("paragraph_open", "p", 1)
    opened.map, opened.meta = [start, line], {"footnote": match.group(1)}
    inner = state.push("inline", "", 0)
    inner.map, inner.children = [start, line], []
    inner.content = state.getLines(start, line, state.blkIndent, False).strip()
    state.push("paragraph_close", "p", -1)
    state.line = line
    return True


def _begins_another(state: StateBlock, line: int) -> bool:
    is_inner = state.sCount[line] - state.blkIndent >= 2
    if state.isEmpty(line):
        return False
    after_gap = state.isEmpty(line - 1)
    starts = state.src[state.bMarks[line] + state.tShift[line]] in "[#>|-*`~<"
    return state.sCount[line] < state.blkIndent or not is_inner and (after_gap or starts)
