"""A Confluence space export: the zip of HTML pages.

Knows nothing about Confluence's API.
"""

import re
from collections.abc import Iterator
from html import unescape

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.sources.archive import Archive
from ingest.sources.folder import link_of

_TITLE = re.compile(r"<title>([^<]{0,500})</title>", re.IGNORECASE)
_MAIN = re.compile(r"<div[^>]{1,500}?id=[\"']main-content[\"'][^>]{0,500}>", re.IGNORECASE)
_END = re.compile(
    r"<div[^>]{1,500}?(?:class=[\"']pageSection group[\"']|id=[\"'](?:footer|comments-section)[\"'])",
    re.IGNORECASE,
)


class ConfluenceExport(Source):
    """`address` is the .zip file of a space's HTML export."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.archive = Archive(config)

    def entries(self) -> Iterator[Entry]:
        """Give every page and readable attachment."""
        names = [item.name for item in self.archive.items()]
        if any(name.endswith("entities.xml") for name in names):
            raise SourceError(
                f"{self.config.address} is an XML export. Export the space as HTML instead."
            )
        for item in self.archive.items():
            path = item.name
            is_page = path.endswith(".html") and not f"/{path}".endswith("/index.html")
            if not (is_page or "/attachments/" in f"/{path}") or not self.config.wants(path):
                continue
            yield Entry(
                path=path,
                version=item.version,
                ref=path,
                url=link_of(self.config, path),
                size=item.size,
            )

    def close(self) -> None:
        self.archive.close()

    def read(self, entry: Entry, known: str | None) -> Content:
        """Read a page: what its authors wrote, without the frame around it."""
        data = self.archive.read(entry.ref)
        if not entry.path.endswith(".html"):
            return Content(data, entry.path)
        html = data.decode("utf-8", "replace")
        title = _TITLE.search(html)
        name = (
            " ".join(unescape(title.group(1)).split()).partition(" : ") if title else ("", "", "")
        )
        start = _MAIN.search(html)
        if not start:
            raise Unreadable("It is no page of a Confluence export.", is_skip=True)
        end = _END.search(html, start.end())
        body = html[start.start() : end.start() if end else len(html)]
        return Content(body.encode(), entry.path, "text/html", title=name[2] or name[0] or None)
