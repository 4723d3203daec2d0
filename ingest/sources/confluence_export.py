"""A Confluence space export: the zip of HTML pages.

Knows nothing about Confluence's API.
"""

from collections.abc import Iterator

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError
from ingest.parsing.parse import CONFLUENCE
from ingest.sources.archive import Archive
from ingest.sources.folder import link_of


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
        """Read a page with the frame around it, which its reader leaves out, or an attachment."""
        is_page = entry.path.endswith(".html")
        return Content(self.archive.read(entry.ref), entry.path, CONFLUENCE if is_page else None)
