"""Blocks of a word processor's document to Markdown: lists kept together, signs kept from meaning.

Knows nothing about formats: readers give lines with what they are.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

# What would turn a plain line into a heading, a quotation, code, a rule or a tag.
_SIGN = re.compile(
    r"^(#{1,6}(?=\s)|>|```|~~~|<(?=[a-zA-Z/!?])|(?:-{3,}|={3,}|\*{3,}|_{3,})$)", re.MULTILINE
)
_AT_ITEM = re.compile(r"^([-+*])(?=\s)", re.MULTILINE)


_PAGE_NUMBER = re.compile(
    r"\W*+(?:page|seite|pagina|página|sida|side|strona|p|s)?+\W*+\d*+\W*+(?:of|von|de|di|van|sur|av|z)?+\W*+"
    r"\d*+\W*+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a document: `kind` is text, heading, item, note, or markdown that is ready.

    `depth` is a heading's level, from 1 (0 is the document's title), or an item's, from 0.
    """

    text: str
    kind: str = "text"
    depth: int = 0

    def markdown(self) -> str:
        """Write it so that its words are taken for words."""
        if self.kind == "heading":
            return f"{'#' * max(1, min(self.depth, 6))} {' '.join(self.text.split())}"
        return self.text if self.kind == "markdown" else _plain(self.text)


def item(text: str, label: str, depth: int) -> Block:
    """Make a list item; its label stands as the document shows it, a bullet as a dash."""
    words = "\n".join(filter(None, (line.strip() for line in text.split("\n"))))
    indent = " " * (len(label) + 1)
    return Block(f"{label} {words}".replace("\n", f"\n{indent}"), "item", depth)


def words(blocks: Iterable[Block]) -> str:
    """Give the text of blocks on one line, as it stands in a cell; notes stand elsewhere."""
    return " ".join(" ".join(b.text.split()) for b in blocks if b.kind != "note")


def _plain(text: str) -> str:
    lines = "\n".join(line.strip() for line in text.split("\n"))
    return _AT_ITEM.sub(r"\\\1", _SIGN.sub(r"\\\1", lines)).strip("\n")


def is_page_number(text: str) -> bool:
    """Tell whether a header's or footer's line only counts pages."""
    return _PAGE_NUMBER.fullmatch(text) is not None


def below_title(blocks: Iterable[Block]) -> list[Block]:
    """Put headings a level lower where a title stands above them, or could.

    Several headings of the first level are chapters, and none of them is the title.
    """
    found = list(blocks)
    depths = [block.depth for block in found if block.kind == "heading"]
    if 0 not in depths and depths.count(1) < 2:
        return found
    return [replace(b, depth=b.depth + 1) if b.kind == "heading" else b for b in found]


def markdown(blocks: Iterable[Block]) -> str:
    """Join blocks: items of one list line by line, the notes of its items after it."""
    return "\n\n".join(_joined(blocks))


def _joined(blocks: Iterable[Block]) -> Iterator[str]:
    items: list[Block] = []
    notes: list[str] = []
    for block in blocks:
        if block.kind == "item":
            items.append(block)
        elif block.kind == "note" and items:
            notes.append(block.markdown())
        else:
            yield from _list(items)
            yield from notes
            items, notes = [], []
            yield block.markdown()
    yield from _list(items)
    yield from notes


def _list(items: list[Block]) -> Iterator[str]:
    """Write the items of one list; its first depth is the left edge, or Markdown would see code."""
    lines = []
    for block in items:
        indent = "  " * max(0, block.depth - items[0].depth)
        lines.append(indent + block.text.replace("\n", f"\n{indent}"))
    if lines:
        yield "\n".join(lines)
