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


WORD_SPACES = " ".join(
    f'xmlns:{short}="{name}"'
    for short, name in (
        ("w", "http://schemas.openxmlformats.org/wordprocessingml/2006/main"),
        ("r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
        ("mc", "http://schemas.openxmlformats.org/markup-compatibility/2006"),
        ("m", "http://schemas.openxmlformats.org/officeDocument/2006/math"),
        ("v", "urn:schemas-microsoft-com:vml"),
        ("a", "http://schemas.openxmlformats.org/drawingml/2006/main"),
    )
)
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"


def links(*found: tuple[str, str, str]) -> str:
    """Give a part's links: id, kind and target; a target with :// lies outside."""
    outside = ' TargetMode="External"'
    return f'<Relationships xmlns="{_LINKS}">' + "".join(
        f'<Relationship Id="{name}" Type="{_KIND}/{kind}" Target="{target}"'
        f"{outside if '://' in target else ''}/>"
        for name, kind, target in found
    ) + "</Relationships>"  # fmt: skip


def word(body: str, outside: str = "", **parts: str) -> Parsed:
    """Read a Word file; see `word_file`."""
    return read("a.docx", word_file(body, outside, **parts))


def word_file(body: str, outside: str = "", **parts: str) -> bytes:
    """Make a Word file of its body and other parts, such as styles, numbering or header1.

    Text that is linked by the id "out" leads to `outside`.
    """
    files = {
        "_rels/.rels": links(("r0", "officeDocument", "word/document.xml")),
        "word/document.xml": f"<w:document {WORD_SPACES}><w:body>{body}</w:body></w:document>",
    }
    found = [("out", "hyperlink", outside)] if outside else []
    for name, text in parts.items():
        files[f"word/{name}.xml"] = f"<w:{name} {WORD_SPACES}>{text}</w:{name}>"
        found.append((name, name.rstrip("0123456789"), f"{name}.xml"))
    files["word/_rels/document.xml.rels"] = links(*found)
    return archive(files)


def run(text: str, about: str = "") -> str:
    """Give a run of a Word paragraph."""
    return f'<w:r><w:rPr>{about}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*runs: str, style: str = "", about: str = "") -> str:
    """Give a Word paragraph of runs, or of plain texts."""
    inner = "".join(part if part.startswith("<") else run(part) for part in runs)
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{about}</w:pPr>{inner}</w:p>"
