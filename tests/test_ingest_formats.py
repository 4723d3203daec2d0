"""Formats: each gives Markdown or one clear reason, and a hostile file harms only its own process."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import openpyxl
import pptx
import pytest

from ingest.entries import Content, Unreadable
from ingest.parsing import formats
from ingest.parsing.parse import check, ending_of, refuse
from ingest.parsing.text import Parsed
from ingest.sandbox import Names, Outline, Parser
from ingest.splitting.sections import sections


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    opened = Parser()
    yield opened
    opened.close()


def read(name: str, data: bytes | str, media_type: str | None = None) -> Parsed:
    """Read a document here, as the child does."""
    raw = data.encode() if isinstance(data, str) else data
    return formats.convert(f"document{ending_of(Content(raw, name, media_type))}", raw)


def outline(parser: Parser, name: str, data: bytes | str) -> Outline:
    """Read a document in the child."""
    raw = data.encode() if isinstance(data, str) else data
    ending = ending_of(Content(raw, name))
    refuse(ending)
    check(ending, raw)
    return parser(f"document{ending}", raw, Names(name))


def words(found: Outline) -> str:
    return "\n".join(b.text for piece in found.pieces for s in piece for b in s.blocks)


def reason(parser: Parser, name: str, data: bytes | str) -> str:
    with pytest.raises(Unreadable) as error:
        words(outline(parser, name, data))
    return str(error.value)


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return buffer.getvalue()


def docx(body: str) -> bytes:
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    core = (
        '<p:coreProperties xmlns:p="http://schemas.openxmlformats.org/package/2006/metadata/'
        'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:t="http://purl.org/dc/terms/"><dc:title>Charter</dc:title>'
        "<t:modified>2025-02-03T10:00:00Z</t:modified></p:coreProperties>"
    )
    return zipped(
        **{
            "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="xml" '
            'ContentType="application/xml"/><Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml"'
            ' ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document'
            '.main+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
            "docProps/core.xml": core,
            "word/document.xml": f"<w:document {w}><w:body>{body}</w:body></w:document>",
        }
    )


def pdf(*pages: str, extra: str = "") -> bytes:
    """Write a PDF by hand: one line of text per page; pdfium mends the missing table."""
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(pages)))
    parts = [
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        f"2 0 obj<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>endobj\n",
        "3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n",
        "4 0 obj<</ModDate(D:20250203100000Z)>>endobj\n",
    ]
    for n, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET" if text else "0 0 m"
        parts.append(
            f"{10 + 2 * n} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]"
            f"/Resources<</Font<</F1 3 0 R>>>>/Contents {11 + 2 * n} 0 R>>endobj\n"
            f"{11 + 2 * n} 0 obj<</Length {len(stream)}>>stream\n{stream}\nendstream endobj\n"
        )
    parts.append(f"trailer<</Root 1 0 R/Info 4 0 R{extra}>>\n%%EOF\n")
    return "".join(parts).encode()


def test_word_gives_text_title_and_date(parser: Parser) -> None:
    parsed = read("a.docx", docx("<w:p><w:r><w:t>Hello team</w:t></w:r></w:p>"))
    assert (parsed.body.strip(), parsed.title) == ("Hello team", "Charter")
    assert parsed.updated_at == datetime(2025, 2, 3, 10, tzinfo=UTC)


def test_a_workbook_gives_a_table_per_sheet(parser: Parser) -> None:
    book = openpyxl.Workbook()
    assert book.active
    book.active.title = "Rates"
    for row in [("city", "rate"), ("Lyon", 12)]:
        book.active.append(row)
    book.create_sheet("Last year's").append(["nothing"])
    buffer = io.BytesIO()
    book.save(buffer)
    parsed = read("a.xlsx", buffer.getvalue())
    assert "## Rates" in parsed.body and "| city | rate |\n" in parsed.body
    assert "| Lyon | 12 |" in parsed.body
    assert parsed.named == (("Rates", "Rates!A1"), ("Last year's", "'Last%20year''s'!A1"))


def test_slides_are_numbered_and_named(parser: Parser) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Plan"
    slide.placeholders[1].text = "Ship it"
    buffer = io.BytesIO()
    deck.save(buffer)
    assert read("a.pptx", buffer.getvalue()).body.strip().startswith("## Slide 1: Plan")


def test_a_web_page_gives_its_main_text(parser: Parser) -> None:
    text = "Leave is asked for in writing, two weeks ahead, and answered within three days. " * 9
    page = (
        f"<html><head><title>Leave</title><meta property='article:published_time' "
        f"content='2020-01-01'><meta property='article:modified_time' content='2025-02-03'></head><body><nav>Menu Home Shop</nav><main><h1>Leave</h1>"
        f"<p>{text}</p><h2>Sick</h2><p>Call before nine. {text}</p></main>"
        f"<footer>Imprint</footer></body></html>"
    )
    parsed = read("a.html", page)
    assert (
        parsed.title == "Leave" and "## Sick" in parsed.body and "Call before nine" in parsed.body
    )
    assert parsed.updated_at == datetime(2025, 2, 3, tzinfo=UTC)
    assert "Menu" not in parsed.body and "Imprint" not in parsed.body


def test_links_into_a_web_page_lead_to_the_ids_of_its_headings(parser: Parser) -> None:
    text = "Leave is asked for in writing, two weeks ahead, and answered within three days. " * 9
    page = (
        f"<html><head><title>Leave</title></head><body><main><h1>Leave</h1><p>{text}</p>"
        f"<section id='sick'><h2>Sick<a href='#sick'>¶</a></h2><p>{text}</p></section>"
        f"<h2><a name='pay day'></a>Pay</h2><p>{text}</p><h2>None</h2><p>{text}</p></main></body>"
    )
    parsed = read("a.html", page)
    assert [line for line in parsed.body.split("\n") if line.startswith("#")] == [
        "# Leave", "## Sick", "## Pay", "## None",
    ]  # fmt: skip
    (found,) = sections(parsed, "Leave")
    assert [s.anchor for s in found] == [None, "sick", "pay%20day", None]


def test_pages_of_a_pdf_and_headings_of_rst_are_linked(parser: Parser) -> None:
    (pages,) = sections(read("a.pdf", pdf("First page", "Second page")), "T")
    assert [(s.headings, s.anchor) for s in pages] == [
        (("Page 1",), "page=1"), (("Page 2",), "page=2"),
    ]  # fmt: skip
    (found,) = sections(read("a.rst", "Set up\n======\n\nRun it.\n"), "T")
    assert [s.anchor for s in found] == ["set-up"]


def test_a_small_page_is_taken_whole_whatever_its_encoding(parser: Parser) -> None:
    for encoding in ("utf-16", "utf-8"):
        body = read("a.html", "<p>Grüße, köstlich</p>".encode(encoding)).body
        assert body.strip() == "Grüße, köstlich"
    shift = '<meta charset="shift_jis"><p>休暇の申請</p>'.encode("cp932")
    assert read("a.html", shift).body.strip() == "休暇の申請"


def test_the_media_type_tells_the_format_where_the_name_does_not(parser: Parser) -> None:
    assert read("page", "<p>hello</p>", "text/html; charset=utf-8").body.strip() == "hello"


def test_tables_of_text_become_tables(parser: Parser) -> None:
    body = read("a.csv", "name;room\nAnn;1|2\n\nBob\n").body
    assert body == "| name | room |\n| --- | --- |\n| Ann | 1\\|2 |\n| Bob |  |\n"


def test_rst_headings_code_and_links(parser: Parser) -> None:
    source = (
        "=====\nGuide\n=====\n\nSee `the site <https://x.org>`__ and :ref:`other`.\n\nUse\n---\n\n"
        ".. code-block:: sh\n\n   make up\n\n.. _label:\n\n.. note:: Mind this\n"
    )
    parsed = read("a.rst", source)
    assert parsed.title == "Guide"
    assert "## Use" in parsed.body and "```sh\nmake up\n```" in parsed.body
    assert "See [the site](https://x.org) and other." in parsed.body
    assert "**Note** Mind this" in parsed.body and "_label" not in parsed.body


def test_open_document_headings_lists_and_tables(parser: Parser) -> None:
    office = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<o xmlns:t="{office}:text:1.0" xmlns:b="{office}:table:1.0"><t:h t:outline-level="2">'
        "Head</t:h><t:p>Some <t:span>text</t:span></t:p><t:list><t:list-item><t:p>item</t:p>"
        "</t:list-item></t:list><b:table><b:table-row><b:table-cell><t:p>a</t:p></b:table-cell>"
        "</b:table-row><b:table-row><b:table-cell><t:p>1</t:p></b:table-cell></b:table-row>"
        "</b:table></o>"
    )
    parsed = read("a.odt", zipped(content_xml=content, meta_xml="<m/>"))
    assert parsed.body == "## Head\n\nSome text\n\n- item\n\n| a |\n| --- |\n| 1 |"


def test_mail_notebooks_and_rich_text(parser: Parser) -> None:
    mail = "From: a@x.org\nSubject: Hello\nDate: Mon, 3 Feb 2025 10:00:00 +0000\n\nBody text\n"
    parsed = read("a.eml", mail)
    assert (parsed.title, parsed.body) == ("Hello", "Body text")
    box = read("a.mbox", f"From a Mon Feb 3\n{mail}\nFrom b Mon Feb 3\n{mail}")
    assert box.body.count("## Hello") == 2
    book = json.dumps({"cells": [{"cell_type": "markdown", "source": ["# Note"]}]})
    assert "# Note" in read("a.ipynb", book).body
    assert read("a.rtf", r"{\rtf1\ansi Hello \b team\b0}").body.strip() == "Hello team"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.pdf", b"hello", "named .pdf but is something else"),
        ("a.docx", b"%PDF-1.4 x", "is a PDF"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 x", "password"),
        ("a.md", b"%PDF-1.4 x", "is a PDF"),
        ("a.txt", b"PK\x03\x04 x", "ZIP"),
        ("a.txt", bytes(range(256)), "binary"),
        ("a.docx", b"PK\x03\x04 broken", "damaged"),
        ("a.pdf", b"%PDF-1.4 broken", "damaged"),
        ("a.doc", b"x", "Save it as .docx"),
        ("a.png", b"x", "no text that is read"),
        ("a.md", b" \n", "empty"),
        ("a.ipynb", b"{", "damaged"),
        ("a.html", b"<html></html>", "no text"),
        ("a.mbox", b"\n", "empty"),
        ("a.xlsx", zipped(a="b"), "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_gives_its_reason(
    parser: Parser, name: str, data: bytes, expected: str
) -> None:
    assert expected in reason(parser, name, data)


def test_a_slow_file_is_given_up_and_the_next_is_read() -> None:
    parser = Parser(timeout_seconds=0.01)
    assert "longer than 0.01 s" in reason(parser, "a.csv", "a,b\n1,2\n")
    parser.timeout_seconds = 60
    assert "| 1 | 2 |" in words(outline(parser, "a.csv", "a,b\n1,2\n"))
    parser.close()


def test_a_file_that_unpacks_to_too_much_is_refused_and_the_next_is_read() -> None:
    parser = Parser(memory_mb=150)
    bomb = docx(f"<w:p>{'<w:r><w:t>boom</w:t></w:r>' * 4_000_000}</w:p>")
    assert len(bomb) < 1_000_000
    assert "memory" in reason(parser, "bomb.docx", bomb) or "MB" in reason(parser, "b.docx", bomb)
    assert "| 1 | 2 |" in words(outline(parser, "a.csv", "a,b\n1,2\n"))
    parser.close()


def test_rst_directives_keep_what_they_show() -> None:
    source = (
        ".. |crew| replace:: Crew Nine\n\n.. note:: Mind\n\n   the step, |crew|.\n\n"
        ".. list-table:: Keys\n   :header-rows: 1\n\n   * - Room\n     - Key\n   * - Attic\n     - brass\n\n"
        '.. csv-table::\n\n   a,b\n   1,"2,3"\n\n.. figure:: a.png\n   :alt: x\n\n   The plan.\n\n'
        ".. unheard-of::\n\n   Kept :ref:`here <x>`.\n\n.. a comment\n\n.. toctree::\n\n   pages\n"
    )
    body = read("a.rst", source).body
    for shown in ("**Note** Mind", "the step, Crew Nine.", "| Attic | brass |", "| 1 | 2,3 |",
                  "The plan.", "Kept here."):  # fmt: skip
        assert shown in body
    assert "comment" not in body and "pages" not in body
