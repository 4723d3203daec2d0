"""Markdown to sections: the blocks under each heading, with the path of headings above them.

Knows nothing about tokens or chunks. Blocks are the document's own lines.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from markdown_it import MarkdownIt

from ingest.parsing.pieces import FENCE
from ingest.parsing.text import Parsed

LONGEST_SEARCH = 50_000  # characters that are looked through for a title

_FIRST_LEVEL = re.compile(r"^#[ \t]+(.+?)[ \t]*#*[ \t]*$|^(\S.*)\n=+[ \t]*$", re.MULTILINE)
_ATTRIBUTES = re.compile(r"\s*\{:?\s*#([\w.-]+)[^}]*\}\s*$")
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_MARKS = re.compile(r"[*`]|(?<!\w)_+|_+(?!\w)|<[^>]+>")
_HTML_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_KINDS = {"fence": "code", "code_block": "code", "html_block": "html", "table_open": "table"}
_PAGE_HEADING = re.compile(r"(#{1,6}) (\S.*)")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines that belong together: `kind` is text, table or code."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading. `anchor` is what a link to it ends with; `markup` is the heading
    as it is written in the document."""

    headings: tuple[str, ...]
    anchor: str | None
    blocks: tuple[Block, ...]
    markup: str = ""


def title_of(parsed: Parsed, path: str) -> str:
    """Give a document's title: its own, its main heading, or its file's name made readable."""
    if parsed.title:
        return parsed.title
    if not parsed.is_plain and (name := _own_heading(parsed.body)):
        return name
    parts = path.rstrip("/").split("/")
    stem = parts[-1].rsplit(".", 1)[0] if "." in parts[-1][1:] else parts[-1]
    if stem.lower() in {"readme", "index"} and len(parts) > 1:
        stem = parts[-2]
    return re.sub(r"[-_+ ]+", " ", stem).strip().capitalize() or path


def _own_heading(body: str) -> str | None:
    """Give the heading of the first level that a text begins with, or its only one."""
    text = FENCE.sub("", body[:LONGEST_SEARCH]).strip()
    found = list(_FIRST_LEVEL.finditer(text))
    if not found or (found[0].start() and len(found) > 1):
        return None
    return heading_text(found[0].group(1) or found[0].group(2))[0] or None


def sections(parsed: Parsed, title: str) -> Iterator[list[Section]]:
    """Give the document's sections in order, piece by piece; headings without text are left out."""
    if parsed.anchors == "page":
        yield list(_pages(parsed.body, title))
        return
    outline = _Outline(parsed, title)
    for body in chain((parsed.body,), parsed.more):
        if parsed.is_plain:
            yield [Section((), None, tuple(_paragraphs(body)))]
        else:
            yield list(outline.sections(body.replace("\f", "\n")))


def heading_text(raw: str) -> tuple[str, str | None]:
    """Give a heading without its markup, and the anchor it names itself, if any."""
    named = _ATTRIBUTES.search(raw)
    text = _MARKS.sub("", _LINK.sub(r"\1", _ATTRIBUTES.sub("", raw)))
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
            yield Block("table" if _is_table(text) else "text", text)


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
        self._named = [(_letters(text), anchor) for text, anchor in parsed.named]
        self._stack: list[tuple[int, str]] = []
        self._seen: Counter[str] = Counter()
        self._anchor: str | None = None
        self._markup = ""

    def sections(self, body: str) -> Iterator[Section]:
        """Give the sections of one piece."""
        lines = body.split("\n")
        blocks: list[Block] = []
        for kind, start, end, level, raw in _top_level(body):
            if kind != "heading":
                block = _block(kind, "\n".join(lines[start:end]).strip("\n").rstrip())
                blocks += [block] if block.text.strip() else []
                continue
            yield from self._section(blocks)
            self._markup = "\n".join(lines[start:end]).strip()
            self._enter(level, raw)
            blocks = []
        yield from self._section(blocks)

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
        wanted = _letters(text)
        for place, (heading, anchor) in enumerate(self._named):
            if heading == wanted:
                del self._named[: place + 1]
                return anchor
        return None

    def _path(self) -> tuple[str, ...]:
        names = [text for _, text in self._stack if text]
        is_title = bool(names) and names[0].lower() == self.title.lower()
        return tuple(names[1:] if is_title else names)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _top_level(body: str) -> Iterator[tuple[str, int, int, int, str]]:
    """Give (kind, first line, line after, heading level, heading markup) of each outermost block."""
    tokens = _block_parser().parse(body)
    for index, token in enumerate(tokens):
        if token.level or token.map is None or token.nesting < 0 or token.type == "hr":
            continue
        start, end = token.map
        if token.type == "heading_open":
            yield "heading", start, end, int(token.tag[1:]), tokens[index + 1].content
        else:
            yield _KINDS.get(token.type, "text"), start, end, 0, ""


def _block_parser() -> MarkdownIt:
    # Inline markup is not looked at: that is most of the time a Markdown parser takes.
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _block(kind: str, text: str) -> Block:
    if kind == "html":
        plain = _HTML_TAG.sub("", text)
        return Block("text", "\n".join(line for line in plain.split("\n") if line.strip()))
    return Block(kind, text)
