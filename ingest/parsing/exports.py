"""Pages of other programs' exports: what these add is taken off, the rest is read as what it is.

Knows nothing about archives. Runs in the parser's child.
"""

import re
from dataclasses import replace
from html import unescape

from ingest.entries import Unreadable
from ingest.parsing import webpage
from ingest.parsing.text import Parsed

_TITLE = re.compile(r"<title>([^<]{0,500})</title>", re.IGNORECASE)
_MAIN = re.compile(r"<div\b[^<>]{0,500}\bid=[\"']main-content[\"'][^<>]{0,500}>", re.IGNORECASE)
_END = re.compile(
    r"<div\b[^<>]{0,500}\b(?:class=[\"']pageSection group[\"']|id=[\"'](?:footer|comments-section)[\"'])",
    re.IGNORECASE,
)
_ID_IN_LINK = re.compile(rb"(?:%20| )([0-9a-f]{32})(?=[./)])")


def confluence(data: bytes) -> Parsed:
    """Read a page of a Confluence export: what its authors wrote, without the frame around it."""
    html = data.decode("utf-8", "replace")
    found = _TITLE.search(html)
    before, _, after = (
        " ".join(unescape(found.group(1)).split()).partition(" : ") if found else ("", "", "")
    )
    start = _MAIN.search(html)
    if not start:
        raise Unreadable("It is no page of a Confluence export.", is_skip=True)
    end = _END.search(html, start.end())
    body = html[start.start() : end.start() if end else len(html)]
    parsed = webpage.page(body.encode("utf-8", "replace"))
    return replace(parsed, title=after or before or parsed.title)


def notion(data: bytes) -> bytes:
    """Give a page of a Notion export without the ids in its links."""
    return _ID_IN_LINK.sub(b"", data)
