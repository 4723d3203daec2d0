"""Which reader reads which format. Runs in the parser's child alone.

Knows nothing about sources: a name tells the format.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ingest.entries import Content, Unreadable
from ingest.parsing import (
    delimited,
    ebook,
    exports,
    mail,
    notebook,
    old_spreadsheet,
    opendocument,
    opendocument_sheets,
    parse,
    pdf,
    records,
    restructured,
    slides,
    spreadsheet,
    text,
    webpage,
    word,
)
from ingest.parsing.encodings import Bytes
from ingest.parsing.pdf import LOCKED
from ingest.parsing.pieces import pieces, slices
from ingest.parsing.text import Parsed

MOST_UNZIPPED = 1_000_000_000  # bytes that an archive may claim to hold


def convert(name: str, data: Bytes) -> Parsed:
    """Give a document's content as Markdown; raises Unreadable, or whatever a library raises."""
    parsed = _read(Path(name).suffix, data)
    if not parsed.body.strip() and not parsed.title and not parsed.facts:
        raise Unreadable("There is no text in it.", is_skip=True)
    return parsed


def _read(ending: str, data: Bytes) -> Parsed:
    if data[:2] == b"PK":
        _check_archive(bytes(data))
    if ending in READERS:
        return _in_pieces(READERS[ending](bytes(data)))
    if ending == ".notion":
        return text.markdown(exports.notion(bytes(data)))
    return text.markdown(data) if ending in parse.MARKDOWN else text.plain(data)


def _in_pieces(parsed: Parsed) -> Parsed:
    if parsed.anchors == "page":  # each page is a piece already
        return parsed
    parts = pieces(slices(parsed.body), is_plain=parsed.is_plain)
    return replace(parsed, body=next(parts, ""), more=parts)


def _check_archive(data: bytes) -> None:
    """Refuse archives that would fill the memory, and Office files that are encrypted."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(item.file_size for item in archive.infolist()) > MOST_UNZIPPED:
            raise Unreadable("It unpacks to more than 1 GB. Split it.")
        if any(item.flag_bits & 1 for item in archive.infolist()):
            raise Unreadable(LOCKED)


def _html(data: bytes) -> Parsed:
    return webpage.page(data)


def _rtf(data: bytes) -> Parsed:
    from striprtf.striprtf import rtf_to_text

    words: str = rtf_to_text(  # type: ignore[no-untyped-call]
        data.decode("cp1252", "replace"), errors="ignore"
    )
    return Parsed(words)


def _attached(name: str, media_type: str, data: bytes) -> Parsed:
    """Read what hangs on a mail, by its name or else its media type."""
    content = Content(data, name, None if "." in name else media_type)
    ending = parse.ending_of(content)
    parse.refuse(ending)
    if not data.strip():
        raise Unreadable("It is empty.", is_skip=True)
    return _read(ending, data)


READERS: dict[str, Callable[[bytes], Parsed]] = {
    ".pdf": pdf.read,
    ".docx": word.read,
    ".docm": word.read,
    ".pptx": slides.read,
    ".pptm": slides.read,
    ".xlsx": spreadsheet.read,
    ".xlsm": spreadsheet.read,
    ".xls": old_spreadsheet.read,
    ".epub": ebook.read,
    ".ipynb": notebook.read,
    ".html": _html,
    ".htm": _html,
    ".xhtml": _html,
    ".confluence": exports.confluence,
    ".csv": delimited.read_delimited,
    ".tsv": delimited.read_delimited,
    ".odt": opendocument.read,
    ".odp": opendocument.read,
    ".ods": opendocument_sheets.read,
    ".rtf": _rtf,
    ".mbox": partial(mail.read_mailbox, attached=_attached),
    ".eml": partial(mail.read_message, attached=_attached),
    ".rst": restructured.read,
    ".json": records.read_json,
    ".jsonl": records.read_json_lines,
    ".ndjson": records.read_json_lines,
    ".xml": records.read_xml,
    ".yaml": records.read_yaml,
    ".yml": records.read_yaml,
}
