"""An export archive: a zip, also one of zips, read without unpacking it to disk.

Knows nothing about who made it.
"""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ingest.entries import SourceConfig, SourceError, Unreadable

MOST_INNER_BYTES = 500_000_000  # an inner zip is held in memory


class Archive:
    """The files of a zip by name; those of zips within it count as its own."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._home: dict[str, zipfile.ZipFile] = {}
        self._items: list[zipfile.ZipInfo] = []
        path = Path(config.address)
        try:
            self._outer = zipfile.ZipFile(path)
            self._add(self._outer)
        except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
            raise SourceError(
                f"{path} is no zip that can be read ({error}). Export it again, or correct the"
                f" address of {config.name!r}."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._outer.close()

    def items(self) -> Iterator[zipfile.ZipInfo]:
        """Give the files, by name."""
        yield from sorted(self._items, key=lambda item: item.filename)

    def version(self, item: zipfile.ZipInfo) -> str:
        """Give what changes when the file's content does."""
        return f"{item.CRC:08x}-{item.file_size:x}"

    def changed_at(self, item: zipfile.ZipInfo) -> datetime | None:
        """Give when the file was last changed, if the archive says so."""
        try:
            return datetime(*item.date_time, tzinfo=UTC)
        except ValueError:
            return None

    def read(self, name: str) -> bytes:
        """Read a file; raises Unreadable when it is too large or damaged, KeyError when absent."""
        archive = self._home[name]
        if archive.getinfo(name).file_size > self.config.max_bytes:
            raise Unreadable(f"It has more than {self.config.max_mb:g} MB.")
        try:
            return archive.read(name)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise Unreadable(f"It cannot be unpacked ({error}). Export it again.") from error

    def _add(self, archive: zipfile.ZipFile) -> None:
        for item in archive.infolist():
            if item.is_dir() or item.filename.startswith("__MACOSX/"):
                continue
            if item.filename.endswith(".zip") and item.file_size <= MOST_INNER_BYTES:
                self._add(zipfile.ZipFile(io.BytesIO(archive.read(item))))
            elif item.filename not in self._home:
                self._home[item.filename] = archive
                self._items.append(item)
