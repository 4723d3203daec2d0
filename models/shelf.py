"""Versions of a trained model on disk: one folder each, every file's hash in its manifest.

Knows nothing about what the files mean or which version serves; that pointer is the caller's.
"""

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from models.files import sha256

MANIFEST = "manifest.json"
PARTIAL = ".partial-"


class ShelfError(Exception):
    """A version cannot be used; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version whose training is complete."""

    name: str
    folder: Path


class Shelf:
    """The versions under one root folder; names sort by age."""

    def __init__(self, root: Path) -> None:
        """Use `root`, which need not exist yet."""
        self._root = root

    def put(self, name: str, folder: Path) -> Version:
        """Copy the files of `folder` onto the shelf as version `name`, all or nothing.

        The manifest is written last into a hidden folder, which is then renamed. Raises ShelfError
        when the name is taken or would leave the shelf.
        """
        if not name or name.startswith(".") or Path(name).name != name:
            raise ShelfError(f"{name!r} cannot name a version. Use letters, digits, - and _.")
        target = self._root / name
        partial = self._root / f"{PARTIAL}{uuid.uuid4().hex}"
        try:
            shutil.copytree(folder, partial)
            files = [file for file in sorted(partial.rglob("*")) if file.is_file()]
            hashes = {file.relative_to(partial).as_posix(): sha256(file) for file in files}
            (partial / MANIFEST).write_text(json.dumps(hashes, indent=1) + "\n")
            partial.rename(target)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            reason = "it exists already" if target.exists() else str(error)
            raise ShelfError(f"Version {name} was not put on the shelf: {reason}.") from error
        return Version(name, target)

    def get(self, name: str) -> Version:
        """Give version `name`, its files verified; raises ShelfError."""
        version = Version(name, self._root / name)
        verify(version.folder)
        return version

    def versions(self) -> list[Version]:
        """List the finished versions, oldest first, without verifying them."""
        if not self._root.is_dir():
            return []
        folders = sorted(file.parent for file in self._root.glob(f"[!.]*/{MANIFEST}"))
        return [Version(folder.name, folder) for folder in folders]

    def newest(self) -> Version | None:
        """Give the youngest version whose files are whole, or None."""
        for version in reversed(self.versions()):
            try:
                return self.get(version.name)
            except ShelfError:
                continue
        return None

    def prune(self, keep: int, *, serving: set[str] | None = None) -> list[str]:
        """Remove all but the `keep` youngest and the `serving` versions; give the names removed."""
        old = self.versions()[: -keep or None]
        gone = [version for version in old if version.name not in (serving or set())]
        for version in gone:
            # Renamed first: nobody can start reading a version that is half removed.
            hidden = self._root / f"{PARTIAL}{uuid.uuid4().hex}"
            version.folder.rename(hidden)
            shutil.rmtree(hidden)
        return [version.name for version in gone]


def verify(folder: Path) -> None:
    """Raise ShelfError, naming the file, unless every file is there and has its hash."""
    try:
        hashes = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise ShelfError(
            f"{folder / MANIFEST} is missing or damaged. Promote another version."
        ) from error
    for name, expected in hashes.items():
        file = folder / name
        if not file.is_file() or sha256(file) != expected:
            raise ShelfError(
                f"{file} is missing, truncated or damaged. Promote another version or train again."
            )
