"""Web pages: the main text as Markdown, without menus and footers.

Knows nothing about where a page came from.
"""

import re
from datetime import date
from typing import Any
from urllib.parse import quote

from ingest.parsing.text import Parsed, decode, parse_date

# Of a page's visible text at least this share is expected in its main text; less means that
# the page is no article (a table, a form), and all of it is taken.
LEAST_SHARE = 0.25
SMALL_PAGE = 400  # characters of visible text below which all of it is taken

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_EMPTY_LINK = re.compile(r"<a\b[^>]*>\s*</a>", re.IGNORECASE)  # takes a heading's text with it
_PERMALINK = re.compile(r"\s*\[[^\w\]]*\]\(#[^)]*\)")  # the sign that a heading is linked by
IN_FRAGMENTS = "!$&'()*+,;=:@/?"  # what may follow # as it is, beside letters (RFC 3986, 3.5)

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?\s*([\w-]+)", re.IGNORECASE)


def read(html: str) -> Parsed:
    """Give a page's main text, with its own title and date."""
    import trafilatura

    named, html = _named(html), _EMPTY_LINK.sub("", html)
    whole = _whole(html)
    main = trafilatura.extract(
        html,
        output_format="markdown",
        include_tables=True,
        include_links=True,
        include_formatting=True,
        favor_recall=True,
    )
    # The date of change, as the page states it: one guessed from the text could make old pages win.
    dating = {
        "original_date": False,
        "extensive_search": False,
        "max_date": date.today().isoformat(),
    }
    about = trafilatura.extract_metadata(html, extensive=False, date_config=dating)
    visible = len(re.sub(r"[\W_]+", "", whole))
    kept = len(re.sub(r"[\W_]+", "", main or ""))
    is_article = len(whole) >= SMALL_PAGE and kept >= LEAST_SHARE * visible
    body = main if main and is_article else whole
    body = _PERMALINK.sub("", body)
    title = about.title.rstrip("¶ ") if about and about.title else None
    if is_article and title and not re.search(r"^# ", body, re.MULTILINE):
        body = f"# {title}\n\n{body}"
    updated_at = parse_date(about.date) if about else None
    return Parsed(body, title, updated_at, named=named)


def _named(html: str) -> tuple[tuple[str, str], ...]:
    """Give the headings that a link can lead to, with what it ends with."""
    import trafilatura

    tree = trafilatura.load_html(html)
    found = () if tree is None else ((h, _anchor(h)) for h in tree.iter(*HEADINGS))
    return tuple((h.text_content(), quote(a, safe=IN_FRAGMENTS)) for h, a in found if a)


def _anchor(heading: Any) -> str | None:
    """Give the id of a heading, of something in it, or of the section that it opens."""
    for element in heading.iter():
        if name := element.get("id") or (element.tag == "a" and element.get("name")):
            return str(name)
    section = heading.getparent()
    is_first = section is not None and next(section.iter(*HEADINGS)) is heading
    is_section = is_first and section.tag in ("section", "div")
    return str(section.get("id") or "") or None if is_section else None


def decode_html(data: bytes) -> str:
    """Turn a page's bytes into text by its byte order mark, its meta tag, or by guessing."""
    named = _CHARSET.search(data[:4096])
    if named and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return data.decode(named.group(1).decode("ascii"), "replace")
        except LookupError:
            pass
    return decode(data)


def _whole(html: str) -> str:
    import io

    from markitdown import StreamInfo
    from markitdown.converters import HtmlConverter

    info = StreamInfo(extension=".html", charset="utf-8")
    stream = io.BytesIO(html.encode("utf-8", "replace"))
    return str(HtmlConverter().convert(stream, info).markdown)
