"""PDF to Markdown, page by page."""

import io
import re
from datetime import datetime

from ingest.entries import Unreadable
from ingest.parsing.markitdowns import by_markitdown
from ingest.parsing.text import Parsed, parse_date

MOST_LAYOUT_PAGES = 20  # longer PDFs are read without looking for tables: that takes 0.4 s a page
NO_PAGE_TEXT = (
    "It is a scan: its pages are pictures without text. Run it through OCR (ocrmypdf, say)."
)
LOCKED = "It is protected by a password. Save it without one."


def read(data: bytes) -> Parsed:
    """Read the text of every page; raises Unreadable for scans and locked files."""
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

    assert isinstance(document, pypdfium2.PdfDocument)
    text: str = document[number].get_textpage().get_text_range()
    if text.strip() and len(document) <= MOST_LAYOUT_PAGES:
        single = pypdfium2.PdfDocument.new()
        single.import_pages(document, [number])
        buffer = io.BytesIO()
        single.save(buffer)
        text = by_markitdown("PdfConverter", buffer.getvalue(), ".pdf")
    # U+FFFE is pdfium's mark for a word that goes on in the next line.
    text = re.sub(r"\ufffe\s*", "", text.replace("\r\n", "\n").replace("\f", "\n"))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def _pdf_date(value: str | None) -> datetime | None:
    digits = (value or "").removeprefix("D:")[:8]
    return parse_date(f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}") if digits.isdecimal() else None
