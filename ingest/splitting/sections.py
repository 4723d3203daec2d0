"""Markdown to sections: the blocks under each heading, with the path of headings above them.

Knows nothing about tokens or chunks. Blocks are the document's own lines. Runs in the parser's child.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from markdown_it.token import Token

from ingest.parsing import commonmark
from ingest.parsing.text import Parsed

LONG_LIST = 300  # characters from which a list may have to be cut
LOG_LINES = 8  # lines from which a paragraph may be a log

_LINK = re.compile(r"!?\[([^\[\]]{0,1000})\](?:\([^()]{0,2000}\)|\[[^\[\]]{0,1000}\])")
_MARKS = re.compile(r"[*`]|(?<!\w)_+|(?<!_)_++(?!\w)")
_NAMED = re.compile(r"\{:? ?#([\w.-]+)[^}]*\}")
_STAMPED = re.compile(r"[\[<(]?\d|[A-Z][a-z]{2} [ \d]\d |(?:DEBUG|INFO|WARN|ERROR|TRACE|FATAL)")
_CALL = re.compile(r"\[\^([^\s\[\]]{1,100})\]")
_KINDS = {
    "fence": "code", "code_block": "code", "table_open": "table", "bullet_list_open": "list",
    "ordered_list_open": "list",
}  # fmt: skip
_PAGE_HEADING = re.compile(r"(#{1,6}) (\S.*)")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines that belong together: `kind` is text, table, code, list or lines.

    A long list has its `items`, each without those in it, as (depth, lines).
    """

    kind: str
    text: str
    items: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading. `anchor` is what a link to it ends with; `markup` is the heading
    as it is written in the document."""

    headings: tuple[str, ...]
    anchor: str | None
    blocks: tuple[Block, ...]
    markup: str = ""


def sections(parsed: Parsed, title: str) -> Iterator[list[Section]]:
    """Give the document's sections in order, piece by piece; headings without text are left out."""
    if parsed.anchors == "page":
        yield list(_pages(parsed.body, title))
        return
    outline = _Outline(parsed, title)
    facts = [Block("text", parsed.facts)] if parsed.facts else []
    for body in chain((parsed.body,), parsed.more):
        if parsed.is_plain:
            found = [Section((), None, tuple(_paragraphs(body)))]
        else:
            found = list(outline.sections(body.replace("\f", "\n")))
        yield _opened(facts, found)
        facts = []


def _opened(facts: list[Block], found: list[Section]) -> list[Section]:
    """Put what is known about a document before its text."""
    if not facts:
        return found
    if found and not found[0].headings:
        return [replace(found[0], blocks=(*facts, *found[0].blocks)), *found[1:]]
    return [Section((), None, tuple(facts)), *found]


def heading_text(raw: str) -> tuple[str, str | None]:
    """Give a heading without its markup, and the anchor it names itself, if any."""
    raw = raw.rstrip()
    start = raw.rfind("{") if raw.endswith("}") else -1
    named = _NAMED.fullmatch(raw, start) if start >= 0 else None
    text = _MARKS.sub("", _LINK.sub(r"\1", raw[:start] if named else raw))
    return " ".join(text.split()), named.group(1) if named else None


def slug(text: str, seen: Counter[str]) -> str:
    """Make a heading's anchor as GitHub does; `seen` numbers the repeated ones."""
    base = _NOT_IN_SLUG.sub("", text.lower()).strip().replace(" ", "-")
    seen[base] += 1
    return base if seen[base] == 1 else f"{base}-{seen[base] - 1}"


def _pages(body: str, title: str) -> Iterator[Section]:
    """Give what stands under each heading of each page; headings go on over pages."""
    pages = body.split("\f")
    stack: list[tuple[int, str]] = []
    for number, page in enumerate(pages, start=1):
        name = (f"Page {number}",) if len(pages) > 1 else ()
        blocks: list[Block] = []
        markup = ""
        for block in _paragraphs(page):
            if not (heading := _PAGE_HEADING.fullmatch(block.text)):
                blocks.append(block)
                continue
            if blocks:
                yield Section(name + _below(stack, title), f"page={number}", tuple(blocks), markup)
            level, blocks, markup = len(heading.group(1)), [], block.text
            stack = [item for item in stack if item[0] < level] + [(level, heading.group(2))]
        if blocks:
            yield Section(name + _below(stack, title), f"page={number}", tuple(blocks), markup)


def _below(stack: list[tuple[int, str]], title: str) -> tuple[str, ...]:
    names = [text for _, text in stack]
    return tuple(names[1:] if names and names[0].lower() == title.lower() else names)


def _paragraphs(body: str) -> Iterator[Block]:
    for paragraph in re.split(r"\n[ \t]*\n\s*", body):
        if text := paragraph.strip("\n").rstrip():
            yield Block("table" if _is_table(text) else _lines_or_text(text), text)


def _lines_or_text(text: str) -> str:
    """Tell a log, which is cut between lines, from prose that is broken into lines."""
    lines = text.split("\n")
    stamped = sum(_STAMPED.match(line) is not None for line in lines)
    return "lines" if len(lines) >= LOG_LINES and stamped > 0.8 * len(lines) else "text"


def _is_table(text: str) -> bool:
    lines = text.split("\n", 2)
    return (
        len(lines) > 2
        and lines[0].startswith("|")
        and re.match(r"\|[\s:|-]+$", lines[1]) is not None
    )


class _Outline:
    """The headings above where reading is; they go on from one piece of a text to the next."""

    def __init__(self, parsed: Parsed, title: str) -> None:
        self.title = title
        self.has_anchors = parsed.anchors == "heading"
        self._named = parsed.named
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place in reversed(range(len(parsed.named))):
            self._places[_letters(parsed.named[place][0])].append(place)
        self._last = -1
        self._stack: list[tuple[int, str]] = []
        self._seen: Counter[str] = Counter()
        self._anchor: str | None = None
        self._markup = ""

    def sections(self, body: str) -> Iterator[Section]:
        """Give the sections of one piece."""
        lines = body.split("\n")
        tokens, _ = commonmark.blocks(body)
        notes = _footnotes(tokens, lines)
        places = {index for index, _ in notes.values()}
        blocks: list[Block] = []
        for index, token in _outermost(tokens):
            assert token.map
            start, end = token.map
            if token.type == "heading_open":
                yield from self._section(_with_notes(blocks, notes))
                self._markup = "\n".join(lines[start:end]).strip()
                self._enter(int(token.tag[1:]), tokens[index + 1].content)
                blocks = []
            elif index not in places:
                block = _block(token, tokens, index, lines)
                blocks += [block] if block.text.strip() else []
        yield from self._section(_with_notes(blocks, notes))
        yield from self._section([note for _, note in notes.values()])

    def _section(self, blocks: list[Block]) -> Iterator[Section]:
        if blocks:
            yield Section(self._path(), self._anchor, tuple(blocks), self._markup)
            self._markup = ""

    def _enter(self, level: int, raw: str) -> None:
        text, named = heading_text(raw)
        self._stack = [item for item in self._stack if item[0] < level] + [(level, text)]
        generated = slug(text, self._seen)
        self._anchor = (named or generated) if self.has_anchors else self._given(text)

    def _given(self, text: str) -> str | None:
        """Find the anchor that a page gives a heading itself; repeated headings come in order."""
        places = self._places.get(_letters(text), [])
        while places:
            if (place := places.pop()) > self._last:
                self._last = place
                return self._named[place][1]
        return None

    def _path(self) -> tuple[str, ...]:
        names = [text for _, text in self._stack if text]
        is_title = bool(names) and names[0].lower() == self.title.lower()
        return tuple(names[1:] if is_title else names)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _outermost(tokens: list[Token]) -> Iterator[tuple[int, Token]]:
    for index, token in enumerate(tokens):
        if not token.level and token.map is not None and token.nesting >= 0 and token.type != "hr":
            yield index, token


def _block(token: Token, tokens: list[Token], index: int, lines: list[str]) -> Block:
    assert token.map
    start, end = token.map
    text = "\n".join(lines[start:end]).strip("\n").rstrip()
    kind = _KINDS.get(token.type, "text")
    is_long = kind == "list" and len(text) > LONG_LIST
    return Block(kind, text, tuple(_items(tokens, index, lines)) if is_long else ())


def _items(tokens: list[Token], index: int, lines: list[str]) -> Iterator[tuple[int, str]]:
    """Give the items of a list and of those in it, each up to where the next begins."""
    assert tokens[index].map
    starts: list[tuple[int, int]] = []
    depth = -1
    for place in range(index, len(tokens)):
        token = tokens[place]
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
            if depth < 0:
                break
        elif token.type == "list_item_open" and token.map:
            starts.append((depth, token.map[0]))
    ends = [start for _, start in starts[1:]] + [(tokens[index].map or [0, 0])[1]]
    for (level, start), end in zip(starts, ends, strict=True):
        if text := "\n".join(lines[start:end]).strip("\n").rstrip():
            yield level, text


def _footnotes(tokens: list[Token], lines: list[str]) -> dict[str, tuple[int, Block]]:
    """Give the texts of footnotes, and where they stand, by their labels."""
    found: dict[str, tuple[int, Block]] = {}
    for index, token in _outermost(tokens):
        label = token.meta.get("footnote")
        if isinstance(label, str) and label not in found:
            found[label] = (index, _block(token, tokens, index, lines))
    return found


def _with_notes(blocks: list[Block], notes: dict[str, tuple[int, Block]]) -> list[Block]:
    """Put footnotes, once each, below the section that first refers to them."""
    if not notes:
        return blocks
    called = (label for block in blocks for label in _CALL.findall(block.text))
    found = [notes.pop(label)[1] for label in dict.fromkeys(called) if label in notes]
    return [*blocks, *found]
