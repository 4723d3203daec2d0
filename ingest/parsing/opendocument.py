"""OpenDocument texts and presentations, to Markdown.

Knows nothing about styles: headings, lists, tables and paragraphs are what counts.
"""

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from ingest.parsing.text import Parsed, parse_date

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"


def read(data: bytes) -> Parsed:
    """Give the text of an .odt or .odp file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = ElementTree.fromstring(archive.read("content.xml"))
        about = ElementTree.fromstring(archive.read("meta.xml"))
    title = next((e.text for e in about.iter(f"{_DC}title") if e.text), None)
    changed = next((e.text for e in about.iter(f"{_DC}date") if e.text), None)
    return Parsed("\n\n".join(_blocks(content)), title, parse_date(changed))


def _blocks(element: ElementTree.Element, depth: int = 0) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_TEXT}h":
            level = int(child.get(f"{_TEXT}outline-level", "1"))
            yield f"{'#' * min(level, 6)} {_line(child)}"
        elif child.tag == f"{_TEXT}p":
            if line := _line(child):
                yield line
            yield from _blocks(child, depth)
        elif child.tag == f"{_TEXT}list":
            yield "\n".join(_items(child, depth))
        elif child.tag == f"{_TABLE}table":
            yield _table(child)
        elif child.tag == f"{_DRAW}page":
            yield f"## {child.get(f'{_DRAW}name', 'Slide')}"
            yield from _blocks(child, depth)
        elif child.tag not in {f"{_TEXT}span", f"{_TEXT}a", f"{_TEXT}tracked-changes"}:
            yield from _blocks(child, depth)


def _items(element: ElementTree.Element, depth: int) -> Iterator[str]:
    for item in element:
        for child in item:
            if child.tag == f"{_TEXT}list":
                yield from _items(child, depth + 1)
            elif line := _line(child):
                yield f"{'  ' * depth}- {line}"


def _table(element: ElementTree.Element) -> str:
    from ingest.parsing.tables import table

    rows = []
    for row in element.iter(f"{_TABLE}table-row"):
        rows.append([" ".join(_line(p) for p in cell) for cell in row if cell.tag.endswith("cell")])
    return table(rows)


def _line(element: ElementTree.Element) -> str:
    return " ".join("".join(_pieces(element)).split())


def _pieces(element: ElementTree.Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag in {f"{_TEXT}s", f"{_TEXT}tab", f"{_TEXT}line-break"}:
            yield " "
        elif not child.tag.startswith(_DRAW):
            yield from _pieces(child)
        yield child.tail or ""
