"""A folder of files on this machine.

Knows nothing about what is in the files.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError, Unreadable

IGNORED = {"node_modules", "__pycache__", "venv"}


class Folder(Source):
    """Lists the files below a folder by size and time of change, or one file alone.

    Hidden ones are left out. Links to folders are named and not followed, so that no loop is endless. When a
    file was copied or checked out says nothing about its text: it has no date but its own.
    """

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.root = Path(config.address)
        self.is_file = self.root.is_file()
        if self.is_file:
            self.root = self.root.parent
        self._inside = os.path.join(os.path.realpath(self.root), "")

    def entries(self) -> Iterator[Entry]:
        """Give each file; raises SourceError when the folder, or one below it, cannot be listed."""
        if self.is_file:
            yield from self._entry(self.config.address)
            return
        if not self.root.is_dir():
            raise SourceError(
                f"{self.root} is neither a folder nor a file. Create it, or correct the address of"
                f" {self.config.name!r} in the sources' file."
            )
        for folder, below, names in os.walk(self.root, onerror=_refuse):
            below[:] = sorted(n for n in below if not n.startswith(".") and n not in IGNORED)
            links = [name for name in below if os.path.islink(os.path.join(folder, name))]
            for name in sorted([*names, *links]):
                if not name.startswith("."):
                    yield from self._entry(os.path.join(folder, name))

    def _entry(self, file: str) -> Iterator[Entry]:
        relative = PurePosixPath(Path(file).relative_to(self.root))
        # Bytes that are no UTF-8 are written out: two names never become one.
        path = os.fsencode(str(relative)).decode("utf-8", "backslashreplace")
        if not self.config.wants(path):
            return
        try:
            found = os.stat(file)
        except OSError:
            if os.path.islink(file):
                yield Entry(path=path, version="dangling", ref=file)
            return  # else it was just removed
        if stat.S_ISDIR(found.st_mode):
            yield Entry(path=path, version=f"to {os.path.realpath(file)!r}", ref=file)
            return
        yield Entry(
            path=path,
            version=f"{found.st_mtime_ns:x}-{found.st_size:x}",
            ref=file,
            url=link_of(self.config, path),
            size=found.st_size,
        )

    def read(self, entry: Entry, known: str | None) -> Content:
        """Read a file, unless it is a link to somewhere else."""
        try:
            real = os.path.realpath(entry.ref)
            if os.path.islink(entry.ref) and (os.path.isdir(real) or not os.path.exists(real)):
                raise Unreadable(_linked(real), is_skip=True)
            if not real.startswith(self._inside):
                raise Unreadable(
                    "It is a link that leads out of the folder. Copy the file into it.",
                    is_skip=True,
                )
            found = os.stat(real)
            if not stat.S_ISREG(found.st_mode):
                raise Unreadable("It is a device or a pipe, not a file.", is_skip=True)
            with open(real, "rb") as stream:
                # One byte more than allowed, for a file that grew since it was listed.
                is_allowed = found.st_size <= self.config.max_bytes
                data = stream.read() if is_allowed else stream.read(self.config.max_bytes + 1)
                return Content(data, entry.path)
        except OSError as error:
            raise Unreadable(
                f"It cannot be opened ({error.strerror or error}). Correct its permissions.",
                is_passing=True,
            ) from error


def link_of(config: SourceConfig, path: str) -> str | None:
    """Fill a source's `link`: `{path}` is the document's path, `{stem}` without its ending."""
    if config.link is None:
        return None
    stem = path.rsplit(".", 1)[0] if "." in path.rsplit("/", 1)[-1] else path
    return config.link.replace("{path}", quote(path)).replace("{stem}", quote(stem))


def _linked(real: str) -> str:
    """Say why a link is not followed."""
    if not os.path.exists(real):
        return "It is a link to something that is not there. Correct or remove it."
    return "It is a link to a folder, which is not followed. Make that folder a source of its own."


def _refuse(error: OSError) -> None:
    # What cannot be seen must not count as deleted.
    raise SourceError(
        f"{error.filename} cannot be listed ({error.strerror}). Give this account the right to"
        " read it, or exclude it."
    ) from error
