"""Plain text and Markdown, and what every reader of a format gives.

Knows nothing about other formats, nor how text is split.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.parsing import frontmatter
from ingest.parsing.encodings import Bytes, blocks, decode
from ingest.parsing.frontmatter import parse_date
from ingest.parsing.markup import tidy
from ingest.parsing.pieces import pieces

__all__ = ["Parsed", "decode", "markdown", "parse_date", "plain"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document as Markdown. `anchors` tells what a link can lead to: a heading or a page.

    A form feed in `body` starts a new page; `is_plain` when the text is not Markdown. `named` are
    headings with what a link to them ends with, in order. What a large text has beyond `body`
    comes in `more`, piece by piece, once. `facts` are lines about the document that stand before
    its text: "Owner: Rink team". `left_out` says what of the document was not read, in
    short phrases for people: "page 2 of 3 is a picture without text", "3 comments". What is found out
    while `more` is read is added to it, where it is a list.
    """

    body: str
    title: str | None = None
    updated_at: datetime | None = None
    anchors: str | None = None
    is_plain: bool = False
    named: tuple[tuple[str, str], ...] = ()
    more: Iterable[str] = ()
    left_out: Sequence[str] = ()
    facts: str = ""


def markdown(data: Bytes) -> Parsed:
    """Read Markdown: front matter gives title, date and facts; comments and template tags go."""
    parts = pieces(blocks(data))
    front, body = frontmatter.part(next(parts, ""))
    return Parsed(
        tidy(body),
        front.title,
        front.updated_at,
        anchors="heading",
        more=map(tidy, parts),
        left_out=front.left_out,
        facts=front.lines(),
    )


def plain(data: Bytes) -> Parsed:
    """Read plain text as it is."""
    parts = pieces(blocks(data), is_plain=True)
    return Parsed(next(parts, ""), is_plain=True, more=parts)
