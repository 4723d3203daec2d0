"""Cut a passage into the units that can be quoted: sentences, list items, table rows, code.

A unit comes with what it says little without: a row with its header, an answer with its question, a value
with its label, an item with its list's lead-in or the item it stands under. These are never units of their
own. Knows nothing about the question that was asked; every part is a verbatim slice of the passage.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["sentence", "item", "row", "code"]
Slice = tuple[int, int]

WHOLE_CHARS = 200
"""An item up to this length is one unit, and so is a paragraph under its label; longer ones are cut."""

REPLY_CHARS = 500
"""A paragraph up to this length that answers a question of the page is one unit."""

BARE_WORDS = 3
"""An item or a line of up to so many words says little alone."""

LABEL_WORDS = 8
"""A line of up to so many words, without a full stop, names a bare line that follows."""

_LINE = re.compile(r"[^\n]+")
_HEADING = re.compile(r"\s{0,3}#{1,6}(?:\s+|$)")
_ITEM = re.compile(r"(?P<indent>\s*)(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_QUOTED = re.compile(r"\s*(?:>\s?)+")
_DEFINED = re.compile(r"\s{0,3}:\s+(?=\S)")
_FENCE = re.compile(r"\s*(```|~~~)")
_LABEL = re.compile(r"\s*[*_]{0,2}[A-Z0-9][^\n:.!?|]{0,60}:[*_]{0,2}(?:\s|$)")
_ABOUT_PAGE = re.compile(
    r"\s*(?:tags|keywords|categories|(?:last )?(?:updated|modified|reviewed)):\s", re.IGNORECASE
)
"""Fields of front matter that say when and where to look, not what is asked."""
_ASKED = re.compile(r"\s*(?:[*_#]{1,3}\s*)?Q(?:uestion)?\s*(?:\d{1,3}\s*)?[:.)]")
_REPLIED = re.compile(r"\s*[*_]{0,3}A(?:nswer)?\s*(?:\d{1,3}\s*)?[:.)]")
_BOLD = re.compile(r"\s*(\*\*|__)[^*_\n]+\1\s*:?\s*")
_LINKED = re.compile(
    r"\s*(?:!\[[^\]\n]*\]\([^)\n]*\)|\[!\[[^\]\n]*\]\([^)\n]*\)\]\([^)\n]*\)"
    r"|\[[^\]\n]*\]\((?P<to>[^)\n]*)\)|<?https?://\S+)\s*"
)
_END = re.compile(r"(?<=[.!?])[\"')\]*_]*\s+(?=[\"'(\[*_`]*[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|nos|mr|mrs|ms|dr|st|inc|ltd|fig|p|pp|cf|a\.m|p\.m|[qa]\d{1,3})|\b[A-Z])\.$",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:an?|the|to|of|and|or|for|with|in|on|at|by|from|is|are|than|that|exactly|about)$"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_BETWEEN = re.compile(r"[\s>:]*(?:[-*+]|\d{1,3}[.)])?\s*")
_BLANK = "_.… \t☐□"
_STOPS = (".", "!", "?", ":", ";", "…")
_CLOSING = "*_\"')]` "


@dataclass(frozen=True, slots=True)
class Unit:
    """A slice `passage[start:end]`; `lead` are the slices before it that it is told with, in order."""

    text: str
    start: int
    end: int
    kind: Kind
    lead: tuple[Slice, ...] = ()

    def quoted(self, passage: str) -> str:
        """Give it with its lead, as they stand; what is left out between them is a line break."""
        parts: list[Slice] = []
        for start, end in (*self.lead, (self.start, self.end)):
            if parts and _BETWEEN.fullmatch(passage, parts[-1][1], start):
                parts[-1] = (parts[-1][0], end)
            else:
                parts.append((start, end))
        return "\n".join(passage[start:end] for start, end in parts)


def units(passage: str) -> list[Unit]:
    """List the quotable units of a Markdown passage in their order."""
    return list(_Reading(passage).units(_blocks(passage)))


@dataclass(slots=True)
class _Block:
    """Some lines that belong together; `start` is after a marker, `indent` counts its spaces."""

    kind: Literal["heading", "prose", "item", "row", "rule", "code", "link"]
    start: int
    end: int
    indent: int = 0
    is_term: bool = False  # the next block defines it


def _blocks(passage: str) -> list[_Block]:
    """Join wrapped lines into paragraphs and items; each row, heading, label and fence stands alone."""
    blocks: list[_Block] = []
    in_code, previous_end = False, 0
    for match in _LINE.finditer(passage):
        line, start, end = match.group(), match.start(), match.end()
        gap = passage.count("\n", previous_end, start) > 1
        previous_end = end
        last = blocks[-1] if blocks else None
        if in_code and last:
            last.end = end
            in_code = not _FENCE.match(line)
        elif not line.strip():
            continue
        elif _FENCE.match(line):
            blocks.append(_Block("code", start, end))
            in_code = True
        else:
            block = _block(line, start)
            if last and block.kind == "rule" and last.kind == "prose" and not gap:
                if "=" in line or "-" in line:  # the line under a heading
                    last.kind = "heading"
            elif last and _continues(passage, last, block, line, gap=gap):
                last.end = end
            else:
                if last and last.kind == "prose" and _DEFINED.match(line):
                    last.is_term = True
                if last and _is_value(passage, last, block, line):
                    block.kind = "prose"
                blocks.append(block)
    return blocks


def _is_value(passage: str, last: _Block, block: _Block, line: str) -> bool:
    """Whether a bold line is no heading, but what the colon before it announces."""
    is_bold = block.kind == "heading" and _BOLD.fullmatch(line) is not None
    said = passage[last.start : last.end].rstrip(_CLOSING)
    return is_bold and last.kind in ("prose", "item") and said.endswith(":")


def _block(line: str, start: int) -> _Block:
    end = start + len(line)
    if line.lstrip().startswith("|"):
        is_rule = "-" in line and not line.strip("|:- \t")
        return _Block("rule" if is_rule else "row", start, end)
    if not line.strip("*_=- \t") or _ABOUT_PAGE.match(line):
        return _Block("rule", start, end)
    if heading := _HEADING.match(line):
        return _Block("heading", start + heading.end(), end)
    linked = _LINKED.fullmatch(line, (marker := _ITEM.match(line)) and marker.end() or 0)
    if linked and (not marker or (linked["to"] or "#").startswith("#")):
        return _Block("link", start, end)
    if marker:
        return _Block("item", start + marker.end(), end, len(marker["indent"].expandtabs(4)))
    skipped = _QUOTED.match(line) or _DEFINED.match(line)
    indent = len(line) - len(line.lstrip())
    if (
        _BOLD.fullmatch(line)
        and "?" not in line
        and not line.rstrip().endswith((":**", ":__", ":"))
    ):
        return _Block("heading", start, end)
    return _Block("prose", start + (skipped.end() if skipped else 0), end, indent)


def _continues(passage: str, last: _Block, block: _Block, line: str, *, gap: bool) -> bool:
    """Whether a line goes on with what the last block says, which may be half a sentence."""
    if block.kind != "prose" or last.kind not in ("prose", "item") or _DEFINED.match(line):
        return False
    said = passage[last.start : last.end].rstrip()
    if gap:
        is_open = last.kind == "prose" and not said.endswith((".", "!", "?", ":", ";", "*", ")"))
        first = line.lstrip()[:1]
        return is_open and (first.islower() or (first.isdigit() and bool(_OPEN.search(said))))
    starts = (_LABEL, _ASKED, _REPLIED)
    is_told = any(start.match(line) for start in starts) or _BOLD.fullmatch(said)
    return not is_told


@dataclass(slots=True)
class _Reading:
    """Reads blocks in order, and remembers what the next unit is told with."""

    passage: str
    question: Slice | None = None
    label: Slice | None = None
    before: Slice | None = None  # the sentence before, that a bare word or figure is told with
    header: tuple[Slice, ...] = ()
    parents: list[tuple[int, Slice]] = field(default_factory=list)
    is_in_table: bool = False

    def units(self, blocks: Sequence[_Block]) -> Iterator[Unit]:
        for number, block in enumerate(blocks):
            following = blocks[number + 1] if number + 1 < len(blocks) else None
            if block.kind not in ("row", "rule"):
                self.is_in_table, self.header = False, ()
            if block.kind == "heading":
                self._head(block)
            elif block.kind == "row":
                yield from self._row(block, following)
            elif block.kind == "code":
                yield self._unit(block.start, block.end, "code", self._told(self.label))
                self.label = None
            elif block.kind in ("prose", "item"):
                yield from self._text(block, following)

    def _head(self, block: _Block) -> None:
        said = self.passage[block.start : block.end]
        self.question = (block.start, block.end) if _asks(said) else None
        self.label, self.before, self.parents = None, None, []

    def _row(self, block: _Block, following: _Block | None) -> Iterator[Unit]:
        cells = [cell.strip() for cell in self.passage[block.start : block.end].split("|")]
        filled = [cell for cell in cells if cell]
        is_first, self.is_in_table = not self.is_in_table, True
        if following and following.kind == "rule" and is_first:
            is_named = len(filled) > 0
            self.header = ((block.start, block.end), (following.start, following.end))
            self.header = self.header if is_named else ()
        elif len(filled) > 1 or (filled and len(cells) <= 3):
            yield self._unit(block.start, block.end, "row", self.header)

    def _text(self, block: _Block, following: _Block | None) -> Iterator[Unit]:
        kind: Kind = "item" if block.kind == "item" else "sentence"
        parent = self._parent(block)
        sentences = self._sentences(block)
        if _LABEL.match(self.passage, block.start, block.end):
            self.label = None  # a label whose value was left empty
        if block.is_term:
            self.label, sentences = (block.start, block.end), []
        elif self._names_next(block, following, sentences):
            self.label = sentences[0]
            return
        inner: Slice | None = None  # a question within the block
        rest: list[Slice] = []
        for number, (start, end) in enumerate(sentences):
            said = self.passage[start:end]
            if _asks(said):
                yield from self._answers(rest, kind, inner, parent)
                inner, rest = (start, end), []
            elif number == len(sentences) - 1 and said.rstrip(_BLANK).rstrip("*_").endswith(":"):
                yield from self._answers(rest, kind, inner, parent)
                self.label, rest = (start, end), []
                return
            elif following is None and number and _OPEN.search(said):
                break  # the rest of the sentence is elsewhere
            else:
                rest.append((start, end))
        yield from self._answers(rest, kind, inner, parent)
        if inner:
            # What follows answers it, unless it was answered here or by no more than the next item.
            self.question = None if rest else inner
        if kind == "sentence":
            self.label = self._lead_in(block, following, sentences) if not inner else None
            if sentences and not _is_bare(self.passage[slice(*sentences[-1])], kind):
                self.before = sentences[-1]

    def _names_next(
        self, block: _Block, following: _Block | None, sentences: Sequence[Slice]
    ) -> bool:
        """Whether a line without a full stop is the label of the value below it, as forms have them."""
        if block.kind != "prose" or len(sentences) != 1 or self.label:
            return False
        if following is None or following.kind != "prose":
            return False
        name = self.passage[slice(*sentences[0])].rstrip(_CLOSING)
        value = self.passage[following.start : following.end]
        is_named = 1 < len(name.split()) <= LABEL_WORDS or any(sign.isdigit() for sign in value)
        is_open = not name.endswith(_STOPS) and not any(sign.isdigit() for sign in name)
        if _LABEL.match(name) or _LABEL.match(value):
            return False
        return is_named and is_open and _is_bare(value, "sentence")

    def _lead_in(
        self, block: _Block, following: _Block | None, sentences: Sequence[Slice]
    ) -> Slice | None:
        """The sentence right before code is told with it; a defined term with all its definitions."""
        if block.is_term:
            return self.label
        is_before_code = following is not None and following.kind == "code"
        return sentences[-1] if is_before_code and sentences else None

    def _parent(self, block: _Block) -> Slice | None:
        """Find the item that this one stands under, and remember it for those below."""
        if block.kind == "prose":
            if self.parents and not block.indent:  # the list is over
                self.parents, self.label = [], None
            return None
        self.parents = [each for each in self.parents if each[0] < block.indent]
        parent = self.parents[-1][1] if self.parents else None
        if self.question and _ITEM.match(self._line_of(self.question)):
            self.question = None  # a question that was an item of this list
        sentences = self._sentences(block)
        if sentences:
            whole = (block.start, sentences[-1][1])
            is_short = whole[1] - whole[0] <= WHOLE_CHARS
            self.parents.append((block.indent, whole if is_short else sentences[-1]))
        return parent

    def _line_of(self, part: Slice) -> str:
        return self.passage[self.passage.rfind("\n", 0, part[0]) + 1 : part[1]]

    def _answers(
        self, parts: Sequence[Slice], kind: Kind, inner: Slice | None, parent: Slice | None
    ) -> Iterator[Unit]:
        if not parts:
            return
        whole = (parts[0][0], parts[-1][1])
        is_bare = _is_bare(self.passage[slice(*whole)], kind)
        lead = self._told(inner or parent or self.label or (self.before if is_bare else None))
        limit = REPLY_CHARS if lead and lead[0] in (inner, self.question) else WHOLE_CHARS
        if (lead or kind == "item") and whole[1] - whole[0] <= limit:
            parts = [whole]
        for start, end in parts:
            yield self._unit(start, end, kind, lead)

    def _told(self, near: Slice | None) -> tuple[Slice, ...]:
        known = near or self.question
        return (known,) if known else ()

    def _unit(self, start: int, end: int, kind: Kind, lead: tuple[Slice, ...]) -> Unit:
        return Unit(self.passage[start:end], start, end, kind, lead)

    def _sentences(self, block: _Block) -> list[Slice]:
        found: list[Slice] = []
        start = block.start
        for match in [*_END.finditer(self.passage, block.start, block.end), None]:
            end = match.start() if match else block.end
            said = self.passage[start:end]
            if match and (_ABBREVIATION.search(said[-12:]) or not _WORD.search(said)):
                continue
            # Closing signs after the full stop belong to the sentence that they close.
            end += len(match.group()) - len(match.group().lstrip(_CLOSING[:-1])) if match else 0
            text = self.passage[start:end]
            if any(sign.isalnum() for sign in text):
                left = start + len(text) - len(text.lstrip())
                found.append((left, start + len(text.rstrip())))
            start = match.end() if match else end
        return found


def _is_bare(text: str, kind: Kind) -> bool:
    """Whether a text says nothing alone: an item or line of a few words, a figure."""
    is_short = len(text.split()) <= BARE_WORDS
    if kind == "item":
        return is_short
    return not _WORD.search(text) or (is_short and not text.rstrip(_CLOSING).endswith(_STOPS))


def _asks(text: str) -> bool:
    """Whether a sentence or heading is a question of the page itself."""
    return text.rstrip(_CLOSING).endswith("?") or _ASKED.match(text) is not None
