"""What Office files have in common: the properties that are kept beside the content."""

import io
import zipfile
from datetime import datetime
from xml.etree import ElementTree

from ingest.parsing.text import parse_date

_DC = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"


def core_properties(data: bytes) -> tuple[str | None, datetime | None]:
    """Read the title and the date of change that Office keeps beside the content."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "docProps/core.xml" not in archive.namelist():
            return None, None
        root = ElementTree.fromstring(archive.read("docProps/core.xml"))
    title = (root.findtext(f"{_DC}title") or "").strip()
    return title or None, parse_date(root.findtext(f"{_TERMS}modified"))
