"""An export archive: a zip, also one of zips, read without unpacking it whole.

Knows nothing about who made it.
"""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from ingest.entries import SourceConfig, SourceError, Unreadable

MOST_INNER_BYTES = 2_000_000_000  # of all inner zips together, on disk
DEEPEST = 3  # zips within zips
MOST_FILES = 300_000  # of all zips together
STEP_BYTES = 1 << 20
LARGEST_LIST_BYTES = 64_000_000  # of one zip: the names of its files, which zipfile reads at once


_END_BYTES = 1 << 17  # a comment of 64 KB, and both records


@dataclass(frozen=True, slots=True)
class Item:
    """A file of an archive. `version` changes when its content does.

    The time that a zip gives for a file is when it was exported or copied: no date of its text.
    """

    name: str
    size: int
    version: str
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo


class Archive:
    """The files of a zip by name; those of zips within it count as its own.

    Of two inner zips' files of one name, the second has its zip's name in front. An inner zip that cannot be
    read is a file like any other.
    """

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._items: dict[str, Item] = {}
        self._open = ExitStack()
        self._files = 0
        self._inner_bytes = 0
        path = Path(config.address)
        try:
            with path.open("rb") as file:
                _check_list(file)
            self._add(self._open.enter_context(zipfile.ZipFile(path)), "", 0)
        except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
            self._open.close()
            raise SourceError(
                f"{path} is no zip that can be read ({error}). Export it again, or correct the"
                f" address of {config.name!r}."
            ) from error

    def close(self) -> None:
        """Close the file, and remove what was unpacked of it."""
        self._open.close()

    def items(self) -> Iterator[Item]:
        yield from sorted(self._items.values(), key=lambda item: item.name)

    def read(self, name: str) -> bytes:
        """Read a file; raises Unreadable when it is too large or damaged, KeyError when absent."""
        item = self._items[name]
        if item.size > self.config.max_bytes:
            raise Unreadable(f"It has more than {self.config.max_mb:g} MB.")
        try:
            # In steps: what says that it is small may unpack to gigabytes at once.
            with item.archive.open(item.info) as packed:
                return b"".join(iter(lambda: packed.read(STEP_BYTES), b""))
        # Damage shows in many ways: zlib's, lzma's and zipfile's own errors, the ends of files.
        except Exception as error:
            said = str(error) or type(error).__name__
            raise Unreadable(f"It cannot be unpacked ({said}). Export it again.") from error

    def _add(self, archive: zipfile.ZipFile, within: str, depth: int) -> None:
        self._files += len(archive.infolist())
        if self._files > MOST_FILES:
            raise zipfile.BadZipFile(f"it lists more than {MOST_FILES:,} files")
        for info in archive.infolist():
            if info.is_dir() or info.filename.startswith("__MACOSX/"):
                continue
            inner = self._inner(archive, info) if depth < DEEPEST else None
            if inner is not None:
                self._add(inner, info.filename, depth + 1)
                continue
            name = info.filename
            known = self._items.get(name)
            if known is not None and known.archive is not archive:
                name = f"{within}/{name}"
            version = f"{info.CRC:08x}-{info.file_size:x}"
            self._items[name] = Item(name, info.file_size, version, archive, info)

    def _inner(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> zipfile.ZipFile | None:
        """Open a zip within the archive; None for what is none that can be read."""
        if not info.filename.lower().endswith(".zip"):
            return None
        self._inner_bytes += info.file_size
        if self._inner_bytes > MOST_INNER_BYTES:
            return None
        file = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        try:
            with archive.open(info) as packed:
                copyfileobj(packed, file)
            _check_list(file)
            return self._open.enter_context(zipfile.ZipFile(file))
        # As in read: it is listed, and its reason told there.
        except Exception:  # noqa: BLE001
            return None


def _check_list(file: IO[bytes]) -> None:
    """Raise BadZipFile where the list of a zip's files would take more memory than an honest one.

    Its length stands in the record at the end (APPNOTE 4.3.16), in a zip of 64 bits behind it; what has no
    such record is left to zipfile.
    """
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - _END_BYTES))
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    length = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    if length == 0xFFFFFFFF:
        at = end.rfind(b"PK\x06\x06")
        length = int.from_bytes(end[at + 40 : at + 48], "little") if at >= 0 else size
    if length > LARGEST_LIST_BYTES:
        raise zipfile.BadZipFile(f"the list of its files takes {length / 1e6:,.0f} MB")
