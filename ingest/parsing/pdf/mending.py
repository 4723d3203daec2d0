"""Files whose end is missing: the list of pages is written anew from the pages that are there.

Knows nothing about what stands on them.
"""

import re

_OBJECT = re.compile(
    rb"(?<!\d)(\d{1,8})\s+(\d{1,5})\s+obj\b(.{0,4000}?)(?:endobj|stream\b)", re.DOTALL
)
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_MARK = b"%mended\n"


def with_pages(data: bytes) -> bytes | None:
    """Append a catalogue of the pages in `data`; None where there are none, or it has been tried.

    Pages within compressed objects, and encrypted files, are not found this way.
    """
    if _MARK in data or b"/Encrypt" in data:
        return None
    pages = {
        int(found.group(1)): found.group(2)
        for found in _OBJECT.finditer(data)
        if _PAGE.search(found.group(3))
    }
    if not pages:
        return None
    numbers = [int(found) for found in re.findall(rb"(?<!\d)(\d{1,8})\s+\d{1,5}\s+obj\b", data)]
    first = max(numbers) + 1
    kids = b" ".join(b"%d %s R" % (number, generation) for number, generation in pages.items())
    return (
        data + b"\nendstream\nendobj\n" + _MARK
        + b"%d 0 obj<</Type/Catalog/Pages %d 0 R>>endobj\n" % (first, first + 1)
        + b"%d 0 obj<</Type/Pages/Kids[%s]/Count %d>>endobj\n" % (first + 1, kids, len(pages))
        + b"trailer<</Root %d 0 R/Size %d>>\n%%%%EOF\n" % (first, first + 2)
    )  # fmt: skip
