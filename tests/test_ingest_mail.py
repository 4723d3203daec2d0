"""Mail: attachments are read or named, mailboxes are cut at real separators only."""

import io
from email.message import EmailMessage

import openpyxl
import pytest

from tests.office_files import paragraph, read, rows, word_file


def message(text: str = "See below.", subject: str = "Mill") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"] = "Ada <ada@x.example>", subject
    made["Date"] = "Thu, 1 May 2025 10:00:00 +0200"
    made.set_content(text)
    return made


def test_attachments_are_read_by_our_own_readers_or_named() -> None:
    book = openpyxl.Workbook()
    assert book.active
    for row in (["Gate", "Opens"], ["East", "06:00"], ["West", "=A1"]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    made = message()
    made.add_attachment("The wheel turns in May.", filename="notes.txt")
    made.add_attachment(
        buffer.getvalue(), maintype="application", subtype="x", filename="gates.xlsx"
    )
    made.add_attachment(
        word_file(paragraph("Hook twelve.")),
        maintype="application",
        subtype="x",
        filename="Schlüssel.docx",
    )
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="wheel.png")
    made.add_attachment(b"PK\x03\x04", maintype="application", subtype="x", filename="broken.docx")
    parsed = read("a.eml", made.as_bytes())
    assert parsed.title == "Mill" and parsed.body.startswith(
        "See below.\n\n## Attachment notes.txt"
    )
    for words in (
        "The wheel turns in May.",
        "| East | 06:00 |",
        "Hook twelve.",
        "Attachment Schlüssel.docx",
    ):
        assert words in parsed.body
    assert parsed.left_out == (
        "of attachment gates.xlsx: results of 1 formula are not in the file",
        "attachment wheel.png",
        "attachment broken.docx (damaged)",
    )  # fmt: skip


def test_a_forwarded_message_is_read_with_what_it_carries() -> None:
    inner = message("Inner text.", "Old")
    inner.add_attachment("a;b\n1;2\n", filename="inner.csv")
    made = message("Outer text.", "New")
    made.add_attachment(inner)
    body = read("a.eml", made.as_bytes()).body
    assert "## Old\n\nFrom: Ada <ada@x.example>, Date: Thu, 01 May 2025" in body
    assert "Inner text." in body and rows(body) == [["a", "b"], ["1", "2"]]


def test_one_form_of_the_same_text_is_taken() -> None:
    made = message("The gate opens at six.")
    made.add_alternative("<p>The gate opens at six.</p>", subtype="html")
    assert read("a.eml", made.as_bytes()).body == "The gate opens at six."
    teaser = message("Your program shows no HTML.")
    teaser.add_alternative(f"<p>{'The gate opens at six. ' * 20}</p>", subtype="html")
    assert "opens at six" in read("a.eml", teaser.as_bytes()).body
    only = message()
    only.set_content("<h2>Regatta</h2><p>Buoy nine.</p>", subtype="html")
    assert "Buoy nine." in read("a.eml", only.as_bytes()).body


def test_a_mailbox_is_cut_at_separators_only() -> None:
    parts = [
        "From ada@x Thu May  1 10:00:00 2025\nFrom: Ada <ada@x.example>\nSubject: Tent\n",
        "From here on:\nPegs: use the long ones.\n\nFrom Monday it rains.\n",
        ">From the roof it drips.\n",
        "From 12@xxx Fri May 02 11:00:00 +0000 2025\nSubject: Hammer\n\nWith Freya.\n",
        "From - Sat, 3 May 2025\nX-Status: read\nSubject: Pole\n\nIn the shed.",
    ]
    body = read("a.mbox", "\n".join(parts)).body
    assert [line for line in body.split("\n") if line.startswith("#")] == [
        "## Tent", "## Hammer", "## Pole",
    ]  # fmt: skip
    for words in ("From here on:\nPegs: use", "From Monday it rains.", "\nFrom the roof it drips."):
        assert words in body


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        ("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable", b"M=FChle am Fl=\nuss", "Mühle am Fluss"),
        ("Content-Type: text/plain; charset=us-ascii", "Mühle".encode(), "Mühle"),
        ("Content-Type: text/plain; charset=x-none", "Mühle".encode(), "Mühle"),
        ("Content-Type: text/plain; format=flowed", b"The gate \nopens.\n\n-- \nAda", "The gate opens.\n\n-- \nAda"),
        ("Content-Type: text/plain", b"# 4 is locked\n---\nEnd", "\\# 4 is locked\n\\---\nEnd"),
        ("From: <<>>@;,\nDate: never", b"Still read.", "Still read."),
    ],
)  # fmt: skip
def test_bodies_of_every_charset_and_form_are_read(head: str, body: bytes, expected: str) -> None:
    parsed = read(
        "a.eml", b"Subject: =?utf-8?B?U2NobMO8c3NlbA==?=\n" + head.encode() + b"\n\n" + body
    )
    assert (parsed.title, parsed.body) == ("Schlüssel", expected)
