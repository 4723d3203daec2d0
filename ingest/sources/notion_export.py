"""A Notion export: the zip of "Markdown & CSV" (or HTML), also split in parts.

Knows nothing about Notion's API.
"""

import re
from collections.abc import Iterator

from ingest.entries import Content, Entry, Source, SourceConfig
from ingest.parsing.parse import NOTION
from ingest.sources.archive import Archive

_ID = re.compile(r" ([0-9a-f]{32})(?=[./]|_all\.csv|$)")


class NotionExport(Source):
    """`address` is the .zip file; citations lead to the pages at notion.so."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.archive = Archive(config)

    def entries(self) -> Iterator[Entry]:
        """Give every page and database, under its name without Notion's ids."""
        names = {item.name for item in self.archive.items()}
        for item in self.archive.items():
            name = item.name
            # A database comes twice: as shown, and (_all) with all its rows.
            if name.endswith(".csv") and name.removesuffix(".csv") + "_all.csv" in names:
                continue
            path = _ID.sub("", name).replace("_all.csv", ".csv")
            if not self.config.wants(path):
                continue
            page_ids = _ID.findall(name)
            yield Entry(
                path=path,
                version=item.version,
                ref=name,
                url=f"https://www.notion.so/{page_ids[-1]}" if page_ids else None,
                size=item.size,
                title=path.rsplit("/", 1)[-1].rsplit(".", 1)[0],
            )

    def close(self) -> None:
        """Let go of what is open."""
        self.archive.close()

    def read(self, entry: Entry, known: str | None) -> Content:
        is_page = entry.path.endswith(".md")
        return Content(self.archive.read(entry.ref), entry.path, NOTION if is_page else None)
