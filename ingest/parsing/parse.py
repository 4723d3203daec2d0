"""Decides which documents are read, by their names and first bytes.

Knows nothing about sources, splitting or the store, nor how a format is read (but how a page names its charset).
"""

import codecs
from dataclasses import replace

from ingest.entries import Content, Unreadable
from ingest.parsing import webpage

MARKDOWN = {".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"}
CONVERTED = {
    ".pdf", ".docx", ".docm", ".pptx", ".pptm", ".xlsx", ".xlsm", ".xls", ".html", ".htm",
    ".xhtml", ".epub", ".ipynb", ".csv", ".tsv", ".odt", ".odp", ".ods", ".rtf", ".mbox", ".eml", ".rst",
}  # fmt: skip
PLAIN = {
    ".txt", ".text", ".log", ".adoc", ".asciidoc", ".org", ".tex", ".wiki", ".mediawiki", ".textile",
    ".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".xml", ".py", ".sh", ".sql", ".js",
    ".ts", ".go", ".rs", ".java", ".rb", ".css", ".srt", ".vtt", "",
}  # fmt: skip
PAGES = {".html", ".htm", ".xhtml"}
OLD_OFFICE = {".doc": "Word", ".ppt": "PowerPoint", ".dot": "Word", ".pps": "PowerPoint"}

CONFLUENCE, NOTION = "application/x-confluence-export", "application/x-notion-export"
EXPORTED = {CONFLUENCE: ".confluence", NOTION: ".notion"}
"""Pages of exports, whose readers take off what these add."""

MEDIA_TYPES = {
    **EXPORTED,
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "application/epub+zip": ".epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.ms-excel": ".xls",
    "message/rfc822": ".eml",
    "application/mbox": ".mbox",
}

READ = MARKDOWN | CONVERTED | PLAIN | {*EXPORTED.values()}

ZIP, OLE, PDF = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-"
ZIPPED = {".docx", ".docm", ".pptx", ".pptm", ".xlsx", ".xlsm", ".epub", ".odt", ".odp", ".ods"}
MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or an Office document",
    OLE: "an old Office document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b": "a gzip archive",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
}


def recoded(content: Content) -> Content:
    """Give a text as UTF-8 where its server names the charset: that is not written in its bytes."""
    charset = webpage.charset_of(content.media_type)
    ending = ending_of(content)
    if charset is None or ending not in MARKDOWN | PLAIN | PAGES or charset == "utf-8":
        return content
    text = webpage.decode_html(content.data, charset)
    return replace(content, data=codecs.BOM_UTF8 + text.encode("utf-8", "replace"))


def ending_of(content: Content) -> str:
    """Give the name's ending in small letters, or the one that the media type stands for."""
    media_type = (content.media_type or "").partition(";")[0].strip().lower()
    if media_type in MEDIA_TYPES:
        return MEDIA_TYPES[media_type]
    name = content.name.rsplit("/", 1)[-1]
    return "." + name.rsplit(".", 1)[-1].lower() if "." in name.lstrip(".") else ""


def refuse(ending: str) -> None:
    """Raise Unreadable for kinds of files that are not read, before they are fetched."""
    if ending in OLD_OFFICE:
        raise Unreadable(
            f"The old {OLD_OFFICE[ending]} format {ending} is not read. Save it as {ending}x."
        )
    if ending not in READ:
        raise Unreadable(f"Files of the kind {ending} hold no text that is read.", is_skip=True)


def check(ending: str, data: bytes) -> None:
    """Raise Unreadable when there is nothing, or when the first bytes belie the name."""
    if not data or data.isspace():
        raise Unreadable("It is empty.", is_skip=True)
    if ending == ".pdf" and PDF not in data[:1024]:
        raise Unreadable(f"It is named {ending} but is {_really(data)}. Rename or replace it.")
    if ending in ZIPPED and not data.startswith(ZIP):
        if data.startswith(OLE):
            raise Unreadable(
                "It is protected by a password, or in an old Office format. Save it without one,"
                f" as {ending}."
            )
        raise Unreadable(f"It is named {ending} but is {_really(data)}. Rename or replace it.")
    if ending in MARKDOWN | PLAIN and _really(data) != "something else":
        raise Unreadable(f"It is named {ending or 'as text'} but is {_really(data)}. Rename it.")


def _really(data: bytes) -> str:
    return next((what for magic, what in MAGIC.items() if data.startswith(magic)), "something else")
