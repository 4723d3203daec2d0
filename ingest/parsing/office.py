"""What Office files have in common: parts in an archive, links between them, and properties.

Knows nothing about what the parts say.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from xml.etree import ElementTree

from ingest.entries import Unreadable
from ingest.parsing.text import parse_date

_DC = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"
_LINKS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_USUAL = rb"http://schemas.openxmlformats.org/\1/2006/\2"
OPENING_BYTES = 4096  # of a part, in which a document type could stand


@dataclass(frozen=True, slots=True)
class Link:
    """From one part to another, or to an address outside: `kind` is the last word of its type."""

    kind: str
    target: str
    is_outside: bool


class Package:
    """An Office file: named parts, most of them XML."""

    def __init__(self, data: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._names = {name.lower(): name for name in self._archive.namelist()}

    def has(self, name: str) -> bool:
        return name.lower() in self._names

    def read(self, name: str) -> bytes:
        """Give a part's bytes; names of the strict variant of the format become the usual ones."""
        data = self._archive.read(self._names[name.lower()])
        return _STRICT.sub(_USUAL, data) if _STRICT.search(data[:OPENING_BYTES]) else data

    def open(self, name: str) -> IO[bytes]:
        """Give a part to be read bit by bit."""
        with self._archive.open(self._names[name.lower()]) as file:
            is_strict = _STRICT.search(file.read(OPENING_BYTES)) is not None
        return (
            io.BytesIO(self.read(name))
            if is_strict
            else self._archive.open(self._names[name.lower()])
        )

    def xml(self, name: str) -> ElementTree.Element:
        """Give a part's tree; a part that is missing is an empty one."""
        return xml(self.read(name)) if self.has(name) else ElementTree.Element("none")

    def links(self, name: str) -> dict[str, Link]:
        """Give the links of a part by their id; targets are names of parts."""
        folder, file = posixpath.split(name)
        return {
            element.get("Id", ""): Link(
                element.get("Type", "").rsplit("/", 1)[-1],
                element.get("Target", "")
                if element.get("TargetMode") == "External"
                else _joined(folder, element.get("Target", "")),
                element.get("TargetMode") == "External",
            )
            for element in self.xml(f"{folder}/_rels/{file}.rels".lstrip("/")).iter(
                f"{_LINKS}Relationship"
            )
        }

    def linked(self, name: str, kind: str) -> Iterator[str]:
        """Give the parts of one kind that a part links to."""
        for link in self.links(name).values():
            if link.kind == kind and not link.is_outside and self.has(link.target):
                yield link.target

    def main(self) -> str:
        """Give the name of the part that everything else hangs on."""
        return next(self.linked("", "officeDocument"))

    def properties(self) -> tuple[str | None, datetime | None]:
        """Give the title and the date of change that are kept beside the content."""
        root = self.xml("docProps/core.xml")
        title = (root.findtext(f"{_DC}title") or "").strip()
        return title or None, parse_date(root.findtext(f"{_TERMS}modified"))


def xml(data: bytes) -> ElementTree.Element:
    """Parse a part. No Office program writes entities, which could grow without end."""
    if b"<!ENTITY" in data:
        raise Unreadable("It declares entities, which no Office program does. Save it again.")
    return ElementTree.fromstring(data)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Give "1 comment" or "3 comments"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _joined(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
