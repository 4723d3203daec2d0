"""Office files made by hand, and read as the parser's child reads them."""

import io
import zipfile
from pathlib import Path

from ingest.parsing.formats import READERS
from ingest.parsing.text import Parsed


def read(name: str, data: bytes | str) -> Parsed:
    """Read a file by its name's ending."""
    return READERS[Path(name).suffix](data.encode() if isinstance(data, str) else data)


def archive(parts: dict[str, str]) -> bytes:
    """Put parts, by their names, into an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return buffer.getvalue()


def rows(body: str) -> list[list[str]]:
    """Give the cells of every row of the Markdown tables in a text, rules left out."""
    lines = [line for line in body.split("\n") if line.startswith("|") and "| --- |" not in line]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
