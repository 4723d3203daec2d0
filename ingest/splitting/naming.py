"""What a document is called: its own title, its main heading, or its file's name made readable.

Knows nothing about how a document is split.
"""

import re

from ingest.parsing import commonmark
from ingest.parsing.text import Parsed
from ingest.splitting.sections import heading_text

LONGEST_SEARCH = 50_000  # characters that are looked through for a title

# Names of files that say nothing about what is in them.
_EMPTY_STEMS = {"readme", "index", "untitled", "document", "page", "default", "main", "export",
                "new", "copy", "file", "doc", "note", "notes", "readme.txt", "home"}  # fmt: skip


def title_of(parsed: Parsed, path: str) -> str:
    """Give a document's title: its own, its main heading, or its file's name made readable.

    The file's name only where no heading says more.
    """
    if parsed.title:
        return parsed.title
    headings = [] if parsed.is_plain else _headings(parsed.body[:LONGEST_SEARCH])
    if name := _main(headings):
        return name
    parts = path.rstrip("/").split("/")
    stem = parts[-1].rsplit(".", 1)[0] if "." in parts[-1][1:] else parts[-1]
    if stem.lower() in {"readme", "index"} and len(parts) > 1:
        stem = parts[-2]
    words = re.sub(r"[-_+ ]+", " ", stem).strip()
    if headings and not _says_something(words):
        return headings[0][2]
    return words.capitalize() or path


def _headings(body: str) -> list[tuple[int, int, str]]:
    """Give (first line, level, text) of the headings, with their lines counted from text on."""
    tokens, _ = commonmark.blocks(body.lstrip("\n"))
    found = []
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and not token.level:
            text, _ = heading_text(tokens[index + 1].content)
            found += [(index, int(token.tag[1:]), text)] if text else []
    return found


def _main(headings: list[tuple[int, int, str]]) -> str | None:
    """Give the heading of the highest level that a text begins with, or its only one."""
    if not headings:
        return None
    top = min(level for _, level, _ in headings)
    found = [heading for heading in headings if heading[1] == top]
    first = found[0]
    is_main = first[0] == 0 and (top == 1 or len(found) == 1)
    is_only = top == 1 and len(found) == 1
    return first[2] if is_main or is_only else None


def _says_something(stem: str) -> bool:
    words = re.findall(r"[^\W\d_]{2,}", stem.lower())
    is_number = re.fullmatch(r"[0-9a-f -]{8,}", stem.lower()) is not None
    return bool(words) and not set(words) <= _EMPTY_STEMS and not is_number
