"""Books: chapters in the order of reading, named by the list of contents; what is missing is said."""

import pytest

from ingest.entries import Unreadable
from tests.office_files import archive, read


def book(
    spine: list[str], pages: dict[str, str], about: str = "", extra: str = "", **parts: str
) -> bytes:
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(pages)
    )
    order = "".join(f'<itemref idref="i{list(pages).index(name)}"/>' for name in spine)
    files = {
        "META-INF/container.xml": '<c xmlns="x"><rootfile full-path="OPS/book.opf"/></c>',
        "OPS/book.opf": f'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata>{about}</metadata><manifest>{items}{extra}</manifest><spine>{order}</spine></package>",
    }  # fmt: skip
    files |= {f"OPS/{name.replace('%20', ' ')}": text for name, text in pages.items() if text}
    return archive(files | {name.replace("__", "/") + ".xml": text for name, text in parts.items()})


def test_chapters_come_in_the_order_of_reading_under_their_names() -> None:
    contents = (
        '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "x"><ncx xmlns="y"><navMap><navPoint><navLabel>'
        '<text>Low water</text></navLabel><content src="OPS/b%20two.xhtml"/></navPoint></navMap></ncx>'
    )
    parsed = read("a.epub", book(
        ["b%20two.xhtml", "a.xhtml", "gone.xhtml"],
        {
            "a.xhtml": '<html><body><h1>High water</h1><p>See <a href="b%20two.xhtml#x">low</a>, '
            '<a href="https://x.example">the table</a>.<img src="a.png" alt="Gauge"/></p></body></html>',
            "b%20two.xhtml": '<?xml version="1.0" encoding="utf-8"?><html><body><p>Küste.</p></body></html>',
            "gone.xhtml": "",
        },
        "<dc:title>Tides</dc:title><dc:date>2024-05-06</dc:date>",
        '<item id="ncx" href="../toc.xml" media-type="application/x-dtbncx+xml"/>',
        toc=contents,
    ))  # fmt: skip
    assert parsed.body == (
        "# Low water\n\nKüste.\n\n# High water\n\nSee low, [the table](https://x.example).Gauge"
    )
    assert (parsed.title, str(parsed.updated_at)[:10]) == ("Tides", "2024-05-06")
    assert parsed.left_out == ("1 chapter missing in the file", "1 picture")


def test_a_protected_book_says_so_but_hidden_fonts_do_not_matter() -> None:
    page = {"a.xhtml": "<p>Text</p>"}
    method = '<e xmlns="x"><EncryptionMethod Algorithm="{}"/></e>'
    with pytest.raises(Unreadable, match="protected"):
        read("a.epub", book(["a.xhtml"], page, **{"META-INF__encryption": method.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc")}))  # fmt: skip
    fonts = method.format("http://www.idpf.org/2008/embedding")
    assert read("a.epub", book(["a.xhtml"], page, **{"META-INF__encryption": fonts})).body == "Text"
