"""Files that are not plain text, to Markdown. Runs in the parser's child alone.

Knows nothing about sources: a name tells the format, a file holds the bytes.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree

from ingest.entries import Unreadable
from ingest.parsing import mail, opendocument, restructured, webpage
from ingest.parsing.text import Parsed, decode, parse_date, tidy

if TYPE_CHECKING:
    from markitdown import DocumentConverter

MOST_UNZIPPED = 1_000_000_000  # bytes that an archive may claim to hold
MOST_LAYOUT_PAGES = 20  # longer PDFs are read without looking for tables: that takes 0.4 s a page
MOST_ROWS = 20_000  # rows of a table that are read
NO_PAGE_TEXT = (
    "It is a scan: its pages are pictures without text. Run it through OCR (ocrmypdf, say)."
)
LOCKED = "It is protected by a password. Save it without one."

# A Word table without a header row gets an empty one; its first row serves better.
_NO_HEADER = re.compile(r"^\|(?:[ \t]*\|)+\n(\|(?:[ ]?-+[ ]?\|)+\n)(\|.*\|\n)", re.MULTILINE)
_DC = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"


def convert(name: str, file: str) -> Parsed:
    """Give the file's content as Markdown; raises Unreadable, or whatever a library raises."""
    ending = Path(name).suffix
    data = Path(file).read_bytes()
    if data.startswith(b"PK"):
        _check_archive(data)
    parsed = READERS[ending](data)
    if not parsed.body.strip():
        raise Unreadable("There is no text in it.", is_skip=True)
    return parsed


def _check_archive(data: bytes) -> None:
    """Refuse archives that would fill the memory, and Office files that are encrypted."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(item.file_size for item in archive.infolist()) > MOST_UNZIPPED:
            raise Unreadable("It unpacks to more than 1 GB. Split it.")
        if any(item.flag_bits & 1 for item in archive.infolist()):
            raise Unreadable(LOCKED)


def _pdf(data: bytes) -> Parsed:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable(LOCKED) from error
        raise
    pages = [_pdf_page(document, number) for number in range(len(document))]
    if not any(page.strip() for page in pages):
        raise Unreadable(NO_PAGE_TEXT)
    about = document.get_metadata_dict(skip_empty=True)
    changed = about.get("ModDate") or about.get("CreationDate")
    return Parsed("\f".join(pages), None, _pdf_date(changed), anchors="page")


def _pdf_page(document: object, number: int) -> str:
    """Convert one page as a document of its own, so that its number is known afterwards."""
    import pypdfium2
    from markitdown.converters import PdfConverter

    assert isinstance(document, pypdfium2.PdfDocument)
    text: str = document[number].get_textpage().get_text_range()
    if text.strip() and len(document) <= MOST_LAYOUT_PAGES:
        single = pypdfium2.PdfDocument.new()
        single.import_pages(document, [number])
        buffer = io.BytesIO()
        single.save(buffer)
        text = _markitdown(PdfConverter(), buffer.getvalue(), ".pdf")
    # U+FFFE is pdfium's mark for a word that goes on in the next line.
    text = re.sub(r"\ufffe\s*", "", text.replace("\r\n", "\n").replace("\f", "\n"))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def _pdf_date(value: str | None) -> datetime | None:
    digits = (value or "").removeprefix("D:")[:8]
    return parse_date(f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}") if digits.isdecimal() else None


def _office(ending: str) -> Callable[[bytes], Parsed]:
    def read(data: bytes) -> Parsed:
        from markitdown import converters

        kinds: dict[str, type[DocumentConverter]] = {
            ".docx": converters.DocxConverter,
            ".pptx": converters.PptxConverter,
        }
        title, changed = _core_properties(data)
        body = _markitdown(kinds[ending](), data, ending)
        body = _slides(body) if ending == ".pptx" else _NO_HEADER.sub(r"\2\1", body)
        return Parsed(tidy(body), title, changed)

    return read


def _slides(body: str) -> str:
    """Number the slides, so that a citation tells which one it is from."""
    parts = body.split("<!-- Slide number: ")
    slides = []
    for part in parts[1:]:
        number, _, rest = part.partition("-->")
        lines = [line for line in rest.strip().splitlines() if not line.startswith("![")]
        heading = next((line[2:] for line in lines if line.startswith("# ")), "")
        kept = [line for line in lines if line.lstrip("# ") != heading or not line.startswith("# ")]
        name = f"Slide {number.strip()}" + (f": {heading}" if heading.strip() else "")
        slides.append(f"## {name}\n\n" + "\n".join(kept))
    return parts[0] + "\n\n".join(slides)


def _workbook(data: bytes) -> Parsed:
    """Read row by row, so that a huge sheet does not fill the memory; formulas as their results."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    sheets = []
    named = [(sheet.title, _sheet_link(sheet.title)) for sheet in book.worksheets]
    for sheet in book.worksheets:
        cells = ([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))
        rows = [row for row in islice(cells, MOST_ROWS) if any(row)]
        width = max((n + 1 for row in rows for n, cell in enumerate(row) if cell), default=0)
        if rows:
            sheets.append(f"## {sheet.title}\n\n{table(row[:width] for row in rows)}")
    title, changed = _core_properties(data)
    return Parsed("\n".join(sheets), title, changed, named=tuple(named))


def _sheet_link(name: str) -> str:
    """Give what a link to a sheet ends with, as Excel and LibreOffice write it."""
    quoted = name if re.fullmatch(r"\w+", name) else "'" + name.replace("'", "''") + "'"
    return quote(f"{quoted}!A1", safe="!'")


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).removesuffix(" 00:00:00")


def _core_properties(data: bytes) -> tuple[str | None, datetime | None]:
    """Read the title and the date of change that Office keeps beside the content."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "docProps/core.xml" not in archive.namelist():
            return None, None
        root = ElementTree.fromstring(archive.read("docProps/core.xml"))
    title = (root.findtext(f"{_DC}title") or "").strip()
    return title or None, parse_date(root.findtext(f"{_TERMS}modified"))


def _by_markitdown(name: str, ending: str) -> Callable[[bytes], Parsed]:
    def read(data: bytes) -> Parsed:
        from markitdown import converters

        return Parsed(tidy(_markitdown(getattr(converters, name)(), data, ending)))

    return read


def _markitdown(converter: "DocumentConverter", data: bytes, ending: str) -> str:
    from markitdown import StreamInfo

    info = StreamInfo(extension=ending)
    return str(converter.convert(io.BytesIO(data), info).markdown)


def _html(data: bytes) -> Parsed:
    return webpage.read(webpage.decode_html(data))


def _delimited(data: bytes) -> Parsed:
    text = decode(data)
    header = text.lstrip("\n").partition("\n")[0]
    delimiter = max(",;\t|", key=header.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    rows = islice(reader, MOST_ROWS)
    return Parsed(table([row for row in rows if any(cell.strip() for cell in row)]))


def table(rows: Iterable[Iterable[str]]) -> str:
    """Write rows, the first being the header, as a Markdown table."""
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    if not cells:
        return ""
    width = max(len(row) for row in cells)
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]]) + "\n"


def _rtf(data: bytes) -> Parsed:
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(  # type: ignore[no-untyped-call]
        data.decode("cp1252", "replace"), errors="ignore"
    )
    return Parsed(text)


READERS: dict[str, Callable[[bytes], Parsed]] = {
    ".pdf": _pdf,
    ".docx": _office(".docx"),
    ".docm": _office(".docx"),
    ".pptx": _office(".pptx"),
    ".pptm": _office(".pptx"),
    ".xlsx": _workbook,
    ".xlsm": _workbook,
    ".xls": _by_markitdown("XlsConverter", ".xls"),
    ".epub": _by_markitdown("EpubConverter", ".epub"),
    ".ipynb": _by_markitdown("IpynbConverter", ".ipynb"),
    ".html": _html,
    ".htm": _html,
    ".xhtml": _html,
    ".csv": _delimited,
    ".tsv": _delimited,
    ".odt": opendocument.read,
    ".odp": opendocument.read,
    ".rtf": _rtf,
    ".mbox": mail.read_mailbox,
    ".eml": mail.read_message,
    ".rst": restructured.read,
}
