"""Books in EPUB to Markdown, chapter by chapter in the order of reading.

Knows nothing about pages: a book has none.
"""

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree import ElementTree

from ingest.entries import Unreadable
from ingest.parsing import titles, webpage
from ingest.parsing.office import Package, counted
from ingest.parsing.text import Parsed, parse_date

_TEXTS = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}
_PROTECTED = "It is protected against copying, so its text cannot be read."
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*encoding=["']([\w-]+)""")
_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\[\]]*)\]\([^)]{0,500}\)")
_OWN_LINK = re.compile(
    r"(?<!!)\[([^\[\]]*)\]\((?![a-z][a-z+.-]{0,30}:)[^)]{0,500}\)", re.IGNORECASE
)


def read(data: bytes) -> Parsed:
    """Give a book's chapters as Markdown; raises Unreadable where it is protected against copying."""
    book = _Book(Package(data))
    parts, missing, pictures = [], 0, 0
    for name in book.spine():
        text = book.chapter(name)
        missing += text is None
        pictures += len(_PICTURE.findall(text or ""))
        # Links within the book lead nowhere outside of it, and neither do its pictures.
        parts.append(_OWN_LINK.sub(r"\1", _PICTURE.sub(r"\1", text or "")).strip())
    left_out = [counted(missing, "chapter") + " missing in the file"] if missing else []
    left_out += [counted(pictures, "picture")] if pictures else []
    body = "\n\n".join(filter(None, parts))
    title = titles.chosen(book.about("title"), titles.beginning(body))
    return Parsed(body, title, parse_date(book.modified()), left_out=tuple(left_out))


class _Book:
    def __init__(self, package: Package) -> None:
        self.package = package
        if _is_encrypted(package.xml("META-INF/encryption.xml")):
            raise Unreadable(_PROTECTED)
        container = package.xml("META-INF/container.xml")
        self.name = next(
            unquote(e.get("full-path", "")) for e in container.iter() if e.tag.endswith("}rootfile")
        )
        self.root = package.xml(self.name)
        self.items = {e.get("id", ""): e for e in self.root.iter() if _local(e) == "item"}
        self.names = dict(self._named_chapters())

    def about(self, what: str) -> str | None:
        """Give the first thing that the book says of itself by that name."""
        found = (e.text for e in self.root.iter() if _local(e) == what and e.text)
        return next(found, None)

    def modified(self) -> str | None:
        stated = (e for e in self.root.iter() if e.get("property") == "dcterms:modified")
        return next((e.text for e in stated if e.text), None) or self.about("date")

    def spine(self) -> Iterator[str]:
        """Give the names of its texts in the order of reading, the list of contents left out."""
        for reference in self.root.iter():
            item = (
                self.items.get(reference.get("idref", ""))
                if _local(reference) == "itemref"
                else None
            )
            if item is None or "nav" in item.get("properties", "").split():
                continue
            if item.get("media-type") in _TEXTS:
                yield self._path(item.get("href", ""), self.name)

    def chapter(self, name: str) -> str | None:
        """Give a chapter's text; one without a heading gets its name in the list of contents."""
        if not self.package.has(name):
            return None
        text = webpage.read(_decoded(self.package.read(name))).body.strip()
        if text and name in self.names and not _HEADING.search(text):
            text = f"# {self.names[name]}\n\n{text}"
        return text

    def _named_chapters(self) -> Iterator[tuple[str, str]]:
        """Give chapters' names by their files, of new lists of contents and of old ones."""
        for item in self.items.values():
            name = self._path(item.get("href", ""), self.name)
            if "nav" in item.get("properties", "").split():
                for link in reversed(list(self._tree(name).iter())):
                    if _local(link) == "a" and "#" not in link.get("href", ""):
                        yield self._path(link.get("href", ""), name), _words(link)
            elif item.get("media-type") == "application/x-dtbncx+xml":
                for point in reversed(
                    [e for e in self._tree(name).iter() if _local(e) == "navPoint"]
                ):
                    target = next((e.get("src", "") for e in point if _local(e) == "content"), "")
                    label = next((_words(e) for e in point if _local(e) == "navLabel"), "")
                    if label and "#" not in target:
                        yield self._path(target, name), label

    def _tree(self, name: str) -> ElementTree.Element:
        try:
            return self.package.xml(name)
        except ElementTree.ParseError:
            return ElementTree.Element("none")

    def _path(self, link: str, base: str) -> str:
        file = unquote(link.partition("#")[0])
        return posixpath.normpath(posixpath.join(posixpath.dirname(base), file))


def _decoded(data: bytes) -> str:
    """Turn a page into text by what its first line says, or as any page on the web."""
    named = _ENCODING.match(data[:200])
    try:
        return data.decode(named.group(1).decode()) if named else webpage.decode_html(data)
    except (LookupError, UnicodeError):
        return webpage.decode_html(data)


def _is_encrypted(root: ElementTree.Element) -> bool:
    """Tell whether more than fonts is encrypted."""
    methods = [e.get("Algorithm", "") for e in root.iter() if _local(e) == "EncryptionMethod"]
    return any(not method.startswith(_FONTS) for method in methods)


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())
