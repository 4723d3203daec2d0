"""Word documents to Markdown."""

import re

from ingest.parsing.markitdowns import by_markitdown
from ingest.parsing.office import Package
from ingest.parsing.text import Parsed, tidy

# A Word table without a header row gets an empty one; its first row serves better.
_NO_HEADER = re.compile(r"^\|(?:[ \t]*\|)+\n(\|(?:[ ]?-+[ ]?\|)+\n)(\|.*\|\n)", re.MULTILINE)


def read(data: bytes) -> Parsed:
    """Read a .docx file."""
    title, changed = Package(data).properties()
    body = by_markitdown("DocxConverter", data, ".docx")
    return Parsed(tidy(_NO_HEADER.sub(r"\2\1", body)), title, changed)
